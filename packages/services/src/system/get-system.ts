import { readInfo } from "@sluice/db/redis";
import { requireAccess } from "../access.ts";
import type { Ctx } from "../context.ts";
import type { PostgresFacts, RedisFacts, SystemView } from "./system-view.ts";

/** Read when the page opens and on request, never by a timer. A part that does not answer is null, not an error. */
export async function getSystem(ctx: Ctx): Promise<SystemView> {
  requireAccess(ctx.actor, "admin");
  const busId = await ctx.live.bus.position();
  const failed = (thrown: unknown): null => {
    ctx.log.warn({ requestId: ctx.requestId, error: String(thrown) }, "a part of the system could not be asked");
    return null;
  };
  const [instances, postgres, redis] = await Promise.all([
    ctx.live.instances.list(),
    askPostgres(ctx).catch(failed),
    ctx.redis ? askRedis(ctx).catch(failed) : ("not_used" as const),
  ]);
  const breakers = ctx.breakers.list().filter(({ state }) => state !== "closed");
  const { quarantined = null, ...facts } = postgres ?? {};
  return {
    instances: instances.sort((a, b) => (a.id < b.id ? -1 : 1)),
    breakers,
    postgres: postgres && (facts as PostgresFacts),
    redis,
    quarantined,
    busId,
    serverNowMs: ctx.clock.now(),
  };
}

const postgresSql = `
  SELECT current_setting('server_version') AS version, pg_database_size(current_database())::float8 AS "sizeBytes",
    (SELECT count(*)::int FROM pg_stat_activity WHERE datname = current_database()) AS connections,
    current_setting('max_connections')::int AS "maxConnections",
    (SELECT count(*)::int FROM _prisma_migrations WHERE finished_at IS NOT NULL AND rolled_back_at IS NULL) AS migrations,
    (SELECT coalesce(max(migration_name), '') FROM _prisma_migrations WHERE finished_at IS NOT NULL) AS "newestMigration",
    (SELECT count(*)::int FROM ledger_quarantine WHERE released_at IS NULL AND dismissed_at IS NULL) AS quarantined`;

async function askPostgres({ pool }: Ctx): Promise<PostgresFacts & { quarantined: number }> {
  const { rows } = await pool.query<PostgresFacts & { quarantined: number }>(postgresSql);
  if (!rows[0]) throw new Error("PostgreSQL gave no row");
  return rows[0];
}

async function askRedis({ redis, clock }: Ctx): Promise<RedisFacts | null> {
  if (!redis) return null;
  const facts = readInfo(await redis.info());
  return {
    version: facts.get("valkey_version") ?? facts.get("redis_version") ?? "",
    memoryBytes: Number(facts.get("used_memory") ?? 0),
    clients: Number(facts.get("connected_clients") ?? 0),
    startedAtMs: clock.now() - Number(facts.get("uptime_in_seconds") ?? 0) * 1_000,
  };
}
