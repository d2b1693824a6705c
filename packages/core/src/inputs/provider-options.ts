import { z } from "zod";
import { isTimeZone } from "../time-zone.ts";

/** HH:mm, 00:00 to 23:59. */
const timeOfDay = z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$/, "a time of day such as 08:00");

/** When it may be used; no windows = always. */
export const scheduleField = z.strictObject({
  zone: z
    .string()
    .refine((zone) => isTimeZone(zone), "an IANA time zone such as Asia/Shanghai")
    .default("UTC"),
  windows: z.array(z.strictObject({ from: timeOfDay, to: timeOfDay })).max(20),
});

/** Milliseconds; what is absent is as the settings `upstream.*` say. `totalMs` bounds one attempt with its whole answer. */
export const timeoutsField = z.strictObject({
  connectMs: z.int().min(100).max(60_000).optional(),
  firstContentMs: z.int().min(100).max(600_000).optional(),
  idleMs: z.int().min(100).max(600_000).optional(),
  totalMs: z.int().min(1_000).max(3_600_000).optional(),
});
export type ProviderTimeouts = z.infer<typeof timeoutsField>;

/** Of its breakers; what is absent is as the settings `breaker.*` say. */
export const breakerField = z.strictObject({
  /** Consecutive failures that open; 0 = never. */
  failures: z.int().min(0).max(1_000).optional(),
  openSeconds: z.int().min(1).max(3_600).optional(),
});
export type ProviderBreaker = z.infer<typeof breakerField>;

const priorityField = z.int().min(0).max(1000);

/** What most providers say nothing of. */
const fields = {
  /** Priority in a group, in place of the one for all. */
  groupPriorities: z
    .record(z.string().regex(/^[a-z0-9][a-z0-9_-]{0,39}$/, "lower-case letters, digits, - and _"), priorityField)
    .refine((priorities) => Object.keys(priorities).length <= 50, "at most 50"),
  schedule: scheduleField,
  timeouts: timeoutsField,
  breaker: breakerField,
};

/** Of a new provider. */
export const newProviderOptions = {
  groupPriorities: fields.groupPriorities.default({}),
  schedule: fields.schedule.default({ zone: "UTC", windows: [] }),
  timeouts: fields.timeouts.default({}),
  breaker: fields.breaker.default({}),
};

/** Of a change: absent = as it is; what is there replaces all of the field. */
export const changedProviderOptions = {
  groupPriorities: fields.groupPriorities.optional(),
  schedule: fields.schedule.optional(),
  timeouts: fields.timeouts.optional(),
  breaker: fields.breaker.optional(),
};
