import { z } from "zod";
import { compareSplits, leaderboardOf, leaderboardPeriods, leaderboardSorts, seriesSplits, statisticsSteps } from "../statistics.ts";
import { DAY_MS, isTimeZone } from "../time-zone.ts";
import { instantField } from "./instant.ts";
import { tagField } from "./key.ts";
import { dialectField } from "./provider.ts";
import { sameId, uuidField } from "./uuid.ts";

const id = z.string().min(1).max(64).overwrite(sameId);
const text = z.string().min(1).max(200);

/** IANA name; absent = the zone from the settings. */
const zoneField = z.string().max(64).refine(isTimeZone, "must be an IANA time zone such as Asia/Shanghai").optional();

/** What is counted; empty = everything visible to the caller. Users cannot filter by provider and see only themselves. */
export const StatisticsFilter = z.strictObject({
  userId: id.optional(),
  keyId: id.optional(),
  providerId: id.optional(),
  model: text.optional(),
  group: text.optional(),
  dialect: dialectField.optional(),
  /** core/status-class. */
  statusClass: z.enum(["2xx", "3xx", "4xx", "5xx", "aborted", "refused"]).optional(),
  /** Keys that have this tag now. */
  tag: tagField.optional(),
});
export type StatisticsFilter = z.infer<typeof StatisticsFilter>;

/** From `from` up to but not including `to`, extended to whole buckets; absent = the last 24 hours. */
const range = { from: instantField.optional(), to: instantField.optional() };
/** `auto`: the finest step that gives at most about a hundred buckets. */
const stepField = z.enum(["auto", ...statisticsSteps]).default("auto");

const isRange = ({ from, to }: { from?: number | undefined; to?: number | undefined }): boolean =>
  from === undefined || to === undefined || from < to;
const rangeError = { message: "must be after `from`", path: ["to"] };

export const GetSeriesInput = z
  .strictObject({
    ...range,
    step: stepField,
    zone: zoneField,
    by: z.enum(seriesSplits).default("model"),
    /** Number of separate series; all others are combined into one more. Fewer are returned when there are very many buckets. */
    top: z.int().min(1).max(20).default(5),
    filter: StatisticsFilter.default({}),
  })
  .refine(isRange, rangeError);
export type GetSeriesInput = z.infer<typeof GetSeriesInput>;

export const GetUsageInput = z
  .strictObject({ ...range, step: stepField, zone: zoneField, filter: StatisticsFilter.default({}) })
  .refine(isRange, rangeError);
export type GetUsageInput = z.infer<typeof GetUsageInput>;

/** Reads each of `ids` over the same range, in parallel. */
export const CompareInput = z
  .strictObject({
    ...range,
    step: stepField,
    zone: zoneField,
    by: z.enum(compareSplits),
    ids: z
      .array(text.overwrite(sameId))
      .min(2)
      .max(5)
      .refine((ids) => new Set(ids).size === ids.length, "must not contain duplicates"),
  })
  .refine(isRange, rangeError);
export type CompareInput = z.infer<typeof CompareInput>;

/** Days are enumerated for this range and the previous one: a time in the wrong unit must not produce millions of them. */
const LONGEST_PERIOD_MS = 100 * 366 * DAY_MS;

export const GetLeaderboardInput = z
  .strictObject({
    of: z.enum(leaderboardOf),
    sort: z.enum(leaderboardSorts).default("cost"),
    period: z.enum(leaderboardPeriods).default("month"),
    /** Required for `custom`; not allowed for any other period. */
    ...range,
    zone: zoneField,
    /** Entries per page; more than 100 are not returned. */
    limit: z
      .int()
      .min(1)
      .default(10)
      .transform((limit) => Math.min(limit, 100)),
    page: z.int().min(1).max(1_000_000).default(1),
  })
  .refine(isRange, rangeError)
  .refine(({ period, from, to }) => period === "custom" || (from === undefined && to === undefined), {
    message: "is only allowed with the period custom",
    path: ["from"],
  })
  .refine(({ period, from, to }) => period !== "custom" || (from !== undefined && to !== undefined), {
    message: "from and to are required",
    path: ["from"],
  })
  .refine(({ from = 0, to = 0 }) => to - from <= LONGEST_PERIOD_MS, {
    message: "must be at most a hundred years after `from`",
    path: ["to"],
  });
export type GetLeaderboardInput = z.infer<typeof GetLeaderboardInput>;

/** For administrators. */
export const GetAvailabilityInput = z
  .strictObject({ ...range, step: stepField, zone: zoneField, providerId: id.optional(), model: text.optional() })
  .refine(isRange, rangeError);
export type GetAvailabilityInput = z.infer<typeof GetAvailabilityInput>;

/** Absent = the caller; other users only for administrators. */
export const GetUserStatsInput = z.strictObject({ userId: uuidField.optional() });
export type GetUserStatsInput = z.infer<typeof GetUserStatsInput>;
