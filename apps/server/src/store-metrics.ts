import type { PostgresFigures, RedisFigures, StoreFigures } from "@sluice/core/figures";
import { Counter, Gauge, type Registry } from "prom-client";

/** A metric of PostgreSQL or Redis; null = no sample. */
type Line<F> = [name: string, help: string, read: (figures: F) => number | null];

const postgres: Line<PostgresFigures>[] = [
  ["sluice_postgres_transactions_total", "Transactions of the database.", (f) => f.transactions],
  ["sluice_postgres_statements_total", "Statements, by pg_stat_statements.", (f) => f.statements],
  ["sluice_postgres_rows_written_total", "Rows inserted, updated and deleted.", (f) => f.rowsWritten],
  ["sluice_postgres_connections", "Connections to the database, of everybody.", (f) => f.connections],
  ["sluice_postgres_max_connections", "How many there may be.", (f) => f.maxConnections],
  ["sluice_postgres_active_sessions", "Sessions with a statement that runs.", (f) => f.active],
  ["sluice_postgres_on_cpu_sessions", "Those of them that wait for nothing: on a processor, or for one.", (f) => f.onCpu],
  ["sluice_postgres_lock_waits", "Sessions that wait for a lock.", (f) => f.lockWaits],
  ["sluice_postgres_deadlocks_total", "Deadlocks.", (f) => f.deadlocks],
  ["sluice_postgres_longest_active_seconds", "Age of the oldest statement that runs.", (f) => f.longestActiveMs / 1_000],
  ["sluice_postgres_blocks_read_total", "Blocks that were read from outside of its buffers.", (f) => f.blocksRead],
  ["sluice_postgres_blocks_hit_total", "Blocks that were found there.", (f) => f.blocksHit],
  ["sluice_postgres_temp_bytes_total", "Written to temporary files.", (f) => f.tempBytes],
  ["sluice_postgres_autovacuum_workers", "Autovacuum workers at work.", (f) => f.autovacuumWorkers],
  ["sluice_postgres_autovacuums_total", "Tables vacuumed and analysed by itself.", (f) => f.autovacuums],
  ["sluice_postgres_dead_rows", "Rows that wait for a vacuum, estimated.", (f) => f.deadRows],
  ["sluice_postgres_wal_bytes_total", "WAL that was written, of the whole server.", (f) => f.walBytes],
  ["sluice_postgres_replicas", "Replicas that are connected.", (f) => f.replicas],
  ["sluice_postgres_replication_lag_bytes", "WAL that the replica or slot furthest behind has not taken.", (f) => f.replicationLagBytes],
];

const redis: Line<RedisFigures>[] = [
  ["sluice_redis_memory_bytes", "Memory in use.", (f) => f.memoryBytes],
  ["sluice_redis_max_memory_bytes", "How much there may be; 0 = no limit.", (f) => f.maxMemoryBytes],
  ["sluice_redis_hits_total", "Keys that were found.", (f) => f.keyHits],
  ["sluice_redis_misses_total", "Keys that were not.", (f) => f.keyMisses],
  ["sluice_redis_commands_total", "Commands.", (f) => f.commands],
  ["sluice_redis_received_bytes_total", "Bytes in.", (f) => f.bytesIn],
  ["sluice_redis_sent_bytes_total", "Bytes out.", (f) => f.bytesOut],
  ["sluice_redis_published_total", "Messages published.", (f) => f.published],
  ["sluice_redis_cpu_seconds_total", "Processor time.", (f) => f.cpuSeconds],
  ["sluice_redis_clients", "Connections, of everybody.", (f) => f.clients],
  ["sluice_redis_evicted_total", "Keys evicted: must stay 0.", (f) => f.evicted],
  ["sluice_redis_slow_commands", "Commands in its slow log.", (f) => f.slowCommands],
];

/** Statistics of the stores, read only when /metrics is scraped. A store that does not answer has no samples except its `up`. */
export function addStoreMetrics(registry: Registry, read: () => Promise<StoreFigures>): void {
  add(registry, "postgres", { read: async () => (await read()).postgres, lines: postgres });
  const ofRedis = async () => {
    const { redis: figures } = await read();
    return figures === "not_used" ? null : figures;
  };
  add(registry, "redis", { read: ofRedis, lines: redis });
}

function add<F>(registry: Registry, store: string, { read, lines }: { read: () => Promise<F | null>; lines: Line<F>[] }): void {
  new Gauge({
    name: `sluice_${store}_up`,
    help: "1 while it answers.",
    registers: [registry],
    async collect() {
      this.set((await read()) === null ? 0 : 1);
    },
  });
  for (const [name, help, of] of lines) {
    const options = { name, help, registers: [registry] };
    const current = async (): Promise<number | null> => {
      const figures = await read();
      return figures === null ? null : of(figures);
    };
    if (name.endsWith("_total"))
      new Counter({
        ...options,
        async collect() {
          const value = await current();
          this.remove();
          if (value !== null) this.inc(value);
        },
      });
    else
      new Gauge({
        ...options,
        async collect() {
          const value = await current();
          if (value === null) this.remove();
          else this.set(value);
        },
      });
  }
}
