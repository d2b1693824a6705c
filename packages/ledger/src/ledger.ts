import { mkdir, readdir } from "node:fs/promises";
import { join } from "node:path";
import type { Clock } from "@sluice/core/clock";
import type { Settings } from "@sluice/core/inputs/settings";
import type { Log } from "@sluice/core/log";
import { type FileLock, lockFile, tryLockFile } from "@sluice/db/file-lock";
import type pg from "pg";
import { readCheckpoint } from "./checkpoint.ts";
import type { FailpointHook } from "./failpoints.ts";
import type { FinishRecord, Ledger, LedgerStats } from "./records.ts";
import { recoverEnd } from "./recovery.ts";
import type { SegmentWriterOptions } from "./segment-writer.ts";
import { withDetailBytes } from "./settled-record.ts";
import { RETAINED_RECORDS, Settler } from "./settler.ts";
import { Spool } from "./spool.ts";
import { type Pending, scanSpool } from "./spool-scan.ts";

/**
 * @sluice/ledger: bills every request exactly once. How a request began, progressed and ended goes to a spool on disk
 * before the client receives the end; a settler brings the ends into Postgres, where the row of `requests` is both
 * log and charge and moves its rollups in the same transaction. An acknowledged end survives kill -9, a full disk and an
 * unreachable Postgres, and replaying a spool any number of times changes nothing twice. It is a package of its own
 * because nothing else may write these tables.
 *
 * Files: segment-writer (bytes and fdatasync), frames and spooled-record (the format), spool (records, segments, checkpoint),
 * spool-scan and recovery (after a stop), settler, settled-record and settle-statement (Postgres), query (read side), check and
 * reconcile (the invariants).
 */
export interface LedgerOptions {
  /** Parent directory of the spools; each instance has a subdirectory and a lock file beside it. */
  dir: string;
  pool: pg.Pool;
  /** Read on each use: all of them may change at run time. */
  settings: () => Settings;
  clock: Clock;
  log: Log;
  /** Name of the subdirectory: letters, digits, '-' and '_'. */
  instanceId: string;
  /** Called for each end that recovery wrote, once it is durable and before {@link createLedger} resolves. */
  onRecovered?: (finish: FinishRecord) => void;
  failpoint?: FailpointHook;
  /** For metrics: duration of each committed batch and each fdatasync, ms. */
  onCommitted?: (ms: number) => void;
  onSynced?: (ms: number) => void;
  /** Called with the quarantine id of a record that Postgres refused, so that somebody is notified. */
  onQuarantined?: (id: string) => void;
  /** How long to wait for the lock when an adopter still holds the directory. Default 15,000. */
  lockWaitMs?: number;
  /** For tests with small segments and broken disks. */
  tuning?: Partial<Pick<SegmentWriterOptions, "segmentBytes" | "retryMs" | "openSegment">> & { checkpointMs?: number; retain?: number };
}

const SEGMENT_BYTES = 16 * 1024 * 1024;
const RETRY_MS = 1_000;
/** Refusals that may wait for Postgres in memory while the disk is unavailable. */
const MAX_REFUSALS_IN_MEMORY = 1_000;
/** A checkpoint only saves rereading and is never needed for correctness, so it should not compete with FINISH for the disk. */
const CHECKPOINT_MS = 500;

/**
 * Takes over the instance's spool, recovers what the last process left and starts settling. Resolves when the spool is
 * scanned and every recovered end is durable; settling continues in the background.
 * @throws when another process holds the spool.
 */
export async function createLedger(options: LedgerOptions): Promise<Ledger> {
  await mkdir(options.dir, { recursive: true, mode: 0o700 });
  const lock = await lockFile(lockPath(options.dir, options.instanceId), { deadlineMs: options.lockWaitMs ?? 15_000 });
  return openLedger(options, lock);
}

export interface AdoptOptions extends Omit<LedgerOptions, "instanceId" | "lockWaitMs"> {
  /** The directory of this instance is never adopted. */
  ownInstanceId?: string;
  /** Called with the ids of each committed batch of an adopted spool. */
  onSettled?: (ids: readonly string[]) => void;
  /** How long one spool may take; the rest stays for the next run. Default 30,000. */
  graceMs?: number;
}

/** Settles and removes the spools whose process is gone (their lock is free). Resolves with the instances settled completely. */
export async function adoptDeadSpools(options: AdoptOptions): Promise<string[]> {
  const names = await readdir(options.dir, { withFileTypes: true }).catch(() => []);
  const adopted: string[] = [];
  for (const entry of names) {
    // Other directories do not belong to an instance: a volume has its lost+found.
    if (!entry.isDirectory() || entry.name === options.ownInstanceId || !instanceIdForm.test(entry.name)) continue;
    const lock = tryLockFile(lockPath(options.dir, entry.name));
    if (!lock) continue;
    try {
      const ledger = await openLedger({ ...options, instanceId: entry.name }, lock);
      if (options.onSettled) ledger.onSettled(options.onSettled);
      await ledger.close({ graceMs: options.graceMs ?? 30_000 });
      adopted.push(entry.name);
      options.log.info({ instanceId: entry.name }, "adopted the spool of an instance that is gone");
    } catch (error) {
      options.log.warn(
        { instanceId: entry.name, error: String(error) },
        "a dead instance's spool could not be settled in full; trying again later",
      );
    } finally {
      lock.release();
    }
  }
  return adopted;
}

const instanceIdForm = /^[\w-]{1,100}$/;

/** Beside the directory and never removed: a lock on a file that can vanish under its holder excludes nobody. */
function lockPath(dir: string, instanceId: string): string {
  if (!instanceIdForm.test(instanceId)) throw new RangeError("an instance id is made of letters, digits, '-' and '_'");
  return join(dir, `${instanceId}.lock`);
}

async function openLedger(options: LedgerOptions, lock: FileLock): Promise<Ledger> {
  try {
    const failpoint: FailpointHook = options.failpoint ?? (() => undefined);
    const directory = join(options.dir, options.instanceId);
    const checkpoint = await readCheckpoint(directory);
    const scanned = await scanSpool(directory, { checkpoint, retain: options.tuning?.retain ?? RETAINED_RECORDS, failpoint });
    const { clock, log, onSynced } = options;
    const tuning = { segmentBytes: SEGMENT_BYTES, retryMs: RETRY_MS, checkpointMs: CHECKPOINT_MS, ...options.tuning };
    const spool = new Spool({
      directory,
      scanned,
      checkpoint,
      failpoint,
      log,
      now: () => clock.now(),
      ...(onSynced && { onSynced }),
      ...tuning,
    });
    const running = new RunningLedger(options, { spool, lock, failpoint });
    running.settler.adopt(scanned.pending);
    await running.recover();
    // In the next turn, so that the caller can take `unsettled()` and subscribe first and misses no batch.
    setImmediate(() => running.settler.begin());
    if (scanned.tornBytes + scanned.damaged + scanned.pending.length > 0) {
      const { tornBytes, damaged, pending } = scanned;
      log.info({ pending: pending.length, tornBytes, damaged, recovered: running.stats().recovered }, "the spool was read");
    }
    return running;
  } catch (error) {
    lock.release();
    throw error;
  }
}

/** Callbacks of one end; each receives the JSON of its detail. */
interface Waiting {
  tried?: () => void;
  durable?: (detail: Buffer | null) => void;
  settled?: (detail: Buffer | null) => void;
}

class RunningLedger implements Ledger {
  readonly settler: Settler;
  readonly #options: LedgerOptions;
  readonly #spool: Spool;
  readonly #lock: FileLock;
  readonly #failpoint: FailpointHook;
  readonly #listeners = new Set<(ids: readonly string[]) => void>();
  #recovered = 0;
  #refusalsInMemory = 0;
  #droppedRefusals = 0;
  #closing: Promise<void> | null = null;

  constructor(options: LedgerOptions, parts: { spool: Spool; lock: FileLock; failpoint: FailpointHook }) {
    this.#options = options;
    this.#spool = parts.spool;
    this.#lock = parts.lock;
    this.#failpoint = parts.failpoint;
    this.settler = new Settler({
      pool: options.pool,
      settings: options.settings,
      log: options.log,
      failpoint: parts.failpoint,
      instanceId: options.instanceId,
      now: () => options.clock.now(),
      retain: options.tuning?.retain ?? RETAINED_RECORDS,
      load: (ends) => parts.spool.load(ends),
      onSettled: (ends) => this.#settled(ends),
      onCommitted: options.onCommitted,
      onQuarantined: options.onQuarantined,
    });
  }

  /**
   * Ends the requests that the last process left open; all appends share one sync. A failing disk does not block the start:
   * the STARTs are on it, so all of this can be repeated, and until then the ends are in memory and on their way to Postgres.
   */
  async recover(): Promise<void> {
    const ends = [...this.#spool.open.values()].map(recoverEnd);
    await Promise.all(ends.map((end) => new Promise<void>((resolve) => this.#end("finish", end, { tried: resolve }))));
    this.#recovered += ends.length;
    for (const end of ends) {
      this.#failpoint("during_recovery");
      this.#options.onRecovered?.(end);
    }
  }

  start(record: Parameters<Ledger["start"]>[0]): Promise<void> {
    this.#failpoint("before_start");
    return this.#spool.start(record, this.#failpoint);
  }

  progress(record: Parameters<Ledger["progress"]>[0]): void {
    try {
      this.#spool.progress(record);
    } catch (error) {
      this.#options.log.warn({ requestId: record.id, error: String(error) }, "a progress record could not be encoded");
    }
  }

  finish(record: FinishRecord): Promise<Buffer | null> {
    this.#failpoint("after_last_chunk");
    const isDirect = this.#options.settings()["ledger.mode"] === "direct";
    return new Promise((resolve) => this.#end("finish", record, isDirect ? { settled: resolve } : { durable: resolve }));
  }

  refuse(record: FinishRecord): void {
    this.#end("refuse", record, {});
  }

  onSettled(listener: (ids: readonly string[]) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  unsettled(): readonly FinishRecord[] {
    return this.settler.unsettled();
  }

  stats(): LedgerStats {
    return {
      ...this.settler.stats(),
      depth: this.settler.depth,
      recovered: this.#recovered,
      droppedRefusals: this.#droppedRefusals,
      writable: this.#spool.writable,
    };
  }

  close(options: { graceMs?: number } = {}): Promise<void> {
    this.#closing ??= this.#close(options.graceMs ?? 10_000);
    return this.#closing;
  }

  async #close(graceMs: number): Promise<void> {
    try {
      // Ends on their way to the disk have not reached the settler yet.
      await this.#spool.drained();
      const settled = await this.settler.stop(graceMs);
      await this.#spool.close(settled);
      if (!settled || this.settler.depth > 0) throw new Error(`${this.settler.depth} ends are still without a row; they stay in the spool`);
    } finally {
      this.#lock.release();
    }
  }

  /**
   * Sends an end to the spool and from there, in file order, to the settler. When the disk refuses it, it goes straight to
   * the settler: then the row is what makes the end durable.
   */
  #end(kind: "finish" | "refuse", record: FinishRecord, waiting: Waiting): void {
    const sync = kind === "finish" && this.#options.settings()["ledger.durability"] === "fsync";
    this.#spool.finish(kind, record, sync ? "durable" : "ordered", (position, detail) => {
      // Details of failed requests may still change: they learn the size of the error that the client received.
      const bytes = record.row.state === "done" ? detail : null;
      const finish = bytes === null ? record : withDetailBytes(record, bytes);
      const end: Pending = { id: record.row.id, finish, position, raw: false, queuedAtMs: this.#options.clock.now() };
      if (position) {
        waiting.durable?.(bytes);
        if (waiting.settled) end.settled = () => waiting.settled?.(bytes);
      } else {
        if (kind === "refuse" && !this.#mayKeepRefusal()) return;
        const settled = waiting.settled ?? waiting.durable;
        end.settled = () => {
          if (kind === "refuse") this.#refusalsInMemory--;
          settled?.(bytes);
        };
      }
      this.settler.push(end);
      waiting.tried?.();
    });
  }

  /** Without a disk, a limited number of refusals wait in memory: they carry no charge and must not endanger the process. */
  #mayKeepRefusal(): boolean {
    if (this.#refusalsInMemory >= MAX_REFUSALS_IN_MEMORY) {
      this.#droppedRefusals++;
      return false;
    }
    this.#refusalsInMemory++;
    return true;
  }

  #settled(ends: readonly Pending[]): void {
    this.#spool.settled(ends);
    const ids = ends.flatMap(({ id }) => (id === "" ? [] : [id]));
    // In the next turn, so that a caller that waited for this row reports the end to the registry before the row is announced.
    setImmediate(() => {
      for (const listener of this.#listeners) listener(ids);
    });
  }
}
