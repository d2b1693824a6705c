/**
 * Recent usage of keys and users, in columns of their totals: everything that began after a certain time. The settle statement
 * moves them with the totals and `moveRecentTotals` moves the time, so a top list of any range reads one row per key,
 * however much the keys were used.
 */
export const recentRanges = ["24h", "7d", "30d"] as const;
export type RecentRange = (typeof recentRanges)[number];

export const tokens = "input_tokens + output_tokens + cache_write_5m_tokens + cache_write_1h_tokens + cache_read_tokens";

/**
 * Whether a text is a UUID in our notation: only our own ids have totals, but the ledger accepts any text. Checks the shape, that there is
 * no further hyphen, and that the rest is hex digits: one regular expression for all of it takes seven times as long, which would
 * dominate reading a row of rollups.
 */
export const isUuid = (column: string): string =>
  `(${column} LIKE '________-____-____-____-____________' AND ${column} NOT LIKE '%-%-%-%-%-%' AND ${column} !~ '[^0-9a-f-]')`;

/** The start of the range, a whole UTC hour. */
export const recentFrom = (range: RecentRange): string => `(SELECT begins_at FROM recent_windows WHERE range = '${range}')`;

/** The columns of the totals for a range, each with the SQL sum of the rollup rows that satisfy a condition. */
export function recentColumns(range: RecentRange, isIn: string): Record<string, string> {
  const sum = (of: string, condition = isIn): string => `coalesce(sum(${of}) FILTER (WHERE ${condition}), 0)`;
  return {
    [`requests_${range}`]: sum("requests"),
    [`errors_${range}`]: sum("requests", `status_class IN ('4xx', '5xx') AND ${isIn}`),
    [`tokens_${range}`]: sum(tokens),
    [`cost_nano_usd_${range}`]: sum("cost_nano_usd"),
  };
}
