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
    summary: "Requests, errors, tokens and cost by bucket of time, split by model, key, …",
    ...{ input: GetSeriesInput, answer: statistics, verb: getSeries },
  }),
  operation({
    ...{ id: "exportStatistics", at: "GET /statistics/export", access: "key", tag },
    summary: "The same as CSV or JSON, a row for each bucket of each series",
    ...{ input: ExportSeriesInput, answer: { file: "statistics" }, verb: exportSeries },
  }),
  operation({
    ...{ id: "getUsage", at: "GET /usage", access: "key", tag },
    summary: "Totals of a range beside the range before, and their trend",
    ...{ input: GetUsageInput, answer: usage, verb: getUsage },
  }),
  operation({
    ...{ id: "compare", at: "GET /compare", access: "key", tag },
    summary: "Two to five keys, users, providers, models or groups over one range",
    ...{ input: CompareInput, answer: comparison, verb: compare },
  }),
  operation({
    ...{ id: "getLeaderboard", at: "GET /leaderboard", access: "key", tag },
    summary: "Users, keys, providers or models by what they used",
    ...{ input: GetLeaderboardInput, answer: leaderboard, verb: getLeaderboard },
  }),
  operation({
    ...{ id: "listFilterOptions", at: "GET /filter-options", access: "key", tag },
    summary: "What filters may name",
    ...{ input: null, answer: filterOptions, verb: listFilterOptions },
  }),
  operation({
    ...{ id: "getAvailability", at: "GET /availability", access: "admin", tag },
    summary: "How providers and their models were, with percentiles of their times",
    ...{ input: GetAvailabilityInput, answer: availability, verb: getAvailability },
  }),
  operation({
    ...{ id: "getUserStats", at: "GET /users/{userId}/stats", access: "user", tag },
    summary: "What a user has used, since the beginning and this month",
    ...{ input: GetUserStatsInput, answer: userStats, verb: getUserStats },
  }),
];
