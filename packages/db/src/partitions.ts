import { firstIdAt, isId, timeOfId } from "@sluice/core/ids";
import type pg from "pg";
import { missingAt, missingBetween, type PartitionSpan, spanAt, spansAfter, type TimeRange } from "./partition-ranges.ts";

/**
 * Partitions of `requests` and `request_details` by UUIDv7 range, monthly or weekly according to the setting `ledger.partitions`, in
 * the schema `partitions`, created ahead of time. There is no DEFAULT partition (it would prevent concurrent detaching), so a row
 * without a partition is an error: boot, the hourly job and the ledger (for late rows of an adopted spool) make sure there is one.
 * A partition's range is read from the catalogue, never from its name, so the setting can change.
 */
export interface EnsurePartitionsOptions {
  nowMs: number;
  /** Months or weeks; default 2. */
  ahead?: number;
  /** Default 0: for late rows, the partition is created when they arrive. */
  back?: number;
}

export const partitionedTables = ["requests", "request_details"] as const;
export type PartitionedTable = (typeof partitionedTables)[number];

export interface Partition extends TimeRange {
  table: PartitionedTable;
  /** In the schema `partitions`. */
  name: string;
  /** A detach has begun and must be completed. */
  detaching: boolean;
}

/** Advisory lock, shared by everything that creates partitions. The number is arbitrary. */
const partitionLock = 7_207_150_001;

/** Tables with a recorded time (ms since the epoch, in `installation`) before which rows were removed; they may have been settled. */
export type KeptTable = "requests" | "rollups_5m";

/** Whether the request was settled is no longer known; settling it (again) could bill it twice. */
export class BeyondRetentionError extends Error {}

/** Creates the missing partitions around now; resolves with their names. Safe to run concurrently anywhere. */
export async function ensurePartitions(pool: pg.Pool, options: EnsurePartitionsOptions): Promise<string[]> {
  const { nowMs, ahead = 2, back = 0 } = options;
  return makeMissing(pool, (covered, span) =>
    missingBetween(covered, { fromMs: spansAfter(nowMs, -back, span), toMs: spansAfter(nowMs, ahead, span) }, span),
  );
}

/**
 * Creates the partition that an id belongs to, however old.
 * @throws when the text is not a UUIDv7, or the partition is missing and more than a year ahead; {@link BeyondRetentionError}
 * when it has been dropped.
 */
export async function ensurePartitionFor(pool: pg.Pool, id: string): Promise<string[]> {
  if (!isId(id)) throw new Error(`There is no partition for '${id}': it is no UUIDv7.`);
  const at = timeOfId(id);
  return makeMissing(pool, (covered, span, keptFrom) => {
    const range = missingAt(covered, at, span);
    // Compares the id's own time: its month may end later than the weeks that were dropped.
    if (range && keptFrom !== null && at < keptFrom) throw beyondRetention(keptFrom);
    if (range && at > Date.now() + 366 * 86_400_000) {
      throw new Error(`There is no partition for ${id}: it is from the far future, so a clock is wrong.`);
    }
    return range ? [range] : [];
  });
}

/** The attached partitions, oldest first. */
export async function listPartitions(db: pg.Pool | pg.ClientBase): Promise<Partition[]> {
  const { rows } = await db.query<{ table: PartitionedTable; name: string; bound: string; detaching: boolean }>(
    `SELECT p.relname AS table, c.relname AS name, pg_get_expr(c.relpartbound, c.oid) AS bound, i.inhdetachpending AS detaching
     FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid JOIN pg_class p ON p.oid = i.inhparent
     WHERE p.oid IN ('public.requests'::regclass, 'public.request_details'::regclass) AND c.relpartbound IS NOT NULL`,
  );
  return rows.map(({ bound, ...row }) => ({ ...row, ...rangeOf(bound) })).sort((a, b) => a.fromMs - b.fromMs);
}

function rangeOf(bound: string): TimeRange {
  const [from = "", to = ""] = bound.match(/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g) ?? [];
  return { fromMs: timeOfId(from), toMs: timeOfId(to) };
}

/** Since when rows of a table are kept, ms since the epoch; null while none were ever removed. */
export async function keptFromMs(db: pg.Pool | pg.ClientBase, table: KeptTable = "requests"): Promise<number | null> {
  const { rows } = await db.query<{ value: string }>("SELECT value FROM installation WHERE name = $1", [`${table}.kept_from`]);
  return rows[0] ? Number(rows[0].value) : null;
}

/** Must be recorded before rows are dropped, so that none of them can come back afterwards. */
export async function noteKeptFrom(db: pg.Pool | pg.ClientBase, table: KeptTable, ms: number): Promise<void> {
  await db.query(
    `INSERT INTO installation AS i (name, value, updated_at) VALUES ($1, $2, now()) ON CONFLICT (name)
     DO UPDATE SET value = greatest(i.value::bigint, EXCLUDED.value::bigint)::text, updated_at = now()`,
    [`${table}.kept_from`, String(ms)],
  );
}

/** `keptFrom`: older rows of the table were dropped; null when none were. */
type Wanted = (covered: readonly TimeRange[], span: PartitionSpan, keptFrom: number | null) => TimeRange[];

async function makeMissing(pool: pg.Pool, wanted: Wanted): Promise<string[]> {
  if ((await findMissing(pool, wanted)).length === 0) return [];
  const client = await pool.connect();
  try {
    await client.query("BEGIN");
    await client.query("SELECT pg_advisory_xact_lock($1)", [partitionLock]);
    const made: string[] = [];
    // Checked again, because another process may have created them in the meantime.
    for (const { table, range, span } of await findMissing(client, wanted)) {
      await finishDetaches(client, table, range);
      made.push(await createPartition(client, table, range, span));
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

interface Missing {
  table: PartitionedTable;
  range: TimeRange;
  span: PartitionSpan;
}

async function findMissing(db: pg.Pool | pg.PoolClient, wanted: Wanted): Promise<Missing[]> {
  const partitions = await listPartitions(db);
  const span = await currentSpan(db);
  const requestsKeptFrom = await keptFromMs(db);
  return partitionedTables.flatMap((table) => {
    const keptFrom = table === "requests" ? requestsKeptFrom : null;
    // A partition being detached takes no rows. For requests, only what the retention has recorded is certain to be gone.
    const isLeaving = ({ detaching, toMs }: Partition) => detaching && (table !== "requests" || (keptFrom !== null && toMs <= keptFrom));
    const ranges = wanted(
      partitions.filter((partition) => partition.table === table && !isLeaving(partition)),
      span,
      keptFrom,
    );
    return ranges.map((range) => ({ table, range: keptFrom === null ? range : keptPart(range, keptFrom), span }));
  });
}

/** An earlier start of the partition would let dropped rows in again. */
function keptPart({ fromMs, toMs }: TimeRange, keptFrom: number): TimeRange {
  if (toMs <= keptFrom) throw beyondRetention(keptFrom);
  return { fromMs: Math.max(fromMs, keptFrom), toMs };
}

function beyondRetention(keptFrom: number): BeyondRetentionError {
  return new BeyondRetentionError(`Requests before ${new Date(keptFrom).toISOString()} were dropped by the retention.`);
}

/** Read from the table, so that everything that creates partitions (boot, the command line) cuts them the same way. */
async function currentSpan(db: pg.Pool | pg.PoolClient): Promise<PartitionSpan> {
  const { rows } = await db.query<{ value: unknown }>("SELECT value FROM settings WHERE name = 'ledger.partitions' LIMIT 1");
  return rows[0]?.value === "weekly" ? "weekly" : "monthly";
}

/** For a whole month e.g. `requests_2026_11`, otherwise with the first day: `requests_2026_11_30`. */
export function partitionName(table: PartitionedTable, { fromMs, toMs }: TimeRange): string {
  const month = spanAt(fromMs, "monthly");
  const isMonth = month.fromMs === fromMs && month.toMs === toMs;
  return `${table}_${new Date(fromMs)
    .toISOString()
    .slice(0, isMonth ? 7 : 10)
    .replaceAll("-", "_")}`;
}

/** Nothing can be attached where a detach was interrupted. */
async function finishDetaches(client: pg.PoolClient, table: PartitionedTable, { fromMs, toMs }: TimeRange): Promise<void> {
  for (const partition of await listPartitions(client)) {
    if (partition.table !== table || !partition.detaching || partition.toMs <= fromMs || toMs <= partition.fromMs) continue;
    await client.query(`ALTER TABLE "public"."${table}" DETACH PARTITION "partitions"."${partition.name}" FINALIZE`);
  }
}

/** Created separately and then attached: CREATE … PARTITION OF would lock the parent against all inserts meanwhile. */
async function createPartition(client: pg.PoolClient, table: PartitionedTable, range: TimeRange, span: PartitionSpan): Promise<string> {
  let plain = partitionName(table, range);
  const taken = async () => (await client.query("SELECT to_regclass($1) IS NOT NULL AS taken", [`partitions.${plain}`])).rows[0]?.taken;
  // A detached table of that name may still be waiting for its archive.
  while (await taken()) plain += span === "weekly" ? "_w" : "_m";
  const name = `"partitions"."${plain}"`;
  await client.query(`CREATE TABLE ${name} (LIKE "public"."${table}" INCLUDING DEFAULTS INCLUDING CONSTRAINTS)`);
  await client.query(
    `ALTER TABLE "public"."${table}" ATTACH PARTITION ${name} FOR VALUES FROM ('${firstIdAt(range.fromMs)}') TO ('${firstIdAt(range.toMs)}')`,
  );
  if (table === "requests") {
    await client.query(
      `CREATE TRIGGER "no_truncate" BEFORE TRUNCATE ON ${name} FOR EACH STATEMENT EXECUTE FUNCTION "public"."forbid_change"()`,
    );
  }
  return plain;
}
