import type { Settings } from "@sluice/core/inputs/settings";
import { DAY_MS } from "@sluice/core/time-zone";
import { keptFromMs, listPartitions, type PartitionedTable } from "@sluice/db/partitions";
import type pg from "pg";

/** What the retention will do next. Times are ms since the epoch. */
export interface RetentionPlan {
  /** The oldest partition of each table whose rows expire, with the time at which it may be dropped. */
  next: { table: PartitionedTable; fromMs: number; toMs: number; dropsAtMs: number; sizeBytes: number }[];
  /** Detached but not dropped: their archive has not succeeded yet. */
  waiting: { name: string; sizeBytes: number }[];
  /** The files written recently, newest first; paths are on the machine of the worker that wrote them. */
  archives: { name: string; path: string; rows: number; atMs: number }[];
  /** Requests before this time are gone; null while none were dropped. */
  keptFromMs: number | null;
}

/** Table comment that marks a table as ours to drop; tables detached by somebody else lack it. */
export const RETENTION_MARK = "sluice: detached by the retention";
const ARCHIVES_LISTED = 24;

/** The setting that says how long a table keeps its rows. */
export const daysOf: Record<PartitionedTable, "retention.requestDays" | "retention.detailDays"> = {
  requests: "retention.requestDays",
  request_details: "retention.detailDays",
};

/** What would be dropped next under the current settings. */
export async function planRetention(pool: pg.Pool, settings: Settings): Promise<RetentionPlan> {
  const partitions = await listPartitions(pool);
  const oldest = Object.keys(daysOf).flatMap((table) => partitions.find((partition) => partition.table === table) ?? []);
  const next = await Promise.all(
    oldest.map(async ({ table, name, fromMs, toMs }) => {
      const { rows } = await pool.query<{ size: number }>(`SELECT pg_total_relation_size($1::regclass)::float8 AS size`, [
        `partitions."${name}"`,
      ]);
      return { table, fromMs, toMs, dropsAtMs: toMs + settings[daysOf[table]] * DAY_MS, sizeBytes: rows[0]?.size ?? 0 };
    }),
  );
  return {
    next: next.filter(({ table }) => settings[daysOf[table]] > 0),
    waiting: (await listDetached(pool)).map(({ name, sizeBytes }) => ({ name, sizeBytes })),
    archives: await listArchives(pool),
    keptFromMs: await keptFromMs(pool),
  };
}

/** Detached by the retention and not dropped yet. */
export interface DetachedTable {
  name: string;
  oid: number;
  sizeBytes: number;
}

export async function listDetached(db: pg.Pool | pg.ClientBase): Promise<DetachedTable[]> {
  const { rows } = await db.query<DetachedTable>(
    `SELECT c.relname AS name, c.oid::int8::float8 AS oid, pg_total_relation_size(c.oid)::float8 AS "sizeBytes"
     FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE n.nspname = 'partitions' AND c.relkind = 'r' AND NOT c.relispartition AND obj_description(c.oid, 'pg_class') = '${RETENTION_MARK}'
     ORDER BY 1`,
  );
  return rows;
}

async function listArchives(pool: pg.Pool): Promise<RetentionPlan["archives"]> {
  const { rows } = await pool.query<{ value: string }>(
    `SELECT value FROM installation WHERE name LIKE 'archive.%' ORDER BY updated_at DESC, name LIMIT ${ARCHIVES_LISTED}`,
  );
  return rows.map(({ value }) => JSON.parse(value));
}
