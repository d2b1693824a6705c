/** What waits for a provider. */
export interface Watched {
  /** Its position in the watch; -1 = it is not watched. */
  watchedAt: number;
  /** Called at each tick while it is watched, with the time since the last one. */
  onTick(sinceMs: number): void;
}

const TICK_MS = 50;
/** While this process did nothing, nothing could be heard either. */
const MOST_MS = 4 * TICK_MS;

/**
 * One coarse timer for the timeouts of all exchanges. undici's own are two timers for each request, which it drops only at its next tick:
 * at thousands of requests a second there are thousands, and every young-generation collection copies them.
 */
export class SilenceWatch {
  readonly #watched: Watched[] = [];
  #tickedMs = 0;
  #timer: NodeJS.Timeout | null = null;

  begin(one: Watched): void {
    if (one.watchedAt >= 0) return;
    one.watchedAt = this.#watched.push(one) - 1;
    if (this.#timer) return;
    this.#tickedMs = performance.now();
    this.#timer = setInterval(this.#tick, TICK_MS).unref();
  }

  end(one: Watched): void {
    if (one.watchedAt < 0) return;
    // The last one takes its place: removing costs the same however many there are.
    const last = this.#watched.pop();
    if (last && last !== one) {
      this.#watched[one.watchedAt] = last;
      last.watchedAt = one.watchedAt;
    }
    one.watchedAt = -1;
  }

  readonly #tick = (): void => {
    const now = performance.now();
    const sinceMs = Math.min(now - this.#tickedMs, MOST_MS);
    this.#tickedMs = now;
    // From the end, because those that end are replaced by the last one, which had its tick.
    for (let at = this.#watched.length - 1; at >= 0; at--) this.#watched[at]?.onTick(sinceMs);
    if (this.#watched.length === 0) this.close();
  };

  close(): void {
    if (this.#timer) clearInterval(this.#timer);
    this.#timer = null;
  }
}
