/**
 * What the installation measures of itself, as the page of figures is told; /metrics has the same. Counts of a process are since its
 * start, those of PostgreSQL and Redis since theirs; durations are of the last five to ten minutes.
 */

/** How long one kind of work took. Percentiles are within 5 %; null when there was none lately. */
export interface DurationFigure {
  /** `GET /trpc/keys.list`, `requests`, `paint`, … */
  name: string;
  count: number;
  errors: number;
  p50Ms: number | null;
  p95Ms: number | null;
  p99Ms: number | null;
}

export interface SlowQuery {
  atMs: number;
  ms: number;
  table: string;
  /** Without its values, at most 500 characters. */
  text: string;
}

/** One process. */
export interface ProcessFigures {
  instanceId: string;
  atMs: number;
  /** Of one core, since the last time; 1 = one core busy. */
  cpuShare: number;
  rssBytes: number;
  heapBytes: number;
  /** Share of the time that the event loop was busy, since the last time: what cpuShare is of one thread. */
  loopShare: number;
  /** Routes and procedures; the most used first, at most 50. */
  endpoints: DurationFigure[];
  /** Statements by table. */
  queries: DurationFigure[];
  queryCount: number;
  slowQueryCount: number;
  /** The newest first. */
  slowQueries: SlowQuery[];
  /** What browsers measured: time to first byte and first paint of loads, and rendering by page. */
  pages: DurationFigure[];
  /** A lock or probe that another instance had. */
  lockConflicts: number;
  eventsPublished: number;
  framesSent: number;
  connections: number;
  connectionsWaiting: number;
  /** null unless it is a gateway. */
  ledger: { requests: number; rows: number; flushes: number; failures: number; depth: number } | null;
}

/** PostgreSQL, by its own statistics. */
export interface PostgresFigures {
  transactions: number;
  /** By pg_stat_statements; null without it. */
  statements: number | null;
  /** Of the database: inserted, updated and deleted. */
  rowsWritten: number;
  connections: number;
  maxConnections: number;
  active: number;
  /** Active, and waiting for nothing: on a processor, or for one. */
  onCpu: number;
  /** Sessions that wait for a lock. */
  lockWaits: number;
  deadlocks: number;
  /** The longest statement that is running. */
  longestActiveMs: number;
  blocksRead: number;
  blocksHit: number;
  tempBytes: number;
  autovacuumWorkers: number;
  autovacuums: number;
  deadRows: number;
  walBytes: number;
  replicas: number;
  /** WAL that the replica or slot furthest behind has not taken; 0 without any. */
  replicationLagBytes: number;
}

/** Redis, by INFO. */
export interface RedisFigures {
  memoryBytes: number;
  /** 0 = none is set. */
  maxMemoryBytes: number;
  keyHits: number;
  keyMisses: number;
  commands: number;
  bytesIn: number;
  bytesOut: number;
  /** Messages given to PUBLISH. */
  published: number;
  cpuSeconds: number;
  clients: number;
  evicted: number;
  slowCommands: number;
}

/** null: it does not answer. */
export interface StoreFigures {
  atMs: number;
  postgres: PostgresFigures | null;
  redis: RedisFigures | "not_used" | null;
}

/** What the page of figures reads when it opens; then each process tells of itself, and one of them of the stores. */
export interface Figures {
  /** null: nobody measures in the process that was asked. */
  process: ProcessFigures | null;
  stores: StoreFigures;
}
