import type { Clock } from "@sluice/core/clock";
import { systemClock } from "@sluice/core/clock";
import type { Settings } from "@sluice/core/inputs/settings";
import type { Log } from "@sluice/core/log";
import { HOUR_MS } from "@sluice/core/time-zone";
import { ensurePartitions } from "@sluice/db/partitions";
import { type AdoptOptions, adoptDeadSpools } from "@sluice/ledger/ledger";
import { applyRetention } from "@sluice/ledger/retention";
import type { Sessions } from "@sluice/live/contract";
import type pg from "pg";
import { sampleSessionsJob } from "./sample-sessions.ts";
import type { Job, Scheduler } from "./scheduler.ts";
import { startScheduler } from "./scheduler.ts";

/**
 * @sluice/worker: what must happen without a request — partitions are created ahead, expired logins removed, the spools of dead instances
 * adopted, and the jobs of other packages run. It promises that a failing job affects no other and that stopping leaves nothing behind.
 * It is separate so that a deployment can run it once, beside any number of gateways.
 */
export interface WorkerContext {
  pool: pg.Pool;
  log: Log;
  clock?: Clock;
  /** Where spools are, if those of dead instances are to be adopted: all except `ownInstanceId` are checked, by their locks. */
  spool?: AdoptOptions;
  /** Source of the session samples. */
  sessions?: Pick<Sessions, "countByUser">;
  /** Settings and archive of the retention, if this worker drops old data. */
  retention?: { settings: () => Settings; archiveDir: string };
  /** Jobs of other packages, composed by the server. */
  jobs?: readonly Job[];
}

export type Worker = Scheduler;

/** Maximum delay before another instance settles the requests of one that died. */
const adoptEveryMs = 15_000;

/** Starts the jobs; `stop` ends them in order. */
export function startWorker(ctx: WorkerContext): Worker {
  const clock = ctx.clock ?? systemClock;
  const jobs = [ensurePartitionsJob(ctx, clock), deleteExpiredLoginsJob(ctx, clock), destroyDeletedSecretsJob(ctx, clock)];
  if (ctx.retention !== undefined) jobs.push(applyRetentionJob(ctx, ctx.retention, clock));
  if (ctx.spool !== undefined) jobs.push(adoptSpoolsJob(ctx.spool));
  if (ctx.sessions !== undefined) jobs.push(sampleSessionsJob({ pool: ctx.pool, clock, sessions: ctx.sessions }));
  return startScheduler({ log: ctx.log, clock }, [...jobs, ...(ctx.jobs ?? [])]);
}

/** An hourly job that also runs when the worker starts. */
function hourly(name: string, run: Job["run"]): Job {
  return { name, everyMs: HOUR_MS, atStart: true, run };
}

function ensurePartitionsJob(ctx: WorkerContext, clock: Clock): Job {
  return hourly("ensure-partitions", async () => {
    const made = await ensurePartitions(ctx.pool, { nowMs: clock.now() });
    if (made.length > 0) ctx.log.info({ made }, "Made partitions ahead");
  });
}

function applyRetentionJob(ctx: WorkerContext, retention: NonNullable<WorkerContext["retention"]>, clock: Clock): Job {
  return hourly("apply-retention", async (signal) => {
    const { settings, archiveDir } = retention;
    await applyRetention({ pool: ctx.pool, log: ctx.log, settings: settings(), archiveDir, nowMs: clock.now(), signal });
  });
}

function deleteExpiredLoginsJob(ctx: WorkerContext, clock: Clock): Job {
  return hourly("delete-expired-logins", async () => {
    const { rowCount } = await ctx.pool.query("DELETE FROM logins WHERE expires_at < $1", [new Date(clock.now())]);
    if (rowCount !== null && rowCount > 0) ctx.log.info({ deleted: rowCount }, "Removed expired logins");
  });
}

/** A deletion can be undone for a day; after that the secret would only be of use to a thief. */
function destroyDeletedSecretsJob(ctx: WorkerContext, clock: Clock): Job {
  return hourly("destroy-deleted-secrets", async () => {
    const { rowCount } = await ctx.pool.query(
      `UPDATE providers SET secret = '', credentials = '[]', proxy = ''
       WHERE (secret <> '' OR credentials <> '[]' OR proxy <> '') AND deleted_at < $1`,
      [new Date(clock.now() - 24 * HOUR_MS)],
    );
    if (rowCount !== null && rowCount > 0) ctx.log.info({ destroyed: rowCount }, "Destroyed secrets of deleted providers");
  });
}

function adoptSpoolsJob(spool: AdoptOptions): Job {
  return {
    name: "adopt-spools",
    everyMs: adoptEveryMs,
    atStart: true,
    async run() {
      // Stopping waits for a run: what a spool cannot settle within this time stays on disk for the next.
      await adoptDeadSpools({ graceMs: 5_000, ...spool });
    },
  };
}
