import type { AlertSubject } from "@sluice/core/alerts/alert-kinds";
import type { AlertReading } from "@sluice/core/alerts/judge-reading";
import type { InstanceState } from "@sluice/core/events";
import { type LatencyCounts, mergeCounts, quantileMs, readSketch } from "@sluice/core/latency-sketch";
import { readInfo } from "@sluice/db/redis";
import type { Ctx } from "../context.ts";
import { findUnpriced } from "../prices/price-unpriced.ts";
import type { AlertRuleView } from "./alert-view.ts";
import type { CacheWindow } from "./cache-window.ts";
import { readBudgets } from "./read-budgets.ts";
import { readTraffic } from "./read-traffic.ts";

/** The current reading of one subject of a rule. */
export interface SubjectReading {
  subject: AlertSubject;
  reading: AlertReading;
}

export interface FigureAsk {
  /** Subjects of the rule's open incidents. */
  open: readonly AlertSubject[];
  caches: CacheWindow;
}

/** An instance that has not reported for longer is gone, and another one takes over its spool. */
const SILENT_MS = 15_000;

const installation: AlertSubject = { kind: "all", id: "" };

/**
 * The current figures of a rule, from memory where possible, otherwise by one bounded statement over rollups. A rule about several
 * subjects returns the ones that are bad, and whatever is known of those in `open`; a subject without a reading is clear.
 * @throws when Postgres or Redis cannot be read; then nothing may be concluded.
 */
export async function readFigures(ctx: Ctx, rule: AlertRuleView, { open, caches }: FigureAsk): Promise<SubjectReading[]> {
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
    case "cache_hit_rate":
      return [{ subject: installation, reading: caches.read(await livingInstances(ctx), ctx.clock.now()) }];
    case "api_response_time":
      return [{ subject: installation, reading: await consoleTime(ctx) }];
    default:
      return [{ subject: { kind: rule.scope, id: rule.scopeId }, reading: await readTraffic(ctx, rule) }];
  }
}

/** One reading per provider, however many of its models have an open breaker. */
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

/** null without Redis, or when no capacity is known. */
async function redisMemoryPercent({ redis }: Ctx, { capacityBytes }: AlertRuleView): Promise<number | null> {
  if (!redis) return null;
  const facts = readInfo(await redis.info("memory"));
  const most = Number(facts.get("maxmemory") ?? 0) || capacityBytes;
  return most === 0 ? null : (100 * Number(facts.get("used_memory") ?? 0)) / most;
}

async function livingInstances({ live, clock }: Ctx): Promise<InstanceState[]> {
  const instances = await live.instances.list();
  return instances.filter(({ stopped, seenAtMs }) => !stopped && clock.now() - seenAtMs < SILENT_MS);
}

/** null when no instance reports a spool. */
async function deepestSpool(ctx: Ctx): Promise<number | null> {
  const depths = (await livingInstances(ctx)).flatMap(({ spool }) => (spool ? [spool.depth] : []));
  return depths.length === 0 ? null : Math.max(...depths);
}

async function consoleTime(ctx: Ctx): Promise<AlertReading> {
  const calls = (await livingInstances(ctx)).flatMap(({ calls }) => calls ?? []);
  const counts = calls.reduce<LatencyCounts>((sum, { sketch }) => mergeCounts(sum, readSketch(sketch)), []);
  return { value: quantileMs(counts, 0.95), requests: calls.reduce((sum, { count }) => sum + count, 0) };
}
