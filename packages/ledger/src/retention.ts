import { setTimeout as wait } from "node:timers/promises";
import type { Settings } from "@sluice/core/inputs/settings";
import type { Log } from "@sluice/core/log";
import { DAY_MS } from "@sluice/core/time-zone";
import { epochMs } from "@sluice/db/epoch-ms";
import { listPartitions, noteKeptFrom, type Partition } from "@sluice/db/partitions";
import type pg from "pg";
import { archiveTable } from "./archive.ts";
import { type DetachedTable, daysOf, listDetached, RETENTION_MARK, type RetentionPlan } from "./retention-plan.ts";
import { oneDimension } from "./settle-statement.ts";

/**
 * Removes what is too old. Requests and their details are removed by whole partitions, detached concurrently (inserts and
 * queries continue) and dropped, never row by row. Five-minute sums are rows of an ordinary table: a week of them is small
 * and is refilled as fast as it is emptied, and attaching a partition per day would only make the settle statement's updates
 * more expensive. They are deleted in bounded batches by index. Hourly and daily sums are kept forever.
 */
export interface RetentionOptions {
  pool: pg.Pool;
  settings: Settings;
  log: Log;
  /** Capped by the clock of Postgres: a broken clock here must not drop anything. */
  nowMs: number;
  /** Directory for archives. */
  archiveDir: string;
  signal?: AbortSignal;
}

export interface RetentionResult {
  /** Names of the partitions dropped. */
  dropped: string[];
  /** Paths of the files written. */
  archived: string[];
  deletedRollups: number;
}

/** Advisory lock, shared by everything that drops partitions. The number is arbitrary. */
const RETENTION_LOCK = 7_207_150_003;
const DELETED_AT_ONCE = 5_000;
/** On a connection that hangs, it is freed when the server notices. */
const UNLOCK_MS = 1_000;

/** Does what is due, on one instance at a time; null when another instance is doing it. */
export async function applyRetention(options: RetentionOptions): Promise<RetentionResult | null> {
  const client = await options.pool.connect();
  try {
    const { rows } = await client.query<{ mine: boolean; now: number }>(
      `SELECT pg_try_advisory_lock($1) AS mine, ${epochMs("now()")} AS now`,
      [RETENTION_LOCK],
    );
    if (!rows[0]?.mine) return null;
    // A detach waits for everyone who is reading the table.
    await client.query("SET statement_timeout = 0");
    return await applyLocked(client, { ...options, nowMs: Math.min(options.nowMs, rows[0].now) });
  } finally {
    // The server would free the lock only a moment after the connection is closed, when the next run may have asked for it.
    const unlocked = client.query("SELECT pg_advisory_unlock_all()").catch(() => undefined);
    await Promise.race([unlocked, wait(UNLOCK_MS, undefined, { ref: false })]);
    // Discards the setting.
    client.release(true);
  }
}

async function applyLocked(client: pg.PoolClient, options: RetentionOptions): Promise<RetentionResult> {
  const partitions = await listPartitions(client);
  // A table can have only one detach in progress, so interrupted ones are finished first.
  for (const partition of partitions.filter(({ detaching }) => detaching)) await finishDetach(client, partition);
  for (const partition of partitions) {
    if (!partition.detaching && isOver(partition, options) && !options.signal?.aborted) await detach(client, partition);
  }
  const result: RetentionResult = { dropped: [], archived: [], deletedRollups: await deleteFineRollups(client, options) };
  let failure: unknown;
  for (const table of await listDetached(client)) {
    if (options.signal?.aborted) break;
    try {
      await drop(client, table, options, result);
    } catch (error) {
      // One that cannot be archived must not keep the others from being dropped.
      failure ??= error;
    }
  }
  if (failure !== undefined) throw failure;
  return result;
}

/** A partition is dropped when all of it is older than the retention period. */
function isOver({ table, toMs }: Partition, { settings, nowMs }: Pick<RetentionOptions, "settings" | "nowMs">): boolean {
  const days = settings[daysOf[table]];
  return days > 0 && toMs <= nowMs - days * DAY_MS;
}

async function detach(client: pg.ClientBase, { table, name, toMs }: Partition): Promise<void> {
  // Recorded before the rows go: from now on, nothing from their time is settled any more.
  if (table === "requests") await noteKeptFrom(client, "requests", toMs);
  await client.query(`COMMENT ON TABLE "partitions"."${name}" IS '${RETENTION_MARK}'`);
  await client.query(`ALTER TABLE "public"."${table}" DETACH PARTITION "partitions"."${name}" CONCURRENTLY`);
}

/** Completes a detach that was interrupted. */
async function finishDetach(client: pg.ClientBase, { table, name }: Partition): Promise<void> {
  await client.query(`ALTER TABLE "public"."${table}" DETACH PARTITION "partitions"."${name}" FINALIZE`);
}

async function drop(client: pg.PoolClient, table: DetachedTable, options: RetentionOptions, result: RetentionResult): Promise<void> {
  if (options.settings["retention.archive"] === "csv") {
    const { path, rows } = await archiveTable(options.pool, { ...table, dir: options.archiveDir, signal: options.signal });
    options.log.info({ partition: table.name, path, rows }, "a partition was archived");
    await noteArchive(client, { name: table.name, path, rows, atMs: Date.now() });
    result.archived.push(path);
  }
  await client.query(`DROP TABLE "partitions"."${table.name}"`);
  options.log.info({ partition: table.name, sizeBytes: table.sizeBytes }, "a partition was dropped by the retention");
  result.dropped.push(table.name);
}

/** Stored in the database, because a reader may run on another machine than the worker that wrote the file. */
async function noteArchive(client: pg.ClientBase, archive: RetentionPlan["archives"][number]): Promise<void> {
  await client.query(
    "INSERT INTO installation (name, value, updated_at) VALUES ($1, $2, now()) ON CONFLICT (name) DO UPDATE SET value = EXCLUDED.value, updated_at = now()",
    [`archive.${archive.name}`, JSON.stringify(archive)],
  );
}

async function deleteFineRollups(client: pg.ClientBase, { settings, nowMs, signal }: RetentionOptions): Promise<number> {
  const beforeMs = Math.floor(nowMs - settings["retention.fiveMinuteDays"] * DAY_MS);
  await noteKeptFrom(client, "rollups_5m", beforeMs);
  let deleted = 0;
  for (const [table, condition] of fineSums) {
    for (let last = DELETED_AT_ONCE; last === DELETED_AT_ONCE && !signal?.aborted; deleted += last) {
      const { rowCount } = await client.query(
        `DELETE FROM ${table} WHERE ctid = ANY(ARRAY(
           SELECT r.ctid FROM config_version v JOIN ${table} r ON r.tenant_id = v.tenant_id AND r.bucket < $1 ${condition} LIMIT ${DELETED_AT_ONCE}))`,
        [new Date(beforeMs)],
      );
      last = rowCount ?? 0;
    }
  }
  return deleted;
}

/** The tables that hold five-minute sums, each with the leading columns of its key. */
const fineSums = [
  ["rollups_5m", ""],
  ["usage_sums", `AND r.grain = '5m' AND r.kind IN (${oneDimension.kinds.map((kind) => `'${kind}'`).join(", ")})`],
] as const;
