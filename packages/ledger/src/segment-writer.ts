import { type FileHandle, open, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Log } from "@sluice/core/log";
import { syncDirectory, writeAll } from "./disk-writes.ts";
import type { FailpointHook } from "./failpoints.ts";
import { END_OF_RECORDS, encodeNoop, segmentDigits, stampFrame } from "./frames.ts";
import { SpareSegments } from "./spare-segments.ts";

/**
 * Appends frames to numbered segment files. One loop writes everything queued since its last write in a single write; a
 * second one syncs, so a START never waits for someone else's fdatasync, and every FINISH that arrives meanwhile
 * shares the next. When the disk refuses, everything queued fails at once, and a probe checks when writing works again.
 */
export interface Position {
  segment: number;
  start: number;
  end: number;
}

/**
 * written: the kernel has it (survives SIGKILL). ordered: written, and everything before it that had to be durable is
 * durable. durable: fdatasync returned. Ordered and durable frames are acknowledged in file order.
 */
export type Acknowledge = "written" | "ordered" | "durable";

/** Called once: with the position, or with the reason why the frame is not (or not certainly) in the file. */
export type Done = (error: Error | null, position: Position | null) => void;

export interface SegmentWriterOptions {
  directory: string;
  /** Number of the first segment to create; all existing ones are lower. */
  firstSegment: number;
  segmentBytes: number;
  /** Interval at which the disk is probed after a failure. */
  retryMs: number;
  failpoint: FailpointHook;
  log: Log;
  /** Duration of each fdatasync, ms. */
  onSynced?: (ms: number) => void;
  /** Opens a segment: a new file, or one that is used again. Tests replace it to make it fail. */
  openSegment?: OpenSegment;
  now(): number;
}

export type OpenSegment = (path: string, flags: "wx" | "r+") => Promise<FileHandle>;

interface Segment {
  number: number;
  digits: Buffer;
  handle: FileHandle;
  /** Bytes written; behind them the file may hold the zeros or the older records of a spare segment. */
  size: number;
  /** It was a spare. */
  overwrites: boolean;
  syncedTo: number;
  sealed: boolean;
  /** The directory entry is not durable yet. */
  fresh: boolean;
}

interface Item {
  frame: Buffer;
  acknowledge: Acknowledge;
  done: Done;
}

interface Ack {
  segment: Segment;
  position: Position;
  durable: boolean;
  done: Done;
}

/** Larger groups would delay the first acknowledgement. */
const GROUP_ITEMS = 512;
const GROUP_BYTES = 1024 * 1024;

/**
 * Turns of the event loop in which a group gathers, because a write costs several times as much as a frame. On an idle loop they
 * pass in microseconds; on a busy one each brings more requests.
 */
const GROUP_TURNS = 4;

/** Once this share of a segment is used, another one will follow: if no older one has become its spare by then, one is made. */
const SPARE_FROM = 1 / 2;

export function segmentName(number: number): string {
  return `${segmentDigits(number)}.spool`;
}

/** The number of a segment file, null for other names. */
export function segmentNumber(name: string): number | null {
  const match = /^(\d{8})\.spool$/.exec(name);
  return match ? Number(match[1]) : null;
}

export class SegmentWriter {
  readonly #options: SegmentWriterOptions;
  readonly #openSegment: OpenSegment;
  readonly #spares: SpareSegments;
  #queue: Item[] = [];
  #queuedBytes = 0;
  #acks: Ack[] = [];
  #active: Segment | null = null;
  /** Segments whose bytes or directory entry are not durable yet, oldest first; the active one is last. */
  #dirty: Segment[] = [];
  #nextNumber: number;
  #reusableFrom: number;
  #pumping: Promise<void> | null = null;
  #syncing: Promise<void> | null = null;
  #probe: NodeJS.Timeout | null = null;
  #probing: Promise<void> | null = null;
  readonly #writing = Buffer.allocUnsafeSlow(GROUP_BYTES);
  #writable = true;
  #closed = false;

  constructor(options: SegmentWriterOptions) {
    this.#options = options;
    const { directory, segmentBytes } = options;
    this.#openSegment = options.openSegment ?? ((path, flags) => open(path, flags, 0o600));
    this.#spares = new SpareSegments({ directory, segmentBytes, openSegment: this.#openSegment });
    this.#nextNumber = options.firstSegment;
    this.#reusableFrom = options.firstSegment;
  }

  /** False after the disk refused a write or a sync, until a probe has gone through. */
  get writable(): boolean {
    return this.#writable && !this.#closed;
  }

  /** Bytes waiting to be written; callers bound the queue by it. */
  get queuedBytes(): number {
    return this.#queuedBytes;
  }

  /** Segments from this number on may still receive frames or hold unacknowledged ones. */
  get busyFrom(): number {
    return this.#acks[0]?.position.segment ?? this.#active?.number ?? this.#nextNumber;
  }

  /** Queues a frame. Never throws; the outcome goes to `done`. */
  append(frame: Buffer, acknowledge: Acknowledge, done: Done): void {
    if (!this.writable) {
      done(new Error("the spool cannot be written"), null);
      return;
    }
    this.#queue.push({ frame, acknowledge, done });
    this.#queuedBytes += frame.length;
    this.#pumping ??= this.#pump();
  }

  /**
   * Discards a segment that nothing needs any more. Its file becomes the spare of the next one, unless an earlier process wrote it
   * (its records may be of a version that does not name their segment) or the disk failed since (it may fail there again).
   */
  async discard(number: number): Promise<void> {
    const path = join(this.#options.directory, segmentName(number));
    await this.#closeUnsynced(number);
    if (number >= this.#reusableFrom && (await this.#spares.keep(path))) return;
    await rm(path, { force: true });
  }

  /** Nothing may have waited for a sync of segments up to this one; it would be in vain now. One under way closes them itself. */
  async #closeUnsynced(number: number): Promise<void> {
    if (this.#syncing) return;
    const discarded = this.#dirty.filter((segment) => segment.number <= number);
    this.#dirty = this.#dirty.filter((segment) => segment.number > number);
    for (const { handle } of discarded) await handle.close().catch(() => undefined);
  }

  /** Resolves when nothing is queued any more. */
  async drained(): Promise<void> {
    while (this.#pumping ?? this.#syncing) await (this.#pumping ?? this.#syncing);
  }

  /** Writes and syncs what is queued, then closes the files. */
  async close(): Promise<void> {
    this.#closed = true;
    if (this.#probe) clearTimeout(this.#probe);
    await this.#probing;
    await this.drained();
    for (const segment of this.#dirty) {
      await segment.handle.datasync().catch(() => undefined);
      await segment.handle.close().catch(() => undefined);
    }
    if (this.#active && !this.#dirty.includes(this.#active)) await this.#active.handle.close();
    this.#dirty = [];
    this.#active = null;
    await this.#spares.close();
  }

  async #pump(): Promise<void> {
    while (this.#queue.length > 0) {
      for (let turn = 0; turn < GROUP_TURNS; turn++) await endOfTurn();
      const group = this.#takeGroup();
      try {
        await this.#write(group);
      } catch (error) {
        await this.#fail(error, group);
      }
    }
    this.#pumping = null;
  }

  #takeGroup(): Item[] {
    let bytes = 0;
    let count = 0;
    for (const item of this.#queue) {
      if (count === GROUP_ITEMS || (count > 0 && bytes + item.frame.length > GROUP_BYTES)) break;
      bytes += item.frame.length;
      count++;
    }
    this.#queuedBytes -= bytes;
    return this.#queue.splice(0, count);
  }

  async #write(group: readonly Item[]): Promise<void> {
    const segment = this.#active && this.#active.size < this.#options.segmentBytes ? this.#active : await this.#rotate();
    const from = segment.size;
    const frames = group.map(({ frame }) => stampFrame(frame, segment.digits));
    await this.#put(segment, frames);
    if (segment.sealed) throw new Error("a sync of the segment failed during the write");
    if (segment.size >= this.#options.segmentBytes * SPARE_FROM) this.#spares.prepare();
    if (!this.#dirty.includes(segment)) this.#dirty.push(segment);
    let start = from;
    for (const { frame, acknowledge, done } of group) {
      const position = { segment: segment.number, start, end: start + frame.length };
      start = position.end;
      if (acknowledge === "written") done(null, position);
      else this.#acks.push({ segment, position, durable: acknowledge === "durable", done });
    }
    this.#release();
  }

  async #put(segment: Segment, frames: Buffer[]): Promise<void> {
    const bytes = this.#gathered(segment.overwrites ? [...frames, END_OF_RECORDS] : frames);
    await writeAll(segment.handle, bytes, segment.size);
    segment.size += segment.overwrites ? bytes.length - END_OF_RECORDS.length : bytes.length;
  }

  /** In one buffer, which is used again for each write: there is one write at a time. */
  #gathered(parts: readonly Buffer[]): Buffer {
    let length = 0;
    for (const part of parts) length += part.length;
    if (length > GROUP_BYTES) return Buffer.concat(parts, length);
    let at = 0;
    for (const part of parts) {
      this.#writing.set(part, at);
      at += part.length;
    }
    return this.#writing.subarray(0, length);
  }

  /** Acknowledges, in file order, what no longer has to wait; whatever is left waits for a sync. */
  #release(): void {
    let count = 0;
    for (const ack of this.#acks) {
      if (ack.durable && ack.position.end > ack.segment.syncedTo) break;
      count++;
    }
    for (const ack of this.#acks.splice(0, count)) ack.done(null, ack.position);
    if (this.#acks.length > 0) this.#syncing ??= this.#sync();
  }

  async #sync(): Promise<void> {
    await Promise.resolve();
    try {
      // Acknowledges only between rounds, so the loop ends when the last waiting FINISH is durable.
      while (this.#acks.length > 0) {
        this.#options.failpoint("after_write_before_fsync");
        for (const segment of [...this.#dirty]) await this.#syncSegment(segment);
        this.#options.failpoint("after_fsync_before_ack");
        this.#release();
      }
    } catch (error) {
      await this.#failSync(error);
    }
    // A group written while the failure was being handled still waits.
    this.#syncing = this.#acks.length > 0 ? this.#sync() : null;
  }

  async #syncSegment(segment: Segment): Promise<void> {
    if (segment.fresh) {
      await syncDirectory(this.#options.directory);
      segment.fresh = false;
    }
    const target = segment.size;
    const began = performance.now();
    await segment.handle.datasync();
    this.#options.onSynced?.(performance.now() - began);
    segment.syncedTo = target;
    if (segment.size !== target) return;
    this.#dirty = this.#dirty.filter((dirty) => dirty !== segment);
    if (segment.sealed) await segment.handle.close();
  }

  async #rotate(): Promise<Segment> {
    this.#options.failpoint("during_rotation");
    const number = this.#nextNumber++;
    const path = join(this.#options.directory, segmentName(number));
    const spare = await this.#spares.take(path);
    const handle = spare ?? (await this.#openSegment(path, "wx"));
    this.#sealActive();
    const digits = Buffer.from(segmentDigits(number));
    this.#active = { number, digits, handle, size: 0, overwrites: spare !== null, syncedTo: 0, sealed: false, fresh: true };
    return this.#active;
  }

  /** A sealed segment is closed by the sync that covers it, or here when it is durable already. */
  #sealActive(): void {
    const segment = this.#active;
    this.#active = null;
    if (!segment) return;
    segment.sealed = true;
    if (!this.#dirty.includes(segment)) void segment.handle.close().catch(() => undefined);
  }

  /** A write failed: the part of the group that reached the file is cut off, so that it cannot be read back as valid. */
  async #fail(error: unknown, group: readonly Item[]): Promise<void> {
    const segment = this.#active;
    if (segment) {
      try {
        await segment.handle.truncate(segment.size);
      } catch {
        this.#sealActive();
      }
    }
    this.#refuseAll(error, group);
  }

  /**
   * After a failed fsync the kernel may have dropped the pages and report the next one as a success: the segment is never
   * trusted again, and everyone waiting receives the error.
   */
  async #failSync(error: unknown): Promise<void> {
    const waiting = this.#acks.splice(0);
    for (const segment of this.#dirty.splice(0)) {
      segment.sealed = true;
      if (this.#active === segment) this.#active = null;
      await segment.handle.close().catch(() => undefined);
    }
    this.#refuseAll(error, waiting);
  }

  #refuseAll(error: unknown, failed: readonly { done: Done }[]): void {
    const cause = error instanceof Error ? error : new Error(String(error));
    if (this.#writable) this.#options.log.error({ error: cause.message }, "the spool cannot be written; new requests are refused");
    this.#writable = false;
    this.#reusableFrom = this.#nextNumber;
    const rest = this.#queue.splice(0);
    this.#queuedBytes = 0;
    for (const item of [...failed, ...rest]) item.done(cause, null);
    this.#scheduleProbe();
  }

  #scheduleProbe(): void {
    if (this.#probe || this.#closed) return;
    this.#probe = setTimeout(() => {
      this.#probe = null;
      this.#probing = this.#tryAgain();
    }, this.#options.retryMs);
    this.#probe.unref();
  }

  async #tryAgain(): Promise<void> {
    try {
      await this.#pumping;
      await this.#syncing;
      const segment = this.#active ?? (await this.#rotate());
      await this.#put(segment, [stampFrame(encodeNoop(this.#options.now()), segment.digits)]);
      await segment.handle.datasync();
      this.#writable = true;
      this.#options.log.info({}, "the spool can be written again");
    } catch {
      await this.#active?.handle.truncate(this.#active.size).catch(() => this.#sealActive());
      this.#scheduleProbe();
    }
  }
}

/** Resolves after everything that is ready now has been handled, immediately when nothing is. */
function endOfTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
