import { setTimeout as wait } from "node:timers/promises";
import type { Redis } from "ioredis";
import type { Pool } from "pg";

/** Work that a gateway has caused in PostgreSQL and Redis so far. */
interface Counts {
  /** Statements of any kind. */
  statements: number;
  commits: number;
  /** Settled batches; each inserts its rows by one COPY. */
  settles: number;
  /** WAL bytes of the whole server, which nothing else uses meanwhile. */
  walBytes: number;
  /** Reads from clients' sockets; a pipeline counts once. 0 without Redis. */
  redisRoundTrips: number;
}

export interface CostsPerRequest extends Counts {
  /** Time that statements spent waiting for locks, in ms per request, sampled every 20 ms. */
  lockWaitMs: number;
}

const countsSql = `SELECT coalesce(sum(calls), 0)::float8 AS statements,
  coalesce(sum(calls) FILTER (WHERE query ILIKE 'commit%'), 0)::float8 AS commits,
  coalesce(sum(calls) FILTER (WHERE query LIKE 'COPY requests (%'), 0)::float8 AS settles,
  pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')::float8 AS "walBytes"
  FROM pg_stat_statements s JOIN pg_database d ON d.oid = s.dbid WHERE datname = $1`;
const waitingSql = `SELECT count(*)::int AS waiting FROM pg_stat_activity WHERE datname = $1 AND wait_event_type = 'Lock'`;

const SAMPLE_MS = 20;
/** Time until the last batch is settled: twice the interval in which ends are batched. */
export const SETTLED_MS = 500;

/**
 * Cost per request of `drive`, which returns its number of requests, in the database `name` and in Redis; the gateway must have nothing
 * left to settle. Reads over a connection to another database, so that the reads themselves do not count.
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
