import type { BreakerState } from "@sluice/core/events";
import { Link } from "@tanstack/react-router";
import { ArrowRight, CircleCheck, OctagonAlert, ScrollText, Timer } from "lucide-react";
import { formatElapsed } from "../../format.ts";
import { serverNow, ticks } from "../../live/server-clock.ts";
import { useStore } from "../../live/store.ts";
import { useTexts } from "../../text/i18n.ts";
import { cn } from "../../ui/class-names.ts";

interface BreakerPanelProps {
  providerId: string;
  breakers: readonly BreakerState[];
  /** Consecutive failures that open a breaker; 0 = breakers never open. */
  threshold: number;
}

/**
 * Breakers that are not closed or have failures, each drawn as a state machine with the reason for opening and the time of the next
 * probe.
 */
export function BreakerPanel({ providerId, breakers, threshold }: BreakerPanelProps) {
  const telling = breakers.filter(({ state, failures }) => state !== "closed" || failures > 0);
  if (telling.length === 0) return null;
  return (
    <ul className="flex flex-col gap-3">
      {telling
        .toSorted((a, b) => a.model.localeCompare(b.model))
        .map((breaker) => (
          <li key={breaker.model}>
            <Breaker providerId={providerId} breaker={breaker} threshold={threshold} />
          </li>
        ))}
    </ul>
  );
}

function Breaker({ providerId, breaker, threshold }: { providerId: string; breaker: BreakerState; threshold: number }) {
  const { t } = useTexts();
  const model = breaker.model || t("providers.anyModel");
  if (breaker.state === "closed")
    return (
      <p className="text-xs text-ink-2 [overflow-wrap:anywhere]">
        <span className="font-mono text-ink">{model}</span> ·{" "}
        {t("providers.closedFailures", { count: breaker.failures, of: threshold || "∞" })}
        {breaker.cause && ` · ${breaker.cause}`}
      </p>
    );
  const name = t(breaker.state === "open" ? "providers.open" : "providers.halfOpenState");
  return (
    <div
      role="group"
      aria-label={t("providers.breakerLabel", { model, state: name })}
      className="rounded-lg border border-line bg-sunken p-2.5"
    >
      <p className="truncate font-mono text-xs font-medium" title={model}>
        {model}
      </p>
      <ol className="mt-1.5 flex flex-wrap items-stretch gap-1.5 text-xs">
        <State active={false} tone="ok" icon={<CircleCheck />} name={t("providers.closed")} detail={t("providers.closedHint")} />
        <State
          active={breaker.state === "open"}
          tone="bad"
          icon={<OctagonAlert />}
          name={t("providers.open")}
          detail={breaker.state === "open" ? <Countdown probeAtMs={breaker.probeAtMs} /> : t("providers.openHint")}
        />
        <State
          active={breaker.state === "half_open"}
          tone="warn"
          icon={<Timer />}
          name={t("providers.halfOpenState")}
          detail={<Probe breaker={breaker} />}
          last
        />
      </ol>
      <p className="mt-2 text-xs text-ink-2 [overflow-wrap:anywhere]">
        <span className="text-ink-3">{t("providers.why")}: </span>
        {breaker.cause || t("providers.noCause")}
      </p>
      <Link
        to="/logs"
        search={{ provider: providerId, state: "error" }}
        className="mt-0.5 inline-flex min-h-6 items-center gap-1 text-xs text-accent-ink underline-offset-3 hover:underline"
      >
        <ScrollText aria-hidden="true" className="size-3.5" />
        {t("providers.lastFailures")}
      </Link>
    </div>
  );
}

interface StateProps {
  active: boolean;
  tone: "ok" | "warn" | "bad";
  icon: React.ReactNode;
  name: string;
  detail: React.ReactNode;
  last?: boolean;
}

const tones = {
  ok: "border-ok/40 bg-ok-soft text-ok",
  warn: "border-warn/40 bg-warn-soft text-warn",
  bad: "border-bad/40 bg-bad-soft text-bad",
};

function State({ active, tone, icon, name, detail, last = false }: StateProps) {
  return (
    <li aria-current={active ? "step" : undefined} className="flex items-center gap-1.5">
      <span
        className={cn(
          "flex min-h-9 flex-col justify-center rounded-md border px-2 py-1 leading-tight",
          active ? tones[tone] : "border-line text-ink-3",
        )}
      >
        <span className="flex items-center gap-1 font-medium [&_svg]:size-3.5">
          {active && icon}
          {name}
        </span>
        <span className="tabular-nums">{detail}</span>
      </span>
      {!last && <ArrowRight aria-hidden="true" className="size-3.5 text-ink-3" />}
    </li>
  );
}

/** Counts down by the server's clock. */
function Countdown({ probeAtMs }: { probeAtMs: number | null }) {
  const { t } = useTexts();
  useStore(ticks);
  const leftMs = probeAtMs === null ? 0 : probeAtMs - serverNow();
  return <>{leftMs > 0 ? t("providers.openIn", { time: formatElapsed(leftMs + 999) }) : t("providers.openDue")}</>;
}

function Probe({ breaker }: { breaker: BreakerState }) {
  const { t } = useTexts();
  const of = breaker.successesToClose ?? 2;
  const n = Math.min(of, (breaker.successes ?? 0) + 1);
  return <>{t(breaker.state === "half_open" && breaker.probeUntilMs ? "providers.probing" : "providers.probe", { n, of })}</>;
}
