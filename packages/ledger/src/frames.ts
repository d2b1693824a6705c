import { crc32 } from "node:zlib";
import { detailJson } from "@sluice/core/detail-json";
import { crc32c } from "./crc32c.ts";
import type { FinishRecord, ProgressRecord, StartRecord } from "./records.ts";
import { endTexts, progressText, readFinish, readStart, startText } from "./spooled-record.ts";

/**
 * One record on disk: `length u32 LE | checksum u32 LE | payload`. The payload is JSON that begins with `{"v":`, which
 * a scan searches for after damage. JSON text contains no raw NUL, while a length below 16 MB always does, so client text
 * inside a payload cannot pass for a frame. Version 1 uses CRC-32C, later ones the native CRC-32 of node:zlib: both detect
 * every burst of up to 32 bits, and CRC-32C in JavaScript cost more than the write. From version 3 on it names the segment: a file is
 * used again for a later segment, and the records that are still behind the new ones are not of that segment. A header of zeros ends
 * the records of such a file. Version 4 has STARTs and ends as lists (spooled-record.ts), the ones before have them as objects.
 */
export const FORMAT_VERSION = 4;
export const HEADER_BYTES = 8;
/** Written behind the last record where older ones may follow. */
export const END_OF_RECORDS = Buffer.alloc(HEADER_BYTES);
/** A longer length means damage: the largest detail is far smaller. */
export const MAX_PAYLOAD_BYTES = 8 * 1024 * 1024;

const PREFIX = Buffer.from('{"v":');
/** From this version on. */
const LISTS_FROM = 4;
/** Where a payload has the digits of its segment, from version 3 on. */
const SEGMENT_AT = `{"v":${FORMAT_VERSION},"s":"`.length;
const SEGMENT_DIGITS = 8;
const NO_SEGMENT = "0".repeat(SEGMENT_DIGITS);

/** `finish` is a charge, `refuse` a refused request, `noop` a probe of the disk. */
export type SpoolRecord =
  | { kind: "start"; atMs: number; record: StartRecord }
  | { kind: "progress"; atMs: number; record: ProgressRecord }
  | { kind: "finish" | "refuse"; atMs: number; record: FinishRecord }
  | { kind: "noop"; atMs: number; record: null };

/** A segment's number as its file name and its records have it. */
export function segmentDigits(segment: number): string {
  return segment.toString().padStart(SEGMENT_DIGITS, "0");
}

/**
 * Encodes a START as a frame, complete once it is stamped. `asked`: what `askedText` gives for the row.
 * @throws RangeError when it is larger than a frame may be.
 */
export function encodeStart(record: StartRecord, atMs: number, asked?: string): Buffer {
  return framed([`${headOf("start", atMs)}${startText(record, asked)}}`]).frame;
}

/** @throws like {@link encodeStart}. */
export function encodeProgress(record: ProgressRecord, atMs: number): Buffer {
  return framed([`${headOf("progress", atMs)}${progressText(record)}}`]).frame;
}

export function encodeNoop(atMs: number): Buffer {
  return framed([`${headOf("noop", atMs)}null}`]).frame;
}

/** An end's frame, and the JSON of its detail within the frame: what waits for its row keeps these bytes, and no string of its own. */
export interface EndFrame {
  frame: Buffer;
  detail: Buffer;
}

/** @throws like {@link encodeStart}. */
export function encodeEnd(kind: "finish" | "refuse", record: FinishRecord, atMs: number, asked?: string): EndFrame {
  const [before, detail, after] = endTexts(record, detailJson(record.detail), asked);
  const { frame, ends } = framed([`${headOf(kind, atMs)}${before}`, detail, `${after}}`]);
  return { frame, detail: frame.subarray(ends[0], ends[1]) };
}

function headOf(kind: SpoolRecord["kind"], atMs: number): string {
  return `{"v":${FORMAT_VERSION},"s":"${NO_SEGMENT}","k":"${kind}","t":${atMs},"r":`;
}

/** The frame of these texts one after another, and where each ends in it. */
function framed(texts: readonly string[]): { frame: Buffer; ends: number[] } {
  let roomy = HEADER_BYTES;
  // A UTF-16 unit takes at most three bytes of UTF-8: small texts need no exact count.
  for (const text of texts) roomy += 3 * text.length;
  const ownBytes = roomy <= SLAB_BYTES / 8 ? 0 : texts.reduce((sum, text) => sum + Buffer.byteLength(text), 0);
  if (ownBytes > MAX_PAYLOAD_BYTES) throw new RangeError(`a spool record of ${ownBytes} bytes is too large`);
  const isShared = ownBytes === 0;
  if (isShared && slabUsed + roomy > slab.length) {
    slab = Buffer.allocUnsafeSlow(SLAB_BYTES);
    slabUsed = 0;
  }
  const space = isShared ? slab : Buffer.allocUnsafeSlow(HEADER_BYTES + ownBytes);
  const from = isShared ? slabUsed : 0;
  const ends: number[] = [];
  let end = from + HEADER_BYTES;
  for (const text of texts) {
    end += space.write(text, end, "utf8");
    ends.push(end - from);
  }
  if (isShared) slabUsed = end;
  space.writeUInt32LE(end - from - HEADER_BYTES, from);
  return { frame: space.subarray(from, end), ends };
}

/** Completes a frame for the segment whose digits these are. A frame may be stamped again for another one. */
export function stampFrame(frame: Buffer, digits: Buffer): Buffer {
  // Eight bytes are copied faster than `copy` is called.
  for (let i = 0; i < SEGMENT_DIGITS; i++) frame[HEADER_BYTES + SEGMENT_AT + i] = digits[i] ?? 0;
  frame.writeUInt32LE(crc32(frame.subarray(HEADER_BYTES)), 4);
  return frame;
}

/** Frames share a slab, which lives until the last of their ends has its row: allocating memory for each would be most of their cost. */
const SLAB_BYTES = 256 * 1024;
let slab = Buffer.alloc(0);
let slabUsed = 0;

/** Decodes a payload whose checksum is right. Null: an unknown version or kind. */
export function decodePayload(payload: Buffer): SpoolRecord | null {
  let parsed: { v?: unknown; k?: unknown; t?: unknown; r?: unknown };
  try {
    parsed = JSON.parse(payload.toString("utf8"));
  } catch {
    return null;
  }
  const { v: version, k: kind, t: atMs, r: record } = parsed;
  if (version !== 1 && version !== 2 && version !== 3 && version !== FORMAT_VERSION) return null;
  if (typeof atMs !== "number") return null;
  const isList = version >= LISTS_FROM && Array.isArray(record);
  if (kind === "start") return { kind, atMs, record: isList ? readStart(record) : (record as StartRecord) };
  if (kind === "finish" || kind === "refuse") return { kind, atMs, record: isList ? readFinish(record) : (record as FinishRecord) };
  if (kind === "progress") return { kind, atMs, record: record as ProgressRecord };
  return kind === "noop" ? { kind, atMs, record: null } : null;
}

/** The end that exactly these bytes are the frame of. Null: they are something else, or hold more, like damaged bytes with older records. */
export function readEnd(frame: Buffer): FinishRecord | null {
  const [found] = scanFrames(frame);
  const read = found?.good && found.end === frame.length ? decodePayload(found.payload) : null;
  return read?.kind === "finish" || read?.kind === "refuse" ? read.record : null;
}

/** What a scan finds, in file order: valid payloads, and stretches of bytes that are not frames. */
export type Scanned = { good: true; start: number; end: number; payload: Buffer } | { good: false; start: number; end: number };

/**
 * Walks a segment. A bad stretch ends where the next frame with a valid checksum begins, or at the end of the file. `segment` is the
 * number of the file; without it, records of any segment are read.
 */
export function* scanFrames(bytes: Buffer, segment?: number): Generator<Scanned, void, void> {
  const digits = segment === undefined ? null : Buffer.from(segmentDigits(segment));
  let at = 0;
  while (at < bytes.length) {
    const end = frameEnd(bytes, at, digits);
    if (end !== 0) {
      yield { good: true, start: at, end, payload: bytes.subarray(at + HEADER_BYTES, end) };
      at = end;
      continue;
    }
    const next = nextFrame(bytes, at + 1, digits);
    if (next === bytes.length && END_OF_RECORDS.equals(bytes.subarray(at, at + HEADER_BYTES))) return;
    yield { good: false, start: at, end: next };
    at = next;
  }
}

/** The end of the frame that starts here, or 0 when none does. */
function frameEnd(bytes: Buffer, at: number, digits: Buffer | null): number {
  const payload = at + HEADER_BYTES;
  if (payload + PREFIX.length > bytes.length) return 0;
  const length = bytes.readUInt32LE(at);
  const end = payload + length;
  if (length < PREFIX.length || length > MAX_PAYLOAD_BYTES || end > bytes.length) return 0;
  if (bytes.compare(PREFIX, 0, PREFIX.length, payload, payload + PREFIX.length) !== 0) return 0;
  if ((bytes[payload + PREFIX.length] ?? 0) >= VERSION_3 && !isOfSegment(bytes.subarray(payload, end), digits)) return 0;
  return checksumOf(bytes, payload, end) === bytes.readUInt32LE(at + 4) ? end : 0;
}

function isOfSegment(payload: Buffer, digits: Buffer | null): boolean {
  return digits === null || digits.equals(payload.subarray(SEGMENT_AT, SEGMENT_AT + SEGMENT_DIGITS));
}

const VERSION_3 = 0x33;
const VERSION_1 = 0x31;

/** The algorithm depends on the version that the payload begins with. */
function checksumOf(bytes: Buffer, from: number, to: number): number {
  return bytes[from + PREFIX.length] === VERSION_1 ? crc32c(bytes, from, to) : crc32(bytes.subarray(from, to));
}

function nextFrame(bytes: Buffer, from: number, digits: Buffer | null): number {
  for (let at = bytes.indexOf(PREFIX, from + HEADER_BYTES); at !== -1; at = bytes.indexOf(PREFIX, at + 1)) {
    if (frameEnd(bytes, at - HEADER_BYTES, digits) !== 0) return at - HEADER_BYTES;
  }
  return bytes.length;
}
