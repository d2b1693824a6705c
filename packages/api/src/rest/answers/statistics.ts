import { compareSplits, leaderboardOf, leaderboardPeriods, leaderboardSorts, seriesSplits, statisticsSteps } from "@sluice/core/statistics";
import { z } from "zod";
import { answeredFields, atMs, count, idField, nanoUsd, numberedPageOf } from "./fields.ts";
import { columnFields, percentiles, sumFields } from "./figures.ts";

const span = { fromMs: atMs, toMs: atMs };
const rate = z.number().nullable();

const buckets = {
  zone: z.string(),
  step: z.enum(statisticsSteps),
  times: z.array(atMs).meta({ description: "Starts of the buckets, ascending." }),
  endMs: atMs.meta({ description: "End of the last bucket, milliseconds since 1970-01-01T00:00:00Z." }),
};

const totals = z
  .object({ ...sumFields, aborted: count, refused: count })
  .meta({ id: "Totals", description: "Totals of a time span, including how many requests the client aborted and how many were refused." });

const statisticsFields = {
  ...columnFields,
  prompt: z.array(count).meta({ description: "Tokens sent." }),
  cached: z.array(count).meta({ description: "Tokens sent that were read from a provider's cache." }),
};

const usageFields = {
  totals,
  previous: z.object({ ...span, totals }).meta({ description: "The previous range." }),
  trend: z.object(statisticsFields),
};

const series = z
  .object({ id: z.string().nullable(), ...statisticsFields })
  .meta({ id: "StatisticsSeries", description: "One value per bucket; id null: all others." });

const recent = z
  .object({ fromMs: atMs, ids: z.array(idField) })
  .meta({ description: "The requests counted among those that ended since `fromMs`; earlier ones are all counted." });

export const statistics = z.object({ ...buckets, by: z.enum(seriesSplits), series: z.array(series), recent, ...answeredFields });

export const usage = z.object({ ...buckets, ...usageFields, recent, ...answeredFields });

export const comparison = z.object({
  ...buckets,
  by: z.enum(compareSplits),
  entries: z.array(
    z.discriminatedUnion("failed", [
      z.object({ id: z.string(), failed: z.literal(false), ...usageFields, ...answeredFields }),
      z.object({ id: z.string(), failed: z.literal(true), code: z.string(), message: z.string() }),
    ]),
  ),
  ...answeredFields,
});

const leader = z
  .object({
    rank: z.number(),
    previousRank: z.number().nullable(),
    id: z.string(),
    name: z.string().nullable(),
    requests: count,
    errors: count,
    tokens: count,
    costNanoUsd: nanoUsd,
    share: rate,
    rates: z.object({ successRate: rate, cacheHitRate: rate, ttftMs: rate }),
  })
  .meta({ id: "LeaderboardEntry" });

export const leaderboard = numberedPageOf(leader).extend({
  of: z.enum(leaderboardOf),
  sort: z.enum(leaderboardSorts),
  period: z.enum(leaderboardPeriods),
  zone: z.string(),
  span: z.object(span).nullable(),
  previous: z.object(span).nullable(),
  revoked: z
    .object({ keys: count, requests: count, errors: count, tokens: count, costNanoUsd: nanoUsd, share: z.number().nullable() })
    .nullable()
    .meta({ description: "For keys, the usage of keys that have since been revoked: counted but not ranked." }),
  ...answeredFields,
});

const named = z.object({ id: idField, name: z.string() });

export const filterOptions = z.object({
  models: z.array(z.string()),
  groups: z.array(z.string()),
  dialects: z.array(z.string()),
  tags: z.array(z.string()),
  providers: z.array(named),
  keys: z.array(named.extend({ userId: idField })),
  users: z.array(named),
  ...answeredFields,
});

export const availability = z.object({
  ...buckets,
  rows: z.array(
    z.object({
      providerId: idField,
      model: z.string().nullable(),
      requests: count,
      errors: count,
      aborted: count,
      ttft: percentiles,
      duration: percentiles,
      series: z.object({ requests: z.array(count), errors: z.array(count), aborted: z.array(count) }),
    }),
  ),
  total: count,
  ...answeredFields,
});

export const userStats = z.object({
  userId: idField,
  totalRequests: count,
  totalTokens: count,
  creditsUsedNanoUsd: nanoUsd,
  refundedNanoUsd: nanoUsd,
  lastUsedAtMs: atMs.nullable(),
  month: z.object({ ...span, totals }),
  ...answeredFields,
});
