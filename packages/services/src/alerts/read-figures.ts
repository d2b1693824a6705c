import type { AlertSubject } from "@sluice/core/alerts/alert-kinds";
import type { AlertReading } from "@sluice/core/alerts/judge-reading";
import { readInfo } from "@sluice/db/redis";
import type { Ctx } from "../context.ts";
import { findUnpriced } from "../prices/price-unpriced.ts";
import type { AlertRuleView } from "./alert-view.ts";
import { readBudgets } from "./read-budgets.ts";
import { readTraffic } from "./read-traffic.ts";

/** What is known of one subject of a rule. */
export interface SubjectReading {
  subject: AlertSubject;
  reading: AlertReading;
}

/** An instance that tells of itself less often than this is gone, and its spool is another's. */
const SILENT_MS = 15_000;

const installation: AlertSubject = { kind: "all", id: "" };

/**
 * What a rule looks at, now: from memory where it is there, else one bounded statement over rollups. A rule about several subjects
 * gives those that are bad, and of `open` whatever is known: what is not among the answers is well.
 * @throws when Postgres or Redis cannot be asked: then nothing is concluded.
 */
export async function readFigures(ctx: Ctx, rule: AlertRuleView, open: readonly AlertSubject[]): Promise<SubjectReading[]> {
  switch (rule.kind) {
    case "budget":
      return readBudgets(ctx, rule, open);
    case "breaker_open":
      return openBreakers(ctx, rule);
    case "unpriced_model":
      return unpricedModels(ctx, rule);
    case "redis_memory":
      return [{ subject: installation, reading: { value: await redisMemoryPercent(ctx, rule), requests: 0 } }];
    case "spool_depth":
      return [{ subject: installation, reading: { value: await deepestSpool(ctx), requests: 0 } }];
    default:
      return [{ subject: { kind: rule.scope, id: rule.scopeId }, reading: await readTraffic(ctx, rule) }];
  }
}

/** One for each provider, however many of its models are kept out. */
function openBreakers(ctx: Ctx, { scope, scopeId }: AlertRuleView): SubjectReading[] {
  const known = new Set(ctx.snapshot.current().providers.map(({ id }) => id));
  const open = ctx.breakers.list().filter(({ state }) => state !== "closed");
  return [...new Set(open.map(({ providerId }) => providerId))]
    .filter((id) => known.has(id) && (scope === "all" || id === scopeId))
    .map((id) => ({ subject: { kind: "provider", id }, reading: { value: 1, requests: 0 } }));
}

async function unpricedModels(ctx: Ctx, { scope, scopeId }: AlertRuleView): Promise<SubjectReading[]> {
  const models = new Set((await findUnpriced(ctx)).map(({ model }) => model));
  return [...models]
    .filter((model) => scope === "all" || model === scopeId)
    .map((model) => ({ subject: { kind: "model", id: model }, reading: { value: 1, requests: 0 } }));
}

/** null: there is no Redis, or nothing to compare with. */
async function redisMemoryPercent({ redis }: Ctx, { capacityBytes }: AlertRuleView): Promise<number | null> {
  if (!redis) return null;
  const facts = readInfo(await redis.info("memory"));
  const most = Number(facts.get("maxmemory") ?? 0) || capacityBytes;
  return most === 0 ? null : (100 * Number(facts.get("used_memory") ?? 0)) / most;
}

/** null: no instance with a spool is known. */
async function deepestSpool({ live, clock }: Ctx): Promise<number | null> {
  const instances = await live.instances.list();
  const depths = instances.flatMap(({ spool, stopped, seenAtMs }) =>
    spool && !stopped && clock.now() - seenAtMs < SILENT_MS ? [spool.depth] : [],
  );
  return depths.length === 0 ? null : Math.max(...depths);
}
