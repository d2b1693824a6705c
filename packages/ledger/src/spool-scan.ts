import { mkdir, open, readdir, readFile, truncate } from "node:fs/promises";
import { join } from "node:path";
import type { Checkpoint } from "./checkpoint.ts";
import type { FailpointHook } from "./failpoints.ts";
import { decodePayload, type SpoolRecord, scanFrames } from "./frames.ts";
import type { ProgressRecord, StartRecord } from "./records.ts";
import { type Position, segmentName, segmentNumber } from "./segment-writer.ts";
import type { SettledRecord } from "./settled-record.ts";

/**
 * Reads a spool directory after a stop of any kind: which requests never ended, which ends no commit covers, and what is
 * damaged. A torn tail (the last write of a process that died) is cut off; damage elsewhere is skipped and
 * reported. Nothing else is modified, so a scan can itself be interrupted at any point.
 */
export interface OpenRequest {
  start: StartRecord;
  progress: ProgressRecord | null;
  /** Segment of its START, null until it is written. */
  segment: number | null;
  /** When its last record was written, ms since the epoch. */
  lastAtMs: number;
  /** Its FINISH is being written: it need not be carried forward. */
  finishing: boolean;
  /** Of a request of this process: the JSON of what stays as it was at the START. */
  asked?: string;
}

/** An end that waits for its commit. */
export interface Pending {
  /** '' for raw bytes. */
  id: string;
  /** Null: only on disk, read again when its turn comes (or raw bytes that are not a record, for the quarantine). */
  finish: SettledRecord | null;
  /** Null: the spool could not store it, so it exists only in memory. */
  position: Position | null;
  /** Damaged or of an unknown version: goes to the quarantine as it is. */
  raw: boolean;
  queuedAtMs: number;
  /** Already in quarantine; set in case the rest of its batch has to be sent again. */
  quarantined?: boolean;
  /** Called when the row is committed (or its record quarantined). */
  settled?: () => void;
}

export interface ScannedSpool {
  open: Map<string, OpenRequest>;
  /** In file order, only those behind the checkpoint. */
  pending: Pending[];
  /** All existing segments, ascending. */
  segments: number[];
  tornBytes: number;
  damaged: number;
}

export interface ScanOptions {
  checkpoint: Checkpoint | null;
  /** How many records are kept in memory; later ones are read again when their turn comes. */
  retain: number;
  failpoint: FailpointHook;
}

/** @throws when the directory cannot be read. */
export async function scanSpool(directory: string, options: ScanOptions): Promise<ScannedSpool> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const numbers = (await readdir(directory)).map(segmentNumber).filter((number) => number !== null);
  const segments = numbers.sort((a, b) => a - b);
  const result: ScannedSpool = { open: new Map(), pending: [], segments, tornBytes: 0, damaged: 0 };
  for (const segment of segments) {
    const path = join(directory, segmentName(segment));
    const bytes = await readSegment(path);
    for (const found of scanFrames(bytes, segment)) {
      const position = { segment, start: found.start, end: found.end };
      if (found.good) {
        take(result, decodePayload(found.payload), position, options);
      } else if (segment === segments.at(-1) && found.end === bytes.length) {
        result.tornBytes = found.end - found.start;
        await truncate(path, found.start);
      } else {
        keepRaw(result, position, options);
      }
    }
    options.failpoint("during_recovery");
  }
  return result;
}

/** Everything that was written, without the zeros of a spare: no record ends in a zero byte. */
async function readSegment(path: string): Promise<Buffer> {
  const bytes = await readFile(path);
  let end = bytes.length;
  while (end > 0 && bytes[end - 1] === 0) end--;
  return bytes.subarray(0, end);
}

function take(result: ScannedSpool, read: SpoolRecord | null, position: Position, options: ScanOptions): void {
  if (read === null) {
    keepRaw(result, position, options);
  } else if (read.kind === "start") {
    const known = result.open.get(read.record.row.id);
    result.open.set(read.record.row.id, {
      start: read.record,
      progress: known?.progress ?? null,
      segment: position.segment,
      lastAtMs: read.atMs,
      finishing: false,
    });
  } else if (read.kind === "progress") {
    const known = result.open.get(read.record.id);
    if (!known) return;
    known.progress = read.record;
    known.lastAtMs = read.atMs;
  } else if (read.kind !== "noop") {
    const { id } = read.record.row;
    result.open.delete(id);
    if (isCovered(position, options.checkpoint)) return;
    const finish = result.pending.length < options.retain ? read.record : null;
    result.pending.push({ id, finish, position, raw: false, queuedAtMs: read.atMs });
  }
}

function keepRaw(result: ScannedSpool, position: Position, options: ScanOptions): void {
  if (isCovered(position, options.checkpoint)) return;
  result.damaged++;
  result.pending.push({ id: "", finish: null, position, raw: true, queuedAtMs: 0 });
}

function isCovered(position: Position, checkpoint: Checkpoint | null): boolean {
  if (!checkpoint) return false;
  return position.segment < checkpoint.segment || (position.segment === checkpoint.segment && position.end <= checkpoint.end);
}

/** The frames of one segment, read in a single read that spans them all; `positions` ascend. */
export async function readPositions(directory: string, positions: readonly Position[]): Promise<Buffer[]> {
  const first = positions[0];
  const last = positions.at(-1);
  if (!first || !last) return [];
  const handle = await open(join(directory, segmentName(first.segment)), "r");
  try {
    const span = Buffer.alloc(last.end - first.start);
    await handle.read(span, 0, span.length, first.start);
    return positions.map(({ start, end }) => span.subarray(start - first.start, end - first.start));
  } finally {
    await handle.close();
  }
}
