import { LATEST_MS } from "@sluice/core/time-zone";
import { type SearchField, wholeBetween } from "../search-fields.ts";

/** A time range in an address: a duration up to now, or a start with an optional end. */
export interface RangeSearch {
  /** `now-24h`, or ms since the epoch. */
  from?: string | number | undefined;
  /** ms since the epoch; absent = the range continues. */
  to?: number | undefined;
}

export const ranges = ["now-15m", "now-1h", "now-6h", "now-24h", "now-7d", "now-30d"] as const;
/** The ranges that sums support. */
export const longRanges = ["now-1h", "now-6h", "now-24h", "now-7d", "now-30d", "now-90d"] as const;
export type RangeName = (typeof ranges)[number] | (typeof longRanges)[number];

const relative = /^now-(\d{1,4})([mhd])$/;

/** The values that are valid dates and that the server accepts: any other number would break the page. */
const moment = wholeBetween(0, LATEST_MS);

/** `now-24h` unchanged, or ms since the epoch. */
export const rangeStart: SearchField<string | number> = (value) =>
  typeof value === "string" && relative.test(value) ? value : moment(value);
export const rangeEnd = moment;

/** Wraps an address parser: a range that does not end after its beginning is ignored; `otherwise` is the default beginning. */
export function inOrder<S extends RangeSearch>(
  search: { parse(query: Record<string, unknown>): S },
  otherwise?: RangeName,
): { parse(query: Record<string, unknown>): S } {
  return {
    parse(query) {
      const read = search.parse(query);
      const { from = otherwise, to, ...rest } = read;
      const start = startOf({ from }, Date.now());
      return start === undefined || to === undefined || start < to ? read : (rest as S);
    },
  };
}

const unitMs = { m: 60_000, h: 3_600_000, d: 86_400_000 };

/** The beginning in ms; a relative one counts back from `nowMs`. */
export function startOf({ from }: RangeSearch, nowMs: number): number | undefined {
  const match = typeof from === "string" ? relative.exec(from) : null;
  if (!match) return typeof from === "number" ? from : undefined;
  return Math.max(0, Math.floor(nowMs - Number(match[1]) * unitMs[match[2] as keyof typeof unitMs]));
}

export function isRangeName(from: unknown): from is RangeName {
  return [...ranges, ...longRanges].includes(from as RangeName);
}
