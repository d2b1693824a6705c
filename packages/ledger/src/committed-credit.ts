import type pg from "pg";

/**
 * What each account has available beyond its holds and floor (nano-USD, clamped to the safe integers), and which of the
 * requests are committed and therefore included in it, both from one snapshot. Users without an account are left out.
 */
export async function readCommittedCredit(
  pool: pg.Pool,
  userIds: readonly string[],
  requestIds: readonly string[],
): Promise<{ availableNanoUsd: Map<string, number>; settled: Set<string> }> {
  // Only requests have rows; ids of other reservations never match, which is correct.
  const { rows } = await pool.query<{ userId: string; available: string; settled: string[] }>(
    `SELECT user_id AS "userId", balance_nano_usd - held_nano_usd - floor_nano_usd AS available,
       ARRAY(SELECT id::text FROM requests WHERE id = ANY($2::uuid[])) AS settled
     FROM accounts WHERE user_id = ANY($1::uuid[])`,
    [userIds, requestIds],
  );
  const clamp = (nano: string): number => Math.max(-Number.MAX_SAFE_INTEGER, Math.min(Number.MAX_SAFE_INTEGER, Number(nano)));
  return {
    availableNanoUsd: new Map(rows.map(({ userId, available }) => [userId, clamp(available)])),
    settled: new Set(rows[0]?.settled),
  };
}
