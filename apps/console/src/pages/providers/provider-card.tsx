import type { ProviderHealth } from "@sluice/core/events";
import { CircleCheck, CirclePause, Hand, OctagonAlert, Timer } from "lucide-react";
import type { ProviderSeriesOf } from "../../live/provider-series.ts";
import type { ProviderLine } from "../../providers/provider.ts";
import { useTexts } from "../../text/i18n.ts";
import { Badge } from "../../ui/badge.tsx";
import { cn } from "../../ui/class-names.ts";
import { Switch } from "../../ui/switch.tsx";
import { BreakerPanel } from "./breaker-panel.tsx";
import { CoolDowns } from "./cool-downs.tsx";
import { OverrideBanner, overrideNames, useOverride } from "./override-banner.tsx";
import type { ProviderAct } from "./provider-act.ts";
import { ProviderFigures } from "./provider-figures.tsx";
import { ProviderMenu } from "./provider-menu.tsx";

interface ProviderCardProps {
  provider: ProviderLine;
  health: ProviderHealth;
  series: ProviderSeriesOf | undefined;
  /** Setting `breaker.failures`, which a provider may override. */
  threshold: number;
  selected: boolean;
  onSelect(selected: boolean): void;
  onAct(act: ProviderAct): void;
}

/** One provider: its configuration, the state of its breakers, its activity, and all actions on it. */
export function ProviderCard({ provider, health, series, threshold, selected, onSelect, onAct }: ProviderCardProps) {
  const { t } = useTexts();
  const override = useOverride(provider.override);
  const { name, enabled } = provider;
  return (
    <article
      aria-label={name}
      className={cn(
        "flex min-w-0 flex-col gap-3 rounded-xl border bg-surface p-4",
        selected ? "border-accent" : "border-line",
        !enabled && "bg-sunken",
      )}
    >
      <header className="flex items-start gap-3">
        <input
          type="checkbox"
          checked={selected}
          aria-label={t("providers.select", { name })}
          onChange={(event) => onSelect(event.target.checked)}
          className="mt-1 size-4 shrink-0 accent-(--accent)"
        />
        <div className="min-w-0 flex-1">
          <div className="flex flex-wrap items-center gap-x-2.5 gap-y-1">
            <h2 className="min-w-0 text-base font-semibold tracking-tight">
              <button
                type="button"
                onClick={() => onAct({ kind: "edit", provider })}
                className="block min-h-6 max-w-full truncate text-left underline-offset-3 hover:text-accent-ink hover:underline"
              >
                {name}
              </button>
            </h2>
            <StateBadge health={health} enabled={enabled} override={override?.kind ?? null} />
          </div>
          <Facts provider={provider} />
        </div>
        <div className="flex shrink-0 items-center gap-2">
          <Switch
            checked={enabled}
            onChange={(next) => onAct({ kind: "enable", provider, enabled: next })}
            label={`${t("providers.enabled")}: ${name}`}
          />
          <ProviderMenu provider={provider} onAct={onAct} />
        </div>
      </header>
      {override && <OverrideBanner override={override} onLift={() => onAct({ kind: "lift", provider })} />}
      <CoolDowns coolDowns={health.coolDowns ?? []} />
      <BreakerPanel providerId={provider.id} breakers={health.breakers} threshold={provider.breakerFailures ?? threshold} />
      <ProviderFigures health={health} series={series} />
    </article>
  );
}

/** The overall state in one word; the most important condition wins. */
function StateBadge({
  health,
  enabled,
  override,
}: {
  health: ProviderHealth;
  enabled: boolean;
  override: keyof typeof overrideNames | null;
}) {
  const { t } = useTexts();
  const has = (state: string): boolean => health.breakers.some((breaker) => breaker.state === state);
  if (!enabled) return <Labelled tone="idle" icon={<CirclePause />} text={t("providers.off")} />;
  if (override) return <Labelled tone="warn" icon={<Hand />} text={t(`providers.override.${overrideNames[override]}`)} />;
  if (has("open")) return <Labelled tone="bad" icon={<OctagonAlert />} text={t("providers.open")} />;
  if (has("half_open")) return <Labelled tone="warn" icon={<Timer />} text={t("providers.halfOpenState")} />;
  if (health.requests === 0 && health.inFlight === 0) return <Badge tone="idle">{t("providers.idle")}</Badge>;
  return <Labelled tone="ok" icon={<CircleCheck />} text={t("providers.healthy")} />;
}

function Labelled({ tone, icon, text }: { tone: "ok" | "warn" | "bad" | "idle"; icon: React.ReactNode; text: string }) {
  return (
    <Badge tone={tone}>
      <span aria-hidden="true" className="contents">
        {icon}
      </span>
      {text}
    </Badge>
  );
}

function Facts({ provider }: { provider: ProviderLine }) {
  const { t } = useTexts();
  const facts = [
    t(`dialect.${provider.dialect}`),
    provider.host,
    t("providers.priorityShort", { priority: provider.priority }),
    t("providers.weightShort", { weight: provider.weight }),
    ...(provider.costMultiplier ? [`×${provider.costMultiplier}`] : []),
    provider.groups.join(", "),
    provider.models ? t("providers.modelsLimited", { count: provider.models }) : t("providers.anyModel"),
  ];
  return <p className="text-xs text-ink-3 [overflow-wrap:anywhere]">{facts.join(" · ")}</p>;
}
