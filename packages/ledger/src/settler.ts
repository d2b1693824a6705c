import { createHash } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { isId, timeOfId } from "@sluice/core/ids";
import type { Settings } from "@sluice/core/inputs/settings";
import type { Log } from "@sluice/core/log";
import type { RequestDetail } from "@sluice/core/requests";
import { ensurePartitionFor, listPartitions, type Partition, partitionedTables } from "@sluice/db/partitions";
import type pg from "pg";
import type { FailpointHook } from "./failpoints.ts";
import type { FinishRecord, LedgerStats } from "./records.ts";
import { settleBatch } from "./settle-batch.ts";
import { describe, isCancelled, isDataError, isMissingPartition } from "./settle-errors.ts";
import { defectOf, detailJsonOf, type SettledRecord } from "./settled-record.ts";
import type { Pending } from "./spool-scan.ts";

/**
 * Brings ends into Postgres in the order of the spool: up to `ledger.batchSize` in one transaction (eight times that when
 * as many wait), every `ledger.intervalMs` or when a batch is full. A failed connection is retried forever, and a batch that takes
 * too long is halved. A record that Postgres refuses is isolated by halving and quarantined, so that it blocks nothing else.
 */
export interface SettlerOptions {
  pool: pg.Pool;
  settings: () => Settings;
  log: Log;
  failpoint: FailpointHook;
  /** Part of the ids of quarantined bytes: identifies the spool. */
  instanceId: string;
  now(): number;
  /** How many records wait in memory; those of a longer queue stay on disk and are read again when their turn comes. */
  retain: number;
  load(ends: readonly Pending[]): Promise<(FinishRecord | Buffer)[]>;
  /** Called in order, once per batch, after its commit (including quarantined records). */
  onSettled(ends: readonly Pending[]): void;
  /** Called with the quarantine id of each quarantined record. */
  onQuarantined?: ((id: string) => void) | undefined;
  /** Duration of each committed batch, ms. */
  onCommitted?: ((ms: number) => void) | undefined;
}

interface Loaded {
  end: Pending;
  record: SettledRecord;
}

const MAX_BACKOFF_MS = 5_000;
/** Records beyond this queue length stay on disk only. */
export const RETAINED_RECORDS = 20_000;

/** When this many batches wait, they go in one transaction. */
export const BACKLOG_BATCHES = 8;

export class Settler {
  readonly #options: SettlerOptions;
  #pending: Pending[] = [];
  #flushes = 0;
  #rows = 0;
  #failures = 0;
  #lastFailure: LedgerStats["lastFailure"] = null;
  #quarantined = 0;
  #urgent = false;
  #stopping = false;
  #wake: (() => void) | null = null;
  #running: Promise<void> | null = null;
  #partitions: readonly Partition[] = [];
  /** Upper bound of a batch while Postgres is too slow for more: the same batch would be cancelled again and again. */
  #bearable = Number.POSITIVE_INFINITY;

  constructor(options: SettlerOptions) {
    this.#options = options;
  }

  /** Takes over the ends found by a scan, ahead of all later ones. */
  adopt(found: readonly Pending[]): void {
    this.#pending = [...found, ...this.#pending];
    this.#urgent ||= found.length > 0;
  }

  begin(): void {
    this.#running ??= this.#run();
  }

  push(end: Pending): void {
    if (end.position && this.#pending.length >= this.#options.retain) {
      end.finish = null;
    }
    this.#pending.push(end);
    if (end.settled) this.#urgent = true;
    if (this.#urgent || this.#pending.length === 1 || this.#pending.length >= this.#options.settings()["ledger.batchSize"]) this.#wake?.();
  }

  get depth(): number {
    return this.#pending.length;
  }

  stats(): Omit<LedgerStats, "depth" | "recovered" | "droppedRefusals" | "writable"> {
    // The age of damaged bytes is unknown, but they are no newer than the record behind them.
    const oldest = this.#pending.find(({ raw }) => !raw);
    const oldestAgeMs = oldest ? Math.max(0, this.#options.now() - oldest.queuedAtMs) : 0;
    return {
      oldestAgeMs,
      flushes: this.#flushes,
      rows: this.#rows,
      failures: this.#failures,
      lastFailure: this.#lastFailure,
      quarantined: this.#quarantined,
    };
  }

  /** Those whose record is in memory, oldest first. */
  unsettled(): FinishRecord[] {
    return this.#pending.flatMap(({ finish }) => (finish ? [{ ...finish, detail: detailOf(finish) }] : []));
  }

  /** Settles what is pending and stops. False: not all of it in time. */
  async stop(graceMs: number): Promise<boolean> {
    this.#urgent = true;
    this.#wake?.();
    const end = performance.now() + graceMs;
    while (this.#pending.length > 0 && performance.now() < end) await pause(10);
    this.#stopping = true;
    this.#wake?.();
    // A hanging transaction may outlive the grace period: whether it commits or not, a replay changes nothing.
    const ended = new AbortController();
    await Promise.race([this.#running, pause(Math.max(100, end - performance.now() + 2_000), ended.signal)]);
    // A leftover timer would keep an otherwise finished process alive.
    ended.abort();
    return this.#pending.length === 0;
  }

  async #run(): Promise<void> {
    let backoffMs = 0;
    while (!this.#stopping) {
      await this.#waitForWork(backoffMs);
      if (this.#stopping) return;
      const batch = this.#pending.slice(0, this.#most());
      if (batch.length === 0) continue;
      try {
        await this.#settle(batch);
        backoffMs = 0;
        // Grows slowly: a batch that is cancelled has wasted its whole time.
        this.#bearable += Math.ceil(this.#bearable / 4);
        this.#flushes++;
      } catch (error) {
        this.#failures++;
        if (isCancelled(error)) this.#bearable = Math.max(1, batch.length >> 1);
        this.#lastFailure = { atMs: this.#options.now(), reason: describe(error).slice(0, 300) };
        backoffMs = Math.min(MAX_BACKOFF_MS, Math.max(50, backoffMs * 2));
        this.#options.log.warn(
          { error: describe(error), depth: this.#pending.length, backoffMs },
          "a batch could not be settled; trying again",
        );
        continue;
      }
      this.#pending.splice(0, batch.length);
      if (this.#pending.length === 0) this.#urgent = false;
      this.#announce(batch);
    }
  }

  /** A backlog goes in eight batches at a time: each bucket's sums move once per transaction, which halves the cost of a row. */
  #most(): number {
    const batchSize = this.#options.settings()["ledger.batchSize"];
    const backlog = batchSize * BACKLOG_BATCHES;
    return Math.min(this.#bearable, this.#pending.length < backlog ? batchSize : backlog);
  }

  /** Waits until a batch is full or its time has come. After a failure the whole backoff is waited out, whatever arrives. */
  async #waitForWork(backoffMs: number): Promise<void> {
    if (backoffMs > 0) {
      await this.#sleep(backoffMs, () => this.#stopping);
      return;
    }
    const isFull = () => this.#urgent || this.#pending.length >= this.#options.settings()["ledger.batchSize"];
    await this.#sleep(Number.POSITIVE_INFINITY, () => this.#pending.length > 0);
    const began = performance.now();
    const leftMs = () => this.#options.settings()["ledger.intervalMs"] - (performance.now() - began);
    // Wakes every second, so that a shorter interval takes effect without waiting for the longer one to end.
    while (!this.#stopping && !isFull() && leftMs() > 0) await this.#sleep(Math.min(leftMs(), 1_000), isFull);
  }

  /** Sleeps until the time is over, or until a wake finds that the condition holds or the settler stops. */
  async #sleep(ms: number, isOver: () => boolean): Promise<void> {
    const end = performance.now() + ms;
    while (!this.#stopping && !isOver() && performance.now() < end) {
      await new Promise<void>((resolve) => {
        const timer = Number.isFinite(ms) ? setTimeout(resolve, Math.max(1, end - performance.now())) : null;
        this.#wake = () => {
          if (timer) clearTimeout(timer);
          resolve();
        };
      });
      this.#wake = null;
    }
  }

  #announce(batch: readonly Pending[]): void {
    for (const end of batch) end.settled?.();
    this.#options.onSettled(batch);
  }

  async #settle(batch: readonly Pending[]): Promise<void> {
    const loaded: Loaded[] = [];
    const missing = batch.filter((end) => end.finish === null && !end.quarantined);
    const found = missing.length > 0 ? await this.#options.load(missing) : [];
    const now = this.#options.now();
    let next = 0;
    const seen = new Set<string>();
    for (const end of batch) {
      if (end.quarantined) {
        seen.add(end.id);
        continue;
      }
      const record = end.finish ?? found[next++];
      if (record === undefined || Buffer.isBuffer(record)) {
        await this.#quarantine(end, record ?? Buffer.alloc(0), "damaged or of an unknown version");
        continue;
      }
      const defect = defectOf(record, now);
      if (defect) await this.#quarantine(end, record, defect);
      else if (!seen.has(record.row.id)) loaded.push({ end, record });
      seen.add(end.id);
    }
    await this.#insert(loaded);
  }

  /** One transaction; when the data is at fault, two with half of the records each. */
  async #insert(loaded: readonly Loaded[]): Promise<void> {
    const [only] = loaded;
    if (!only) return;
    try {
      await this.#ensurePartitions(loaded);
      const records = loaded.map(({ record }) => record);
      const began = performance.now();
      this.#rows += await settleBatch(this.#options.pool, records, this.#options.failpoint);
      this.#options.onCommitted?.(performance.now() - began);
    } catch (error) {
      if (isMissingPartition(error)) this.#partitions = [];
      if (!isDataError(error) || isMissingPartition(error)) throw error;
      if (loaded.length === 1) {
        await this.#quarantine(only.end, only.record, describe(error));
        return;
      }
      const half = loaded.length >> 1;
      await this.#insert(loaded.slice(0, half));
      await this.#insert(loaded.slice(half));
    }
  }

  async #ensurePartitions(loaded: readonly Loaded[]): Promise<void> {
    for (const { record } of loaded) {
      if (this.#covered(timeOfId(record.row.id))) continue;
      await ensurePartitionFor(this.#options.pool, record.row.id);
      const listed = await listPartitions(this.#options.pool);
      this.#partitions = listed.filter(({ detaching }) => !detaching);
    }
  }

  /** Whether a row of this time and its detail are known to have partitions. */
  #covered(ms: number): boolean {
    const tables = this.#partitions.filter(({ fromMs, toMs }) => fromMs <= ms && ms < toMs);
    return tables.length === partitionedTables.length;
  }

  /** Keeps the raw record and counts it. The same bytes at the same place are kept once, however often the spool is read. */
  async #quarantine(end: Pending, record: SettledRecord | Buffer, reason: string): Promise<void> {
    const payload = Buffer.isBuffer(record) ? record : bytesOf(record);
    const place = end.position ? `${this.#options.instanceId}/${end.position.segment}/${end.position.start}` : end.id;
    const id = isId(end.id) ? end.id : uuidOf(place, payload);
    await this.#options.pool.query(
      `INSERT INTO ledger_quarantine (id, request_id, payload, reason) VALUES ($1, $2, $3, $4) ON CONFLICT (id) DO NOTHING`,
      [id, end.id.replaceAll("\0", ""), payload, reason.replaceAll("\0", "").slice(0, 2_000)],
    );
    end.quarantined = true;
    this.#quarantined++;
    this.#options.onQuarantined?.(id);
    this.#options.log.error({ requestId: end.id, place, reason }, "a record of the ledger went to the quarantine");
  }
}

function detailOf(record: SettledRecord): RequestDetail {
  return JSON.parse(detailJsonOf(record).toString("utf8"));
}

/** The record as it arrived, without the cached bytes. */
function bytesOf(record: SettledRecord): Buffer {
  const { row, upstreamCostNanoUsd } = record;
  return Buffer.from(JSON.stringify({ row, detail: detailOf(record), upstreamCostNanoUsd }));
}

/** Derives a UUID (version 8, RFC 9562) from a place and the bytes there: after a clean stop, segments are numbered from 1 again. */
function uuidOf(place: string, bytes: Buffer): string {
  const hex = createHash("sha256").update(place).update(bytes).digest("hex");
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}

/** Resolves after the time, or when the signal aborts. */
async function pause(ms: number, signal?: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal }).catch(() => undefined);
}
