import { ChurningMap } from "@sluice/core/churning-map";
import type { Clock } from "@sluice/core/clock";

/** Something that happens once unless it is cancelled first. */
export interface Deadline {
  readonly atMs: number;
  readonly fire: () => void;
}

const tickMs = 50;

/**
 * Keeps the deadlines of all requests on one coarse timer (50 ms): thousands of open streams cost one timer. It stops at the first tick
 * without deadlines, not before, since most are cancelled within a millisecond and the next follows as soon.
 */
export class Deadlines {
  readonly #clock: Clock;
  readonly #waiting = new ChurningMap<Deadline, Deadline>();
  #timer: NodeJS.Timeout | null = null;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Calls `fire` in `ms` from now, at most one tick late. */
  add(ms: number, fire: () => void): Deadline {
    const deadline = { atMs: this.#clock.monotonic() + ms, fire };
    this.#waiting.set(deadline, deadline);
    this.#timer ??= setInterval(this.#tick, tickMs);
    return deadline;
  }

  /** Idempotent; null is ignored. */
  cancel(deadline: Deadline | null): void {
    if (deadline) this.#waiting.delete(deadline);
  }

  /** Cancels all deadlines. */
  close(): void {
    this.#waiting.clear();
    this.#stop();
  }

  readonly #tick = (): void => {
    const now = this.#clock.monotonic();
    const due: Deadline[] = [];
    for (const deadline of this.#waiting.keys()) if (deadline.atMs <= now) due.push(deadline);
    // A deadline that fires may cancel another one.
    for (const deadline of due) if (this.#waiting.delete(deadline)) deadline.fire();
    if (this.#waiting.size === 0) this.#stop();
  };

  #stop(): void {
    if (this.#timer) clearInterval(this.#timer);
    this.#timer = null;
  }
}
