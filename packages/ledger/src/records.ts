import type { RequestDetail, RequestRow, Usage } from "@sluice/core/requests";

/**
 * What the spool holds. JSON payloads behind `length u32 | checksum u32`; each carries the format version `v` and the
 * kind `k`, and older versions stay readable.
 */

/** The price as it was when the request began: recovery must not depend on a table that may have changed. */
export interface SpooledPrice {
  priceId: string;
  inputPerMTok: string;
  outputPerMTok: string;
  cacheWrite5mPerMTok: string | null;
  cacheWrite1hPerMTok: string | null;
  cacheReadPerMTok: string | null;
}

/** Written before the upstream is called. `row` is the in-flight row as it is now: kept, so no longer to be changed. */
export interface StartRecord {
  row: RequestRow;
  price: SpooledPrice | null;
  providerMultiplier: string;
  groupMultiplier: string;
}

/** At first content and then at most every 500 ms: what to bill when nothing later is found. */
export interface ProgressRecord {
  id: string;
  providerId: string;
  upstreamModel: string;
  providerMultiplier: string;
  ttftMs: number | null;
  /** Counters the upstream reported so far, filled up by the estimate from content bytes. */
  usage: Usage;
  estimated: boolean;
}

/** The end. `row.state` is final; the row is the charge. */
export interface FinishRecord {
  row: RequestRow;
  detail: RequestDetail;
  /** Sum over attempts, decimal nano-USD. */
  upstreamCostNanoUsd: string;
}

export interface LedgerStats {
  /** Records not yet committed to Postgres. */
  depth: number;
  oldestAgeMs: number;
  /** Batches committed, and the rows that they inserted. */
  flushes: number;
  rows: number;
  failures: number;
  /** Why the last batch that failed did so; null when none has. */
  lastFailure: { atMs: number; reason: string } | null;
  recovered: number;
  quarantined: number;
  /** Refused requests without disk, and without room in memory: they cost nothing and are only counted. Charges are never dropped. */
  droppedRefusals: number;
  /** False when the spool cannot be written: new requests must be refused with `spool_unavailable`. */
  writable: boolean;
}

export interface Ledger {
  /** Resolves when the record has been written (not synced). @throws SluiceError `spool_unavailable`. */
  start(record: StartRecord): Promise<void>;
  /** Never throws; a lost progress only widens the estimate of a recovery. */
  progress(record: ProgressRecord): void;
  /**
   * Resolves when the record is durable (group-committed fdatasync; mode `direct`: when its row is committed), with its detail as JSON: who
   * keeps it until it is settled keeps that, one object instead of fifty. Null: only the record has it.
   */
  finish(record: FinishRecord): Promise<string | null>;
  /** A refused request: written without sync, never blocks or throws. */
  refuse(record: FinishRecord): void;
  /** Called with the ids of each committed batch. */
  onSettled(listener: (ids: readonly string[]) => void): () => void;
  /** Finished records that no commit has covered yet (after a restart: those found in the spool). */
  unsettled(): readonly FinishRecord[];
  stats(): LedgerStats;
  /** Settles what is there, closes the spool. Rejects when records could not be flushed in time (they stay on disk). */
  close(options?: { graceMs?: number }): Promise<void>;
}
