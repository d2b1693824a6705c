import type pg from "pg";
import type { FailpointHook } from "./failpoints.ts";
import { isDataError } from "./settle-errors.ts";
import { SETTLE_NAME, settleSql, settleValues } from "./settle-statement.ts";
import type { SettledRecord } from "./settled-record.ts";

/** One for all who assign settled_seq, over every process. */
export const SETTLE_LOCK = 7_207_150_002;

/**
 * One transaction: these records become rows, in the order of their ids, or none does. Records of one id must not meet
 * in a batch. Resolves with how many were not there yet. @throws what the driver throws; after a data error the connection goes back in order.
 */
export async function settleBatch(pool: pg.Pool, records: readonly SettledRecord[], failpoint?: FailpointHook): Promise<number> {
  return underSettleLock(pool, async (client) => {
    const inserted = await settleWith(client, records);
    failpoint?.("mid_batch");
    return inserted;
  });
}

/** The same as a part of a transaction that holds the settle lock. */
export async function settleWith(client: pg.ClientBase, records: readonly SettledRecord[]): Promise<number> {
  const values = settleValues([...records].sort((a, b) => (a.row.id < b.row.id ? -1 : 1)));
  const { rows } = await client.query<{ inserted: number }>({ name: SETTLE_NAME, text: settleSql, values });
  return rows[0]?.inserted ?? 0;
}

/** A transaction in which nobody else settles: what it reads of `requests` stays so until it has written. */
export async function underSettleLock<T>(pool: pg.Pool, work: (client: pg.PoolClient) => Promise<T>): Promise<T> {
  const client = await pool.connect();
  let broken = true;
  try {
    // One round trip. Nested loops are off because the planner guesses ten rows for an array of 500. A plan is kept: one made while the
    // table was empty would read all of it for every batch until it is analysed.
    await client.query(
      `BEGIN; SET LOCAL synchronous_commit = on; SET LOCAL enable_nestloop = off; SET LOCAL enable_seqscan = off; SET LOCAL jit = off; SELECT pg_advisory_xact_lock(${SETTLE_LOCK})`,
    );
    const result = await work(client);
    await client.query("COMMIT");
    broken = false;
    return result;
  } catch (error) {
    if (isDataError(error)) {
      broken = await client.query("ROLLBACK").then(
        () => false,
        () => true,
      );
    }
    throw error;
  } finally {
    client.release(broken);
  }
}
