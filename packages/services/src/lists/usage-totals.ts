/** Settled usage of a key or user since the beginning; requests that end later arrive as events. */
export interface UsageTotals {
  requests: number;
  /** Sum of all kinds of tokens. */
  totalTokens: number;
  /** nano-USD as decimal text. */
  costNanoUsd: string;
  /** null = never. */
  lastUsedAtMs: number | null;
}

/** The columns of totals with alias `t`, as {@link toUsageTotals} expects them. */
export const totalsColumns = `t.requests, t.total_tokens AS "totalTokens", t.cost_nano_usd AS "costNanoUsd",
  (extract(epoch FROM t.last_used_at) * 1000)::float8 AS "lastUsedAtMs"`;

/** A bigint arrives as text. */
export interface TotalsRow {
  requests: string;
  totalTokens: string;
  costNanoUsd: string;
  lastUsedAtMs: number;
}

export function toUsageTotals(row: TotalsRow): UsageTotals {
  return {
    requests: Number(row.requests),
    totalTokens: Number(row.totalTokens),
    costNanoUsd: row.costNanoUsd,
    lastUsedAtMs: row.lastUsedAtMs === 0 ? null : row.lastUsedAtMs,
  };
}
