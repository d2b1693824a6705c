import type { Clock } from "@sluice/core/clock";
import { FIVE_MINUTES_MS } from "@sluice/core/overview";
import type { Sessions } from "@sluice/live/contract";
import type pg from "pg";
import type { Job } from "./scheduler.ts";

export interface SampleSessionsOptions {
  pool: pg.Pool;
  clock: Clock;
  sessions: Pick<Sessions, "countByUser">;
}

/** Frequent enough that a sample is taken at the beginning of its five minutes. */
const EVERY_MS = 20_000;
const KEPT_MS = 8 * 86_400_000;

/**
 * Of several workers the first writes the whole sample, the others nothing: $1 tenant, $2 bucket, $3 sessions of all users, $4 users, $5
 * their sessions. Samples before $6 are deleted.
 */
const SAMPLE = `WITH old AS (DELETE FROM session_samples WHERE tenant_id = $1 AND bucket < $6),
  mine AS (INSERT INTO session_samples (tenant_id, user_id, bucket, active) VALUES ($1, '', $2, $3) ON CONFLICT DO NOTHING RETURNING bucket)
INSERT INTO session_samples (tenant_id, user_id, bucket, active)
  SELECT $1, user_id, bucket, active FROM mine, unnest($4::text[], $5::int[]) AS of (user_id, active) ON CONFLICT DO NOTHING`;

/** Records the number of active sessions every five minutes, which the overview compares with a day later. */
export function sampleSessionsJob({ pool, clock, sessions }: SampleSessionsOptions): Job {
  let doneMs = 0;
  return {
    name: "sample-sessions",
    everyMs: EVERY_MS,
    atStart: true,
    async run() {
      const nowMs = clock.now();
      const bucketMs = Math.floor(nowMs / FIVE_MINUTES_MS) * FIVE_MINUTES_MS;
      if (bucketMs === doneMs) return;
      const counts = await sessions.countByUser();
      // While Redis is away the number is unknown: a gap is truer than a zero.
      if (!counts) return;
      const all = [...counts.values()].reduce((sum, count) => sum + count, 0);
      const old = new Date(nowMs - KEPT_MS);
      await pool.query(SAMPLE, ["default", new Date(bucketMs), all, [...counts.keys()], [...counts.values()], old]);
      doneMs = bucketMs;
    },
  };
}
