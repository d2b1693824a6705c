/**
 * Server-sent events as bytes: where each event ends and where its fields are, for streams that arrive in arbitrary
 * chunks. Text is the latin1 view of the bytes (one character per byte), so offsets in it are offsets in the chunk and
 * nothing is decoded unless it is read. Follows the WHATWG event-stream grammar: lines end with LF, CR or CRLF, an event
 * with an empty line, and a byte order mark may open the stream.
 */
import { find, hasAt, unitAt } from "../string-methods.ts";

const LF = 10;
const CR = 13;
const SPACE = 32;

/** Finds the ends of events; its state carries over between chunks. */
export class EventBoundary {
  #lineIsEmpty = true;
  #afterCr = false;

  /**
   * Call once at the start of each chunk. Returns 1 when the first byte is the LF of a CRLF whose CR ended the previous
   * chunk: it belongs to what ended there.
   */
  skipSplitLf(text: string): 0 | 1 {
    const skip = this.#afterCr && unitAt(text, 0) === LF ? 1 : 0;
    if (text.length > 0) this.#afterCr = false;
    return skip;
  }

  /** Offset just after the event that is open at `from`; -1 when the chunk ends first. */
  next(text: string, from: number, hasCr: boolean): number {
    if (from >= text.length) return -1;
    if (hasCr) return this.#nextMixed(text, from);
    if (this.#lineIsEmpty && unitAt(text, from) === LF) return from + 1;
    const at = find(text, "\n\n", from);
    this.#lineIsEmpty = at >= 0 || unitAt(text, text.length - 1) === LF;
    return at < 0 ? -1 : at + 2;
  }

  #nextMixed(text: string, from: number): number {
    let at = from;
    while (at < text.length) {
      const line = lineEnd(text, at, text.length);
      if (line > at) this.#lineIsEmpty = false;
      if (line >= text.length) return -1;
      at = line + 1;
      if (unitAt(text, line) === CR) {
        if (at >= text.length) this.#afterCr = true;
        else if (unitAt(text, at) === LF) at++;
      }
      const ended = this.#lineIsEmpty;
      this.#lineIsEmpty = true;
      if (ended) return at;
    }
    return -1;
  }
}

/** Offset of the first CR or LF at or after `from`; `end` when there is none. */
function lineEnd(text: string, from: number, end: number): number {
  for (let i = from; i < end; i++) {
    const code = unitAt(text, i);
    if (code === LF || code === CR) return i;
  }
  return end;
}

/** One event's fields. */
export interface SseEvent {
  /** Value of the `event:` field, '' when absent. */
  name: string;
  /** All `data:` lines joined by LF, as latin1; '' when there is none. */
  data: string;
}

/** Reads the fields of the event in [from, end) of a latin1 text. */
export function readEvent(text: string, from: number, end: number, hasCr: boolean): SseEvent {
  let name = "";
  let data: string | null = null;
  let at = from;
  while (at < end) {
    let line = hasCr ? lineEnd(text, at, end) : find(text, "\n", at);
    if (line < 0 || line > end) line = end;
    if (hasAt(text, "data:", at)) {
      const start = at + (unitAt(text, at + 5) === SPACE ? 6 : 5);
      const value = text.slice(start, Math.max(start, line));
      data = data === null ? value : `${data}\n${value}`;
    } else if (hasAt(text, "event:", at)) {
      name = text.slice(at + (unitAt(text, at + 6) === SPACE ? 7 : 6), line);
    }
    at = line + 1;
  }
  return { name, data: data ?? "" };
}

/** The event's data as UTF-8 text. */
export function decodeData(event: SseEvent): string {
  return Buffer.from(event.data, "latin1").toString("utf8");
}
