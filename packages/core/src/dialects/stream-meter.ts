import type { StreamMeter } from "./dialect.ts";
import type { OpenReading } from "./reading.ts";
import { EventBoundary, readEvent, type SseEvent } from "./sse.ts";

/** May go to the client at once. */
export const FLOW = 0;
/** The terminal event: it and all that follows is kept back. */
export const HOLD = 1;
/** Never goes to the client. */
export const DROP = 2;
/** Bit: what was kept back turned out not to be the end and may go; then the event's own disposition applies. */
export const RELEASE = 4;

/** A dialect's part of a meter: looks at one event, moves the reading, says what becomes of the bytes. */
export interface EventReader {
  reading: OpenReading;
  read(event: SseEvent): number;
  /** An event too large to be kept: its beginning only (latin1), and its size. */
  readOversize(head: string, bytes: number): number;
  /** The last event so far, short and not ended: some servers save the empty line behind the terminal one. */
  readUnended?(text: string): void;
}

/** An event cut by the ends of chunks is kept back up to this size, then it flows and only a copy is read. */
const HOLD_BYTES = 64 * 1024;
/** The copy is given up beyond this: the event still passes, its usage is then estimated. */
const READ_BYTES = 1024 * 1024;
/** What may follow a terminal event (usage, grounding, a second terminator) before it is let go. */
const TAIL_BYTES = 256 * 1024;
const BOM = "\u00ef\u00bb\u00bf";
const HEAD_CHARS = 512;
const UNENDED_BYTES = 256;

/** The bytes so far of an event whose end has not come: copied, so that no foreign slab is kept alive by them. */
class SplitEvent {
  bytes = 0;
  flowing = false;
  head = "";
  #blocks: Buffer[] = [];
  #last: Buffer | null = null;
  #used = 0;

  get oversize(): boolean {
    return this.bytes > READ_BYTES;
  }

  append(piece: Buffer): void {
    this.bytes += piece.length;
    if (this.head.length < HEAD_CHARS) this.head += piece.toString("latin1", 0, Math.min(piece.length, HEAD_CHARS));
    if (this.oversize) {
      this.#blocks = [];
      this.#last = null;
      return;
    }
    let rest = piece;
    while (rest.length > 0) {
      if (!this.#last || this.#used === this.#last.length) {
        this.#last = Buffer.allocUnsafeSlow(Math.max(1024, Math.min(HOLD_BYTES, Math.max(rest.length, this.bytes))));
        this.#used = 0;
        this.#blocks.push(this.#last);
      }
      const copied = rest.copy(this.#last, this.#used);
      this.#used += copied;
      rest = rest.subarray(copied);
    }
  }

  /** The kept bytes as parts, in order. */
  parts(): Buffer[] {
    return this.#blocks.map((block) => (block === this.#last ? block.subarray(0, this.#used) : block));
  }
}

/**
 * Splits a stream into events, asks a dialect's reader about each and passes the bytes on: runs of flowing events
 * leave as one subarray of the chunk they came in, only an event cut by a chunk's end is copied.
 */
class SseMeter implements StreamMeter {
  readonly #reader: EventReader;
  readonly #boundary = new EventBoundary();
  #split: SplitEvent | null = null;
  #held: Buffer[] = [];
  #heldBytes = 0;
  /** A terminal event was seen: all that follows is kept back with it. */
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
    // Start of the event under the cursor, and of the run of bytes that may leave together.
    let at = 0;
    let run = 0;
    if (skip === 1 && !this.#split) {
      // The LF of a CRLF whose CR ended both the last event and its chunk: it shares that event's fate.
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

  rest(): Buffer[] {
    const out: Buffer[] = [];
    const split = this.#split;
    this.#split = null;
    if (split) this.#finishUnended(split, out);
    this.#flush(out);
    return out;
  }

  /**
   * The stream is over but its last event has no empty line. A terminal one counts all the same (some servers save
   * the last line ends). Any other is a fragment that no client may act on: left out, or, when half of it has gone,
   * closed by an empty line so that an error event can follow.
   */
  #finishUnended(split: SplitEvent, out: Buffer[]): void {
    const parts = split.parts();
    if (!split.oversize) {
      const text = Buffer.concat(parts).toString("latin1");
      this.#read(text, 0, text.length, text.includes("\r"));
    }
    if (this.reading.complete) {
      if (!split.flowing) this.#held.push(...parts);
    } else if (split.flowing) out.push(Buffer.from("\n\n"));
  }

  /** An event that lies in one chunk. Returns where the run of flowing bytes now starts. */
  #finishWhole(chunk: Buffer, [run, at, end]: [run: number, at: number, end: number], text: string, hasCr: boolean, out: Buffer[]): number {
    const fate = this.#read(text, at, end, hasCr);
    if (fate === FLOW && !this.#ended) return run;
    if (run < at) out.push(chunk.subarray(run, at));
    if (fate & RELEASE) this.#release(out);
    if ((fate & ~RELEASE) === FLOW && !this.#ended) return at;
    this.#settle(fate & ~RELEASE, chunk.subarray(at, end), out);
    return end;
  }

  /** The end of an event whose beginning came in earlier chunks. Returns where the run of flowing bytes starts. */
  #finishSplit(split: SplitEvent, piece: Buffer, out: Buffer[]): number {
    this.#split = null;
    const total = split.bytes + piece.length;
    const readable = total <= READ_BYTES;
    const parts = split.parts();
    let bytes = piece;
    let fate: number;
    if (readable) {
      const whole = Buffer.concat([...parts, piece], total);
      const text = whole.toString("latin1");
      fate = this.#read(text, 0, total, text.includes("\r"));
      if (!split.flowing) bytes = whole;
    } else {
      this.#lastDropped = false;
      fate = this.#reader.readOversize(split.head, total);
      if (!split.flowing) for (const part of parts) this.#pass(part, out);
    }
    if (fate & RELEASE) this.#release(out);
    fate &= ~RELEASE;
    // Half of it has gone already: the rest cannot be dropped any more.
    this.#settle(fate === DROP && (split.flowing || !readable) ? FLOW : fate, bytes, out);
    return piece.length;
  }

  /** What is left of a chunk, or all of it, belongs to an event that has not ended. */
  #keep(piece: Buffer, out: Buffer[]): void {
    this.#split ??= new SplitEvent();
    const split = this.#split;
    if (split.flowing) {
      this.#pass(piece, out);
    } else if (split.bytes + piece.length > HOLD_BYTES) {
      // Without its empty line a client cannot act on it: even a terminal event is safe to begin.
      for (const part of split.parts()) this.#pass(part, out);
      this.#pass(piece, out);
      split.flowing = true;
    }
    split.append(piece);
    if (split.bytes <= UNENDED_BYTES) this.#reader.readUnended?.(split.head);
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

/**
 * Bytes of the first non-empty JSON string that stands under one of the keys, without parsing: an upper-level key's
 * quotes are never escaped, a model's own text always has them escaped. Good for estimates only, never for usage.
 */
export function stringBytes(data: string, keys: readonly string[]): number {
  for (const key of keys) {
    let from = 0;
    for (;;) {
      const found = data.indexOf(key, from);
      if (found < 0) break;
      from = found + key.length;
      let at = from;
      while (data.charCodeAt(at) === 0x20) at++;
      if (data.charCodeAt(at) !== 0x3a) continue;
      at++;
      while (data.charCodeAt(at) === 0x20) at++;
      if (data.charCodeAt(at) !== 0x22) continue;
      const bytes = escapedLength(data, at + 1);
      if (bytes > 0) return bytes;
    }
  }
  return 0;
}

/** Length of the JSON string whose content begins at `from`, an escape counted as what it stands for. */
function escapedLength(data: string, from: number): number {
  let bytes = 0;
  for (let i = from; i < data.length; i++) {
    const code = data.charCodeAt(i);
    if (code === 0x22) return bytes;
    if (code === 0x5c) {
      i++;
      if (data.charCodeAt(i) === 0x75) {
        i += 4;
        bytes += 2;
      }
    }
    bytes++;
  }
  return bytes;
}

/** Whether a key has a value other than null: the cheap sign that an event is worth parsing. */
export function hasValue(data: string, key: string): boolean {
  let from = 0;
  for (;;) {
    const found = data.indexOf(key, from);
    if (found < 0) return false;
    from = found + key.length;
    let at = from;
    while (data.charCodeAt(at) === 0x20 || data.charCodeAt(at) === 0x0a) at++;
    if (data.charCodeAt(at) !== 0x3a) continue;
    at++;
    while (data.charCodeAt(at) === 0x20 || data.charCodeAt(at) === 0x0a) at++;
    if (data.charCodeAt(at) !== 0x6e) return true;
  }
}
