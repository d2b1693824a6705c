/** What waits for a provider. */
export interface Watched {
  /** Its position in the watch; -1 = it is not watched. */
  watchedAt: number;
  /** Called at each tick while it is watched. */
  onTick(): void;
}

/** A timeout ends up to two of these late. */
export const TICK_MS = 50;

/**
 * One coarse timer for the timeouts of all exchanges. undici's own are two timers for each request, which it drops only at its next tick:
 * at thousands of requests a second there are thousands, and every young-generation collection copies them.
 */
export class SilenceWatch {
  readonly #watched: Watched[] = [];
  #timer: NodeJS.Timeout | null = null;

  begin(one: Watched): void {
    if (one.watchedAt >= 0) return;
    one.watchedAt = this.#watched.push(one) - 1;
    this.#timer ??= setInterval(this.#tick, TICK_MS).unref();
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
    // From the end, because those that end are replaced by the last one, which had its tick.
    for (let at = this.#watched.length - 1; at >= 0; at--) this.#watched[at]?.onTick();
    if (this.#watched.length === 0) this.close();
  };

  close(): void {
    if (this.#timer) clearInterval(this.#timer);
    this.#timer = null;
  }
}
