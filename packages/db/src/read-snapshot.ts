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
  try {
    const set = Object.entries(settings).map(([name, value]) => `; SET LOCAL ${name} = '${value}'`);
    await client.query(`BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY${set.join("")}`);
    const result = await read(client);
    // Nothing was written that could fail to be: who asked does not wait for the end.
    client.query("COMMIT").then(
      () => client.release(),
      (error: Error) => client.release(error),
    );
    return result;
  } catch (thrown) {
    // A connection with an open transaction is of no use to the next.
    client.release(thrown instanceof Error ? thrown : new Error(String(thrown)));
    throw thrown;
  }
}
