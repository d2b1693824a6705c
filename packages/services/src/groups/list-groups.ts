import { cached } from "@sluice/cache/cached";
import { cacheScope, requireAccess } from "../access.ts";
import type { Ctx } from "../context.ts";
import { type LimitsView, moreLimitsSql } from "../limits/limits-view.ts";
import type { GroupView } from "./group-view.ts";

/** Upper bound; real installations have few groups. */
const MOST = 1_000;

interface GroupRow extends Omit<GroupView, keyof LimitsView> {
  rpm: number | null;
  inFlight: number | null;
  moreLimits: LimitsView;
}

const groupsSql = `
  WITH named AS (SELECT name, sum(keys)::int AS keys, sum(providers)::int AS providers FROM (
    SELECT "group" AS name, count(*)::int AS keys, 0 AS providers FROM keys WHERE tenant_id = $1 AND revoked_at IS NULL GROUP BY 1
    UNION ALL SELECT each, 0, count(*)::int FROM providers p CROSS JOIN LATERAL unnest(p.groups) AS each
      WHERE p.tenant_id = $1 AND p.deleted_at IS NULL GROUP BY 1
    UNION ALL SELECT name, 0, 0 FROM groups WHERE tenant_id = $1) AS counted GROUP BY name)
  SELECT n.name, n.keys, n.providers,
    coalesce(trim_scale(g.cost_multiplier)::text, '1') AS "costMultiplier", g.rpm, g.in_flight AS "inFlight", ${moreLimitsSql("g")}
  FROM named n LEFT JOIN groups g ON g.tenant_id = $1 AND g.name = n.name
  ORDER BY n.name LIMIT ${MOST}`;

/** Every group with its settings, ordered by name. */
export async function listGroups(ctx: Ctx): Promise<GroupView[]> {
  requireAccess(ctx.actor, "admin");
  const { value } = await cached(ctx, "config:groups", { scope: cacheScope(ctx), input: null }, async () => {
    const { rows } = await ctx.pool.query<GroupRow>(groupsSql, [ctx.tenantId]);
    return rows.map(({ rpm, inFlight, moreLimits, ...group }) => ({
      ...group,
      ...(rpm !== null && { rpm }),
      ...(inFlight !== null && { inFlight }),
      ...moreLimits,
    }));
  });
  return value;
}
