import { setTimeout as sleep } from "node:timers/promises";
import type { Clock } from "@sluice/core/clock";
import { SluiceError } from "@sluice/core/errors";
import type { Log } from "@sluice/core/log";

/** Every query to Postgres goes through here: at most one per second, and one per backoff while it is down. */
export interface VersionCheck {
  /**
   * Asks for the current version; callers share a check that has not begun yet.
   * @throws SluiceError `unavailable` when Postgres is unavailable, immediately during the backoff.
   */
  ask(): Promise<void>;
  /** Runs work that needs Postgres, and counts its failures. @throws SluiceError `unavailable`. */
  attempt<T>(work: () => Promise<T>): Promise<T>;
  /** Starts the periodic checks. */
  start(): void;
  close(): void;
}

interface VersionCheckOptions {
  clock: Clock;
  timing: { pollMs: number; minCheckMs: number; backOffMs: number; maxBackOffMs: number };
  log: Log;
  /** Reads the version and reloads when it differs. */
  look: () => Promise<void>;
}

export function createVersionCheck({ clock, timing, log, look }: VersionCheckOptions): VersionCheck {
  const closing = new AbortController();
  let begunAtMs = Number.NEGATIVE_INFINITY;
  let waiting: Promise<void> | null = null;
  let failures = 0;
  let retryAtMs = Number.NEGATIVE_INFINITY;
  let timer: NodeJS.Timeout | null = null;

  const backOffMs = (): number => Math.min(timing.maxBackOffMs, timing.backOffMs * 2 ** Math.min(failures - 1, 20));

  async function attempt<T>(work: () => Promise<T>): Promise<T> {
    try {
      const result = await work();
      if (failures > 0) log.info({}, "Postgres answers again: the configuration is up to date");
      failures = 0;
      retryAtMs = Number.NEGATIVE_INFINITY;
      return result;
    } catch (error) {
      // A failed load within a check is a single failure, which has been counted already.
      if (error instanceof SluiceError) throw error;
      if (failures === 0) log.warn({ error: String(error) }, "Postgres does not answer: the configuration in memory stays in force");
      failures++;
      retryAtMs = clock.monotonic() + backOffMs();
      throw new SluiceError("unavailable", { detail: `configuration: ${String(error)}`, retryAfterS: retryAfterS(), cause: error });
    }
  }

  const retryAfterS = (): number => Math.max(1, Math.ceil((retryAtMs - clock.monotonic()) / 1000));

  function ask(): Promise<void> {
    if (clock.monotonic() < retryAtMs) {
      return Promise.reject(
        new SluiceError("unavailable", { detail: "configuration: Postgres does not answer", retryAfterS: retryAfterS() }),
      );
    }
    waiting ??= begin();
    return waiting;
  }

  async function begin(): Promise<void> {
    const waitMs = begunAtMs + timing.minCheckMs - clock.monotonic();
    if (waitMs > 0) await sleep(waitMs, undefined, { signal: closing.signal, ref: false }).catch(() => undefined);
    else await Promise.resolve();
    // The query is about to start: later callers need a later answer.
    waiting = null;
    if (closing.signal.aborted) throw new SluiceError("unavailable", { detail: "the snapshot is closed" });
    begunAtMs = clock.monotonic();
    await attempt(look);
  }

  const schedule = (): void => {
    if (closing.signal.aborted) return;
    timer = setTimeout(
      () => {
        ask().then(schedule, schedule);
      },
      failures > 0 ? Math.max(1, retryAtMs - clock.monotonic()) : timing.pollMs,
    );
    timer.unref();
  };

  return {
    ask,
    attempt,
    start: schedule,
    close() {
      closing.abort();
      if (timer) clearTimeout(timer);
    },
  };
}
