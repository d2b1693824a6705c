import type { TokenPrices } from "@sluice/core/pricing/price-usage";
import type { RequestDetail, RequestRow, Usage } from "@sluice/core/requests";

/**
 * The records of the spool: JSON payloads behind `length u32 | checksum u32`. Each carries the format version `v` and the
 * kind `k`, and older versions stay readable.
 */

/** The price when the request began: recovery must not depend on a table that may have changed since. */
export interface SpooledPrice extends TokenPrices {
  priceId: string;
}

/** Written before the upstream is called. The ledger keeps `row`, so the caller must not change it afterwards. */
export interface StartRecord {
  row: RequestRow;
  price: SpooledPrice | null;
  providerMultiplier: string;
  groupMultiplier: string;
}

/** Written at first content and then at most every 500 ms: what to bill when no later record is found. */
export interface ProgressRecord {
  id: string;
  providerId: string;
  upstreamModel: string;
  providerMultiplier: string;
  ttftMs: number | null;
  /** Counters reported by the upstream so far, completed by an estimate from the content bytes. */
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
  /** Ends not yet committed to Postgres. */
  depth: number;
  oldestAgeMs: number;
  /** Batches committed, and the rows they inserted. */
  flushes: number;
  rows: number;
  failures: number;
  /** Why the last failed batch failed; null when none has. */
  lastFailure: { atMs: number; reason: string } | null;
  recovered: number;
  quarantined: number;
  /** Refusals dropped because neither the disk nor memory had room. They carry no charge. Charges are never dropped. */
  droppedRefusals: number;
  /** False when the spool cannot be written: new requests must be refused with `spool_unavailable`. */
  writable: boolean;
}

export interface Ledger {
  /** Resolves when the record has been written (not synced). @throws SluiceError `spool_unavailable`. */
  start(record: StartRecord): Promise<void>;
  /** Never throws; a lost record only makes the estimate of a recovery less precise. */
  progress(record: ProgressRecord): void;
  /**
   * Resolves when the record is durable (group-committed fdatasync; in mode `direct`, when its row is committed), with its detail as JSON:
   * a caller that keeps the detail until it is settled keeps these bytes, which are kept anyway, instead of fifty objects. Null: only the
   * record has it.
   */
  finish(record: FinishRecord): Promise<Buffer | null>;
  /** A refused request: written without sync, never blocks or throws. */
  refuse(record: FinishRecord): void;
  /** Called with the ids of each committed batch. */
  onSettled(listener: (ids: readonly string[]) => void): () => void;
  /** Finished records that no commit covers yet (after a restart: those found in the spool). */
  unsettled(): readonly FinishRecord[];
  stats(): LedgerStats;
  /** Settles what is pending and closes the spool. Rejects when records could not be flushed in time (they stay on disk). */
  close(options?: { graceMs?: number }): Promise<void>;
}
