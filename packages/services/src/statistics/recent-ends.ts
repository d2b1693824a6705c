import { setTimeout as sleep } from "node:timers/promises";
import type { Recent } from "@sluice/core/statistics";
import type { PoolClient } from "pg";
import { rowScope } from "../access.ts";
import type { Ctx } from "../context.ts";

/** What ended is waited for so long, and asked for so often. */
const MOST_WAIT_MS = 1_000;
const EVERY_MS = 25;
/** What is not settled so long after its end does not wait for its turn alone: nobody waits for it here. */
const HELD_UP_MS = 10_000;
/** Between the end of a request, by its gateway's clock, and the event of it at a viewer. */
const RECENT_MS = 2_000;
/** Rows settled last that are looked at. */
const MOST_RECENT = 2_000;

/**
 * Waits until what ended before the call is settled: sums that are kept for a minute would lack for as long what ended a moment before
 * they were read. A settler that hangs is waited for a second.
 */
export async function awaitSettled({ live, pool, clock }: Ctx): Promise<void> {
  const sinceMs = clock.now() - HELD_UP_MS;
  const ended = (await live.registry.list())
    .filter(({ state, startedAtMs, durationMs }) => state !== "in_flight" && state !== "lost" && startedAtMs + (durationMs ?? 0) >= sinceMs)
    .map(({ id }) => id);
  if (ended.length === 0) return;
  // Newest first; between them lie the partitions that are looked at.
  const values = [ended, ended.at(-1), ended[0]];
  for (let waitedMs = 0; waitedMs < MOST_WAIT_MS; waitedMs += EVERY_MS) {
    const { rows } = await pool.query<{ settled: number }>(settledSql, values);
    if (rows[0]?.settled === ended.length) return;
    await sleep(EVERY_MS);
  }
}

const settledSql = "SELECT count(*)::int AS settled FROM requests WHERE id = ANY($1::uuid[]) AND id BETWEEN $2::uuid AND $3::uuid";

/** Whose recent ends are named, and since when. */
export interface RecentAsk {
  tenantId: string;
  userId: string | null;
  keyId: string | null;
  fromMs: number;
}

export function recentAsk(ctx: Ctx, atMs: number): RecentAsk {
  return { tenantId: ctx.tenantId, ...rowScope(ctx), fromMs: atMs - RECENT_MS };
}

/** In the snapshot of the sums. Corrections are as old as what they correct, so they go by when they were written alone. */
export async function readRecent(client: PoolClient, { tenantId, userId, keyId, fromMs }: RecentAsk): Promise<Recent> {
  const { rows } = await client.query<{ ids: string[] }>(recentSql, [tenantId, new Date(fromMs), userId, keyId]);
  return { fromMs, ids: rows[0]?.ids ?? [] };
}

// Ordered and limited, so that the planner cannot read all that a user ever asked for.
const recentSql = `SELECT ARRAY(SELECT id::text FROM (SELECT * FROM requests ORDER BY settled_seq DESC LIMIT ${MOST_RECENT}) AS latest
  WHERE tenant_id = $1 AND (started_at + duration_ms * interval '1 ms' >= $2 OR corrects_id IS NOT NULL)
    AND ($3::text IS NULL OR user_id = $3) AND ($4::text IS NULL OR key_id = $4)) AS ids`;
