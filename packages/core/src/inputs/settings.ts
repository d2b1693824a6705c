import { z } from "zod";
import { type CacheKind, cacheKinds, cacheSetting } from "../cache-kinds.ts";
import { strategies } from "../routing/strategies.ts";
import { isTimeZone } from "../time-zone.ts";
import { ErrorRule } from "./error-rules.ts";
import { RoutingRule } from "./routing-rules.ts";
import { uuidField } from "./uuid.ts";

/** Seconds that answers of each kind are kept. */
const cacheLifetimes = Object.fromEntries(
  Object.entries(cacheKinds).map(([kind, seconds]) => [cacheSetting(kind as CacheKind), z.int().min(0).max(86_400).default(seconds)]),
) as { [K in CacheKind as ReturnType<typeof cacheSetting<K>>]: z.ZodDefault<z.ZodInt> };

/**
 * Every setting there is, with its default: the table of settings in Postgres holds only what differs from these.
 * All take effect without a restart.
 */
export const settingSchemas = {
  "sessions.activeWindowSeconds": z.int().min(1).max(86_400).default(300),
  "ledger.mode": z.enum(["batched", "direct"]).default("batched"),
  "ledger.durability": z.enum(["fsync", "write"]).default("fsync"),
  "ledger.batchSize": z.int().min(1).max(2_000).default(500),
  "ledger.intervalMs": z.int().min(10).max(10_000).default(250),
  /** How the partitions made from now on are cut; those that are there stay. */
  "ledger.partitions": z.enum(["monthly", "weekly"]).default("monthly"),
  /** Days that rows of requests, their details and sums of five minutes are kept at least; 0 = for good. Hours and days stay. */
  "retention.requestDays": z.int().min(0).max(3_650).default(90),
  "retention.detailDays": z.int().min(0).max(3_650).default(30),
  /** The overview reads yesterday by five minutes. */
  "retention.fiveMinuteDays": z.int().min(2).max(90).default(7),
  /** Days that incidents of alerts are kept after their end; 0 = for good. */
  "retention.incidentDays": z.int().min(0).max(3_650).default(365),
  /** Whether a partition is written to the data directory, compressed, before it is dropped. */
  "retention.archive": z.enum(["none", "csv"]).default("none"),
  "pricing.unknownModel": z.enum(["refuse", "record"]).default("refuse"),
  "pricing.billedModel": z.enum(["requested", "redirected"]).default("requested"),
  /** A price table in LiteLLM's form to refresh from; '' = the one shipped with this version. */
  "pricing.sourceUrl": z
    .string()
    .max(2_000)
    .refine((url) => url === "" || isHttpUrl(url), "an http or https address, or nothing")
    .default(""),
  "routing.maxAttempts": z.int().min(1).max(10).default(3),
  "routing.totalAttemptMs": z.int().min(1_000).max(600_000).default(120_000),
  /** A second provider is asked when the first has sent no content by then, ms; 0 = never. */
  "routing.hedgeAfterMs": z.int().min(0).max(60_000).default(0),
  /** The most requests of a hundred that may ask a second one so. */
  "routing.hedgePercent": z.int().min(1).max(100).default(10),
  /** How one provider is chosen among those of one priority. */
  "routing.strategy": z.enum(strategies).default("weighted"),
  /** Whether a session goes back to a higher priority as soon as a provider there is well. */
  "routing.failBack": z.enum(["at_once", "never"]).default("at_once"),
  "routing.stickySeconds": z.int().min(0).max(86_400).default(18_000),
  /** Where certain requests go; the first rule that applies counts. */
  "routing.rules": z
    .array(RoutingRule)
    .max(100)
    .refine((rules) => new Set(rules.map(({ name }) => name)).size === rules.length, "a name appears twice")
    .default([]),
  "upstream.connectTimeoutMs": z.int().min(100).max(60_000).default(10_000),
  "upstream.firstContentTimeoutMs": z.int().min(100).max(600_000).default(120_000),
  "upstream.idleTimeoutMs": z.int().min(100).max(600_000).default(60_000),
  /** Requests at a time to one origin (scheme, host, port), each on a connection of its own; beyond, the next provider is asked. */
  "upstream.connectionsPerOrigin": z.int().min(1).max(60_000).default(2_048),
  /** What errors of providers mean, where it is not what their status says; the first rule that applies counts. */
  "upstream.errorRules": z.array(ErrorRule).max(50).default([]),
  /** Consecutive failures that open a breaker; 0 disables. */
  "breaker.failures": z.int().min(0).max(1_000).default(5),
  "breaker.openSeconds": z.int().min(1).max(3_600).default(60),
  /** Requests that may try a provider at a time before its breaker closes, over all instances. */
  "breaker.probes": z.int().min(1).max(20).default(1),
  /** Share of failures among 20 requests or more of the last minute that opens a breaker; 0 = none does. */
  "breaker.failureRatePercent": z.int().min(0).max(100).default(0),
  /** Whether five hours roll, or are counted from the beginning of the day. */
  "limits.fiveHourWindow": z.enum(["rolling", "fixed"]).default("rolling"),
  /** Whether a day begins at a time, or is the last 24 hours. */
  "limits.dayWindow": z.enum(["fixed", "rolling"]).default("fixed"),
  /** When a fixed day of cost limits begins in the time zone, HH:mm. */
  "limits.dayStartsAt": z
    .string()
    .regex(/^([01]\d|2[0-3]):[0-5]\d$/, "a time of day such as 08:00")
    .default("00:00"),
  /** Requests that may wait in line per place in flight, three at least; 0 = nobody waits. */
  "limits.queuePerSlot": z.number().min(0).max(100).default(0),
  "limits.queueSeconds": z.int().min(1).max(60).default(10),
  /** What becomes of a request for more output than the model can give. */
  "limits.overMaxOutput": z.enum(["clamp", "refuse"]).default("clamp"),
  /** The share of requests that went well which the process's log tells; those that did not are always told. */
  "logs.sampleRate": z.number().min(0).max(1).default(1),
  ...cacheLifetimes,
  /** Whether who has a client's key may sign in with it, to see what came by that key. */
  "portal.keySignIn": z.enum(["allowed", "off"]).default("allowed"),
  /** What users see of each other in the ranking of users: nothing, figures without names, or both. */
  "portal.leaderboard": z.enum(["own", "anonymous", "names"]).default("anonymous"),
  "time.zone": z
    .string()
    .refine((zone) => isTimeZone(zone), "an IANA time zone such as Asia/Shanghai")
    .default("UTC"),
} as const;

export type SettingName = keyof typeof settingSchemas;
export type Settings = { [N in SettingName]: z.infer<(typeof settingSchemas)[N]> };

function isHttpUrl(text: string): boolean {
  return URL.canParse(text) && /^https?:$/.test(new URL(text).protocol);
}

/** The settings in force when nothing was changed. */
export function defaultSettings(): Settings {
  return Object.fromEntries(Object.entries(settingSchemas).map(([name, schema]) => [name, schema.parse(undefined)])) as Settings;
}

/** A partial set as the console or the configuration file sends it; unknown names are errors. */
export const UpdateSettingsInput = z.strictObject(
  Object.fromEntries(Object.entries(settingSchemas).map(([name, schema]) => [name, schema.unwrap().optional()])) as {
    [N in SettingName]: z.ZodOptional<ReturnType<(typeof settingSchemas)[N]["unwrap"]>>;
  },
);
export type UpdateSettingsInput = z.infer<typeof UpdateSettingsInput>;

/**
 * A save of somebody who has read settings before: the values to be, and under `expected` what he took them to be. Who
 * names none overwrites whatever is there.
 */
export const SaveSettingsInput = UpdateSettingsInput.extend({ expected: UpdateSettingsInput.optional() });

/** Back to how things were before a save: it and all later ones are undone. */
export const RollBackSettingsInput = z.strictObject({ id: uuidField });
