import type { ServerResponse } from "node:http";
import { packTables } from "@sluice/core/packed-tables";
import { isTrackedEnvelope } from "@trpc/server";
import SuperJSON from "superjson";

/** A viewer that receives nothing for this long is disconnected; the browser reconnects and resumes by id. */
const STALL_MS = 6_000;
const LOOK_MS = 1_000;
/** Ping interval of idle streams, for proxies and clients that give up on silence. */
export const PING_MS = 15_000;
/** A client that has heard nothing for this long reconnects. */
export const SILENCE_MS = 40_000;

const end = "\n\n\n";
const connected = Buffer.from(`event: connected\ndata: ${JSON.stringify({ reconnectAfterInactivityMs: SILENCE_MS })}${end}`);
const ping = Buffer.from(`event: ping\ndata: ${end}`);
const returned = Buffer.from(`event: return\ndata: ${end}`);

interface OpenStream {
  response: ServerResponse;
  wroteAtMs: number;
  /** Since when the client has not been reading; null while it is. */
  blockedSinceMs: number | null;
  resume: () => void;
}

/**
 * Writes subscriptions in the format of tRPC's client. tRPC's own writer serialises every value again for each subscriber, through three
 * streams; here a frame is serialised once however many receive it (live shares frames by identity), and a subscriber costs little more
 * than its connection. One timer pings all of them and closes those that stopped reading.
 */
export class EventStreams {
  readonly #open = new Set<OpenStream>();
  #timer: NodeJS.Timeout | undefined;
  readonly #stallMs: number;
  readonly #pingMs: number;

  constructor({ stallMs = STALL_MS, pingMs = PING_MS } = {}) {
    this.#stallMs = stallMs;
    this.#pingMs = pingMs;
  }

  /**
   * Writes what `values` yields until it ends: normally, with a `return` event, after which clients do not reconnect; by an AbortError,
   * silently, so that they do; or by another error, which is sent in the form of `errorShape`. The caller has written the response's
   * head.
   */
  async send(
    response: ServerResponse,
    values: () => Promise<AsyncIterable<unknown>>,
    errorShape: (thrown: unknown) => unknown,
  ): Promise<void> {
    const stream = this.#begin(response);
    try {
      await write(stream, connected);
      for await (const value of await values()) await write(stream, bytesOf(value));
      await write(stream, returned);
    } catch (thrown) {
      if (!isAbortError(thrown))
        await write(stream, Buffer.from(`event: serialized-error\ndata: ${JSON.stringify(SuperJSON.serialize(errorShape(thrown)))}${end}`));
    } finally {
      this.#forget(stream);
      // Queued data would wait for a client that does not read.
      if (response.writableNeedDrain) response.destroy();
      else response.end();
    }
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #begin(response: ServerResponse): OpenStream {
    const stream: OpenStream = { response, wroteAtMs: performance.now(), blockedSinceMs: null, resume: () => undefined };
    const resume = (): void => {
      stream.blockedSinceMs = null;
      stream.resume();
    };
    response.on("drain", resume).once("close", resume);
    this.#open.add(stream);
    this.#timer ??= setInterval(() => this.#look(), Math.min(LOOK_MS, this.#stallMs, this.#pingMs)).unref();
    return stream;
  }

  #forget(stream: OpenStream): void {
    this.#open.delete(stream);
    if (this.#open.size === 0) this.stop();
  }

  #look(): void {
    const now = performance.now();
    for (const stream of this.#open) {
      if (stream.blockedSinceMs !== null) {
        if (now - stream.blockedSinceMs >= this.#stallMs) stream.response.destroy();
      } else if (now - stream.wroteAtMs >= this.#pingMs) void write(stream, ping);
    }
  }
}

/** Resolves when the client has received it, or is gone. */
async function write(stream: OpenStream, bytes: Buffer): Promise<void> {
  const { response } = stream;
  if (response.destroyed) return;
  stream.wroteAtMs = performance.now();
  if (response.write(bytes)) return;
  stream.blockedSinceMs = stream.wroteAtMs;
  await new Promise<void>((resolve) => {
    stream.resume = resolve;
  });
}

const bytesOfFrame = new WeakMap<object, Buffer>();

/** A tracked value's bytes, serialised once per object, which must be plain JSON and immutable. */
function bytesOf(value: unknown): Buffer {
  if (!isTrackedEnvelope(value)) throw new TypeError("a subscription must yield tracked values: nothing else can be resumed");
  const [id, data] = value;
  const known = bytesOfFrame.get(data as object);
  if (known) return known;
  // The same output as superjson's for plain JSON, without checking each field of each row.
  const bytes = Buffer.from(`data: {"json":${JSON.stringify(packTables(data))}}\nid: ${id}${end}`);
  bytesOfFrame.set(data as object, bytes);
  return bytes;
}

function isAbortError(thrown: unknown): boolean {
  return thrown instanceof Error && thrown.name === "AbortError";
}
