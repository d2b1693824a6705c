import type pg from "pg";

const MOST = 1_000;

/** Names of models asked for in the last 30 days, from the daily sums; of one user, or of all. */
export async function listModels(
  pool: pg.Pool,
  { tenantId, userId }: { tenantId: string; userId?: string | undefined },
): Promise<string[]> {
  const own = userId === undefined ? "" : "AND user_id = $2";
  const { rows } = await pool.query<{ model: string }>(
    `SELECT DISTINCT model FROM rollups_day
     WHERE tenant_id = $1 AND bucket >= now() - interval '30 days' AND model <> '' ${own} ORDER BY 1 LIMIT ${MOST}`,
    userId === undefined ? [tenantId] : [tenantId, userId],
  );
  return rows.map(({ model }) => model);
}
