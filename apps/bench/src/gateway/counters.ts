import { setTimeout as wait } from "node:timers/promises";
import type { Redis } from "ioredis";
import type { Pool } from "pg";

/** What a gateway has asked of PostgreSQL and Redis so far. */
interface Counts {
  /** Statements of any kind. */
  statements: number;
  commits: number;
  /** Batches that were settled: of each, rows go in by one COPY. */
  settles: number;
  /** What PostgreSQL wrote ahead, bytes: of the whole server, which nobody else uses meanwhile. */
  walBytes: number;
  /** Reads from clients' connections: a pipeline is one. 0 without Redis. */
  redisRoundTrips: number;
}

export interface CostsPerRequest extends Counts {
  /** Time that statements of the database stood waiting for locks, ms a request: sampled every 20 ms. */
  lockWaitMs: number;
}

const countsSql = `SELECT coalesce(sum(calls), 0)::float8 AS statements,
  coalesce(sum(calls) FILTER (WHERE query ILIKE 'commit%'), 0)::float8 AS commits,
  coalesce(sum(calls) FILTER (WHERE query LIKE 'COPY requests (%'), 0)::float8 AS settles,
  pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')::float8 AS "walBytes"
  FROM pg_stat_statements s JOIN pg_database d ON d.oid = s.dbid WHERE datname = $1`;
const waitingSql = `SELECT count(*)::int AS waiting FROM pg_stat_activity WHERE datname = $1 AND wait_event_type = 'Lock'`;

const SAMPLE_MS = 20;
/** Until the last batch is settled: twice the time that ends wait for company. */
export const SETTLED_MS = 500;

/**
 * What `drive`, which gives its number of requests, makes a gateway that has nothing left to settle ask of the database `name` and of Redis, a request.
 * Read over a connection to another database, so that the reading is not counted.
 */
export async function costsOf(
  { pool, redis, name }: { pool: Pool; redis: Redis | null; name: string },
  drive: () => Promise<number>,
): Promise<CostsPerRequest> {
  const read = async (): Promise<Counts> => {
    const { rows } = await pool.query<Omit<Counts, "redisRoundTrips">>(countsSql, [name]);
    const reads = redis ? Number(/total_reads_processed:(\d+)/.exec(await redis.info("stats"))?.[1]) : 0;
    if (!rows[0]) throw new Error(`there is no database ${name}`);
    return { ...rows[0], redisRoundTrips: reads };
  };
  const before = await read();
  const driving = new AbortController();
  const waited = sampleLockWaits(pool, name, driving.signal);
  const requests = await drive().finally(() => driving.abort());
  await wait(SETTLED_MS);
  const after = await read();
  const each = (key: keyof Counts): number => (after[key] - before[key]) / requests;
  return {
    statements: each("statements"),
    commits: each("commits"),
    settles: each("settles"),
    walBytes: each("walBytes"),
    redisRoundTrips: each("redisRoundTrips"),
    lockWaitMs: (await waited) / requests,
  };
}

async function sampleLockWaits(pool: Pool, name: string, signal: AbortSignal): Promise<number> {
  let waitedMs = 0;
  while (!signal.aborted) {
    const { rows } = await pool.query<{ waiting: number }>(waitingSql, [name]);
    waitedMs += (rows[0]?.waiting ?? 0) * SAMPLE_MS;
    await wait(SAMPLE_MS);
  }
  return waitedMs;
}
