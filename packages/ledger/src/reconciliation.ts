import type { BooksDifference } from "@sluice/core/events";
import { DAY_MS } from "@sluice/core/time-zone";
import pg from "pg";
import type { BookCheck } from "./book-check.ts";
import { checksOf, timelessChecks } from "./reconcile.ts";

/**
 * Checks all books while they are in use: small statements one after another, on one connection of one instance. A
 * statement that takes too long is abandoned and reported, so no check can burden an installation indefinitely.
 * Nothing is repaired: a difference is a defect, and investigating it needs both figures.
 */
export interface ReconciliationProgress {
  steps: number;
  stepsDone: number;
  unchecked: string[];
  /** The first hundred. */
  differences: BooksDifference[];
}

export interface RunningReconciliation {
  steps: number;
  /**
   * Runs every step and awaits `onStep` after each. Rejects with AbortError when the signal aborts, otherwise with what
   * Postgres throws; in both cases the lock is free afterwards. Call it once.
   */
  run(onStep: (progress: ReconciliationProgress) => Promise<void>, signal: AbortSignal): Promise<ReconciliationProgress>;
  /** Frees the lock once the result is stored, so a free lock means that the last run was recorded or died. Then the next may begin. */
  end(): Promise<void>;
  /** Frees the lock without running. Idempotent, also after `end`. */
  release(): void;
}

/** One run at a time across all instances. A session lock, so that it ends with a process that dies. */
const LOCK = 7_207_150_006;
const MOST_DAYS = 1_000;
const MOST_LISTED = 100;
/** query_canceled: the statement timeout. */
const GIVEN_UP = "57014";

interface Step extends BookCheck {
  name: string;
}

/** Takes the lock and plans the steps. Null: another run is active. */
export async function beginReconciliation(
  pool: pg.Pool,
  options: { nowMs: number; statementTimeoutMs?: number },
): Promise<RunningReconciliation | null> {
  const client = await pool.connect();
  try {
    const { rows } = await client.query<{ locked: boolean }>("SELECT pg_try_advisory_lock($1) AS locked", [LOCK]);
    if (!rows[0]?.locked) {
      client.release();
      return null;
    }
    const steps = await planSteps(client, options.nowMs);
    return new Run(client, steps, options.statementTimeoutMs ?? 30_000);
  } catch (error) {
    client.release(true);
    throw error;
  }
}

/** Whether a run is active on any instance. */
export async function isReconciling(pool: pg.Pool): Promise<boolean> {
  const { rowCount } = await pool.query(
    `SELECT FROM pg_locks WHERE locktype = 'advisory' AND granted AND objsubid = 1 AND classid::bigint = $1::bigint >> 32
       AND objid::bigint = $1::bigint & 4294967295 AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`,
    [LOCK],
  );
  return (rowCount ?? 0) > 0;
}

/** Each UTC day from the first row or sum on, newest first, after the checks that span all time. */
async function planSteps(client: pg.PoolClient, nowMs: number): Promise<Step[]> {
  const { rows } = await client.query<{ from: number | null }>(`
    SELECT least((SELECT extract(epoch FROM started_at) FROM requests ORDER BY id LIMIT 1), (SELECT extract(epoch FROM min(bucket)) FROM rollups_day
      WHERE bucket >= to_timestamp(coalesce((SELECT value::bigint FROM installation WHERE name = 'requests.kept_from'), 0) / 1000.0)))::float8 AS from`);
  const today = Math.floor(nowMs / DAY_MS) * DAY_MS;
  const firstDay = Math.floor(((rows[0]?.from ?? nowMs / 1_000) * 1_000) / DAY_MS) * DAY_MS;
  const steps: Step[] = timelessChecks.map((check) => ({ ...check, name: check.table }));
  // An instance whose clock is ahead may have written rows of tomorrow.
  for (let day = today + DAY_MS, left = MOST_DAYS; day >= firstDay && left > 0; day -= DAY_MS, left--) {
    const date = new Date(day).toISOString().slice(0, 10);
    steps.push(...checksOf({ fromMs: day, toMs: day + DAY_MS }).map((check) => ({ ...check, name: `${check.table} ${date}` })));
  }
  return steps;
}

class Run implements RunningReconciliation {
  readonly #client: pg.PoolClient;
  readonly #steps: readonly Step[];
  readonly #timeoutMs: number;
  #released = false;

  constructor(client: pg.PoolClient, steps: readonly Step[], timeoutMs: number) {
    this.#client = client;
    this.#steps = steps;
    this.#timeoutMs = timeoutMs;
  }

  get steps(): number {
    return this.#steps.length;
  }

  /** Closes the connection: the lock belongs to its session. */
  release(): void {
    if (this.#released) return;
    this.#released = true;
    this.#client.release(true);
  }

  async end(): Promise<void> {
    if (this.#released) return;
    await this.#client.query("SELECT pg_advisory_unlock($1)", [LOCK]);
    this.#released = true;
    this.#client.release();
  }

  async run(onStep: (progress: ReconciliationProgress) => Promise<void>, signal: AbortSignal): Promise<ReconciliationProgress> {
    const progress: ReconciliationProgress = { steps: this.steps, stepsDone: 0, unchecked: [], differences: [] };
    // Releasing closes the connection, which ends a running statement: a stop waits for none.
    const stop = (): void => this.release();
    signal.addEventListener("abort", stop, { once: true });
    try {
      for (const step of this.#steps) {
        signal.throwIfAborted();
        const found = await this.#find(step);
        if (found) progress.differences.push(...found.slice(0, MOST_LISTED - progress.differences.length));
        else progress.unchecked.push(step.name);
        progress.stepsDone++;
        await onStep(progress);
      }
      return progress;
    } catch (error) {
      this.release();
      signal.throwIfAborted();
      throw error;
    } finally {
      signal.removeEventListener("abort", stop);
    }
  }

  /** Null: the statement took too long. */
  async #find(step: Step): Promise<BooksDifference[] | null> {
    await this.#client.query(`BEGIN READ ONLY; SET LOCAL statement_timeout = ${this.#timeoutMs}`);
    try {
      const found = await step.find(this.#client);
      await this.#client.query("COMMIT");
      return found;
    } catch (error) {
      if (!(error instanceof pg.DatabaseError) || error.code !== GIVEN_UP) throw error;
      await this.#client.query("ROLLBACK");
      return null;
    }
  }
}
