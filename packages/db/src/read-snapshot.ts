import type pg from "pg";

/**
 * Reads in one snapshot: a concurrent commit is visible in all of the results or in none. The settings apply only to these
 * statements.
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
    // A read-only commit cannot lose anything, so the caller does not wait for it.
    client.query("COMMIT").then(
      () => client.release(),
      (error: Error) => client.release(error),
    );
    return result;
  } catch (thrown) {
    // A connection with an open transaction cannot be reused.
    client.release(thrown instanceof Error ? thrown : new Error(String(thrown)));
    throw thrown;
  }
}
