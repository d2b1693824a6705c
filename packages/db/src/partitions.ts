import { firstIdAt, isId, timeOfId } from "@sluice/core/ids";
import type pg from "pg";

/**
 * Monthly partitions of `requests` and `request_details` by UUIDv7 range, in the schema `partitions`, made ahead. There
 * is no DEFAULT partition (it would forbid detaching concurrently), so a row without a partition is an error: boot, the
 * daily job and the ledger (for the late rows of an adopted spool) see to it that there is one.
 */
export interface EnsurePartitionsOptions {
  nowMs: number;
  /** Default 2. */
  monthsAhead?: number;
  /** Default 2. */
  monthsBack?: number;
}

const tables = ["requests", "request_details"] as const;

/** Any number, one for all who make or drop partitions. */
const partitionLock = 7_207_150_001;

/** Makes the missing partitions around now; resolves with the names made. Safe to run anywhere at the same time. */
export async function ensurePartitions(pool: pg.Pool, options: EnsurePartitionsOptions): Promise<string[]> {
  const months: number[] = [];
  for (let offset = -(options.monthsBack ?? 2); offset <= (options.monthsAhead ?? 2); offset++) {
    months.push(monthStart(options.nowMs, offset));
  }
  return ensureMonths(pool, months);
}

/** Makes the partition an id belongs to, however old. @throws when the text is no UUIDv7, or none is there and its time is beyond next year. */
export async function ensurePartitionFor(pool: pg.Pool, id: string): Promise<string[]> {
  if (!isId(id)) throw new Error(`There is no partition for '${id}': it is no UUIDv7.`);
  const at = timeOfId(id);
  const isFarFuture = at > Date.now() + 366 * 86_400_000;
  if (isFarFuture && (await findMissing(pool, [partitionName("requests", at)])).size > 0) {
    throw new Error(`There is no partition for ${id}: it is from the far future, so a clock is wrong.`);
  }
  return ensureMonths(pool, [monthStart(at, 0)]);
}

/** The partition of `table` for the month of `ms`, e.g. `requests_2026_11`. */
export function partitionName(table: (typeof tables)[number], ms: number): string {
  return `${table}_${new Date(ms).toISOString().slice(0, 7).replace("-", "_")}`;
}

/** The first ms (UTC) of the month that is `offset` months after that of `ms`. */
function monthStart(ms: number, offset: number): number {
  const date = new Date(ms);
  return Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + offset, 1);
}

async function ensureMonths(pool: pg.Pool, months: number[]): Promise<string[]> {
  const wanted = months.flatMap((month) => tables.map((table) => ({ table, month, name: partitionName(table, month) })));
  const missing = await findMissing(
    pool,
    wanted.map(({ name }) => name),
  );
  if (missing.size === 0) return [];

  const client = await pool.connect();
  try {
    await client.query("BEGIN");
    await client.query("SELECT pg_advisory_xact_lock($1)", [partitionLock]);
    const made: string[] = [];
    // Looked up again: another process may have made them while this one waited.
    const stillMissing = await findMissing(client, [...missing]);
    for (const { table, month, name } of wanted) {
      if (!stillMissing.has(name)) continue;
      await createPartition(client, table, month);
      made.push(name);
    }
    await client.query("COMMIT");
    client.release();
    return made;
  } catch (error) {
    await client.query("ROLLBACK").catch(() => {});
    client.release(true);
    throw error;
  }
}

async function findMissing(db: pg.Pool | pg.PoolClient, names: string[]): Promise<Set<string>> {
  const { rows } = await db.query<{ relname: string }>(
    `SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE n.nspname = 'partitions' AND c.relispartition AND c.relname = ANY($1)`,
    [names],
  );
  const present = new Set(rows.map((row) => row.relname));
  return new Set(names.filter((name) => !present.has(name)));
}

/** Made apart and then attached: CREATE … PARTITION OF would lock the parent against every insert meanwhile. */
async function createPartition(client: pg.PoolClient, table: (typeof tables)[number], month: number): Promise<void> {
  const name = `"partitions"."${partitionName(table, month)}"`;
  const from = firstIdAt(month);
  const to = firstIdAt(monthStart(month, 1));
  await client.query(`CREATE TABLE ${name} (LIKE "public"."${table}" INCLUDING DEFAULTS INCLUDING CONSTRAINTS)`);
  await client.query(`ALTER TABLE "public"."${table}" ATTACH PARTITION ${name} FOR VALUES FROM ('${from}') TO ('${to}')`);
  if (table === "requests") {
    await client.query(
      `CREATE TRIGGER "no_truncate" BEFORE TRUNCATE ON ${name} FOR EACH STATEMENT EXECUTE FUNCTION "public"."forbid_change"()`,
    );
  }
}
