import type pg from "pg";

const MOST = 1_000;

/** Names of the models requested in the last 30 days, from the daily sums: of all users, one user or one of their keys. */
export async function listModels(
  pool: pg.Pool,
  { tenantId, userId, keyId }: { tenantId: string; userId?: string | undefined; keyId?: string | undefined },
): Promise<string[]> {
  const scope = [userId, keyId].filter((id) => id !== undefined);
  const own = ["AND user_id = $2", "AND key_id = $3"].slice(0, scope.length).join(" ");
  const { rows } = await pool.query<{ model: string }>(
    `SELECT DISTINCT model FROM rollups_day
     WHERE tenant_id = $1 AND bucket >= now() - interval '30 days' AND model <> '' ${own} ORDER BY 1 LIMIT ${MOST}`,
    [tenantId, ...scope],
  );
  return rows.map(({ model }) => model);
}
