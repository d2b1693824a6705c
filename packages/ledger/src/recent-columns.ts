/**
 * What keys and users used lately, in columns of their totals: everything that began from a moment on. The settle statement
 * moves them with the totals, and `moveRecentTotals` moves the moments, so that a top list of any range is read from as many
 * rows as there are keys, however much they did.
 */
export const recentRanges = ["24h", "7d", "30d"] as const;
export type RecentRange = (typeof recentRanges)[number];

export const tokens = "input_tokens + output_tokens + cache_write_5m_tokens + cache_write_1h_tokens + cache_read_tokens";

/** Ids of ours have totals; the ledger takes any text. */
export const isUuid = "~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$'";

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
