import type { Recent, Span, SpanSums, StatisticsColumns } from "@sluice/core/statistics";
import { addToStatistics, zeroStatisticsColumns } from "@sluice/core/statistics-columns";
import { readSnapshot } from "@sluice/db/read-snapshot";
import type { Pool } from "pg";
import { sqlValues } from "../lists/list-statement.ts";
import { type BucketList, bucketsOf } from "../overview/overview-statements.ts";
import type { BucketPlan } from "./plan-buckets.ts";
import { planSettings } from "./plan-settings.ts";
import { type RecentAsk, readRecent } from "./recent-ends.ts";
import { type SlotSums, slotsOf } from "./slot-pieces.ts";
import { bySlotSql, type SumsAsk, summed, wantedSql } from "./sums-statement.ts";

export interface UsageSpan {
  totals: SpanSums;
  previous: Span & { totals: SpanSums };
  trend: StatisticsColumns;
  recent: Recent;
}

export const noSpanSums: SpanSums = {
  ...{ requests: 0, errors: 0, aborted: 0, refused: 0, input: 0, output: 0, cacheWrite: 0, cacheRead: 0 },
  ...{ costNanoUsd: "0", ttftCount: 0, ttftMsSum: 0, durationMsSum: 0 },
};

/** Pseudo slot for the sums of the span before. */
const BEFORE = -1;

/** Sums of a range, by bucket and in total, and of the span before: one statement, and another for the recent ends they include. */
export async function readUsage(
  pool: Pool,
  {
    plan,
    ask,
    previous,
    fineFromMs,
    recent: recentOf,
  }: { plan: BucketPlan; ask: SumsAsk; previous: Span; fineFromMs: number; recent: RecentAsk },
): Promise<UsageSpan> {
  const values = sqlValues();
  const { pieces } = plan;
  const from = (buckets: BucketList): string => wantedSql(values, ask, "none", buckets);
  const before = bucketsOf(previous.fromMs, previous.toMs, fineFromMs);
  const text = `${bySlotSql(values, pieces, summed, from)} UNION ALL SELECT ${BEFORE}, id, ${summed} FROM ${from(before)} GROUP BY 1, 2`;
  const { rows, recent } = await readSnapshot(pool, planSettings, async (client) => {
    const { rows } = await client.query<SlotSums>(text, values.list);
    return { rows, recent: await readRecent(client, recentOf) };
  });
  const trend = zeroStatisticsColumns(plan.times.length);
  let totals = noSpanSums;
  for (const { slot, id: _, ...sums } of slotsOf(pieces, rows)) {
    addToStatistics(trend, slot, sums);
    totals = added(totals, sums);
  }
  const { slot: _, id: __, ...sums } = rows.find(({ slot }) => slot === BEFORE) ?? { slot: BEFORE, id: "", ...noSpanSums };
  return { totals, previous: { ...previous, totals: sums }, trend, recent };
}

function added(a: SpanSums, b: SpanSums): SpanSums {
  const counts = Object.fromEntries(Object.entries(a).map(([name, value]) => [name, Number(value) + Number(b[name as keyof SpanSums])]));
  return { ...(counts as unknown as SpanSums), costNanoUsd: (BigInt(a.costNanoUsd) + BigInt(b.costNanoUsd)).toString() };
}

/** Sums of one user over a span. */
export async function readSpan(
  pool: Pool,
  { tenantId, userId, span, fineFromMs }: { tenantId: string; userId: string; span: Span; fineFromMs: number },
): Promise<SpanSums> {
  const values = sqlValues();
  const ask: SumsAsk = { tenantId, userId, filter: {}, keyIds: null, ownerIds: null };
  const text = `SELECT ${summed} FROM ${wantedSql(values, ask, "none", bucketsOf(span.fromMs, span.toMs, fineFromMs))} HAVING count(*) > 0`;
  const { rows } = await readSnapshot(pool, planSettings, (client) => client.query<SpanSums>(text, values.list));
  return rows[0] ?? noSpanSums;
}
