import type { ServerResponse } from "node:http";
import type { Readable } from "node:stream";
import type { Reading, StreamMeter } from "@sluice/core/dialects/dialect";
import { SluiceError } from "@sluice/core/errors";
import type { Deadline, Deadlines } from "./deadlines.ts";

export interface RelayOptions {
  deadlines: Deadlines;
  holdBytes: number;
  holdMs: number;
  stalledClientMs: number;
  /** The answer has no terminal event: it ends with the connection (egress checks the length). */
  endIsTerminal?: boolean;
  /** Called after each metered chunk. */
  onData: (reading: Reading) => void;
  /** Called when the client has stopped reading. */
  onStalled: () => void;
}

/** How long an upstream has to close its answer after the terminal event or an error. */
const lingerMs = 1_000;

/**
 * One answer stream on its way from upstream to client. Two phases: *held* until the first content (nothing, not even a
 * ping, reaches the client, so another provider can still be tried), then *flowing* with backpressure in constant memory.
 * The meter keeps back the end until the charge is durable.
 */
export class StreamRelay {
  readonly #body: Readable;
  readonly #meter: StreamMeter;
  readonly #options: RelayOptions;
  readonly #commit = Promise.withResolvers<void>();
  readonly #end = Promise.withResolvers<SluiceError | Error | null>();
  #held: Buffer[] = [];
  #heldBytes = 0;
  #committed = false;
  #ended = false;
  #sink: ServerResponse | null = null;
  #waitsForClient = false;
  /** Parts not handed to the client's connection yet. They are written one by one, so that each one taken shows that the client reads. */
  #queued: Buffer[] = [];
  #hold: Deadline | null;
  #stall: Deadline | null = null;
  #linger: Deadline | null = null;
  /** Chunks read in this turn of the event loop. */
  #arrived: Buffer[] = [];
  /** What the meter kept back, set once the upstream is over. */
  #rest: Buffer[] | null = null;
  #betweenEvents = true;
  /** Bytes handed to the client's connection. */
  sentBytes = 0;

  constructor(body: Readable, meter: StreamMeter, options: RelayOptions) {
    this.#body = body;
    this.#meter = meter;
    this.#options = options;
    this.#hold = options.deadlines.add(options.holdMs, () => this.#doCommit());
    body.on("data", this.#onData).on("end", this.#onEnd).on("error", this.#onError);
  }

  /** Bytes waiting for the commit. */
  get heldBytes(): number {
    return this.#heldBytes;
  }

  get reading(): Reading {
    return this.#meter.reading;
  }

  /**
   * Resolves when the answer may go to the client: at first content, or when enough was held for size or time.
   * Rejects when the upstream failed before that, with the failure inside the stream or that of the connection.
   */
  committed(): Promise<void> {
    return this.#commit.promise;
  }

  /** Lets everything flow. Resolves when the upstream is over: null for a proper end, otherwise the reason. */
  flow(res: ServerResponse): Promise<SluiceError | Error | null> {
    this.#sink = res;
    const held = this.#held;
    this.#held = [];
    this.#write(held);
    if (!this.#waitsForClient) this.#body.resume();
    return this.#end.promise;
  }

  /** What was kept back for the end. After a broken stream only whole events: half of one would hide the error that follows. */
  rest(proper: boolean): Buffer[] {
    const rest = this.#rest ?? this.#meter.rest();
    if (proper) return rest;
    const last = rest[rest.length - 1];
    return last && endsEvent(last) ? rest : [];
  }

  /** Whether the bytes sent to the client end between two events. */
  get betweenEvents(): boolean {
    return this.#betweenEvents;
  }

  /** Stops everything at once and closes the upstream connection. */
  destroy(error: Error): void {
    this.#takeArrived();
    if (this.#ended) return;
    this.#body.destroy(error);
    this.#finish(error);
  }

  /**
   * Providers send one HTTP chunk per event, and a single read may bring dozens of them: they are metered and passed on together, in the
   * same turn.
   */
  readonly #onData = (chunk: Buffer): void => {
    if (this.#ended) return;
    if (this.#arrived.push(chunk) === 1) process.nextTick(this.#takeArrived);
  };

  readonly #takeArrived = (): void => {
    const arrived = this.#arrived;
    const [first] = arrived;
    if (!first || this.#ended) return;
    this.#arrived = [];
    try {
      this.#take(arrived.length === 1 ? first : Buffer.concat(arrived));
    } catch (error) {
      // Thrown out of an event handler, the error would end the process and every other request with it.
      this.destroy(error instanceof Error ? error : new Error(String(error)));
    }
  };

  #take(chunk: Buffer): void {
    const parts = this.#meter.feed(chunk);
    const { reading } = this;
    if (this.#sink) this.#write(parts);
    else {
      for (const part of parts) {
        this.#held.push(part);
        this.#heldBytes += part.length;
      }
    }
    if (!this.#committed) this.#decide(reading);
    this.#options.onData(reading);
    // Nothing follows an error either, but some providers keep the connection open.
    if (this.#ended || (!reading.complete && !reading.failure)) return;
    // Restarted with each chunk: older Gemini models put a finishReason on every one.
    this.#options.deadlines.cancel(this.#linger);
    this.#linger = this.#options.deadlines.add(lingerMs, this.#onEnd);
  }

  #decide(reading: Reading): void {
    if (reading.failure?.retryable && !reading.hasContent) {
      this.#body.destroy();
      this.#finish(new SluiceError(reading.failure.code, { message: reading.failure.message }));
    } else if (reading.hasContent || reading.failure || this.#heldBytes >= this.#options.holdBytes) this.#doCommit();
  }

  #doCommit(): void {
    if (this.#committed) return;
    this.#committed = true;
    this.#options.deadlines.cancel(this.#hold);
    // Reads nothing more until the answer has a receiver.
    if (!this.#sink && !this.#ended) this.#body.pause();
    this.#commit.resolve();
  }

  readonly #onEnd = (): void => {
    this.#takeArrived();
    // Before checking for the end: a last event without its empty line counts.
    this.#rest ??= this.#meter.rest(true);
    const { complete, failure } = this.reading;
    if (failure) this.#finish(new SluiceError(failure.code, { message: failure.message }), complete);
    else if (complete || this.#options.endIsTerminal) this.#finish(null);
    else this.#finish(new SluiceError("upstream_truncated", { detail: "the stream ended without its terminal event" }));
    this.#body.destroy();
  };

  readonly #onError = (error: Error): void => {
    this.#takeArrived();
    // After the terminal event only the connection can fail: the answer is whole. After an error event, that error was the cause.
    if (this.reading.complete || this.reading.failure) this.#onEnd();
    else this.#finish(error);
  };

  #finish(error: Error | null, wasWhole = false): void {
    if (this.#ended) return;
    this.#ended = true;
    const { deadlines } = this.#options;
    deadlines.cancel(this.#hold);
    deadlines.cancel(this.#stall);
    deadlines.cancel(this.#linger);
    // The end follows at once, so from here on the connection's own buffer waits for the client.
    for (const part of this.#queued.splice(0)) this.#writePart(part);
    if (error === null || wasWhole) this.#doCommit();
    else if (!this.#committed) {
      this.#committed = true;
      this.#commit.reject(error);
    }
    this.#end.resolve(error);
  }

  #write(parts: readonly Buffer[]): void {
    for (const part of parts) {
      if (this.#waitsForClient && !this.#ended) this.#queued.push(part);
      else this.#writePart(part);
    }
  }

  #writePart(part: Buffer): void {
    const res = this.#sink;
    if (!res || res.destroyed) return;
    this.sentBytes += part.length;
    this.#betweenEvents = endsEvent(part);
    if (res.write(part) || this.#waitsForClient || this.#ended) return;
    this.#waitsForClient = true;
    this.#body.pause();
    this.#stall = this.#options.deadlines.add(this.#options.stalledClientMs, this.#options.onStalled);
    res.once("drain", this.#onDrain);
  }

  readonly #onDrain = (): void => {
    this.#waitsForClient = false;
    this.#options.deadlines.cancel(this.#stall);
    this.#stall = null;
    while (!this.#waitsForClient) {
      const part = this.#queued.shift();
      if (!part) break;
      this.#writePart(part);
    }
    if (!this.#waitsForClient && !this.#ended) this.#body.resume();
  };
}

/** Whether the bytes end with an empty line, as every event does. */
function endsEvent(bytes: Buffer): boolean {
  const { length } = bytes;
  const last = bytes[length - 1];
  if (last === 0x0a) return bytes[length - 2] === 0x0a || (bytes[length - 2] === 0x0d && bytes[length - 3] === 0x0a);
  return last === 0x0d && bytes[length - 2] === 0x0d;
}
