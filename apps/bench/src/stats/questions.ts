import { getOverview } from "@sluice/services/overview/get-overview";
import { compare } from "@sluice/services/statistics/compare";
import { getAvailability } from "@sluice/services/statistics/get-availability";
import { getLeaderboard } from "@sluice/services/statistics/get-leaderboard";
import { getSeries } from "@sluice/services/statistics/get-series";
import { getUsage } from "@sluice/services/statistics/get-usage";
import { getUserStats } from "@sluice/services/users/get-user-stats";
import { skewedId } from "@sluice/testing/skewed-log";
import type { World } from "./world.ts";

const DAY_MS = 86_400_000;

export interface Asked {
  /** Each reader n asks slightly differently. */
  ask(world: World, n: number): Promise<unknown>;
  /** Target for the cold p95; absent where none is stated. */
  atMostMs?: number;
}

/** The last days, ending some hours ago. */
function lastDays(days: number, n: number): { from: number; to: number } {
  const to = Date.now() - n * 3_600_000;
  return { from: to - days * DAY_MS, to };
}

const five = (kind: "key" | "user" | "provider" | "model", n: number) => [0, 1, 2, 3, 4].map((at) => skewedId(kind, n + at));
const splits = ["model", "provider", "user", "key"] as const;

/** The question that is also measured without indexes. */
export const filteredTrend = "P30: usageTrendOfKey";

export const coldQuestions: Record<string, Asked> = {
  "P24: overview": { ask: ({ admin }, n) => getOverview(admin, { range: "30d", by: splits[n % 4] ?? "model" }), atMostMs: 50 },
  statistics90Days: { ask: ({ admin }, n) => getSeries(admin, { ...lastDays(90, n), by: "model" }), atMostMs: 80 },
  statistics90DaysByUser: { ask: ({ admin }, n) => getSeries(admin, { ...lastDays(90, n), by: "user" }), atMostMs: 80 },
  statistics90DaysByKey: { ask: ({ admin }, n) => getSeries(admin, { ...lastDays(90, n), by: "key" }), atMostMs: 80 },
  statistics90DaysElsewhere: {
    ask: ({ admin }, n) => getSeries(admin, { ...lastDays(90, n), by: "provider", zone: "Asia/Shanghai" }),
    atMostMs: 80,
  },
  statistics90DaysOfUser: { ask: ({ user }, n) => getSeries(user(n), { ...lastDays(90, n), by: "model" }), atMostMs: 80 },
  leaderboardAllTime: { ask: ({ admin }) => getLeaderboard(admin, { of: "keys", period: "all", sort: "cost" }), atMostMs: 50 },
  leaderboardAllTimeByRate: {
    ask: ({ admin }) => getLeaderboard(admin, { of: "users", period: "all", sort: "successRate" }),
    atMostMs: 50,
  },
  leaderboardAllTimeOfModels: { ask: ({ admin }) => getLeaderboard(admin, { of: "models", period: "all", sort: "tokens" }), atMostMs: 50 },
  /** With the ranks of the month before. */
  "P27: leaderboardMonth": { ask: ({ admin }) => getLeaderboard(admin, { of: "keys", period: "month" }), atMostMs: 200 },
  leaderboard90Days: { ask: ({ admin }, n) => getLeaderboard(admin, { of: "keys", period: "custom", ...lastDays(90, n) }) },
  "P26: usageTrend": { ask: ({ admin }, n) => getUsage(admin, lastDays(30, n)), atMostMs: 50 },
  [filteredTrend]: { ask: ({ admin }, n) => getUsage(admin, { ...lastDays(30, n), filter: { keyId: skewedId("key", n) } }), atMostMs: 50 },
  usageTrendOfProviderAndModel: {
    ask: ({ admin }, n) =>
      getUsage(admin, { ...lastDays(30, n), filter: { providerId: skewedId("provider", n), model: skewedId("model", n) } }),
  },
  compareFive: { ask: ({ admin }, n) => compare(admin, { ...lastDays(30, n), by: "key", ids: five("key", n) }), atMostMs: 80 },
  compareFiveModels: { ask: ({ admin }, n) => compare(admin, { ...lastDays(30, n), by: "model", ids: five("model", n) }), atMostMs: 80 },
  availabilityOfADay: { ask: ({ admin }, n) => getAvailability(admin, lastDays(1, n)) },
  availabilityOfAWeek: { ask: ({ admin }, n) => getAvailability(admin, lastDays(7, n)) },
  userStats: { ask: ({ user }, n) => getUserStats(user(n)) },
};
