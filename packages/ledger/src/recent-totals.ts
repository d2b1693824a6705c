import type pg from "pg";
import { isUuid, type RecentRange, recentColumns } from "./recent-columns.ts";
import { SETTLE_LOCK } from "./settle-batch.ts";

/**
 * Moves the time from which the totals of a range count: requests between the old and the new time are subtracted, or added
 * when it moves back. Settling is locked meanwhile. `fromMs` is a whole UTC hour. Resolves with whether it moved.
 */
export async function moveRecentTotals(pool: pg.Pool, range: RecentRange, fromMs: number): Promise<boolean> {
  const client = await pool.connect();
  let broken = true;
  try {
    await client.query(`BEGIN; SELECT pg_advisory_xact_lock(${SETTLE_LOCK})`);
    const { rows } = await client.query<{ kept: Date }>("SELECT begins_at AS kept FROM recent_windows WHERE range = $1", [range]);
    const keptMs = rows[0]?.kept.getTime() ?? fromMs;
    if (keptMs !== fromMs) {
      const values = [new Date(Math.min(keptMs, fromMs)), new Date(Math.max(keptMs, fromMs)), fromMs < keptMs ? 1 : -1];
      for (const owner of ["key", "user"] as const) await client.query(moveSql(owner, range), values);
      await client.query("UPDATE recent_windows SET begins_at = $2 WHERE range = $1", [range, new Date(fromMs)]);
    }
    await client.query("COMMIT");
    broken = false;
    return keptMs !== fromMs;
  } finally {
    client.release(broken);
  }
}

/** Adds $3 (1 or -1) times the hours from $1 to $2. */
function moveSql(owner: "key" | "user", range: RecentRange): string {
  const columns = recentColumns(range, "true");
  const ids = owner === "key" ? `${isUuid("key_id")} AND ${isUuid("user_id")}` : isUuid("user_id");
  return `UPDATE ${owner}_totals t SET ${Object.keys(columns)
    .map((name) => `${name} = t.${name} + $3::int * s.${name}`)
    .join(", ")}
    FROM (SELECT tenant_id, ${owner}_id AS id, ${Object.entries(columns)
      .map(([name, sum]) => `${sum}::bigint AS ${name}`)
      .join(", ")}
      FROM rollups_hour WHERE tenant_id = ANY(ARRAY(SELECT tenant_id FROM config_version)) AND bucket >= $1 AND bucket < $2 AND ${ids}
      GROUP BY 1, 2) AS s
    WHERE t.${owner}_id = s.id::uuid`;
}
