import { rm } from "node:fs/promises";
import { join } from "node:path";
import { ChurningMap } from "@sluice/core/churning-map";
import { SluiceError } from "@sluice/core/errors";
import type { Log } from "@sluice/core/log";
import { type Checkpoint, writeCheckpoint } from "./checkpoint.ts";
import type { FailpointHook } from "./failpoints.ts";
import { type EndFrame, encodeEnd, encodeProgress, encodeStart, readEnd } from "./frames.ts";
import type { FinishRecord, ProgressRecord, StartRecord } from "./records.ts";
import { type Acknowledge, type Position, SegmentWriter, type SegmentWriterOptions } from "./segment-writer.ts";
import { type OpenRequest, type Pending, readPositions, type ScannedSpool } from "./spool-scan.ts";
import { areAskedAlike, askedText } from "./spooled-record.ts";

/**
 * Tracks what the segments hold: open requests, ends without a commit, and when a segment is no longer needed. Segments are
 * discarded in the order they were made, each when all its ends are committed. A request that is still open is first written
 * again to the newest one, so a stream of an hour does not keep an hour of segments.
 */
export interface SpoolOptions extends Omit<SegmentWriterOptions, "firstSegment"> {
  scanned: ScannedSpool;
  checkpoint: Checkpoint | null;
  /** How long commits gather before the checkpoint is written. */
  checkpointMs: number;
  failpoint: FailpointHook;
  log: Log;
}

/** STARTs are refused beyond this many queued bytes; PROGRESS is dropped much earlier. */
const MAX_QUEUED_BYTES = 64 * 1024 * 1024;
const MAX_QUEUED_PROGRESS_BYTES = 8 * 1024 * 1024;

/** Number of open requests whose START is in the segment, and of its ends that have no commit. */
interface SegmentUse {
  open: number;
  unsettled: number;
}

export class Spool {
  readonly open: ChurningMap<string, OpenRequest>;
  readonly #options: SpoolOptions;
  readonly #writer: SegmentWriter;
  readonly #segments = new Map<number, SegmentUse>();
  /** The lowest segment number that was never tracked. */
  #nextSegment = Number.POSITIVE_INFINITY;
  #watermark: Checkpoint | null = null;
  #checkpointTimer: NodeJS.Timeout | null = null;
  #checkpointing: Promise<void> = Promise.resolve();

  constructor(options: SpoolOptions) {
    this.#options = options;
    const { scanned, checkpoint } = options;
    this.open = new ChurningMap(scanned.open);
    for (const segment of scanned.segments) this.#use(segment);
    for (const request of scanned.open.values()) this.#use(request.segment ?? 0).open++;
    for (const { position } of scanned.pending) if (position) this.#use(position.segment).unsettled++;
    // Above the checkpoint as well: a lower number would count as covered after the next start.
    const firstSegment = Math.max(scanned.segments.at(-1) ?? 0, checkpoint?.segment ?? 0) + 1;
    this.#nextSegment = firstSegment;
    this.#writer = new SegmentWriter({ ...options, firstSegment });
  }

  get writable(): boolean {
    return this.#writer.writable && this.#writer.queuedBytes < MAX_QUEUED_BYTES;
  }

  /** Resolves when the kernel has the record. @throws SluiceError spool_unavailable. */
  start(record: StartRecord, failpoint: FailpointHook): Promise<void> {
    if (!this.writable) return Promise.reject(new SluiceError("spool_unavailable", { detail: "the spool refuses writes" }));
    const { id } = record.row;
    const asked = askedText(record.row);
    const request: OpenRequest = { start: record, progress: null, segment: null, lastAtMs: this.#options.now(), finishing: false, asked };
    const frame = encodeStart(record, request.lastAtMs, asked);
    this.open.set(id, request);
    return new Promise((resolve, reject) => {
      this.#writer.append(frame, "written", (error, position) => {
        if (error || !position) {
          this.open.delete(id);
          reject(new SluiceError("spool_unavailable", { detail: String(error?.message), cause: error }));
          return;
        }
        request.segment = position.segment;
        if (this.open.get(id) === request) this.#use(position.segment).open++;
        failpoint("after_start");
        resolve();
      });
    });
  }

  progress(progress: ProgressRecord): void {
    const request = this.open.get(progress.id);
    if (!request || request.finishing) return;
    request.progress = progress;
    request.lastAtMs = this.#options.now();
    if (this.#writer.queuedBytes > MAX_QUEUED_PROGRESS_BYTES) return;
    this.#writer.append(encodeProgress(progress, request.lastAtMs), "written", (error) => {
      if (!error) this.#options.failpoint("mid_stream");
    });
  }

  /** `done` gets the position, or null when the disk did not take the record: then only memory and Postgres have it. */
  finish(
    kind: "finish" | "refuse",
    record: FinishRecord,
    acknowledge: Acknowledge,
    done: (position: Position | null, detail: Buffer | null) => void,
  ): void {
    const { id } = record.row;
    const request = this.open.get(id);
    if (request) request.finishing = true;
    let encoded: EndFrame;
    try {
      const asked = request && areAskedAlike(request.start.row, record.row) ? request.asked : undefined;
      encoded = encodeEnd(kind, record, this.#options.now(), asked);
    } catch (error) {
      this.#options.log.error({ requestId: id, error: String(error) }, "an end could not be encoded for the spool");
      done(null, null);
      return;
    }
    this.#writer.append(encoded.frame, acknowledge, (_error, position) => {
      if (position) {
        this.#use(position.segment).unsettled++;
        this.#forget(id, request);
      }
      done(position, encoded.detail);
    });
  }

  /** Marks these ends as committed; they come in the order in which they were acknowledged. */
  settled(ends: readonly Pending[]): void {
    this.#options.failpoint("after_commit_before_checkpoint");
    let last: Position | null = null;
    for (const { id, position } of ends) {
      if (position) this.#use(position.segment).unsettled--;
      else this.#forget(id);
      last = position ?? last;
    }
    if (last) this.#watermark = { segment: last.segment, end: last.end };
    if (this.#checkpointTimer || !this.#watermark) return;
    this.#checkpointTimer = setTimeout(() => void this.#saveCheckpoint(), this.#options.checkpointMs);
    this.#checkpointTimer.unref();
  }

  /** Reads ends whose records are not in memory from disk: the record, or the raw bytes of the frame. */
  async load(ends: readonly Pending[]): Promise<(FinishRecord | Buffer)[]> {
    const loaded: (FinishRecord | Buffer)[] = [];
    let from = 0;
    while (from < ends.length) {
      const segment = ends[from]?.position?.segment;
      let to = from;
      while (to < ends.length && ends[to]?.position?.segment === segment) to++;
      const group = ends.slice(from, to);
      const positions = group.flatMap(({ position }) => position ?? []);
      const frames = await readPositions(this.#options.directory, positions);
      // Damaged bytes may contain whole records of an earlier segment.
      loaded.push(...frames.map((frame, i) => (group[i]?.raw ? frame : (readEnd(frame) ?? frame))));
      from = to;
    }
    return loaded;
  }

  /** Resolves when nothing is on its way to the disk any more. */
  drained(): Promise<void> {
    return this.#writer.drained();
  }

  /** Closes the files. `remove`: deletes the spool unless something arrived that still needs it. */
  async close(remove: boolean): Promise<void> {
    await this.#writer.close();
    if (this.#checkpointTimer) clearTimeout(this.#checkpointTimer);
    await this.#saveCheckpoint();
    const isNeeded = this.open.size > 0 || [...this.#segments.values()].some(({ unsettled }) => unsettled > 0);
    if (!remove || isNeeded) return;
    // The checkpoint goes first: segments without it are merely read again, while a checkpoint without them would cover new ones.
    await rm(join(this.#options.directory, "checkpoint"), { force: true });
    await rm(this.#options.directory, { recursive: true, force: true });
  }

  #use(segment: number): SegmentUse {
    // Segments skipped in between hold neither a START nor an end, only PROGRESS or disk probes. They are discarded in their turn.
    while (this.#nextSegment < segment) this.#segments.set(this.#nextSegment++, { open: 0, unsettled: 0 });
    this.#nextSegment = Math.max(this.#nextSegment, segment + 1);
    let use = this.#segments.get(segment);
    if (!use) {
      use = { open: 0, unsettled: 0 };
      this.#segments.set(segment, use);
    }
    return use;
  }

  #forget(id: string, request = this.open.get(id)): void {
    if (!request || !this.open.delete(id)) return;
    if (request.segment !== null) this.#use(request.segment).open--;
  }

  #saveCheckpoint(): Promise<void> {
    this.#checkpointTimer = null;
    this.#checkpointing = this.#checkpointing.then(async () => {
      const watermark = this.#watermark;
      this.#watermark = null;
      try {
        if (watermark) await writeCheckpoint(this.#options.directory, watermark, this.#options.failpoint);
      } catch (error) {
        this.#options.log.warn({ error: String(error) }, "the checkpoint of the spool could not be written; commits are not affected");
      }
      try {
        // In any case: on a full disk only this makes room, and without a checkpoint segments are merely read again.
        await this.#reclaim();
      } catch (error) {
        this.#options.log.warn(
          { error: String(error) },
          "a settled segment of the spool could not be removed; trying again after the next commit",
        );
      }
    });
    return this.#checkpointing;
  }

  async #reclaim(): Promise<void> {
    for (const number of [...this.#segments.keys()].sort((a, b) => a - b)) {
      const use = this.#segments.get(number);
      if (!use || number >= this.#writer.busyFrom || use.unsettled > 0) return;
      if (use.open > 0) await this.#carryForward(number, use);
      if (use.open > 0) return;
      await this.#writer.discard(number);
      this.#segments.delete(number);
    }
  }

  /** Writes the open requests of an old segment again, durably, so that the segment can be discarded. */
  async #carryForward(number: number, use: SegmentUse): Promise<void> {
    const stay = [...this.open.values()].filter((request) => request.segment === number && !request.finishing);
    for (const { id, request, segment } of await Promise.all(stay.map((request) => this.#carry(request)))) {
      // It may have ended meanwhile, in which case it is no longer counted.
      if (segment === null || this.open.get(id) !== request) continue;
      use.open--;
      request.segment = segment;
      this.#use(segment).open++;
    }
  }

  /** Returns the segment of the new START. Its PROGRESS may already be in the next segment, which is kept longer. */
  async #carry(request: OpenRequest): Promise<{ id: string; request: OpenRequest; segment: number | null }> {
    const { start, progress, lastAtMs } = request;
    const frames = [encodeStart(start, lastAtMs), ...(progress ? [encodeProgress(progress, lastAtMs)] : [])];
    const written = frames.map(
      (frame) =>
        new Promise<Position | null>((resolve) => {
          this.#writer.append(frame, "durable", (_error, position) => resolve(position));
        }),
    );
    const positions = await Promise.all(written);
    return { id: start.row.id, request, segment: positions.includes(null) ? null : (positions[0]?.segment ?? null) };
  }
}
