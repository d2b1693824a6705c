import type { SortName } from "@sluice/core/sort-names";
import { epochMs } from "@sluice/db/epoch-ms";
import { byCount, byName, byTime, type SortColumn } from "./list-statement.ts";

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
  ${epochMs("t.last_used_at")} AS "lastUsedAtMs"`;

/** How keys or users of alias `owner` are sorted, where `ownerId` is their id in the totals of alias `t`. */
export function ownerSorts(owner: string, ownerId: string): Record<SortName, SortColumn> {
  return {
    created: { id: `${owner}.id` },
    name: byName(`${owner}.name`, `${owner}.id`),
    lastUsed: byTime("t.last_used_at", ownerId),
    requests: byCount("t.requests", ownerId),
    tokens: byCount("t.total_tokens", ownerId),
  };
}

/** Whether an index of the totals gives the order. */
export function isTotalsSort(sort: SortName): boolean {
  return sort === "lastUsed" || sort === "requests" || sort === "tokens";
}

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
