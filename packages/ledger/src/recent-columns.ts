/**
 * What keys and users used lately, in columns of their totals: everything that began from a moment on. The settle statement
 * moves them with the totals, and `moveRecentTotals` moves the moments, so that a top list of any range is read from as many
 * rows as there are keys, however much they did.
 */
export const recentRanges = ["24h", "7d", "30d"] as const;
export type RecentRange = (typeof recentRanges)[number];

export const tokens = "input_tokens + output_tokens + cache_write_5m_tokens + cache_write_1h_tokens + cache_read_tokens";

/**
 * Whether a text is a UUID as we write them: ids of ours have totals; the ledger takes any text. Its form, no further hyphen, and nothing but
 * digits: one regular expression for all of it takes seven times as long, which is most of what reading a row of rollups takes.
 */
export const isUuid = (column: string): string =>
  `(${column} LIKE '________-____-____-____-____________' AND ${column} NOT LIKE '%-%-%-%-%-%' AND ${column} !~ '[^0-9a-f-]')`;

/** The moment, a whole hour UTC. */
export const recentFrom = (range: RecentRange): string => `(SELECT begins_at FROM recent_windows WHERE range = '${range}')`;

/** Columns of the totals for a range, each with its sum of those rows of rollups that meet a condition. */
export function recentColumns(range: RecentRange, isIn: string): Record<string, string> {
  const sum = (of: string, condition = isIn): string => `coalesce(sum(${of}) FILTER (WHERE ${condition}), 0)`;
  return {
    [`requests_${range}`]: sum("requests"),
    [`errors_${range}`]: sum("requests", `status_class IN ('4xx', '5xx') AND ${isIn}`),
    [`tokens_${range}`]: sum(tokens),
    [`cost_nano_usd_${range}`]: sum("cost_nano_usd"),
  };
}
