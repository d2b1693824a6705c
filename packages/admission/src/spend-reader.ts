import { firstIdAt } from "@sluice/core/ids";
import { type CostWindows, SPEND_BUCKET_MS, spendBucket } from "@sluice/core/limits/cost-windows";
import type { CostKind, LimitOwner } from "@sluice/core/limits/limit-values";
import { layoutOf, type SpendFacts } from "@sluice/core/limits/spend-book";
import { DAY_MS, HOUR_MS } from "@sluice/core/time-zone";
import { epochMs } from "@sluice/db/epoch-ms";
import type { Pool, PoolClient } from "pg";
import { bookName, type OwnerRef } from "./limit-keeper.ts";

/** Whose spending is read. */
export interface SpendQuestion extends OwnerRef {
  totalSinceMs: number;
}

/** What an owner has spent, and which of the requests in question those sums include. */
export interface SpendAnswer {
  ref: OwnerRef;
  facts: SpendFacts;
  visible: string[];
}

export interface SpendAsk {
  questions: readonly SpendQuestion[];
  windows: CostWindows;
  nowMs: number;
  /** Called after the sums were read: a request that is not among these ids then is not in the sums either. */
  idsOf(ref: OwnerRef): Promise<string[]> | string[];
}

/** Reads from the ledger; rejects when it is unavailable. */
export type SpendReader = (ask: SpendAsk) => Promise<SpendAnswer[]>;

/** Five-minute rollups are kept at least this long. */
const FINE_MS = 2 * DAY_MS;

const columns: Record<LimitOwner, { id: string; cost: string }> = {
  key: { id: "key_id", cost: "cost_nano_usd" },
  user: { id: "user_id", cost: "cost_nano_usd" },
  group: { id: `"group"`, cost: "cost_nano_usd" },
  // What the operator pays, not what clients are charged.
  provider: { id: "provider_id", cost: "upstream_cost_nano_usd" },
};

/**
 * Sums from the ledger's rollups, in one snapshot: whole days, then hours, then five minutes, then rows back to the start of the
 * window; everything younger counts. The cost depends on the number of rollup rows of the current month.
 */
export function createSpendReader(pool: Pool, tenantId = "default"): SpendReader {
  return async ({ questions, windows, nowMs, idsOf }) => {
    const client = await pool.connect();
    let broken = true;
    try {
      await client.query("BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY");
      const answers: SpendAnswer[] = [];
      for (const owner of ["key", "user", "group", "provider"] as const) {
        const asked = questions.filter((question) => question.owner === owner);
        if (asked.length > 0) answers.push(...(await readOwners(client, { tenantId, owner, asked, windows, nowMs })));
      }
      await markVisible(client, answers, idsOf);
      await client.query("COMMIT");
      broken = false;
      return answers;
    } finally {
      client.release(broken);
    }
  };
}

interface Reading {
  tenantId: string;
  owner: LimitOwner;
  asked: readonly SpendQuestion[];
  windows: CostWindows;
  nowMs: number;
}

async function readOwners(client: PoolClient, reading: Reading): Promise<SpendAnswer[]> {
  const { owner, asked, windows } = reading;
  const ids = asked.map(({ id }) => id);
  const byKind = new Map<CostKind, Map<string, number>>();
  for (const [kind, { startMs }] of Object.entries(windows.fixed) as [CostKind, { startMs: number }][]) {
    byKind.set(kind, await sumsSince(client, reading, ids, startMs));
  }
  const total = new Map<string, number>();
  for (const sinceMs of new Set(asked.map(({ totalSinceMs }) => totalSinceMs))) {
    const those = asked.filter(({ totalSinceMs }) => totalSinceMs === sinceMs).map(({ id }) => id);
    for (const [id, sum] of await sumsSince(client, reading, those, sinceMs)) total.set(id, sum);
  }
  byKind.set("total", total);
  const buckets = await bucketsOf(client, reading, ids);
  return asked.map(({ id, totalSinceMs }) => {
    const starts: SpendFacts["starts"] = { total: totalSinceMs };
    for (const [kind, { startMs }] of Object.entries(windows.fixed) as [CostKind, { startMs: number }][]) starts[kind] = startMs;
    const sums = Object.fromEntries([...byKind].map(([kind, found]) => [kind, found.get(id) ?? 0]));
    const facts = { layout: layoutOf(windows, totalSinceMs), starts, sums, buckets: buckets.get(id) ?? new Map<number, number>() };
    return { ref: { owner, id }, facts, visible: [] };
  });
}

/** What each of these has spent since then. */
async function sumsSince(client: PoolClient, reading: Reading, ids: readonly string[], sinceMs: number): Promise<Map<string, number>> {
  const { tenantId, owner, nowMs } = reading;
  const { id, cost } = columns[owner];
  const dayMs = Math.ceil(sinceMs / DAY_MS) * DAY_MS;
  const hourMs = Math.ceil(sinceMs / HOUR_MS) * HOUR_MS;
  const fineMs = nowMs - hourMs < FINE_MS ? Math.ceil(sinceMs / SPEND_BUCKET_MS) * SPEND_BUCKET_MS : hourMs;
  const part = (table: string, from: number, to: number | null): string =>
    `SELECT ${id} AS owner, ${cost} AS cost FROM ${table} WHERE tenant_id = $1 AND ${id} = ANY($2)
       AND bucket >= ${instant(from)}${to === null ? "" : ` AND bucket < ${instant(to)}`}`;
  const parts = [part("rollups_day", dayMs, null)];
  if (hourMs < dayMs) parts.push(part("rollups_hour", hourMs, dayMs));
  if (fineMs < hourMs) parts.push(part("rollups_5m", fineMs, hourMs));
  if (sinceMs < fineMs) {
    parts.push(`SELECT ${id} AS owner, ${cost} AS cost FROM requests WHERE tenant_id = $1 AND ${id} = ANY($2)
       AND id >= '${firstIdAt(sinceMs)}' AND id < '${firstIdAt(fineMs)}'`);
  }
  const { rows } = await client.query<{ owner: string; cost: string }>(
    `SELECT owner, coalesce(sum(cost), 0)::text AS cost FROM (${parts.join("\nUNION ALL\n")}) AS spent GROUP BY owner`,
    [tenantId, ids],
  );
  return new Map(rows.map((row) => [row.owner, Number(row.cost)]));
}

/** Five-minute buckets as far back as the longest rolling window; empty when no window rolls. */
async function bucketsOf(client: PoolClient, reading: Reading, ids: readonly string[]): Promise<Map<string, Map<number, number>>> {
  const { tenantId, owner, windows, nowMs } = reading;
  const found = new Map<string, Map<number, number>>();
  const longestMs = Math.max(0, ...Object.values(windows.rolling));
  if (longestMs === 0) return found;
  const { id, cost } = columns[owner];
  const fromMs = (spendBucket(nowMs) - longestMs / SPEND_BUCKET_MS) * SPEND_BUCKET_MS;
  const { rows } = await client.query<{ owner: string; atMs: number; cost: string }>(
    `SELECT ${id} AS owner, ${epochMs("bucket")} AS "atMs", sum(${cost})::text AS cost
     FROM rollups_5m WHERE tenant_id = $1 AND ${id} = ANY($2) AND bucket >= ${instant(fromMs)} GROUP BY 1, 2`,
    [tenantId, ids],
  );
  for (const row of rows) {
    const buckets = found.get(row.owner) ?? new Map<number, number>();
    buckets.set(spendBucket(row.atMs), Number(row.cost));
    found.set(row.owner, buckets);
  }
  return found;
}

/** Marks which requests this transaction's snapshot includes. */
async function markVisible(client: PoolClient, answers: readonly SpendAnswer[], idsOf: SpendAsk["idsOf"]): Promise<void> {
  const asked = new Map<string, string[]>();
  for (const { ref } of answers) asked.set(bookName(ref), await idsOf(ref));
  const all = [...new Set([...asked.values()].flat())];
  if (all.length === 0) return;
  const { rows } = await client.query<{ id: string }>("SELECT id FROM requests WHERE id = ANY($1::uuid[])", [all]);
  const there = new Set(rows.map(({ id }) => id));
  for (const answer of answers) answer.visible = (asked.get(bookName(answer.ref)) ?? []).filter((id) => there.has(id));
}

function instant(ms: number): string {
  return `'${new Date(ms).toISOString()}'::timestamptz`;
}
