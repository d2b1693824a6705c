import type { Clock } from "@sluice/core/clock";
import type { PostgresFigures, RedisFigures, StoreFigures } from "@sluice/core/figures";
import { readInfo } from "@sluice/db/redis";
import type { Redis } from "ioredis";
import type { Pool } from "pg";

/** A store that has not answered by then is skipped. */
const DEADLINE_MS = 2_000;

interface Stores {
  pool: Pool;
  redis: Redis | null;
  clock: Clock;
}

/** Reads the statistics of both stores. One that does not answer is null, not an error. */
export async function readStoreFigures({ pool, redis, clock }: Stores): Promise<StoreFigures> {
  const [postgres, ofRedis] = await Promise.all([orNull(askPostgres(pool)), redis ? orNull(askRedis(redis)) : ("not_used" as const)]);
  return { atMs: clock.now(), postgres, redis: ofRedis };
}

/** Runs one read at a time; callers that come meanwhile share it. */
export function shareStoreFigures(stores: Stores): () => Promise<StoreFigures> {
  let running: Promise<StoreFigures> | null = null;
  return () => {
    running ??= readStoreFigures(stores).finally(() => {
      running = null;
    });
    return running;
  };
}

async function orNull<T>(asked: Promise<T>): Promise<T | null> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<null>((resolve) => {
    timer = setTimeout(() => resolve(null), DEADLINE_MS);
  });
  return Promise.race([asked.catch(() => null), late]).finally(() => clearTimeout(timer));
}

/**
 * Figures of this database where PostgreSQL counts by database; WAL, replicas and workers are those of the server. The lag of a replica
 * or slot is the WAL that it has not received yet.
 */
const postgresSql = `
  WITH sessions AS (
    SELECT backend_type, state, wait_event_type, query_start FROM pg_stat_activity
    WHERE pid <> pg_backend_pid() AND (datname = current_database() OR backend_type = 'autovacuum worker')
  ), wal AS (SELECT CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_lsn() END AS now)
  SELECT (d.xact_commit + d.xact_rollback)::float8 AS transactions,
    (d.tup_inserted + d.tup_updated + d.tup_deleted)::float8 AS "rowsWritten",
    (SELECT count(*) FROM sessions WHERE backend_type = 'client backend')::int + 1 AS connections,
    current_setting('max_connections')::int AS "maxConnections",
    (SELECT count(*) FROM sessions WHERE state = 'active')::int AS active,
    (SELECT count(*) FROM sessions WHERE state = 'active' AND wait_event_type IS NULL)::int AS "onCpu",
    (SELECT count(*) FROM sessions WHERE wait_event_type = 'Lock')::int AS "lockWaits",
    d.deadlocks::float8 AS deadlocks,
    (SELECT coalesce(max(extract(epoch FROM clock_timestamp() - query_start)) * 1000, 0) FROM sessions
      WHERE state = 'active' AND backend_type = 'client backend')::float8 AS "longestActiveMs",
    d.blks_read::float8 AS "blocksRead", d.blks_hit::float8 AS "blocksHit", d.temp_bytes::float8 AS "tempBytes",
    (SELECT count(*) FROM sessions WHERE backend_type = 'autovacuum worker')::int AS "autovacuumWorkers",
    (SELECT coalesce(sum(autovacuum_count + autoanalyze_count), 0) FROM pg_stat_user_tables)::float8 AS autovacuums,
    (SELECT coalesce(sum(n_dead_tup), 0) FROM pg_stat_user_tables)::float8 AS "deadRows",
    (SELECT wal_bytes FROM pg_stat_wal)::float8 AS "walBytes",
    (SELECT count(*) FROM pg_stat_replication)::int AS replicas,
    (SELECT coalesce(max(pg_wal_lsn_diff(wal.now, behind.lsn)), 0) FROM wal, (
      SELECT replay_lsn AS lsn FROM pg_stat_replication UNION ALL SELECT restart_lsn FROM pg_replication_slots) behind)::float8
      AS "replicationLagBytes"
  FROM pg_stat_database d WHERE d.datname = current_database()`;

/** Without the query texts, which are read from disk. */
const statementsSql = `
  SELECT sum(calls)::float8 AS calls FROM pg_stat_statements(false)
  WHERE dbid = (SELECT oid FROM pg_database WHERE datname = current_database())`;

async function askPostgres(pool: Pool): Promise<PostgresFigures> {
  const { rows } = await pool.query<Omit<PostgresFigures, "statements">>(postgresSql);
  if (!rows[0]) throw new Error("PostgreSQL gave no row");
  // pg_stat_statements is an extension that not every server has.
  const statements = await pool.query<{ calls: number | null }>(statementsSql).then(
    (answer) => answer.rows[0]?.calls ?? 0,
    () => null,
  );
  return { ...rows[0], statements };
}

async function askRedis(redis: Redis): Promise<RedisFigures> {
  const [info, slowCommands] = await Promise.all([redis.info("all"), redis.slowlog("LEN")]);
  const facts = readInfo(info);
  const number = (name: string): number => Number(facts.get(name) ?? 0);
  return {
    memoryBytes: number("used_memory"),
    maxMemoryBytes: number("maxmemory"),
    keyHits: number("keyspace_hits"),
    keyMisses: number("keyspace_misses"),
    commands: number("total_commands_processed"),
    bytesIn: number("total_net_input_bytes"),
    bytesOut: number("total_net_output_bytes"),
    published: Number(/calls=(\d+)/.exec(facts.get("cmdstat_publish") ?? "")?.[1] ?? 0),
    cpuSeconds: number("used_cpu_sys") + number("used_cpu_user"),
    clients: number("connected_clients"),
    evicted: number("evicted_keys"),
    slowCommands: Number(slowCommands),
  };
}
