import type { Span } from "@sluice/core/statistics";
import { isUuid, tokens } from "@sluice/ledger/recent-columns";
import type { SqlValues } from "../lists/list-statement.ts";
import { type BucketList, bucketsOf } from "../overview/overview-statements.ts";
import { type Months, piecesOf } from "./month-pieces.ts";
import { columnOf, conditions, keyConditions, rollups, type SumsAsk, sourceOf, usageSums } from "./sums-statement.ts";

/**
 * What things are ranked by, one row per used thing: `id`, `requests`, `tokens`, `cost`, `errors`, `ended` (by a provider), `prompt`
 * (tokens sent), `cached` (of these), `"ttftCount"`, `"ttftMsSum"`. Keys and users are read from rows by key and month, by key and day
 * for shorter spans, and for all time from their totals; models and providers from their sums.
 */
export type Ranked = "user" | "key" | "provider" | "model";

const measures = {
  requests: "requests",
  tokens: "total_tokens",
  cost: "cost_nano_usd",
  errors: "errors",
  ended: "ended_requests",
  prompt: "prompt_tokens",
  cached: "cache_read_tokens",
  ttftCount: "ttft_count",
  ttftMsSum: "ttft_ms_sum",
} as const;

/** The same columns, from rows of sums. */
const ofSums = `requests, ${tokens} AS total_tokens, cost_nano_usd, errors, requests - aborted - refused AS ended_requests,
  input_tokens + cache_write_5m_tokens + cache_write_1h_tokens + cache_read_tokens AS prompt_tokens, cache_read_tokens, ttft_count, ttft_ms_sum`;
const columns = Object.values(measures).join(", ");
const taken = Object.values(measures)
  .map((column) => `-${column}`)
  .join(", ");
const used = "HAVING sum(requests) <> 0 OR sum(total_tokens) <> 0 OR sum(cost_nano_usd) <> 0";

export interface RankedSpan extends Span {
  fineFromMs: number;
  /** Months whose sums of keys may be read. */
  whole: Months;
}

/** `span` null = all time. */
export function rankedSql(values: SqlValues, ask: SumsAsk, by: Ranked, span: RankedSpan | null): string {
  // For all time there is already one row each.
  if (span === null && (by === "user" || by === "key")) {
    const plain = Object.entries(measures).map(([name, column]) => `${column} AS "${name}"`);
    const where = `${keyConditions(values, ask)} AND (requests <> 0 OR total_tokens <> 0 OR cost_nano_usd <> 0)`;
    return `SELECT ${columnOf[by]}::text AS id, ${plain.join(", ")} FROM ${by}_totals WHERE ${where}`;
  }
  // Integers compare much faster than decimals.
  const summed = Object.entries(measures)
    .map(([name, column]) => `sum(${column})::bigint AS "${name}"`)
    .join(", ");
  return `SELECT rows.id::text AS id, ${summed} FROM (${rowsSql(values, ask, by, span)}) AS rows GROUP BY rows.id ${used}`;
}

function rowsSql(values: SqlValues, ask: SumsAsk, by: Ranked, span: RankedSpan | null): string {
  if (by === "user" || by === "key") return keysSql(values, ask, by, span);
  const buckets = span === null ? "all" : bucketsOf(span.fromMs, span.toMs, span.fineFromMs);
  const source = sourceOf(ask, by);
  const from =
    source === null
      ? rollups(values, buckets, { tenantId: ask.tenantId, id: columnOf[by], where: conditions(values, ask) })
      : usageSums(values, buckets, { tenantId: ask.tenantId, ...source });
  return `SELECT id, ${ofSums} FROM ${from} WHERE id <> ''`;
}

/** Ids stay UUIDs: converting half a million of them to text would be expensive. */
function keysSql(values: SqlValues, ask: SumsAsk, by: "user" | "key", span: RankedSpan | null): string {
  const { months, pieces } = span === null ? { months: [], pieces: [] } : piecesOf(span, span.whole);
  const kept = (table: string, buckets: readonly Date[], list = columns): string =>
    `SELECT ${columnOf[by]} AS id, ${list} FROM ${table} WHERE ${keyConditions(values, ask)} AND bucket = ANY(${values.add(buckets)}::timestamptz[])`;
  const parts = pieces.flatMap(({ sign, buckets: { days, ...edges } }) => {
    const list = sign > 0 ? columns : taken;
    const edge = edges.hours.length + edges.fiveMinutes.length > 0;
    return [
      ...(days.length > 0 ? [kept("key_days", days, list)] : []),
      ...(edge ? [`SELECT id, ${list} FROM (SELECT id, ${ofSums} FROM ${edgesSql(values, ask, by, edges)}) AS edge`] : []),
    ];
  });
  if (months.length > 0 || parts.length === 0) parts.unshift(kept("key_months", months));
  return parts.join(" UNION ALL ");
}

/** The parts that are not whole days, limited to ids of our own tables, as in the days. */
function edgesSql(values: SqlValues, ask: SumsAsk, by: "user" | "key", edges: Omit<BucketList, "days">): string {
  const where = `${conditions(values, ask)} AND ${isUuid("user_id")} AND ${isUuid("key_id")}`;
  return rollups(values, { ...edges, days: [] }, { tenantId: ask.tenantId, id: `${columnOf[by]}::uuid`, where });
}

/**
 * The users or keys with the highest cost of all time, as `id`, `"userId"` and `cost`: in no span can anybody outside this list have cost
 * more than its last entry did in total.
 */
export function dearestSql(values: SqlValues, tenantId: string, by: "user" | "key", most: number): string {
  return `SELECT ${by}_id::text AS id, user_id::text AS "userId", cost_nano_usd AS cost FROM ${by}_totals
    WHERE tenant_id = ${values.add(tenantId)} ORDER BY cost_nano_usd DESC LIMIT ${values.add(most)}`;
}
