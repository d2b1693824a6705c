import {
  addAt,
  FIVE_MINUTES_MS,
  noSums,
  type Overview,
  type OverviewSeries,
  SERIES,
  type Sums,
  type TopEntry,
  zeroColumns,
} from "@sluice/core/overview";
import type { OverviewRange, OverviewSplit } from "@sluice/core/overview-range";
import type { RequestRow } from "@sluice/core/requests";
import { dayStart, HOUR_MS, nextDayStart } from "@sluice/core/time-zone";
import { prepared } from "@sluice/db/prepared";
import { readSnapshot } from "@sluice/db/read-snapshot";
import { type DbRow, toRow } from "@sluice/ledger/stored-row";
import type { Pool, PoolClient } from "pg";
import { planSettings } from "../statistics/plan-settings.ts";
import {
  type BucketList,
  bucketsOf,
  followingSql,
  joinBuckets,
  samplesSql,
  seriesSql,
  settledSeqSql,
  settledSql,
  slotsSql,
  steps,
  topOwnersSql,
  topSql,
} from "./overview-statements.ts";

/** Statements are planned once per connection: for most of them, planning takes longer than running. */
const preparedSettings = { ...planSettings, plan_cache_mode: "force_generic_plan" } as const;

export interface OverviewPlan {
  range: OverviewRange;
  day: { startMs: number; endMs: number };
  yesterdayMs: number;
  /** Start times of the range's buckets. */
  times: number[];
  endMs: number;
  /** The rollup buckets that make up the same range. */
  buckets: BucketList;
  /** Before this time there are no five-minute sums. */
  fineFromMs: number;
}

/** Five minutes for a day, hours for a week, days of the zone for a month; the last bucket is the current one. */
export function planOverview(
  nowMs: number,
  { zone, range, fineFromMs }: { zone: string; range: OverviewRange; fineFromMs: number },
): OverviewPlan {
  const startMs = dayStart(nowMs, zone);
  const day = { startMs, endMs: nextDayStart(nowMs, zone) };
  const yesterdayMs = dayStart(startMs - 1, zone);
  if (range === "30d") {
    const times = [startMs];
    while (times.length < 30) times.unshift(dayStart((times[0] ?? 0) - 1, zone));
    const ends = [...times.slice(1), day.endMs];
    const buckets = joinBuckets(times.map((from, at) => bucketsOf(from, ends[at] ?? from, fineFromMs)));
    return { range, day, yesterdayMs, times, endMs: day.endMs, buckets, fineFromMs };
  }
  const [stepMs, count] = range === "24h" ? [FIVE_MINUTES_MS, 288] : [HOUR_MS, 168];
  const endMs = (Math.floor(nowMs / stepMs) + 1) * stepMs;
  const starts = steps(endMs - count * stepMs, endMs, stepMs);
  const none: BucketList = { fiveMinutes: [], hours: [], days: [] };
  const buckets = range === "24h" ? { ...none, fiveMinutes: starts } : { ...none, hours: starts };
  return { range, day, yesterdayMs, times: starts.map(Number), endMs, buckets, fineFromMs };
}

export interface OverviewAsk {
  plan: OverviewPlan;
  by: OverviewSplit;
  splits: readonly OverviewSplit[];
  userId: string | null;
  /** Of the recently settled rows, those that ended since then are named. */
  sinceMs: number;
}

/** Sums, the last settled row they include, and the recent ends among their rows. */
export interface OverviewSums extends Pick<Overview, "yesterday" | "series" | "top" | "used"> {
  today: Sums;
  settledSeq: string;
  /** null for a correction, which has the time of its request and no end of its own. */
  ended: { id: string; endedMs: number | null }[];
}

/** Reads the tables in one snapshot, with a fixed number of statements whatever the traffic. */
export function readOverview(pool: Pool, tenantId: string, ask: OverviewAsk): Promise<OverviewSums> {
  const { userId, sinceMs } = ask;
  const values = [tenantId, new Date(sinceMs), ...(userId === null ? [] : [userId])];
  return readSnapshot(pool, preparedSettings, async (client) => {
    const { rows } = await client.query<SettledRow>(prepared(settledSql(userId !== null, ask.plan.range), values));
    const [{ totalsFrom = null, ...settled } = { settledSeq: "0", used: false, ended: [] }] = rows;
    const day = await readDay(client, tenantId, ask);
    const top = await readTop(client, tenantId, { ...ask, totalsFrom });
    const series = await readSeries(client, tenantId, ask, top[ask.by] ?? []);
    return { ...day, top, series, ...settled };
  });
}

type SettledRow = Pick<OverviewSums, "settledSeq" | "used" | "ended"> & { totalsFrom?: Date };

export interface FollowingAsk {
  userId: string | null;
  /** Requests in the registry. */
  ids: readonly string[];
  settledSeq: string;
}

/** The last position that is settled or about to be: at or after any row that can be read by now. */
export async function readSettledSeq(pool: Pool): Promise<string> {
  const { rows } = await pool.query<{ seq: string }>(settledSeqSql);
  return rows[0]?.seq ?? "0";
}

/** Rows settled after the sums were read, and which requests of the registry are settled: one statement, so one snapshot. */
export async function readFollowing(
  pool: Pool,
  tenantId: string,
  { userId, ids, settledSeq }: FollowingAsk,
): Promise<{ rows: RequestRow[]; settled: string[] }> {
  const inOrder = ids.toSorted();
  const values = [tenantId, settledSeq, ids, inOrder[0], inOrder.at(-1), ...(userId === null ? [] : [userId])];
  const statement = prepared(followingSql(userId !== null), values);
  const { rows } = await readSnapshot(pool, preparedSettings, (client) =>
    client.query<{ rows: JsonRow[] | null; settled: string[] }>(statement),
  );
  const [found = { rows: null, settled: [] }] = rows;
  return {
    rows: (found.rows ?? []).map((row) => toRow({ ...row, cost_nano_usd: decimal(row.cost_nano_usd) })),
    settled: found.settled,
  };
}

/** In JSON a bigint becomes a number, which is exact up to nine million dollars. */
type JsonRow = Omit<DbRow, "cost_nano_usd"> & { cost_nano_usd: number | null };
const decimal = (cost: number | null): string | null => (cost === null ? null : String(cost));

/** Parameters of every statement over sums: $1 to $4, the statement's own ones, and the user of an own scope. */
function valuesOf(tenantId: string, { fiveMinutes, hours, days }: BucketList, userId: string | null, own: unknown[] = []): unknown[] {
  return [tenantId, fiveMinutes, hours, days, ...own, ...(userId === null ? [] : [userId])];
}

/** Slots 0 and up are yesterday's five minutes, the last one is all of today. */
async function readDay(
  client: PoolClient,
  tenantId: string,
  { plan, userId }: OverviewAsk,
): Promise<Pick<OverviewSums, "today" | "yesterday">> {
  const { startMs, endMs } = plan.day;
  const starts = steps(plan.yesterdayMs, startMs, FIVE_MINUTES_MS);
  const today = bucketsOf(startMs, endMs);
  const buckets = { ...today, fiveMinutes: [...starts, ...today.fiveMinutes] };
  const values = valuesOf(tenantId, buckets, userId, [[...starts, new Date(startMs)]]);
  const { rows } = await client.query<SumsRow>(prepared(slotsSql(userId !== null), values));
  const sessions = await readSessions(client, tenantId, { starts, userId });
  const yesterday = { startMs: plan.yesterdayMs, sessions, ...zeroColumns(starts.length) };
  for (const row of rows) addAt(yesterday, row.slot, row);
  return { today: toSums(rows.find(({ slot }) => slot === starts.length)), yesterday };
}

/** Active sessions at the beginning of each of these five minutes; null where no sample was taken. */
async function readSessions(
  client: PoolClient,
  tenantId: string,
  { starts, userId }: { starts: readonly Date[]; userId: string | null },
): Promise<(number | null)[]> {
  const values = [tenantId, userId ?? "", starts[0], starts.at(-1)];
  const { rows } = await client.query<{ bucket: Date; active: number }>(prepared(samplesSql, values));
  const active = new Map(rows.map((row) => [row.bucket.getTime(), row.active]));
  return starts.map((start) => active.get(start.getTime()) ?? null);
}

async function readTop(
  client: PoolClient,
  tenantId: string,
  { plan, splits, userId, totalsFrom }: OverviewAsk & { totalsFrom: Date | null },
): Promise<Overview["top"]> {
  const fromMs = plan.times[0] ?? 0;
  const range = bucketsOf(fromMs, plan.endMs, plan.fineFromMs);
  const { rows } = await client.query<TopRow>(prepared(topSql(userId !== null), valuesOf(tenantId, range, userId)));
  if (userId === null) rows.push(...(await readTopOwners(client, tenantId, { ...plan, totalsFrom })));
  const top: Overview["top"] = Object.fromEntries(splits.map((split) => [split, []]));
  for (const { kind, ...entry } of rows) top[kind]?.push(entry);
  return top;
}

/** Users and keys, from their totals, corrected by the buckets between the totals' beginning and the range's. */
async function readTopOwners(
  client: PoolClient,
  tenantId: string,
  { range, times, fineFromMs, totalsFrom }: OverviewPlan & { totalsFrom: Date | null },
): Promise<TopRow[]> {
  const [fromMs, totalsFromMs] = [times[0] ?? 0, totalsFrom?.getTime() ?? 0];
  const edge = bucketsOf(Math.min(fromMs, totalsFromMs), Math.max(fromMs, totalsFromMs), fineFromMs);
  // Usually there are none: joining every key with an empty set would take as long as reading the keys.
  const isEdge = edge.fiveMinutes.length + edge.hours.length + edge.days.length > 0;
  const values = isEdge ? valuesOf(tenantId, edge, null, [fromMs < totalsFromMs ? 1 : -1]) : [tenantId];
  return (await client.query<TopRow>(prepared(topOwnersSql(range, isEdge), values))).rows;
}

async function readSeries(
  client: PoolClient,
  tenantId: string,
  { plan, by, userId }: OverviewAsk,
  top: readonly TopEntry[],
): Promise<OverviewSeries[]> {
  const ids = top.slice(0, SERIES).map(({ id }) => id);
  const values = valuesOf(tenantId, plan.buckets, userId, [plan.times.map((ms) => new Date(ms)), ids]);
  const { rows } = await client.query<SumsRow & { id: string | null }>(prepared(seriesSql(userId !== null, by), values));
  const series = new Map<string | null, OverviewSeries>(ids.map((id) => [id, { id, ...zeroColumns(plan.times.length) }]));
  for (const row of rows) {
    const columns = series.get(row.id) ?? { id: row.id, ...zeroColumns(plan.times.length) };
    // A Map keeps insertion order: that of the top list, with the others last.
    series.set(row.id, columns);
    addAt(columns, row.slot, row);
  }
  return [...series.values()];
}

type SumsRow = Sums & { slot: number };
type TopRow = TopEntry & { kind: OverviewSplit };

function toSums(row: SumsRow | undefined): Sums {
  if (!row) return { ...noSums };
  const { slot: _, ...sums } = row;
  return sums;
}
