import { firstIdAt } from "@sluice/core/ids";
import { DAY_MS } from "@sluice/core/time-zone";
import { epochMs } from "@sluice/db/epoch-ms";
import type { Ctx } from "../context.ts";

const AT_ONCE = 1_000;

/**
 * Deletes incidents that ended before the retention (`retention.incidentDays`), with their messages, in bounded batches; open ones stay.
 * The earlier of the local and the Postgres clock counts, so that a clock that runs ahead deletes nothing too early. Returns the number
 * deleted.
 */
export async function pruneIncidents({ pool, clock, snapshot, tenantId, log }: Ctx, signal: AbortSignal): Promise<number> {
  const days = snapshot.current().settings["retention.incidentDays"];
  if (days === 0) return 0;
  const { rows } = await pool.query<{ now: number }>(`SELECT ${epochMs("now()")} AS now`);
  const beforeMs = Math.min(clock.now(), rows[0]?.now ?? 0) - days * DAY_MS;
  let pruned = 0;
  for (let last = AT_ONCE; last === AT_ONCE && !signal.aborted; pruned += last) {
    // An incident that ended before a time also began before it, and its id holds the time it began: this uses the id index.
    const { rowCount } = await pool.query(
      `DELETE FROM alert_incidents WHERE id = ANY(ARRAY(
         SELECT id FROM alert_incidents WHERE tenant_id = $1 AND id < $2::uuid AND resolved_at < $3 ORDER BY id LIMIT ${AT_ONCE}))`,
      [tenantId, firstIdAt(beforeMs), new Date(beforeMs)],
    );
    last = rowCount ?? 0;
  }
  if (pruned > 0) log.info({ pruned }, "Removed past incidents");
  return pruned;
}
