import type { StreamMeter } from "./dialect.ts";
import { parseRecord } from "./json.ts";
import type { OpenReading } from "./reading.ts";
import { HOLD_BYTES, type LargeEvent, SplitEvent } from "./split-event.ts";
import { decodeData, EventBoundary, readEvent, type SseEvent } from "./sse.ts";

/** May go to the client at once. */
export const FLOW = 0;
/** The terminal event: it and everything after it is kept back. */
export const HOLD = 1;
/** Never goes to the client. */
export const DROP = 2;
/** Bit: what was kept back is not the end after all and may go; then the event's own disposition applies. */
export const RELEASE = 4;

/** A dialect's part of a meter: inspects one event, updates the reading and decides about the bytes. */
export interface EventReader {
  reading: OpenReading;
  read(event: SseEvent): number;
  /** Paths of the fields that are read from an event too large to keep. */
  largePaths: readonly string[];
  readLarge(event: LargeEvent): number;
  /** The upstream has closed the answer in order after whole events: decides whether that completes it without a terminal event. */
  readEnd?(): void;
  /** Inspects a last event that is short and unfinished: some servers omit the empty line after the terminal event. */
  readUnended?(text: string): void;
}

/** Limit for what follows a terminal event (usage, grounding, a second terminator) before it is released. */
const TAIL_BYTES = 256 * 1024;
const BOM = "\u00ef\u00bb\u00bf";
const UNENDED_BYTES = 256;
/** An event that arrives in large chunks is assembled and parsed whole up to this size. */
const READ_BYTES = 256 * 1024;

/**
 * Splits a stream into events, passes each to a dialect's reader and forwards the bytes: runs of flowing events leave as
 * one subarray of the chunk they arrived in; only an event split across chunks is copied.
 */
class SseMeter implements StreamMeter {
  readonly #reader: EventReader;
  readonly #boundary = new EventBoundary();
  #split: SplitEvent | null = null;
  #held: Buffer[] = [];
  #heldBytes = 0;
  /** A terminal event was seen: everything after it is kept back too. */
  #ended = false;
  #lastDropped = false;
  #atStart = true;

  constructor(reader: EventReader) {
    this.#reader = reader;
  }

  get reading(): OpenReading {
    return this.#reader.reading;
  }

  feed(chunk: Buffer): Buffer[] {
    const out: Buffer[] = [];
    if (chunk.length === 0) return out;
    const text = chunk.toString("latin1");
    const hasCr = text.includes("\r");
    const skip = this.#boundary.skipSplitLf(text);
    let search: number = skip;
    // Start of the current event, and of the run of bytes that can leave together.
    let at = 0;
    let run = 0;
    if (skip === 1 && !this.#split) {
      // The LF of a CRLF whose CR ended both the last event and its chunk: it is treated like that event.
      at = 1;
      if (this.#ended) this.#hold(chunk.subarray(0, 1), out);
      if (this.#ended || this.#lastDropped) run = 1;
    }
    for (;;) {
      const end = this.#boundary.next(text, search, hasCr);
      if (end < 0) break;
      run = this.#split
        ? this.#finishSplit(this.#split, chunk.subarray(0, end), out)
        : this.#finishWhole(chunk, [run, at, end], text, hasCr, out);
      at = end;
      search = end;
    }
    if (run < at) out.push(chunk.subarray(run, at));
    if (at < chunk.length) this.#keep(chunk.subarray(at), out);
    return out;
  }

  rest(inOrder = false): Buffer[] {
    const out: Buffer[] = [];
    const split = this.#split;
    this.#split = null;
    if (split) this.#finishUnended(split, inOrder, out);
    else if (inOrder) this.#reader.readEnd?.();
    this.#flush(out);
    return out;
  }

  /**
   * The stream is over but its last event has no empty line. A terminal event still counts if it is complete (some servers omit
   * the last line ends). Any other is a fragment that no client may act on: it is left out or, when half of it has been
   * sent, closed with an empty line so that an error event can follow.
   */
  #finishUnended(split: SplitEvent, inOrder: boolean, out: Buffer[]): void {
    const { complete, failure } = this.reading;
    let isWhole = complete;
    if (split.flowing) {
      this.#reader.readLarge(split.large());
      if (!complete) out.push(Buffer.from("\n\n"));
    } else {
      const parts = split.parts();
      const text = Buffer.concat(parts).toString("latin1");
      const hasCr = text.includes("\r");
      this.#read(text, 0, text.length, hasCr);
      isWhole ||= parseRecord(decodeData(readEvent(text, 0, text.length, hasCr))) !== null;
      if (inOrder && isWhole) this.#reader.readEnd?.();
      if (this.reading.complete && isWhole) this.#held.push(...parts);
    }
    // A fragment may have given its name but nothing else.
    this.reading.complete &&= isWhole;
    if (!this.reading.complete) this.reading.failure = failure;
  }

  /** Handles an event within one chunk. Returns where the run of flowing bytes now starts. */
  #finishWhole(chunk: Buffer, [run, at, end]: [run: number, at: number, end: number], text: string, hasCr: boolean, out: Buffer[]): number {
    const fate = this.#read(text, at, end, hasCr);
    if (fate === FLOW && !this.#ended) return run;
    if (run < at) out.push(chunk.subarray(run, at));
    if (fate & RELEASE) this.#release(out);
    if ((fate & ~RELEASE) === FLOW && !this.#ended) return at;
    this.#settle(fate & ~RELEASE, chunk.subarray(at, end), out);
    return end;
  }

  /** Handles the end of an event that began in an earlier chunk. Returns where the run of flowing bytes starts. */
  #finishSplit(split: SplitEvent, piece: Buffer, out: Buffer[]): number {
    this.#split = null;
    if (!split.flowing && split.bytes + piece.length > READ_BYTES) this.#startFlowing(split, out);
    let bytes = piece;
    let fate: number;
    if (split.flowing) {
      split.append(piece);
      this.#lastDropped = false;
      fate = this.#reader.readLarge(split.large());
      // Part of it has been sent already, so the rest can no longer be dropped.
      if (fate === DROP) fate = FLOW;
    } else {
      bytes = Buffer.concat([...split.parts(), piece]);
      const text = bytes.toString("latin1");
      fate = this.#read(text, 0, text.length, text.includes("\r"));
    }
    if (fate & RELEASE) this.#release(out);
    this.#settle(fate & ~RELEASE, bytes, out);
    return piece.length;
  }

  /** Keeps the rest of a chunk, or all of it, that belongs to an unfinished event. */
  #keep(piece: Buffer, out: Buffer[]): void {
    this.#split ??= new SplitEvent(this.#reader.largePaths);
    const split = this.#split;
    if (!split.flowing && split.bytes + piece.length > HOLD_BYTES) this.#startFlowing(split, out);
    if (split.flowing) this.#pass(piece, out);
    split.append(piece);
    if (split.bytes <= UNENDED_BYTES) this.#reader.readUnended?.(Buffer.concat(split.parts()).toString("latin1"));
  }

  /** A client cannot act on an event without its empty line, so even the start of a terminal one may be sent. */
  #startFlowing(split: SplitEvent, out: Buffer[]): void {
    for (const part of split.startFlowing()) this.#pass(part, out);
  }

  #read(text: string, from: number, end: number, hasCr: boolean): number {
    const skip = this.#atStart && text.startsWith(BOM, from) ? BOM.length : 0;
    this.#atStart = false;
    const fate = this.#reader.read(readEvent(text, from + skip, end, hasCr));
    this.#lastDropped = (fate & ~RELEASE) === DROP;
    return fate;
  }

  #settle(fate: number, bytes: Buffer, out: Buffer[]): void {
    if (fate === DROP) return;
    if (fate === HOLD) this.#ended = true;
    this.#pass(bytes, out);
  }

  #pass(bytes: Buffer, out: Buffer[]): void {
    if (this.#ended) this.#hold(bytes, out);
    else out.push(bytes);
  }

  #hold(bytes: Buffer, out: Buffer[]): void {
    this.#held.push(bytes);
    this.#heldBytes += bytes.length;
    if (this.#held.length > 64) this.#held = [Buffer.concat(this.#held)];
    if (this.#heldBytes > TAIL_BYTES) this.#flush(out);
  }

  #release(out: Buffer[]): void {
    this.#flush(out);
    this.#ended = false;
  }

  #flush(out: Buffer[]): void {
    out.push(...this.#held);
    this.#held = [];
    this.#heldBytes = 0;
  }
}

/** A meter around a dialect's reader. */
export function createStreamMeter(reader: EventReader): StreamMeter {
  return new SseMeter(reader);
}
