import type { BreakerState, ProviderHealth } from "@sluice/core/events";
import { CircleCheck, CirclePause, OctagonAlert, Timer } from "lucide-react";
import { useTranslation } from "react-i18next";
import { serverNow, ticks } from "../../live/server-clock.ts";
import { useStore } from "../../live/store.ts";
import { Badge } from "../../ui/badge.tsx";

/** The state of a provider in one word, and each breaker that is not closed with why and until when. */
export function HealthCell({ health, enabled }: { health: ProviderHealth; enabled: boolean }) {
  const { t } = useTranslation();
  const troubled = health.breakers.filter(({ state }) => state !== "closed");
  if (!enabled)
    return (
      <Badge tone="idle">
        <CirclePause aria-hidden="true" />
        {t("providers.off")}
      </Badge>
    );
  if (troubled.length > 0)
    return (
      <ul className="flex flex-col items-start gap-1.5">
        {troubled.map((breaker) => (
          <li key={breaker.model}>
            <BreakerBadge breaker={breaker} />
          </li>
        ))}
      </ul>
    );
  return health.requests === 0 && health.inFlight === 0 ? (
    <Badge tone="idle">{t("providers.idle")}</Badge>
  ) : (
    <Badge tone="ok">
      <CircleCheck aria-hidden="true" />
      {t("providers.healthy")}
    </Badge>
  );
}

function BreakerBadge({ breaker }: { breaker: BreakerState }) {
  const { t } = useTranslation();
  const half = breaker.state === "half_open";
  const Icon = half ? Timer : OctagonAlert;
  return (
    <div className="flex flex-col gap-0.5" title={breaker.cause || undefined}>
      <Badge tone={half ? "warn" : "bad"}>
        <Icon aria-hidden="true" />
        {half ? t("providers.halfOpen") : <OpenFor probeAtMs={breaker.probeAtMs} />}
      </Badge>
      <span className="max-w-56 truncate text-xs text-ink-3">
        {breaker.model || t("providers.anyModel")} · {t("providers.failures", { count: breaker.failures })}
      </span>
    </div>
  );
}

function OpenFor({ probeAtMs }: { probeAtMs: number | null }) {
  const { t } = useTranslation();
  useStore(ticks);
  const seconds = probeAtMs === null ? 0 : Math.ceil((probeAtMs - serverNow()) / 1_000);
  return <>{seconds > 0 ? t("providers.openFor", { seconds }) : t("providers.probeDue")}</>;
}
