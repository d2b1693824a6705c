import { Link } from "@tanstack/react-router";
import { TriangleAlert } from "lucide-react";
import { useStore } from "../live/store.ts";
import { systemBoard } from "../live/system-board.ts";
import { useTexts } from "../text/i18n.ts";
import { buttonClass } from "../ui/button.tsx";

/** Shown above every page while the configuration file on disk could not be applied; disappears once it is. */
export function ConfigBanner() {
  const { t } = useTexts();
  const { configs } = useStore(systemBoard);
  const failed = [...configs.values()].find(({ status }) => status === "failed");
  if (!failed) return null;
  const more = failed.problems.length - 1;
  return (
    <section
      aria-label={t("system.config")}
      className="flex flex-wrap items-center gap-x-4 gap-y-2 border-b border-warn/40 bg-warn-soft px-4 py-2.5 md:px-7"
    >
      <TriangleAlert aria-hidden="true" className="size-4.5 shrink-0 text-warn" />
      <div role="status" className="min-w-0 flex-1 basis-72 text-sm">
        <p className="font-medium">{t("system.bannerTitle")}</p>
        <p className="break-words text-xs text-ink-2">
          <span className="font-mono">{failed.problems[0]}</span> {more > 0 && t("system.bannerMore", { count: more })}
        </p>
      </div>
      <Link to="/system" className={buttonClass({ variant: "outline", size: "sm" })}>
        {t("system.bannerLink")}
      </Link>
    </section>
  );
}
