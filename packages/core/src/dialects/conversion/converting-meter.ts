import { SluiceError, toSluiceError } from "../../errors.ts";
import type { Reading, StreamMeter } from "../dialect.ts";
import { parseRecord } from "../json.ts";
import { decodeData, type SseEvent } from "../sse.ts";
import { EventSplitter } from "./event-splitter.ts";
import type { AnswerEvent } from "./intermediate.ts";
import { Sequencer } from "./sequencer.ts";
import type { StreamEventReader, StreamEventWriter } from "./stream-events.ts";

export interface ConvertingOptions {
  reader: StreamEventReader;
  writer: StreamEventWriter;
  /** A provider error as an event in the client's dialect. */
  errorEvent: (error: SluiceError) => string;
}

/**
 * Meters a stream of one dialect and returns the same answer in another. The upstream's own meter sees every upstream byte,
 * determines the usage and keeps back the terminal event; what it releases is converted event by event. So the client's
 * terminal event also waits until the charge is durable, and is written only if the upstream's arrived.
 */
export class ConvertingMeter implements StreamMeter {
  readonly #inner: StreamMeter;
  readonly #options: ConvertingOptions;
  readonly #splitter = new EventSplitter();
  readonly #sequencer: Sequencer;
  #text = "";
  #started = false;
  #ended = false;

  constructor(inner: StreamMeter, options: ConvertingOptions) {
    this.#inner = inner;
    this.#options = options;
    this.#sequencer = new Sequencer((event) => {
      this.#text += options.writer.write(event);
    });
  }

  get reading(): Reading {
    return this.#inner.reading;
  }

  feed(chunk: Buffer): Buffer[] {
    for (const part of this.#inner.feed(chunk)) this.#convert(part);
    return this.#taken();
  }

  /** After an error, only its event; without the upstream's end, nothing: it must not look like a proper end. */
  rest(inOrder = false): Buffer[] {
    const parts = this.#inner.rest(inOrder);
    const { complete, failure } = this.#inner.reading;
    if (failure) return [Buffer.from(this.#options.errorEvent(new SluiceError(failure.code, { message: failure.message })))];
    if (!complete) return [];
    try {
      for (const part of parts) this.#convert(part);
      for (const event of this.#splitter.rest()) this.#read(event);
      if (!this.#ended) for (const one of this.#options.reader.end?.() ?? []) this.#push(one);
      // An end in a form that the reader does not know is still an end.
      if (!this.#ended) this.#end();
    } catch (thrown) {
      this.#text = this.#options.errorEvent(toSluiceError(thrown));
    }
    return this.#taken();
  }

  #convert(part: Buffer): void {
    for (const event of this.#splitter.push(part)) this.#read(event);
  }

  #read(event: SseEvent): void {
    // Comments keep connections alive, so they become pings.
    if (event.data === "") {
      this.#push({ kind: "ping" });
      return;
    }
    // What follows the end is not part of the answer.
    if (this.#ended) return;
    const text = decodeData(event);
    for (const one of this.#options.reader.read(event.name, () => parseRecord(text), text)) this.#push(one);
  }

  #push(event: AnswerEvent): void {
    if (event.kind === "start") {
      if (this.#started) return;
      this.#started = true;
    } else if (!this.#started && event.kind !== "ping") {
      this.#started = true;
      this.#sequencer.push({ kind: "start", model: this.#inner.reading.upstreamModel });
    }
    if (event.kind === "end") this.#ended = true;
    this.#sequencer.push(event);
  }

  #end(): void {
    this.#push({ kind: "stop", reason: "end", reasoningTokens: null });
    this.#push({ kind: "end" });
  }

  #taken(): Buffer[] {
    const text = this.#text;
    this.#text = "";
    return text === "" ? [] : [Buffer.from(text)];
  }
}
