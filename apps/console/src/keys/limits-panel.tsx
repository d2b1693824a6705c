import { rateFreesAtMs, rateResetAtMs, rateUsed } from "@sluice/core/limits/rate-usage";
import { useQuery } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { useTranslation } from "react-i18next";
import { api, type Outputs } from "../api/client.ts";
import { formatElapsed, formatExact } from "../format.ts";
import { listenTo } from "../live/hub.ts";
import { type KeyUse, usageAfter } from "../live/key-usage.ts";
import { serverNow, ticks } from "../live/server-clock.ts";
import { useStore } from "../live/store.ts";
import { cn } from "../ui/class-names.ts";
import { FailureBox, SkeletonRows } from "../ui/states.tsx";

type Limit = Outputs["keys"]["limits"]["limits"][number];

/** Each limit in force with its owner, what of it is used now, and when it is free again. Asked once, then it goes on by events. */
export function LimitsPanel({ keyId }: { keyId: string }) {
  const { data, error, refetch } = useQuery(api.keys.limits.queryOptions({ id: keyId }, { staleTime: 0, gcTime: 0 }));
  const [use, setUse] = useState<KeyUse | null>(null);
  useEffect(() => setUse(data ?? null), [data]);
  useEffect(() => listenTo(["logs"], { events: (events) => setUse((now) => now && usageAfter(now, keyId, events)) }), [keyId]);
  if (error) return <FailureBox error={error} onRetry={() => void refetch()} />;
  if (!data || !use) return <SkeletonRows rows={2} />;
  return (
    <ul className="flex flex-col gap-3">
      {data.limits.map((limit) => (
        <LimitRow key={limit.limit} limit={limit} use={use} />
      ))}
    </ul>
  );
}

function LimitRow({ limit: { limit, value, owner }, use }: { limit: Limit; use: KeyUse }) {
  const { t, i18n } = useTranslation();
  const nowMs = useStore(ticks) || serverNow();
  const used = limit === "rpm" ? rateUsed(use.rate, nowMs) : use.inFlight;
  const full = value !== null && used >= value;
  const label = t(`keys.limitOf.${limit}`);
  return (
    <li className="rounded-lg border border-line px-4 py-3">
      <div className="flex flex-wrap items-baseline justify-between gap-x-4">
        <h3 className="text-sm font-medium">{label}</h3>
        <p className={cn("text-sm", value === null ? "text-ink-3" : full ? "font-medium text-bad" : "text-ink")}>
          {value === null
            ? t("keys.noLimit")
            : t("keys.used", { used: formatExact(used, i18n.language), limit: formatExact(value, i18n.language) })}
        </p>
      </div>
      {value !== null && (
        <>
          <meter className="sr-only" aria-label={label} min={0} max={value} value={Math.min(used, value)} />
          <div aria-hidden="true" className="mt-2 h-1.5 overflow-hidden rounded-full bg-idle-soft">
            <div
              className={cn("h-full rounded-full transition-[width] duration-200", full ? "bg-bad" : "bg-accent")}
              style={{ width: `${Math.min(100, (used / value) * 100)}%` }}
            />
          </div>
          <p className="mt-1.5 flex flex-wrap justify-between gap-x-4 text-xs text-ink-3">
            <OwnerText owner={owner} />
            {limit === "rpm" && <RateText use={use} value={value} nowMs={nowMs} />}
          </p>
        </>
      )}
    </li>
  );
}

function OwnerText({ owner }: { owner: Limit["owner"] }) {
  const { t } = useTranslation();
  if (!owner) return null;
  if (owner.kind === "key") return <span>{t("keys.ownerKey")}</span>;
  return <span>{t(owner.kind === "user" ? "keys.ownerUser" : "keys.ownerGroup", { name: owner.name })}</span>;
}

function RateText({ use, value, nowMs }: { use: KeyUse; value: number; nowMs: number }) {
  const { t } = useTranslation();
  const freesAtMs = rateFreesAtMs(use.rate, value, nowMs);
  const resetAtMs = rateResetAtMs(use.rate, nowMs);
  if (resetAtMs === null) return <span>{t("keys.allFree")}</span>;
  return (
    <span>
      {freesAtMs !== null && `${t("keys.freesIn", { time: formatElapsed(freesAtMs - nowMs) })} · `}
      {t("keys.resetIn", { time: formatElapsed(resetAtMs - nowMs) })}
    </span>
  );
}
