import { type Answer, type FilterOptions, MOST_OPTIONS } from "@sluice/core/statistics";
import { requireAccess, rowScope } from "../access.ts";
import type { Ctx } from "../context.ts";
import { listLogModels } from "../logs/list-log-models.ts";
import { answered } from "./answered.ts";

/** Limits to keys of the user $2, or to the single key $3; '' = no limit. */
const own = "($2 = '' OR user_id::text = $2) AND ($3 = '' OR id::text = $3)";
const namesSql = `
  SELECT ARRAY(SELECT DISTINCT "group" FROM keys WHERE tenant_id = $1 AND ${own} ORDER BY 1 LIMIT ${MOST_OPTIONS}) AS groups,
    ARRAY(SELECT DISTINCT unnest(tags) FROM keys WHERE tenant_id = $1 AND ${own} ORDER BY 1 LIMIT ${MOST_OPTIONS}) AS tags,
    (SELECT coalesce(json_agg(k), '[]') FROM (SELECT id, name, user_id AS "userId" FROM keys WHERE tenant_id = $1 AND ${own}
      ORDER BY id DESC LIMIT ${MOST_OPTIONS}) AS k) AS keys,
    (SELECT coalesce(json_agg(p), '[]') FROM (SELECT id, name FROM providers WHERE tenant_id = $1 AND deleted_at IS NULL AND $2 = ''
      ORDER BY lower(name) LIMIT ${MOST_OPTIONS}) AS p) AS providers,
    (SELECT coalesce(json_agg(u), '[]') FROM (SELECT id, name FROM users WHERE tenant_id = $1 AND $2 = ''
      ORDER BY id DESC LIMIT ${MOST_OPTIONS}) AS u) AS users`;

/** The values that filters can offer; a few lists, each bounded. */
export async function listFilterOptions(ctx: Ctx): Promise<Answer<FilterOptions>> {
  requireAccess(ctx.actor, "key");
  const { userId, keyId } = rowScope(ctx);
  return answered(ctx, "keys:filterOptions", {}, async () => {
    const [models, { rows }] = await Promise.all([
      listLogModels(ctx),
      ctx.pool.query<Omit<FilterOptions, "models" | "dialects">>(namesSql, [ctx.tenantId, userId ?? "", keyId ?? ""]),
    ]);
    const [names = { groups: [], tags: [], keys: [], providers: [], users: [] }] = rows;
    return { models, dialects: ["anthropic", "openai", "gemini"], ...names };
  });
}
