import { rateFreesAtMs, rateResetAtMs, rateUsed } from "@sluice/core/limits/rate-usage";
import { useQuery } from "@tanstack/react-query";
import { Ban, Infinity as Unlimited } from "lucide-react";
import { useEffect, useState } from "react";
import { api, type Outputs } from "../api/client.ts";
import { formatCost, formatDateTime, formatElapsed } from "../format.ts";
import { isCost } from "../limits/limit-form.ts";
import { limitAmount } from "../limits/limits-text.ts";
import { listenTo } from "../live/hub.ts";
import { limitUseAfter } from "../live/limit-use.ts";
import { serverNow, ticks } from "../live/server-clock.ts";
import { useStore } from "../live/store.ts";
import { useTexts } from "../text/i18n.ts";
import { cn } from "../ui/class-names.ts";
import { Empty, FailureBox, SkeletonRows } from "../ui/states.tsx";
import { type Key, keyStatus } from "./key.ts";

type Answer = Outputs["keys"]["limits"];
type Limit = Answer["limits"][number];
type Owner = Answer["owners"][number];

/** Each limit in force with its owner, its current use, and when it has room again. Read once, then updated by events. */
export function LimitsPanel({ row }: { row: Key }) {
  const { data, error, refetch } = useQuery(api.keys.limits.queryOptions({ id: row.id }, { staleTime: 0, gcTime: 0 }));
  const [owners, setOwners] = useState<Owner[] | null>(null);
  useEffect(() => setOwners(data?.owners ?? null), [data]);
  useEffect(() => {
    if (!data) return;
    return listenTo(["logs"], {
      events: (events) => setOwners((now) => now?.map((owner) => limitUseAfter(owner, events, data)) ?? null),
    });
  }, [data]);
  if (error) return <FailureBox error={error} onRetry={() => void refetch()} />;
  if (!data || !owners) return <SkeletonRows rows={2} />;
  if (data.limits.length === 0) return <NoLimits row={row} />;
  return (
    <ul className="flex flex-col gap-3">
      {data.limits.map((limit) => {
        const owner = owners[limit.owner];
        return owner && <LimitRow key={`${limit.limit} ${limit.owner}`} limit={limit} owner={owner} windows={data.windows} />;
      })}
    </ul>
  );
}

/** A key that works for nobody is not one that nothing limits. */
function NoLimits({ row }: { row: Key }) {
  const { t } = useTexts();
  const status = keyStatus(row, serverNow());
  if (status === "active") return <Empty icon={<Unlimited />} title={t("limits.noneTitle")} text={t("limits.noneText")} />;
  return <Empty icon={<Ban />} title={t(`keys.refused.${status}`)} text={t("keys.refused.text")} />;
}

interface LimitRowProps {
  limit: Limit;
  owner: Owner;
  windows: Answer["windows"];
}

function usedOf(limit: Limit["limit"], owner: Owner, nowMs: number): number {
  if (limit === "in_flight") return owner.inFlight;
  if (limit === "rpm") return rateUsed(owner.rate, nowMs);
  if (limit === "tpm") return rateUsed(owner.tokens, nowMs);
  return (owner.spent?.[limit] ?? 0) + owner.reserved;
}

function LimitRow({ limit: { limit, value }, owner, windows }: LimitRowProps) {
  const { t, language } = useTexts();
  const nowMs = useStore(ticks) || serverNow();
  const used = usedOf(limit, owner, nowMs);
  const full = used >= value;
  const label = t(`limits.name.${limit}`);
  const amount = (of: number): string => limitAmount(limit, of, language);
  const isUnknown = isCost(limit) && owner.spent === null;
  return (
    <li className="rounded-lg border border-line px-4 py-3">
      <div className="flex flex-wrap items-baseline justify-between gap-x-4">
        <h3 className="text-sm font-medium">{label}</h3>
        <p className={cn("text-sm", full ? "font-medium text-bad" : "text-ink")}>
          {isUnknown ? amount(value) : t("keys.used", { used: amount(used), limit: amount(value) })}
        </p>
      </div>
      <meter className="sr-only" aria-label={label} min={0} max={value} value={Math.min(used, value)} />
      <div aria-hidden="true" className="mt-2 h-1.5 overflow-hidden rounded-full bg-idle-soft">
        <div
          className={cn("h-full rounded-full transition-[width] duration-200", full ? "bg-bad" : "bg-accent")}
          style={{ width: `${Math.min(100, (used / value) * 100)}%` }}
        />
      </div>
      <p className="mt-1.5 flex flex-wrap justify-between gap-x-4 text-xs text-ink-3">
        <OwnerText owner={owner} />
        {isUnknown ? (
          <span className="text-warn">{t("limits.unknown")}</span>
        ) : isCost(limit) ? (
          <CostText limit={limit} owner={owner} windows={windows} />
        ) : (
          limit !== "in_flight" && <RateText rate={limit === "rpm" ? owner.rate : owner.tokens} value={value} nowMs={nowMs} />
        )}
      </p>
    </li>
  );
}

function OwnerText({ owner: { kind, name } }: { owner: Owner }) {
  const { t } = useTexts();
  if (kind === "key") return <span>{t("keys.ownerKey")}</span>;
  return <span>{t(kind === "user" ? "keys.ownerUser" : "keys.ownerGroup", { name })}</span>;
}

function CostText({ limit, owner, windows }: { limit: keyof Answer["windows"]; owner: Owner; windows: Answer["windows"] }) {
  const { t, language } = useTexts();
  const window = windows[limit];
  const parts = [
    owner.reserved > 0 && t("limits.reserved", { amount: formatCost(String(Math.round(owner.reserved))) }),
    limit !== "total" && (window ? t("limits.begins", { time: formatDateTime(window.endMs, language) }) : t("limits.rolls")),
  ];
  return <span>{parts.filter(Boolean).join(" · ")}</span>;
}

function RateText({ rate, value, nowMs }: { rate: Owner["rate"]; value: number; nowMs: number }) {
  const { t } = useTexts();
  const freesAtMs = rateFreesAtMs(rate, value, nowMs);
  const resetAtMs = rateResetAtMs(rate, nowMs);
  if (resetAtMs === null) return <span>{t("keys.allFree")}</span>;
  return (
    <span>
      {freesAtMs !== null && `${t("keys.freesIn", { time: formatElapsed(freesAtMs - nowMs) })} · `}
      {t("keys.resetIn", { time: formatElapsed(resetAtMs - nowMs) })}
    </span>
  );
}
