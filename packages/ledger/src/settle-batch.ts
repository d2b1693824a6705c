// For the console, whose type check reads these sources without the other files of the package.
/// <reference path="./pg-copy-streams.d.ts" />
import type pg from "pg";
import { from as copyFrom } from "pg-copy-streams";
import type { FailpointHook } from "./failpoints.ts";
import { isDataError } from "./settle-errors.ts";
import { copiedDetails, copiedRows, copyDetailsSql, copyRowsSql } from "./settle-rows.ts";
import { KNOWN_NAME, knownSql, SETTLE_NAME, settleSql } from "./settle-statement.ts";
import type { SettledRecord } from "./settled-record.ts";

/** Advisory lock shared by everything that assigns settled_seq, across all processes. */
export const SETTLE_LOCK = 7_207_150_002;

/**
 * One transaction: all of these records become rows, in the order of their ids, or none does. A batch must not contain an id
 * twice. Resolves with how many rows are new. @throws what the driver throws; after a data error the connection stays usable.
 */
export async function settleBatch(pool: pg.Pool, records: readonly SettledRecord[], failpoint?: FailpointHook): Promise<number> {
  return underSettleLock(pool, async (client) => {
    const inserted = await settleWith(client, records);
    failpoint?.("mid_batch");
    return inserted;
  });
}

/**
 * The same as part of a transaction that holds the settle lock. The lock covers the lookup of existing rows (which change nothing, so
 * any batch may be sent again), the new rows, their details and their sums.
 */
export async function settleWith(client: pg.ClientBase, records: readonly SettledRecord[]): Promise<number> {
  const sorted = [...records].sort((a, b) => (a.row.id < b.row.id ? -1 : 1));
  const ids = `{${sorted.map(({ row }) => row.id).join(",")}}`;
  const { rows } = await client.query<{ known: string[]; first_seq: string }>({
    ...{ name: KNOWN_NAME, text: knownSql, values: [ids, sorted.length] },
  });
  const known = new Set(rows[0]?.known);
  const fresh = known.size === 0 ? sorted : sorted.filter(({ row }) => !known.has(row.id.toLowerCase()));
  const [first] = fresh;
  if (!first) return 0;
  const firstSeq = Number(rows[0]?.first_seq);
  await copy(client, copyRowsSql, copiedRows(fresh, firstSeq));
  await copy(client, copyDetailsSql, copiedDetails(fresh));
  await client.query({ name: SETTLE_NAME, text: settleSql, values: [firstSeq, firstSeq + fresh.length - 1, first.row.id] });
  return fresh.length;
}

/**
 * Without `pipeline` because of memory: the stream of a COPY was observed (Node 24, pg 8) to survive it until a full garbage collection,
 * and with `pipeline` it retains what it read. Young-generation collections, which stop everything, then copy all rows twice: 5 to 8 ms
 * each at 500 requests/s instead of 2.
 */
async function copy(client: pg.ClientBase, sql: string, chunks: Iterable<Buffer>): Promise<void> {
  const to = client.query(copyFrom(sql));
  const done = new Promise<void>((resolve, reject) => to.on("finish", resolve).on("error", reject));
  try {
    // No waiting for drain: the records of a batch are in memory anyway.
    for (const chunk of chunks) to.write(chunk);
    to.end();
  } catch (error) {
    to.destroy();
    // The connection cannot be reused until Postgres has processed the abort.
    await done.catch(() => undefined);
    throw error;
  }
  await done;
}

/** A transaction in which nobody else settles: what it reads of `requests` stays true until it has written. */
export async function underSettleLock<T>(pool: pg.Pool, work: (client: pg.PoolClient) => Promise<T>): Promise<T> {
  const client = await pool.connect();
  let broken = true;
  try {
    // One round trip. Nested loops are off because the planner guesses ten rows for an array of 500. Sequential scans are off because the
    // plan is kept: one made while the table was empty would read all of it for every batch until the table is analysed.
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
