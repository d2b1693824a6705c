import {
  CompareInput,
  GetAvailabilityInput,
  GetLeaderboardInput,
  GetSeriesInput,
  GetUsageInput,
  GetUserStatsInput,
} from "@sluice/core/inputs/statistics";
import { compare } from "@sluice/services/statistics/compare";
import { ExportSeriesInput, exportSeries } from "@sluice/services/statistics/export-series";
import { getAvailability } from "@sluice/services/statistics/get-availability";
import { getLeaderboard } from "@sluice/services/statistics/get-leaderboard";
import { getSeries } from "@sluice/services/statistics/get-series";
import { getUsage } from "@sluice/services/statistics/get-usage";
import { listFilterOptions } from "@sluice/services/statistics/list-filter-options";
import { getUserStats } from "@sluice/services/users/get-user-stats";
import { availability, comparison, filterOptions, leaderboard, statistics, usage, userStats } from "../answers/statistics.ts";
import { type Operation, operation } from "../operation.ts";

const tag = "Statistics";

export const statisticsOperations: readonly Operation[] = [
  operation({
    ...{ id: "getStatistics", at: "GET /statistics", access: "key", tag },
    summary: "Requests, errors, tokens and cost by time bucket, split by model, key, …",
    ...{ input: GetSeriesInput, answer: statistics, verb: getSeries },
  }),
  operation({
    ...{ id: "exportStatistics", at: "GET /statistics/export", access: "key", tag },
    summary: "Export statistics as CSV or JSON, one row per bucket of each series",
    ...{ input: ExportSeriesInput, answer: { file: "statistics" }, verb: exportSeries },
  }),
  operation({
    ...{ id: "getUsage", at: "GET /usage", access: "key", tag },
    summary: "Totals of a range, compared with the previous one, and their trend",
    ...{ input: GetUsageInput, answer: usage, verb: getUsage },
  }),
  operation({
    ...{ id: "compare", at: "GET /compare", access: "key", tag },
    summary: "Compare two to five keys, users, providers, models or groups over one range",
    ...{ input: CompareInput, answer: comparison, verb: compare },
  }),
  operation({
    ...{ id: "getLeaderboard", at: "GET /leaderboard", access: "key", tag },
    summary: "Rank users, keys, providers or models by usage",
    ...{ input: GetLeaderboardInput, answer: leaderboard, verb: getLeaderboard },
  }),
  operation({
    ...{ id: "listFilterOptions", at: "GET /filter-options", access: "key", tag },
    summary: "List the values that filters accept",
    ...{ input: null, answer: filterOptions, verb: listFilterOptions },
  }),
  operation({
    ...{ id: "getAvailability", at: "GET /availability", access: "admin", tag },
    summary: "Availability of providers and their models, with latency percentiles",
    ...{ input: GetAvailabilityInput, answer: availability, verb: getAvailability },
  }),
  operation({
    ...{ id: "getUserStats", at: "GET /users/{userId}/stats", access: "user", tag },
    summary: "A user's usage, all time and this month",
    ...{ input: GetUserStatsInput, answer: userStats, verb: getUserStats },
  }),
];
