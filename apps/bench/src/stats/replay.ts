import type { Clock } from "@sluice/core/clock";
import type { Ctx } from "@sluice/services/context";
import { getOverview } from "@sluice/services/overview/get-overview";
import { compare } from "@sluice/services/statistics/compare";
import { getAvailability } from "@sluice/services/statistics/get-availability";
import { getLeaderboard } from "@sluice/services/statistics/get-leaderboard";
import { getSeries } from "@sluice/services/statistics/get-series";
import { getUsage } from "@sluice/services/statistics/get-usage";
import { skewedId } from "@sluice/testing/skewed-log";
import type { World } from "./world.ts";

const DAY_MS = 86_400_000;
const EVERY_MS = 5_000;

type Read = (ctx: Ctx, nowMs: number) => Promise<unknown>;

/** The reads of pages, most frequently opened first. */
const ofAdmins: readonly Read[] = [
  (ctx) => getOverview(ctx, {}),
  (ctx) => getUsage(ctx, {}),
  (ctx) => getSeries(ctx, {}),
  (ctx) => getOverview(ctx, { range: "7d" }),
  (ctx) => getLeaderboard(ctx, { of: "keys" }),
  (ctx, nowMs) => getSeries(ctx, { from: nowMs - 30 * DAY_MS, to: nowMs, by: "user" }),
  (ctx) => getLeaderboard(ctx, { of: "users", period: "today" }),
  (ctx) => getAvailability(ctx, {}),
  (ctx, nowMs) => getUsage(ctx, { from: nowMs - 7 * DAY_MS, to: nowMs, filter: { model: skewedId("model", 0) } }),
  (ctx) => compare(ctx, { by: "key", ids: [skewedId("key", 0), skewedId("key", 1), skewedId("key", 2)] }),
];
const ofUsers: readonly Read[] = [(ctx) => getOverview(ctx, {}), (ctx) => getUsage(ctx, {}), (ctx) => getSeries(ctx, { by: "key" })];

/**
 * Twenty administrators and five users each look at a page for about a minute and read it every five seconds. Resolves with the share of
 * reads answered from the cache.
 */
export async function replayHour(world: World, { minutes }: { minutes: number }): Promise<number> {
  const startMs = Date.now();
  let passedMs = 0;
  const clock: Clock = { now: () => startMs + passedMs, monotonic: () => passedMs };
  const { admin, user } = world.withClock(clock);
  const random = lehmer(20_261_128);
  const pageOf = (reads: readonly Read[]): Read | undefined => reads[Math.floor(random() ** 2 * reads.length)];
  const people = Array.from({ length: 25 }, (_, n) => {
    const [ctx, reads] = n < 20 ? [admin, ofAdmins] : [user(n), ofUsers];
    return { ctx, reads, page: pageOf(reads) };
  });
  for (; passedMs < minutes * 60_000; passedMs += EVERY_MS) {
    for (const person of people) {
      if (random() < EVERY_MS / 60_000) person.page = pageOf(person.reads);
      await person.page?.(person.ctx, clock.now());
    }
  }
  const figures = Object.values(admin.cache.figures());
  const sum = (name: "hits" | "misses") => figures.reduce((total, each) => total + each[name], 0);
  return sum("hits") / (sum("hits") + sum("misses"));
}

/** A seeded generator: the same reads in every run. */
function lehmer(seed: number): () => number {
  let state = seed % 2_147_483_647;
  return () => {
    state = (state * 48_271) % 2_147_483_647;
    return state / 2_147_483_647;
  };
}
