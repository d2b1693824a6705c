import type { Cache, Cached, CacheScope, CacheTag } from "@sluice/cache/cache";
import { cached } from "@sluice/cache/cached";
import { type CacheOptions, createCache } from "@sluice/cache/create-cache";
import type { CacheKind } from "@sluice/core/cache-kinds";
import { defaultSettings, type Settings } from "@sluice/core/inputs/settings";
import { createRedis, waitForRedis } from "@sluice/db/redis";
import { until } from "@sluice/testing/deadline";
import type { Redis } from "ioredis";
import { afterEach } from "vitest";

export interface Instance {
  cache: Cache;
  prefix: string;
  redis: Redis | null;
  settings: Settings;
  /** Its configuration version; tests raise it. */
  config: { version: string };
}

let open: Instance[] = [];
afterEach(async () => {
  for (const { cache, redis } of open) {
    cache.close();
    redis?.disconnect();
  }
  open = [];
});

/** The tests check whether answers are right, not how fast a busy machine is: commands may take long. */
const patient = { commandMs: 10_000 };
let serial = 0;

/** A key prefix for one test. */
export const newPrefix = (): string => `test-${process.pid}-${++serial}:`;

/** One process with its cache; null: without Redis. Instances with the same prefix belong together. */
export async function start(
  url: string | null,
  { waits = true, ...options }: Partial<CacheOptions> & { prefix: string; waits?: boolean },
): Promise<Instance> {
  const commandTimeoutMs = options.timing?.commandMs ?? patient.commandMs;
  const redis = url === null ? null : createRedis(url, { name: "cache-test", commandTimeoutMs });
  const settings = defaultSettings();
  const config = { version: "1" };
  const cache = createCache({
    ...{ redis, version: "1.2.3", settings: () => settings, configVersion: () => config.version },
    ...options,
    timing: { ...patient, ...options.timing },
  });
  const instance = { cache, prefix: options.prefix, redis, settings, config };
  open.push(instance);
  const mates = open.filter((each) => each.redis && each.prefix === options.prefix).length;
  if (waits && redis && (await waitForRedis(redis, 5_000)))
    await until(async () => (await followers(redis, options.prefix)) >= mates, { what: "it follows the others" });
  return instance;
}

/** Number of instances subscribed to invalidations. */
async function followers(redis: Redis, prefix: string): Promise<number> {
  const [, count] = (await redis.call("PUBSUB", "NUMSUB", `${prefix}cache:messages`)) as [string, number];
  await redis.ping();
  return count;
}

export const everybody: CacheScope = { tenantId: "default", role: "admin", userId: null, keyId: null };
export const of = (userId: string): CacheScope => ({ tenantId: "default", role: "user", userId, keyId: null });

export interface Reading {
  kind?: CacheKind;
  scope?: CacheScope;
  input?: unknown;
  tags?: CacheTag[];
}

/** Reads through the cache; `value` computes. */
export function read<T>(
  instance: Pick<Instance, "cache">,
  value: () => T | Promise<T>,
  { kind = "stats", scope = everybody, input = "x", tags }: Reading = {},
): Promise<Cached<T>> {
  return cached(instance, `${kind}:test`, { scope, input, tags }, async () => value());
}

/** A value that counts its computations. */
export function counter(): { next: () => number; count: () => number } {
  let count = 0;
  return { next: () => ++count, count: () => count };
}
