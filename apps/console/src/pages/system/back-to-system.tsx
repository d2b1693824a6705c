import { Link } from "@tanstack/react-router";
import { ArrowLeft } from "lucide-react";
import { useTexts } from "../../text/i18n.ts";
import { buttonClass } from "../../ui/button.tsx";

/** The way back from one of the system's own pages. */
export function BackToSystem() {
  const { t } = useTexts();
  return (
    <Link to="/system" className={buttonClass({ variant: "ghost" }, "max-sm:-ml-3")}>
      <ArrowLeft aria-hidden="true" />
      {t("system.title")}
    </Link>
  );
}
