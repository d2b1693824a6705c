import type { ServerResponse } from "node:http";

/** A viewer that takes nothing for this long is closed; the browser comes back and resumes by id. */
const STALL_MS = 10_000;
const LOOK_MS = 2_000;

/**
 * Closes event streams whose client has stopped reading. Their queue is bounded elsewhere; this frees the connection
 * and what the kernel and Node hold for it.
 */
export class StalledStreams {
  readonly #since = new Map<ServerResponse, number | null>();
  #timer: NodeJS.Timeout | undefined;
  readonly #stallMs: number;

  constructor(stallMs = STALL_MS) {
    this.#stallMs = stallMs;
  }

  /** Watches a response until it closes. */
  watch(response: ServerResponse): void {
    this.#since.set(response, null);
    response.once("close", () => {
      this.#since.delete(response);
      if (this.#since.size === 0) this.stop();
    });
    this.#timer ??= setInterval(() => this.#look(), Math.min(LOOK_MS, this.#stallMs)).unref();
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #look(): void {
    const now = performance.now();
    for (const [response, since] of this.#since) {
      if (!response.writableNeedDrain) this.#since.set(response, null);
      else if (since === null) this.#since.set(response, now);
      else if (now - since >= this.#stallMs) response.destroy();
    }
  }
}
