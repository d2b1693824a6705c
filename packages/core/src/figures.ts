/**
 * What the installation measures about itself, for the figures page; /metrics reports the same. A process counts since its start,
 * PostgreSQL and Redis since theirs; durations cover the last 5 to 10 minutes.
 */

/** Durations of one kind of work. Percentiles are within 5 %; null when there was none recently. */
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
  /** Without parameter values, at most 500 characters. */
  text: string;
}

/** The figures of one process. */
export interface ProcessFigures {
  instanceId: string;
  atMs: number;
  /** CPU use since the last report; 1 = one core busy. */
  cpuShare: number;
  rssBytes: number;
  heapBytes: number;
  /** Share of the time in which the event loop was busy since the last report: the main thread's part of cpuShare. */
  loopShare: number;
  /** Routes and procedures, the most used first, at most 50. */
  endpoints: DurationFigure[];
  /** Statements by table. */
  queries: DurationFigure[];
  queryCount: number;
  slowQueryCount: number;
  /** Newest first. */
  slowQueries: SlowQuery[];
  /** Measured by browsers: time to first byte and first paint of loads, and rendering time by page. */
  pages: DurationFigure[];
  /** Times that another instance held a lock or probe. */
  lockConflicts: number;
  eventsPublished: number;
  framesSent: number;
  connections: number;
  connectionsWaiting: number;
  /** null unless it is a gateway. */
  ledger: { requests: number; rows: number; flushes: number; failures: number; depth: number } | null;
}

/** PostgreSQL, from its own statistics. */
export interface PostgresFigures {
  transactions: number;
  /** From pg_stat_statements; null without it. */
  statements: number | null;
  /** Rows of the database inserted, updated and deleted. */
  rowsWritten: number;
  connections: number;
  maxConnections: number;
  active: number;
  /** Active and not waiting: running on a CPU, or waiting for one. */
  onCpu: number;
  /** Sessions waiting for a lock. */
  lockWaits: number;
  deadlocks: number;
  /** Age of the longest running statement. */
  longestActiveMs: number;
  blocksRead: number;
  blocksHit: number;
  tempBytes: number;
  autovacuumWorkers: number;
  autovacuums: number;
  deadRows: number;
  walBytes: number;
  replicas: number;
  /** WAL that the replica or slot furthest behind has not received; 0 without any. */
  replicationLagBytes: number;
}

/** Redis, from INFO. */
export interface RedisFigures {
  memoryBytes: number;
  /** 0 = not set. */
  maxMemoryBytes: number;
  keyHits: number;
  keyMisses: number;
  commands: number;
  bytesIn: number;
  bytesOut: number;
  /** Messages passed to PUBLISH. */
  published: number;
  cpuSeconds: number;
  clients: number;
  evicted: number;
  slowCommands: number;
}

/** null: the store does not answer. */
export interface StoreFigures {
  atMs: number;
  postgres: PostgresFigures | null;
  redis: RedisFigures | "not_used" | null;
}

/** What the figures page reads when it opens; after that each process reports itself, and one of them the stores. */
export interface Figures {
  /** null: the process that was asked does not measure. */
  process: ProcessFigures | null;
  stores: StoreFigures;
}
