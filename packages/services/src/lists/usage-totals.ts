/** What a key or a user has used since the beginning, as far as it is settled; what is finishing now arrives as an event. */
export interface UsageTotals {
  requests: number;
  /** All kinds together. */
  totalTokens: number;
  /** Decimal nano-USD. */
  costNanoUsd: string;
  /** null = never. */
  lastUsedAtMs: number | null;
}

/** The columns of totals, of an alias `t`, as {@link toUsageTotals} takes them. */
export const totalsColumns = `t.requests, t.total_tokens AS "totalTokens", t.cost_nano_usd AS "costNanoUsd",
  (extract(epoch FROM t.last_used_at) * 1000)::float8 AS "lastUsedAtMs"`;

/** bigint arrives as text. */
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
