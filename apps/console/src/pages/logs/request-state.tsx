import type { RequestRow } from "@sluice/core/requests";
import { Ban, CircleCheck, CircleX, LogOut, Zap } from "lucide-react";
import { useTranslation } from "react-i18next";
import { cn } from "../../ui/class-names.ts";

/** Icon, word, colour and HTTP status of a request: never colour alone. */
export function RequestState({ row, className }: { row: RequestRow; className?: string }) {
  const { t } = useTranslation();
  if (row.state === "in_flight") {
    const streaming = row.ttftMs !== null;
    return (
      <span className={cn("inline-flex items-center gap-1.5 font-medium text-accent-ink", className)}>
        {streaming ? (
          <Zap aria-hidden="true" className="size-3.5 animate-pulse-dot" />
        ) : (
          <span
            aria-hidden="true"
            className="mx-0.5 size-2.5 animate-spin-slow rounded-full border-2 border-current border-r-transparent"
          />
        )}
        {t(streaming ? "state.streaming" : "state.in_flight")}
      </span>
    );
  }
  const looks = {
    done: { icon: CircleCheck, tone: "text-ok" },
    error: { icon: CircleX, tone: "text-bad" },
    aborted: { icon: LogOut, tone: "text-idle" },
    refused: { icon: Ban, tone: "text-warn" },
  } as const;
  const { icon: Icon, tone } = looks[row.state];
  return (
    <span
      className={cn("inline-flex items-center gap-1.5", className)}
      title={row.errorCode ? t(`errors.${row.errorCode}` as "errors.internal") : undefined}
    >
      <Icon aria-hidden="true" className={cn("size-3.5", tone)} />
      <span className={cn("font-medium", row.state === "done" ? "text-ink-2" : tone)}>{t(`state.${row.state}`)}</span>
      {row.status > 0 && <span className="text-ink-3">{row.status}</span>}
    </span>
  );
}
