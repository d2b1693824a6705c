import type { StatisticsFilter } from "@sluice/core/inputs/statistics";
import { isVisible } from "@sluice/core/inputs/visible";
import { isTimeZone } from "@sluice/core/time-zone";
import { type RangeSearch, rangeEnd, rangeStart, startOf } from "../ranges/range-search.ts";
import { anyId, anyName, choice, type SearchField, type SearchOf, searchOf } from "../search-fields.ts";

export const dialects = ["anthropic", "openai", "gemini"] as const;
export const statuses = ["2xx", "3xx", "4xx", "5xx", "aborted", "refused"] as const;

/** Key tags that the server accepts. */
const tag: SearchField<string> = (value) =>
  typeof value === "string" && value.length <= 40 && value.trim() !== "" && isVisible(value) && !value.includes(",") ? value : undefined;

/** Address fields of all pages about the past: which requests, and when. */
export const filterFields = {
  user: anyId,
  key: anyId,
  provider: anyId,
  model: anyName,
  group: anyName,
  dialect: choice(dialects),
  status: choice(statuses),
  tag,
};
export const rangeFields = {
  from: rangeStart,
  to: rangeEnd,
  step: choice(["5m", "15m", "30m", "hour", "day", "week", "month"]),
  /** IANA name; absent = that of the settings. */
  zone: ((value) => (typeof value === "string" && isTimeZone(value) ? value : undefined)) satisfies SearchField<string>,
};

const FilterSearch = searchOf(filterFields);
export type FilterSearch = SearchOf<typeof FilterSearch>;
const SpanSearch = searchOf(rangeFields);
export type SpanSearch = SearchOf<typeof SpanSearch>;

export const DEFAULT_RANGE = "now-24h";

/** The filter as the server expects it. */
export function filterOf({ user, key, provider, model, group, dialect, status, tag }: FilterSearch): StatisticsFilter {
  const some = (value: string | undefined): string | undefined => value || undefined;
  return {
    userId: some(user),
    keyId: some(key),
    providerId: some(provider),
    model: some(model),
    group: some(group),
    dialect,
    statusClass: status,
    tag: some(tag),
  };
}

const FIVE_MINUTES_MS = 300_000;

/** The range as the server expects it: rounded down to five minutes, so that requests within them share a cached answer. */
export function spanOf({ from = DEFAULT_RANGE, to, step, zone }: SpanSearch, nowMs: number) {
  const start = startOf({ from }, nowMs) ?? nowMs - 86_400_000;
  return { from: Math.floor(start / FIVE_MINUTES_MS) * FIVE_MINUTES_MS, to, step, zone: zone || undefined };
}

/** The same filter for the log. */
export function logSearch({ user, key, provider, model, group, dialect, status, from = DEFAULT_RANGE, to }: FilterSearch & RangeSearch) {
  return { user, key, provider, model, group, dialect, status, from, to };
}
