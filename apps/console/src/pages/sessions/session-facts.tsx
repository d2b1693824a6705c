import type { SessionRow } from "@sluice/core/events";
import type { NameLookup } from "../../api/names.ts";
import { clockParts, formatAgo, formatCount, formatDateTime, formatExact, formatPercent } from "../../format.ts";
import { serverNow, ticks } from "../../live/server-clock.ts";
import { useStore } from "../../live/store.ts";
import { useTexts } from "../../text/i18n.ts";
import type { Translate } from "../../text/translator.ts";
import { cn } from "../../ui/class-names.ts";

/** The display name of a session: its client, otherwise its key. */
export function sessionName(row: SessionRow, names: NameLookup): string {
  return row.client || names.key(row.keyId);
}

/** Why it is at its provider, in a few words; empty where the viewer must not know. */
export function whyThere(row: SessionRow, t: Translate): string {
  if (!row.providerId || !row.providerSinceMs) return "";
  return t(`sessions.why.${row.chosenBy || "none"}`, { time: clockParts(row.providerSinceMs).time });
}

/** "12s ago", updated every second. */
export function Ago({ ms }: { ms: number }) {
  const { language } = useTexts();
  useStore(ticks);
  return (
    <time dateTime={new Date(ms).toISOString()} title={formatDateTime(ms, language)}>
      {formatAgo(serverNow() - ms, language)}
    </time>
  );
}

/** Number of its requests in flight, with a dot and colour. */
export function InFlight({ count }: { count: number }) {
  if (count === 0) return <span className="text-ink-3">0</span>;
  return (
    <span className="inline-flex items-center gap-1.5 font-medium text-accent-ink">
      <span aria-hidden="true" className="size-1.5 animate-pulse-dot rounded-full bg-accent" />
      {count}
    </span>
  );
}

/** A token count, abbreviated, with all digits as tooltip. */
export function Tokens({ value, title, className }: { value: number; title?: string; className?: string }) {
  const { language } = useTexts();
  return (
    <span className={cn("tabular-nums", className)} title={title ?? formatExact(value, language)}>
      {formatCount(value, language)}
    </span>
  );
}

/** Input tokens read from or written to a cache, with their share. */
export function CachedTokens({ row }: { row: SessionRow }) {
  const { t, language } = useTexts();
  if (row.cacheTokens === 0) return <span className="text-ink-3">0</span>;
  const share = formatPercent(row.cacheTokens, row.inputTokens);
  return <Tokens value={row.cacheTokens} title={t("sessions.cachedShare", { tokens: formatExact(row.cacheTokens, language), share })} />;
}
