import { z } from "zod";
import { compareSplits, leaderboardOf, leaderboardPeriods, leaderboardSorts, seriesSplits, statisticsSteps } from "../statistics.ts";
import { DAY_MS, isTimeZone } from "../time-zone.ts";
import { instantField } from "./instant.ts";
import { tagField } from "./key.ts";
import { dialectField } from "./provider.ts";
import { sameId, uuidField } from "./uuid.ts";

const id = z.string().min(1).max(64).overwrite(sameId);
const text = z.string().min(1).max(200);

/** IANA; absent = that of the settings. */
const zoneField = z.string().max(64).refine(isTimeZone, "an IANA time zone such as Asia/Shanghai").optional();

/** What is counted; empty = everything one may see. Users may not name a provider, and are the only user they see. */
export const StatisticsFilter = z.strictObject({
  userId: id.optional(),
  keyId: id.optional(),
  providerId: id.optional(),
  model: text.optional(),
  group: text.optional(),
  dialect: dialectField.optional(),
  /** core/status-class. */
  statusClass: z.enum(["2xx", "3xx", "4xx", "5xx", "aborted", "refused"]).optional(),
  /** Keys that carry it now. */
  tag: tagField.optional(),
});
export type StatisticsFilter = z.infer<typeof StatisticsFilter>;

/** From `from` to before `to`, widened to whole buckets; absent = the last 24 hours. */
const range = { from: instantField.optional(), to: instantField.optional() };
/** `auto` is the finest of which the range has about a hundred at most. */
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
    /** Series of their own; what is beyond is one more, together. Fewer are given when there are so many buckets. */
    top: z.int().min(1).max(20).default(5),
    filter: StatisticsFilter.default({}),
  })
  .refine(isRange, rangeError);
export type GetSeriesInput = z.infer<typeof GetSeriesInput>;

export const GetUsageInput = z
  .strictObject({ ...range, step: stepField, zone: zoneField, filter: StatisticsFilter.default({}) })
  .refine(isRange, rangeError);
export type GetUsageInput = z.infer<typeof GetUsageInput>;

/** Each of `ids` over the same range, read in parallel. */
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
      .refine((ids) => new Set(ids).size === ids.length, "each once"),
  })
  .refine(isRange, rangeError);
export type CompareInput = z.infer<typeof CompareInput>;

/** What is read is named day by day, for this range and the one before: a time in another unit must not name millions of them. */
const LONGEST_PERIOD_MS = 100 * 366 * DAY_MS;

export const GetLeaderboardInput = z
  .strictObject({
    of: z.enum(leaderboardOf),
    sort: z.enum(leaderboardSorts).default("cost"),
    period: z.enum(leaderboardPeriods).default("month"),
    /** Of `custom`, which needs both; of nothing else. */
    ...range,
    zone: zoneField,
    /** Entries of a page; more than 100 are not given. */
    limit: z
      .int()
      .min(1)
      .default(10)
      .transform((limit) => Math.min(limit, 100)),
    page: z.int().min(1).max(1_000_000).default(1),
  })
  .refine(isRange, rangeError)
  .refine(({ period, from, to }) => period === "custom" || (from === undefined && to === undefined), {
    message: "only of the period custom",
    path: ["from"],
  })
  .refine(({ period, from, to }) => period !== "custom" || (from !== undefined && to !== undefined), {
    message: "from and to are needed",
    path: ["from"],
  })
  .refine(({ from = 0, to = 0 }) => to - from <= LONGEST_PERIOD_MS, { message: "at most a hundred years after `from`", path: ["to"] });
export type GetLeaderboardInput = z.infer<typeof GetLeaderboardInput>;

/** For administrators. */
export const GetAvailabilityInput = z
  .strictObject({ ...range, step: stepField, zone: zoneField, providerId: id.optional(), model: text.optional() })
  .refine(isRange, rangeError);
export type GetAvailabilityInput = z.infer<typeof GetAvailabilityInput>;

/** Absent = oneself; of somebody else for administrators. */
export const GetUserStatsInput = z.strictObject({ userId: uuidField.optional() });
export type GetUserStatsInput = z.infer<typeof GetUserStatsInput>;
