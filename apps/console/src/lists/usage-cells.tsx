import { useCallback, useSyncExternalStore } from "react";
import { exactCost, formatAgo, formatCost, formatCount, formatDateTime, formatExact } from "../format.ts";
import { ticks } from "../live/server-clock.ts";
import { useStore } from "../live/store.ts";
import type { Usage } from "../live/usage-board.ts";
import { useTexts } from "../text/i18n.ts";
import { usageBoard } from "./use-list.ts";

/** The figures of one key or user; re-renders only when they change. */
export function useUsage(id: string): Usage | undefined {
  const subscribe = useCallback((listener: () => void) => usageBoard.onChange(id, listener), [id]);
  return useSyncExternalStore(subscribe, () => usageBoard.get(id));
}

/** An abbreviated count, exact on hover. */
export function UsageCount({ id, of }: { id: string; of: "requests" | "totalTokens" }) {
  const { language } = useTexts();
  const value = useUsage(id)?.[of] ?? 0;
  return <span title={formatExact(value, language)}>{formatCount(value, language)}</span>;
}

/** The same where no header names it. */
export function NamedUsageCount({ id, of }: { id: string; of: "requests" | "totalTokens" }) {
  const { t } = useTexts();
  const count = useUsage(id)?.[of] ?? 0;
  return (
    <span>
      <UsageCount id={id} of={of} /> <span className="text-ink-3">{t(`lists.counted.${of}`, { count })}</span>
    </span>
  );
}

export function UsageCost({ id }: { id: string }) {
  const cost = useUsage(id)?.costNanoUsd ?? "0";
  return <span title={exactCost(cost)}>{formatCost(cost)}</span>;
}

/** How long ago it was last used, with the exact time on hover. */
export function LastUsed({ id }: { id: string }) {
  const { t, language } = useTexts();
  const at = useUsage(id)?.lastUsedAtMs ?? null;
  if (at === null) return <span className="text-ink-3">{t("lists.neverUsed")}</span>;
  return (
    <time dateTime={new Date(at).toISOString()} title={formatDateTime(at, language)}>
      <Ago ms={at} />
    </time>
  );
}

function Ago({ ms }: { ms: number }) {
  const { t, language } = useTexts();
  const now = useStore(ticks);
  const passed = Math.max(0, (now || Date.now()) - ms);
  return passed < 1_000 ? t("lists.now") : formatAgo(passed, language);
}
