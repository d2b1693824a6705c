import type pg from "pg";

/**
 * Reads in one snapshot: what is committed meanwhile is in all of the answers or in none. The settings hold for these
 * statements only.
 */
export async function readSnapshot<T>(
  pool: pg.Pool,
  settings: Readonly<Record<string, string>>,
  read: (client: pg.PoolClient) => Promise<T>,
): Promise<T> {
  const client = await pool.connect();
  let broken: Error | undefined;
  try {
    const set = Object.entries(settings).map(([name, value]) => `; SET LOCAL ${name} = '${value}'`);
    await client.query(`BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY${set.join("")}`);
    const result = await read(client);
    await client.query("COMMIT");
    return result;
  } catch (thrown) {
    broken = thrown instanceof Error ? thrown : new Error(String(thrown));
    throw thrown;
  } finally {
    // A connection with an open transaction is of no use to the next.
    client.release(broken);
  }
}
