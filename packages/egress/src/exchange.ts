import { Readable } from "node:stream";
import { SluiceError } from "@sluice/core/errors";
import type { Dispatcher } from "undici";
import type { Collected } from "./collect.ts";
import type { EgressRequest } from "./contract.ts";
import { unreachable } from "./guard.ts";
import type { Connection, ConnectionAware, OriginPool } from "./origin-pool.ts";
import type { SilenceWatch, Watched } from "./silence-watch.ts";

/** A kept-alive socket was closed before any part of an answer arrived: the request may be sent again. */
export class StaleConnection extends Error {}

/** The answer has begun; read its body through the exchange's `body` or, as a whole, through `collect`. */
export interface Head {
  status: number;
  headers: Record<string, string>;
}

/** How much is held until the reader chooses between `body` and `collect`. */
const heldBytes = 64 * 1024;

interface Waiting {
  limit: number;
  resolve(collected: Collected): void;
  reject(error: unknown): void;
}

const resetCodes = new Set(["UND_ERR_SOCKET", "ECONNRESET", "EPIPE"]);
const timeoutCodes = new Set(["UND_ERR_CONNECT_TIMEOUT", "ETIMEDOUT"]);

function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : "";
}

function detailOf(error: unknown): string {
  if (error instanceof AggregateError) return error.errors.map((one) => detailOf(one)).join("; ");
  return error instanceof Error ? `${codeOf(error) || error.name}: ${error.message}` : String(error);
}

/** An error before the head, converted to the catalogue. */
export function beforeHead(error: unknown, onReusedSocket: boolean): Error {
  if (error instanceof SluiceError) return error;
  const code = codeOf(error);
  if (timeoutCodes.has(code)) return new SluiceError("upstream_timeout", { detail: detailOf(error), cause: error });
  // A header or path that cannot be written is the caller's fault, not the provider's.
  if (code === "UND_ERR_INVALID_ARG") return new SluiceError("invalid_request", { detail: detailOf(error), cause: error });
  if (onReusedSocket && resetCodes.has(code)) return new StaleConnection(detailOf(error));
  if (code.startsWith("UND_ERR_") || code.startsWith("HPE_"))
    return new SluiceError("upstream_error", { detail: detailOf(error), cause: error });
  return unreachable(detailOf(error), error);
}

/** An error after the head. */
function afterHead(error: unknown): SluiceError {
  if (error instanceof SluiceError) return error;
  const code = timeoutCodes.has(codeOf(error)) ? "upstream_timeout" : "upstream_truncated";
  return new SluiceError(code, { detail: detailOf(error), cause: error });
}

function flatten(raw: Record<string, string | string[] | undefined>): Record<string, string> {
  const flat: Record<string, string> = {};
  for (const name in raw) {
    const value = raw[name];
    if (value !== undefined) flat[name] = typeof value === "string" ? value : value.join(", ");
  }
  return flat;
}

class Body extends Readable {
  readonly #exchange: Exchange;

  constructor(exchange: Exchange) {
    super({ highWaterMark: 64 * 1024 });
    this.#exchange = exchange;
  }

  override _read(): void {
    this.#exchange.resume();
  }

  override _destroy(error: Error | null, callback: (error: Error | null) => void): void {
    this.#exchange.abandon(error);
    callback(error);
  }
}

/**
 * One request on the wire: turns undici's callbacks into a head and a body. The body is either a stream with backpressure
 * (`body`) or its parts at once (`collect`), because a stream costs several times as much as a short answer.
 */
export class Exchange implements ConnectionAware, Watched {
  connection: Connection | null = null;
  watchedAt = -1;
  readonly head: Promise<Head>;
  readonly #pool: OriginPool;
  readonly #watch: SilenceWatch;
  readonly #asked: Pick<EgressRequest, "signal" | "headersTimeoutMs" | "idleTimeoutMs">;
  #resolve: (head: Head) => void = () => undefined;
  #reject: (error: unknown) => void = () => undefined;
  #controller: Dispatcher.DispatchController | null = null;
  #body: Body | null = null;
  #parts: Buffer[] = [];
  #length = 0;
  #waiting: Waiting | null = null;
  #began = false;
  #ended = false;
  /** Why the body did not end properly. */
  #failure: Error | null = null;
  #answering = false;
  /** Since the last tick the provider sent something, or may send again. */
  #heard = true;
  #silentMs = 0;
  /** We are the slow side. */
  #paused = false;
  #over = false;
  /** Set when the answer is no longer wanted; a request that is still queued is then never written. */
  #unwanted: Error | null = null;

  constructor(pool: OriginPool, watch: SilenceWatch, asked: Pick<EgressRequest, "signal" | "headersTimeoutMs" | "idleTimeoutMs">) {
    this.#pool = pool;
    this.#watch = watch;
    this.#asked = asked;
    this.head = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    pool.active += 1;
    asked.signal?.addEventListener("abort", this.#onAbort, { once: true });
  }

  readonly #onAbort = (): void => {
    const reason: unknown = this.#asked.signal?.reason;
    this.#stop(reason instanceof Error ? reason : new Error("aborted"));
  };

  onTick(sinceMs: number): void {
    if (this.#paused) return;
    this.#silentMs = this.#heard ? 0 : this.#silentMs + sinceMs;
    this.#heard = false;
    const ms = this.#began ? this.#asked.idleTimeoutMs : this.#asked.headersTimeoutMs;
    if (this.#silentMs < ms) return;
    this.#stop(new SluiceError("upstream_timeout", { detail: this.#began ? `nothing more for ${ms} ms` : `no answer for ${ms} ms` }));
  }

  #stop(reason: Error): void {
    if (this.#body) this.#body.destroy(reason);
    else this.abandon(reason);
  }

  /** The unread rest of the body, as a stream. */
  get body(): Readable {
    if (this.#body) return this.#body;
    const body = new Body(this);
    this.#body = body;
    for (const part of this.#take().parts) body.push(part);
    if (this.#failure) body.destroy(this.#failure);
    else if (this.#ended) body.push(null);
    return body;
  }

  /** See EgressResponse. */
  collect(limit: number): Promise<Collected> {
    if (this.#failure) return Promise.reject(this.#failure);
    if (this.#length > limit) return Promise.resolve({ ...this.#take(), whole: false });
    if (this.#ended) return Promise.resolve({ ...this.#take(), whole: true });
    return new Promise((resolve, reject) => {
      this.#waiting = { limit, resolve, reject };
      this.resume();
    });
  }

  #take(): { parts: Buffer[]; length: number } {
    const taken = { parts: this.#parts, length: this.#length };
    this.#parts = [];
    this.#length = 0;
    return taken;
  }

  #answer(whole: boolean): void {
    const waiting = this.#waiting;
    this.#waiting = null;
    waiting?.resolve({ ...this.#take(), whole });
  }

  #fail(error: Error): void {
    this.#failure = error;
    const waiting = this.#waiting;
    this.#waiting = null;
    waiting?.reject(error);
  }

  /** Called when our side is ready for more. */
  resume(): void {
    this.#paused = false;
    this.#heard = true;
    this.#controller?.resume();
  }

  #pause(): void {
    this.#paused = true;
    this.#controller?.pause();
  }

  /** Destroys the socket unless the answer is complete. */
  abandon(cause: Error | null): void {
    if (this.#over) return;
    // Created here rather than by the caller: answers read to their end return above, and a stack trace is expensive.
    const reason = cause ?? new Error("the answer is not wanted any more");
    this.#unwanted = reason;
    // First, because undici reports the abort at once as a connection failure.
    this.#finish();
    if (this.#began) this.#fail(reason);
    else this.#reject(reason);
    this.#controller?.abort(reason);
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#unwanted) {
      controller.abort(this.#unwanted);
      return;
    }
    if (this.connection) this.connection.requests += 1;
    // Until then it waited for a connection, which has its own timeout.
    this.#watch.begin(this);
  }

  onResponseStarted(): void {
    this.#answering = true;
  }

  onResponseStart(
    _controller: Dispatcher.DispatchController,
    status: number,
    headers: Record<string, string | string[] | undefined>,
  ): void {
    this.#heard = true;
    if (status < 200 || this.#over) return;
    this.#began = true;
    this.#resolve({ status, headers: flatten(headers) });
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#heard = true;
    if (this.#body) {
      if (!this.#body.push(chunk)) this.#pause();
      return;
    }
    this.#parts.push(chunk);
    this.#length += chunk.length;
    if (this.#length <= (this.#waiting?.limit ?? heldBytes)) return;
    this.#pause();
    if (this.#waiting) this.#answer(false);
  }

  onResponseEnd(): void {
    this.#finish();
    this.#ended = true;
    if (this.#body) this.#body.push(null);
    else if (this.#waiting) this.#answer(true);
  }

  onResponseError(_controller: Dispatcher.DispatchController | null, error: Error): void {
    if (this.#over) return;
    this.#finish();
    if (this.#body) this.#body.destroy(afterHead(error));
    else if (this.#began) this.#fail(afterHead(error));
    else this.#reject(beforeHead(error, this.#onReusedSocket && !this.#answering));
  }

  /** Also right before the request is counted: a kept-alive socket may end between dispatch and the first byte. */
  get #onReusedSocket(): boolean {
    const before = this.#controller ? 1 : 0;
    return this.connection !== null && this.connection.requests > before;
  }

  #finish(): void {
    if (this.#over) return;
    this.#over = true;
    this.#pool.active -= 1;
    this.#watch.end(this);
    this.#asked.signal?.removeEventListener("abort", this.#onAbort);
  }
}
