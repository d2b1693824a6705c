import { Link } from "@tanstack/react-router";
import { useTexts } from "../../text/i18n.ts";
import { buttonClass } from "../../ui/button.tsx";
import { Snippets } from "../../ui/snippets.tsx";

/** The next step for a new user: a snippet, and where to get a key unless the viewer has only one. */
export function FirstRequestHint({ baseUrl, byKey }: { baseUrl: string; byKey: boolean }) {
  const { t } = useTexts();
  return (
    <div className="flex flex-col gap-4">
      <Snippets baseUrl={baseUrl} secret="sk-sluice-…" />
      {!byKey && (
        <Link to="/keys" className={buttonClass({ variant: "outline" }, "self-center")}>
          {t("keys.new")}
        </Link>
      )}
    </div>
  );
}
