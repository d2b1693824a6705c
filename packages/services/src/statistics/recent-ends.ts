import { setTimeout as sleep } from "node:timers/promises";
import type { RequestRow } from "@sluice/core/requests";
import type { Recent } from "@sluice/core/statistics";
import type { PoolClient } from "pg";
import { rowScope } from "../access.ts";
import type { Ctx } from "../context.ts";

/** Longest wait for settlement, and the polling interval. */
const MOST_WAIT_MS = 1_000;
const EVERY_MS = 25;
/** Something that ended longer ago and is still unsettled is stuck: do not wait for it. */
const HELD_UP_MS = 10_000;
/** Allowance between a request's end, by its gateway's clock, and the arrival of its event at a viewer. */
const RECENT_MS = 2_000;
/** Recently settled rows to read by index: far more than are settled while a page is read. */
export const MOST_RECENT = 2_000;

/**
 * Waits until everything that ended before the call is settled: otherwise sums cached for a minute would lack, for that minute, what
 * ended just before they were read. Waits at most a second for a slow settler, or not at all where the caller cannot wait. Resolves with
 * the time (ms since the epoch) before which everything that ended is settled.
 */
export async function awaitSettled(
  { live, pool, clock }: Pick<Ctx, "live" | "pool" | "clock">,
  mostWaitMs = MOST_WAIT_MS,
): Promise<number> {
  const nowMs = clock.now();
  let waiting = (await live.registry.list()).filter(({ state }) => state !== "in_flight" && state !== "lost");
  waiting = waiting.filter((row) => endOf(row) >= nowMs - HELD_UP_MS);
  for (let waitedMs = 0; waiting.length > 0 && waitedMs < mostWaitMs; waitedMs += EVERY_MS) {
    if (waitedMs > 0) await sleep(EVERY_MS);
    const ids = waiting.map(({ id }) => id);
    // Newest first: the first and last id bound the partitions to search.
    const { rows } = await pool.query<{ id: string }>(settledSql, [ids, ids.at(-1), ids[0]]);
    const settled = new Set(rows.map(({ id }) => id));
    waiting = waiting.filter(({ id }) => !settled.has(id));
  }
  return waiting.reduce((earliest, row) => Math.min(earliest, endOf(row)), nowMs - RECENT_MS);
}

const settledSql = "SELECT id::text FROM requests WHERE id = ANY($1::uuid[]) AND id BETWEEN $2::uuid AND $3::uuid";

function endOf({ startedAtMs, durationMs }: RequestRow): number {
  return startedAtMs + (durationMs ?? 0);
}

/** Whose recent ends to list, and since when. */
export interface RecentAsk {
  tenantId: string;
  userId: string | null;
  keyId: string | null;
  fromMs: number;
}

export function recentAsk(ctx: Ctx, fromMs: number): RecentAsk {
  return { tenantId: ctx.tenantId, ...rowScope(ctx), fromMs };
}

/** Runs in the snapshot of the sums. Corrections carry the time of what they correct, so they are selected by write order alone. */
export async function readRecent(client: PoolClient, { tenantId, userId, keyId, fromMs }: RecentAsk): Promise<Recent> {
  const { rows } = await client.query<{ ids: string[] }>(recentSql, [tenantId, new Date(fromMs), userId, keyId]);
  return { fromMs, ids: rows[0]?.ids ?? [] };
}

/**
 * For statements that read everything at once: ids over all users. $1 tenant, $2 since when. ORDER BY and LIMIT keep every plan from
 * reading all rows.
 */
export const recentIdsSql = `SELECT id::text FROM (SELECT * FROM requests ORDER BY settled_seq DESC LIMIT ${MOST_RECENT}) AS latest
  WHERE tenant_id = $1 AND (started_at + duration_ms * interval '1 ms' >= $2 OR corrects_id IS NOT NULL)`;
const recentSql = `SELECT ARRAY(${recentIdsSql}
    AND ($3::text IS NULL OR user_id = $3) AND ($4::text IS NULL OR key_id = $4)) AS ids`;
