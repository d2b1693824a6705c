import type { Clock } from "@sluice/core/clock";
import type { Log } from "@sluice/core/log";

/** A recurring task, independent of any request. */
export interface Job {
  /** kebab-case; appears in logs and metrics. */
  name: string;
  /** From the end of one run to the start of the next, in ms. */
  everyMs: number;
  /** Whether it also runs when the worker starts; otherwise first after `everyMs`. */
  atStart: boolean;
  /** Errors are logged and counted. Long runs must watch the signal, which aborts when the worker stops. */
  run(signal: AbortSignal): Promise<unknown>;
}

export interface JobStats {
  runs: number;
  failures: number;
  isRunning: boolean;
  /** Wall time in ms since the epoch; null before the first run ended. */
  lastEndedAtMs: number | null;
}

export interface Scheduler {
  stats(): Record<string, JobStats>;
  /** Aborts running jobs, waits for them and leaves no timer behind. Idempotent. */
  stop(): Promise<void>;
}

export interface SchedulerContext {
  log: Log;
  clock: Clock;
}

/** After a failure, an infrequent job retries sooner than its interval. */
const retryAfterMs = 60_000;

/** Starts every job on its own timer; runs of one job never overlap. */
export function startScheduler(ctx: SchedulerContext, jobs: readonly Job[]): Scheduler {
  const abort = new AbortController();
  const timers = new Map<string, NodeJS.Timeout>();
  const running = new Set<Promise<void>>();
  const stats = new Map<string, JobStats>();

  const runJob = async (job: Job, facts: JobStats): Promise<void> => {
    facts.isRunning = true;
    let failed = false;
    try {
      await job.run(abort.signal);
    } catch (error) {
      failed = true;
      // A run interrupted by the stop has not failed.
      if (!abort.signal.aborted) {
        facts.failures += 1;
        ctx.log.error({ job: job.name, err: error }, `The job ${job.name} failed`);
      }
    }
    facts.runs += 1;
    facts.isRunning = false;
    facts.lastEndedAtMs = ctx.clock.now();
    schedule(job, facts, failed ? Math.min(job.everyMs, retryAfterMs) : job.everyMs);
  };

  const schedule = (job: Job, facts: JobStats, delayMs: number): void => {
    if (abort.signal.aborted) return;
    const timer = setTimeout(() => {
      const run = runJob(job, facts).finally(() => running.delete(run));
      running.add(run);
    }, delayMs);
    timers.set(job.name, timer);
  };

  for (const job of jobs) {
    if (stats.has(job.name)) throw new Error(`Two jobs are named ${job.name}.`);
    const facts: JobStats = { runs: 0, failures: 0, isRunning: false, lastEndedAtMs: null };
    stats.set(job.name, facts);
    schedule(job, facts, job.atStart ? 0 : job.everyMs);
  }

  return {
    stats: () => Object.fromEntries([...stats].map(([name, facts]) => [name, { ...facts }])),
    async stop() {
      abort.abort();
      for (const timer of timers.values()) clearTimeout(timer);
      await Promise.all(running);
    },
  };
}
