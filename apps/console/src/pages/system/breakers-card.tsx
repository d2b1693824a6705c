import type { BreakerState } from "@sluice/core/events";
import { Link } from "@tanstack/react-router";
import { CircleCheck, ZapOff } from "lucide-react";
import { useNames } from "../../api/names.ts";
import { useTexts } from "../../text/i18n.ts";
import { Badge } from "../../ui/badge.tsx";
import { FactCard } from "./fact-card.tsx";

/** Breakers that are not closed. */
export function BreakersCard({ breakers }: { breakers: readonly BreakerState[] }) {
  const { t } = useTexts();
  const names = useNames();
  return (
    <FactCard title={t("system.breakers")}>
      {breakers.length === 0 && (
        <p className="flex items-center gap-2 text-ink-2">
          <CircleCheck aria-hidden="true" className="size-4 text-ok" />
          {t("system.breakersNone")}
        </p>
      )}
      <ul className="flex flex-col gap-2">
        {breakers.map(({ providerId, model, state, cause }) => (
          <li key={`${providerId} ${model}`} className="flex flex-wrap items-center justify-between gap-x-3 gap-y-1">
            <span className="min-w-0">
              <Link to="/providers" className="font-medium hover:underline">
                {names.provider(providerId)}
              </Link>{" "}
              <span className="font-mono text-xs text-ink-3">{model}</span>
            </span>
            <span title={cause}>
              <Badge tone={state === "open" ? "bad" : "warn"}>
                <ZapOff aria-hidden="true" />
                {t(state === "open" ? "system.open" : "system.halfOpen")}
              </Badge>
            </span>
          </li>
        ))}
      </ul>
    </FactCard>
  );
}
