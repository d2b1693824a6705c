import { isId } from "@sluice/core/ids";
import type { SeriesSplit, Statistics, StatisticsSeries } from "@sluice/core/statistics";
import { addToStatistics, zeroStatisticsColumns } from "@sluice/core/statistics-columns";
import { readSnapshot } from "@sluice/db/read-snapshot";
import type { Pool, PoolClient } from "pg";
import { type SqlValues, sqlValues } from "../lists/list-statement.ts";
import type { BucketList } from "../overview/overview-statements.ts";
import { readWholeMonths } from "./month-pieces.ts";
import type { BucketPlan } from "./plan-buckets.ts";
import { planSettings } from "./plan-settings.ts";
import { dearestSql, type RankedSpan, rankedSql } from "./ranked-statement.ts";
import { type RecentAsk, readRecent } from "./recent-ends.ts";
import { negated, type SlotSums, slotsOf, weightsOf } from "./slot-pieces.ts";
import {
  addedUp,
  bySlotSql,
  columnOf,
  conditions,
  type Dimension,
  rollups,
  type SumsAsk,
  type SumsSource,
  sourceOf,
  summed,
  summedNames,
  usageSums,
  wantedSql,
} from "./sums-statement.ts";

interface SeriesAsk {
  plan: BucketPlan;
  ask: SumsAsk;
  by: SeriesSplit;
  top: number;
  fineFromMs: number;
}

/**
 * The `top` most expensive series, and one of all others (id null) if there are any. Where sums of everything are kept, the top is found
 * over the whole range, in few buckets; by bucket only those are read, and the others are the total minus them.
 */
export function readSeries(
  pool: Pool,
  { recent, ...asked }: SeriesAsk & { recent: RecentAsk },
): Promise<Pick<Statistics, "series" | "recent">> {
  const { plan, by } = asked;
  return readSnapshot(pool, planSettings, async (client) => {
    const { ids, rows } = await readRows(client, asked);
    const series = new Map<string | null, StatisticsSeries>(ids.map((id) => [id, { id, ...zeroStatisticsColumns(plan.times.length) }]));
    if (by === "none") series.set(null, { id: null, ...zeroStatisticsColumns(plan.times.length) });
    for (const row of rows) {
      const columns = series.get(row.id) ?? { id: row.id, ...zeroStatisticsColumns(plan.times.length) };
      // A Map keeps insertion order: most expensive first, the others last.
      series.set(row.id, columns);
      addToStatistics(columns, row.slot, row);
    }
    const used = [...series.values()].filter((one) => one.id !== null || by === "none" || isUsed(one));
    return { series: used, recent: await readRecent(client, recent) };
  });
}

/** The ids of the top series, and sums by slot of each, with all others as null; unsplit, everything is null. */
async function readRows(client: PoolClient, series: SeriesAsk): Promise<{ ids: string[]; rows: SlotSums[] }> {
  const { plan, ask, by } = series;
  if (by === "none") return { ids: [], rows: await readAll(client, series) };
  const all = sourceOf(ask, "none");
  if (all === null) return readAtOnce(client, { ...series, by });
  const ids = await readFirst(client, { ...series, by });
  return { ids, rows: await readSlots(client, { plan, ask, by, ids, all }) };
}

async function readAll(client: PoolClient, { plan: { pieces }, ask }: SeriesAsk): Promise<SlotSums[]> {
  const values = sqlValues();
  const text = bySlotSql(values, pieces, summed, (buckets) => wantedSql(values, ask, "none", buckets));
  const { rows } = await client.query<SlotSums>(text, values.list);
  return slotsOf(
    pieces,
    rows.map((row) => ({ ...row, id: null })),
  );
}

/** Without a sum of everything, all rows must be read: once, for the top and the others together. */
async function readAtOnce(
  client: PoolClient,
  { plan: { pieces }, ask, by, top }: SeriesAsk & { by: Dimension },
): Promise<{ ids: string[]; rows: SlotSums[] }> {
  const values = sqlValues();
  const each = bySlotSql(values, pieces, addedUp, (buckets) => wantedSql(values, ask, by, buckets));
  const weights = weightsOf(pieces);
  const weight = weights.every((one) => one === 1) ? "" : ` * (${values.add(weights)}::int[])[slot + 1]`;
  const whole = (name: string): string => `sum(${name}${weight})`;
  const text = `WITH each AS MATERIALIZED (${each}),
    first AS (SELECT id, row_number() OVER (ORDER BY ${whole("cost_nano_usd")} DESC, ${whole("requests")} DESC, id)::int AS place FROM each
      WHERE id <> '' GROUP BY 1 HAVING ${whole("requests")} <> 0 OR ${whole("cost_nano_usd")} <> 0 ORDER BY 2 LIMIT ${values.add(top)})
    SELECT slot, first.id, place, ${summed} FROM each LEFT JOIN first USING (id) GROUP BY 1, 2, 3 ORDER BY place`;
  const { rows } = await client.query<SlotSums>(text, values.list);
  return { ids: [...new Set(rows.flatMap(({ id }) => id ?? []))], rows: slotsOf(pieces, rows) };
}

function isUsed({ requests, tokens, costNanoUsd }: StatisticsSeries): boolean {
  return requests.some(Boolean) || tokens.some(Boolean) || costNanoUsd.some((cost) => cost !== "0");
}

async function readFirst(client: PoolClient, series: SeriesAsk & { by: Dimension }): Promise<string[]> {
  const { ask, by, top, plan } = series;
  const isOfAll = sourceOf(ask, "none")?.kind === "";
  if ((by === "user" || by === "key") && isOfAll) {
    const range = { fromMs: plan.times[0] ?? 0, toMs: plan.endMs };
    const span = { ...range, fineFromMs: series.fineFromMs, whole: await readWholeMonths(client, ask.tenantId, [range]) };
    const found = await readFirstOfDearest(client, { ask, by, top, span });
    return idsOf(found ?? (await readFirstOf(client, top, (values) => rankedSql(values, ask, by, span))));
  }
  const first = await readFirstOf(client, top, (values) => {
    const from = wantedSql(values, ask, by, plan.range);
    return `SELECT id, sum(cost_nano_usd) AS cost, sum(requests) AS requests FROM ${from} WHERE id <> '' GROUP BY 1`;
  });
  return idsOf(first);
}

interface FirstRow {
  id: string;
  cost: string;
}
const idsOf = (rows: readonly FirstRow[]): string[] => rows.map(({ id }) => id);

async function readFirstOf(client: PoolClient, top: number, from: (values: SqlValues) => string): Promise<FirstRow[]> {
  const values = sqlValues();
  const text = `SELECT id, cost::text FROM (${from(values)}) AS each ORDER BY each.cost DESC, each.requests DESC, id LIMIT ${values.add(top)}`;
  return (await client.query<FirstRow>(text, values.list)).rows;
}

/** Candidates that are read first: those with the highest cost of all time. */
const DEAREST = 100;

/**
 * The top among those with the highest cost of all time. This is the overall top if the last of them cost more in the range than anyone
 * outside the candidates has cost in total, since costs are never negative; null otherwise, when everybody must be read.
 */
async function readFirstOfDearest(
  client: PoolClient,
  { ask, by, top, span }: Pick<SeriesAsk, "ask" | "top"> & { by: "user" | "key"; span: RankedSpan },
): Promise<FirstRow[] | null> {
  const values = sqlValues();
  const text = dearestSql(values, ask.tenantId, by, DEAREST);
  const { rows: dearest } = await client.query<FirstRow & { userId: string }>(text, values.list);
  // With so few, reading all of them is as fast.
  if (dearest.length < DEAREST) return null;
  const few = { ...ask, ownerIds: [...new Set(dearest.map(({ userId }) => userId))], keyIds: by === "key" ? idsOf(dearest) : null };
  const first = await readFirstOf(client, top, (values) => rankedSql(values, few, by, span));
  const [last, mostOfOthers] = [first[top - 1], dearest.at(-1)?.cost ?? 0];
  return last && BigInt(last.cost) > BigInt(mostOfOthers) ? first : null;
}

/** Sums by slot of each of `ids`, and of all others as null. */
async function readSlots(
  client: PoolClient,
  { plan, ask, by, ids, all }: Pick<SeriesAsk, "plan" | "ask"> & { by: Dimension; ids: readonly string[]; all: SumsSource },
): Promise<SlotSums[]> {
  const values = sqlValues();
  const { pieces } = plan;
  const ownerIds = by === "key" ? await readOwners(client, ids) : null;
  const ofNamed = bySlotSql(values, pieces, summed, (buckets) => namedSql(values, { buckets, ask, by, ids, ownerIds }));
  const ofAll = bySlotSql(values, pieces, summed, (buckets) => usageSums(values, buckets, { tenantId: ask.tenantId, ...all }));
  const text = `SELECT * FROM (${ofNamed}) AS named UNION ALL SELECT slot, NULL, ${summedNames} FROM (${ofAll}) AS whole`;
  const { rows } = await client.query<SlotSums>(text, values.list);
  // Subtracting the named series from the total leaves the others.
  const named = rows.filter(({ id }) => id !== null);
  return slotsOf(pieces, [...rows, ...named.map((row) => ({ ...negated(row), id: null }))]);
}

/** Rows of these ids only. */
function namedSql(
  values: SqlValues,
  {
    buckets,
    ask,
    by,
    ids,
    ownerIds,
  }: { buckets: BucketList; ask: SumsAsk; by: Dimension; ids: readonly string[]; ownerIds: readonly string[] | null },
): string {
  const source = sourceOf(ask, by);
  if (source !== null) return usageSums(values, buckets, { tenantId: ask.tenantId, kind: source.kind, ids });
  if (by === "user") return wantedSql(values, { ...ask, ownerIds: ids }, by, buckets);
  if (by === "key") return wantedSql(values, { ...ask, keyIds: ids, ownerIds }, by, buckets);
  const where = `${conditions(values, ask)} AND ${columnOf[by]} = ANY(${values.add(ids)}::text[])`;
  return rollups(values, buckets, { tenantId: ask.tenantId, id: columnOf[by], where });
}

/** Owners of these keys, who precede them in the keys of the sums; null if not all are ids of our own tables. */
async function readOwners(client: PoolClient, keyIds: readonly string[]): Promise<string[] | null> {
  if (!keyIds.every(isId)) return null;
  const { rows } = await client.query<{ id: string }>(
    "SELECT DISTINCT user_id::text AS id FROM key_totals WHERE key_id = ANY($1::uuid[])",
    [keyIds],
  );
  return rows.map(({ id }) => id);
}
