import { setTimeout as sleep } from "node:timers/promises";

export interface UntilOptions {
  /** At least five times the promised duration, because a test is not a benchmark. Default 10,000. */
  deadlineMs?: number;
  /** What is awaited, for the error message: "the row is settled". */
  what: string;
  /** Pause between attempts; default 10. */
  everyMs?: number;
}

/**
 * Polls until `look` returns something other than false, null or undefined, and resolves with that. An error thrown by `look` counts as
 * "not yet" and is shown when the deadline passes.
 */
export async function until<T>(look: () => T | Promise<T>, options: UntilOptions): Promise<NonNullable<Exclude<T, false>>> {
  const deadlineMs = options.deadlineMs ?? 10_000;
  const end = performance.now() + deadlineMs;
  let last: unknown;
  for (;;) {
    try {
      const seen = await look();
      if (seen !== false && seen !== null && seen !== undefined) return seen as NonNullable<Exclude<T, false>>;
      last = undefined;
    } catch (error) {
      last = error;
    }
    if (performance.now() > end) {
      throw new Error(`Not within ${deadlineMs} ms: ${options.what}.`, { cause: last });
    }
    await sleep(options.everyMs ?? 10);
  }
}
