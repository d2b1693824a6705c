import { SluiceError } from "../../errors.ts";
import { EventBoundary, readEvent, type SseEvent } from "../sse.ts";

/** Upper bound for one upstream event; the last event of a Responses stream repeats the whole answer. */
const MAX_EVENT_BYTES = 8 * 1024 * 1024;
const BOM = "\u00ef\u00bb\u00bf";

/** Splits a stream that arrives in arbitrary chunks into its events. */
export class EventSplitter {
  readonly #boundary = new EventBoundary();
  #parts: Buffer[] = [];
  #bytes = 0;
  #atStart = true;

  /** Returns the events that end in this chunk. @throws SluiceError upstream_error when one is too large. */
  *push(chunk: Buffer): Generator<SseEvent> {
    if (chunk.length === 0) return;
    const text = chunk.toString("latin1");
    const hasCr = text.includes("\r");
    let at: number = this.#boundary.skipSplitLf(text);
    for (;;) {
      const end = this.#boundary.next(text, at, hasCr);
      if (end < 0) break;
      yield this.#parts.length > 0 ? this.#joined(chunk.subarray(at, end)) : this.#read(text, at, end, hasCr);
      at = end;
    }
    if (at < chunk.length) this.#keep(chunk.subarray(at));
  }

  /** What is left when the stream is over: some servers omit the empty line after the last event. */
  *rest(): Generator<SseEvent> {
    if (this.#parts.length > 0) yield this.#joined(Buffer.alloc(0));
  }

  #keep(piece: Buffer): void {
    this.#bytes += piece.length;
    if (this.#bytes > MAX_EVENT_BYTES) throw new SluiceError("upstream_error", { detail: "conversion: an event of more than 8 MB" });
    // Copied, so that a small remainder does not keep the whole chunk alive. Many small pieces are joined occasionally.
    this.#parts.push(Buffer.from(piece));
    if (this.#parts.length >= 256) this.#parts = [Buffer.concat(this.#parts)];
  }

  #joined(piece: Buffer): SseEvent {
    const text = Buffer.concat([...this.#parts, piece]).toString("latin1");
    this.#parts = [];
    this.#bytes = 0;
    return this.#read(text, 0, text.length, text.includes("\r"));
  }

  #read(text: string, from: number, end: number, hasCr: boolean): SseEvent {
    const skip = this.#atStart && text.startsWith(BOM, from) ? BOM.length : 0;
    this.#atStart = false;
    return readEvent(text, from + skip, end, hasCr);
  }
}
