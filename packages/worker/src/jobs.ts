import type { Clock } from "@sluice/core/clock";
import { systemClock } from "@sluice/core/clock";
import type { Settings } from "@sluice/core/inputs/settings";
import type { Log } from "@sluice/core/log";
import { ensurePartitions } from "@sluice/db/partitions";
import { type AdoptOptions, adoptDeadSpools } from "@sluice/ledger/ledger";
import { applyRetention } from "@sluice/ledger/retention";
import type { Sessions } from "@sluice/live/contract";
import type pg from "pg";
import { sampleSessionsJob } from "./sample-sessions.ts";
import type { Job, Scheduler } from "./scheduler.ts";
import { startScheduler } from "./scheduler.ts";

/**
 * @sluice/worker: what has to happen without anybody asking — partitions made ahead, expired logins removed, the spools
 * of dead instances adopted, and the jobs that other rooms hand in. It promises that one failing job hurts no other and that stopping
 * leaves nothing behind. It is apart so that a deployment may run it once, beside any number of gateways.
 */
export interface WorkerContext {
  pool: pg.Pool;
  log: Log;
  clock?: Clock;
  /** Where spools lie, if dead instances' spools are to be adopted: everything but `ownInstanceId` and its lock is looked at. */
  spool?: AdoptOptions;
  /** Whose active ones are to be sampled. */
  sessions?: Pick<Sessions, "countByUser">;
  /** What the retention goes by, if this worker drops what is too old. */
  retention?: { settings: () => Settings; archiveDir: string };
  /** Jobs of other rooms; the server composes them. */
  jobs?: readonly Job[];
}

/** The running jobs. */
export type Worker = Scheduler;

const hourMs = 3_600_000;

/** How soon the requests of an instance that died are settled by another, at the latest. */
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

function ensurePartitionsJob(ctx: WorkerContext, clock: Clock): Job {
  return {
    name: "ensure-partitions",
    everyMs: hourMs,
    atStart: true,
    async run() {
      const made = await ensurePartitions(ctx.pool, { nowMs: clock.now() });
      if (made.length > 0) ctx.log.info({ made }, "Made partitions ahead");
    },
  };
}

function applyRetentionJob(ctx: WorkerContext, retention: NonNullable<WorkerContext["retention"]>, clock: Clock): Job {
  return {
    name: "apply-retention",
    everyMs: hourMs,
    atStart: true,
    async run(signal) {
      const { settings, archiveDir } = retention;
      await applyRetention({ pool: ctx.pool, log: ctx.log, settings: settings(), archiveDir, nowMs: clock.now(), signal });
    },
  };
}

function deleteExpiredLoginsJob(ctx: WorkerContext, clock: Clock): Job {
  return {
    name: "delete-expired-logins",
    everyMs: hourMs,
    atStart: true,
    async run() {
      const { rowCount } = await ctx.pool.query("DELETE FROM logins WHERE expires_at < $1", [new Date(clock.now())]);
      if (rowCount !== null && rowCount > 0) ctx.log.info({ deleted: rowCount }, "Removed expired logins");
    },
  };
}

/** Deleting a provider can be undone for a day; then its secret is of use to nobody but a thief. */
function destroyDeletedSecretsJob(ctx: WorkerContext, clock: Clock): Job {
  return {
    name: "destroy-deleted-secrets",
    everyMs: hourMs,
    atStart: true,
    async run() {
      const { rowCount } = await ctx.pool.query(
        `UPDATE providers SET secret = '', credentials = '[]', proxy = ''
         WHERE (secret <> '' OR credentials <> '[]' OR proxy <> '') AND deleted_at < $1`,
        [new Date(clock.now() - 24 * hourMs)],
      );
      if (rowCount !== null && rowCount > 0) ctx.log.info({ destroyed: rowCount }, "Destroyed secrets of deleted providers");
    },
  };
}

function adoptSpoolsJob(spool: AdoptOptions): Job {
  return {
    name: "adopt-spools",
    everyMs: adoptEveryMs,
    atStart: true,
    async run() {
      // A stop waits for a run: what a spool cannot settle by then stays on disk for the next time.
      await adoptDeadSpools({ graceMs: 5_000, ...spool });
    },
  };
}
