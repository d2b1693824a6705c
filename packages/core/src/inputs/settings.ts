import { z } from "zod";
import { type CacheKind, cacheKinds, cacheSetting } from "../cache-kinds.ts";
import { strategies } from "../routing/strategies.ts";
import { isTimeZone } from "../time-zone.ts";
import { ErrorRule } from "./error-rules.ts";
import { RoutingRule } from "./routing-rules.ts";
import { uuidField } from "./uuid.ts";

/** Lifetime of each kind of cached answers, seconds. */
const cacheLifetimes = Object.fromEntries(
  Object.entries(cacheKinds).map(([kind, seconds]) => [cacheSetting(kind as CacheKind), z.int().min(0).max(86_400).default(seconds)]),
) as { [K in CacheKind as ReturnType<typeof cacheSetting<K>>]: z.ZodDefault<z.ZodInt> };

/**
 * Every setting with its default: the settings table in Postgres holds only the differences.
 * All take effect without a restart.
 */
export const settingSchemas = {
  "sessions.activeWindowSeconds": z.int().min(1).max(86_400).default(300),
  "ledger.mode": z.enum(["batched", "direct"]).default("batched"),
  "ledger.durability": z.enum(["fsync", "write"]).default("fsync"),
  "ledger.batchSize": z.int().min(1).max(2_000).default(500),
  "ledger.intervalMs": z.int().min(10).max(10_000).default(250),
  /** Size of partitions created from now on; existing ones stay. */
  "ledger.partitions": z.enum(["monthly", "weekly"]).default("monthly"),
  /** Minimum days that requests, their details and five-minute sums are kept; 0 = forever. Hourly and daily sums stay. */
  "retention.requestDays": z.int().min(0).max(3_650).default(90),
  "retention.detailDays": z.int().min(0).max(3_650).default(30),
  /** At least 2, because the overview reads yesterday in five-minute steps. */
  "retention.fiveMinuteDays": z.int().min(2).max(90).default(7),
  /** Days that alert incidents are kept after their end; 0 = forever. */
  "retention.incidentDays": z.int().min(0).max(3_650).default(365),
  /** Whether a partition is written to the data directory, compressed, before it is dropped. */
  "retention.archive": z.enum(["none", "csv"]).default("none"),
  "pricing.unknownModel": z.enum(["refuse", "record"]).default("refuse"),
  "pricing.billedModel": z.enum(["requested", "redirected"]).default("requested"),
  /** URL of a price table in LiteLLM's form to refresh from; '' = the one shipped with this version. */
  "pricing.sourceUrl": z
    .string()
    .max(2_000)
    .refine((url) => url === "" || isHttpUrl(url), "must be an http or https address, or empty")
    .default(""),
  "routing.maxAttempts": z.int().min(1).max(10).default(3),
  "routing.totalAttemptMs": z.int().min(1_000).max(600_000).default(120_000),
  /** Ask a second provider when the first has sent no content after this time, ms; 0 = never. */
  "routing.hedgeAfterMs": z.int().min(0).max(60_000).default(0),
  /** Maximum percentage of requests that may ask a second provider in this way. */
  "routing.hedgePercent": z.int().min(1).max(100).default(10),
  /** How a provider is chosen among those of the same priority. */
  "routing.strategy": z.enum(strategies).default("weighted"),
  /** Whether a session returns to a higher priority as soon as a provider there is well. */
  "routing.failBack": z.enum(["at_once", "never"]).default("at_once"),
  "routing.stickySeconds": z.int().min(0).max(86_400).default(18_000),
  /** Routes certain requests; the first matching rule applies. */
  "routing.rules": z
    .array(RoutingRule)
    .max(100)
    .refine((rules) => new Set(rules.map(({ name }) => name)).size === rules.length, "a name appears twice")
    .default([]),
  "upstream.connectTimeoutMs": z.int().min(100).max(60_000).default(10_000),
  "upstream.firstContentTimeoutMs": z.int().min(100).max(600_000).default(120_000),
  "upstream.idleTimeoutMs": z.int().min(100).max(600_000).default(60_000),
  /** Concurrent requests per origin (scheme, host, port), each on its own connection; beyond that the next provider is tried. */
  "upstream.connectionsPerOrigin": z.int().min(1).max(60_000).default(2_048),
  /** Redefines what provider errors mean; the first matching rule applies. */
  "upstream.errorRules": z.array(ErrorRule).max(50).default([]),
  /** Consecutive failures that open a breaker; 0 disables it. */
  "breaker.failures": z.int().min(0).max(1_000).default(5),
  "breaker.openSeconds": z.int().min(1).max(3_600).default(60),
  /** Concurrent requests that may probe a provider before its breaker closes, across all instances. */
  "breaker.probes": z.int().min(1).max(20).default(1),
  /** Failure rate that opens a breaker, among at least 20 requests of the last minute; 0 = never. */
  "breaker.failureRatePercent": z.int().min(0).max(100).default(0),
  /** Whether the five-hour window rolls or is counted from the start of the day. */
  "limits.fiveHourWindow": z.enum(["rolling", "fixed"]).default("rolling"),
  /** Whether a day begins at a fixed time or is the last 24 hours. */
  "limits.dayWindow": z.enum(["fixed", "rolling"]).default("fixed"),
  /** When a fixed day of cost limits begins in the time zone, HH:mm. */
  "limits.dayStartsAt": z
    .string()
    .regex(/^([01]\d|2[0-3]):[0-5]\d$/, "must be a time of day such as 08:00")
    .default("00:00"),
  /** Requests that may wait per in-flight slot, at least three; 0 = none wait. */
  "limits.queuePerSlot": z.number().min(0).max(100).default(0),
  "limits.queueSeconds": z.int().min(1).max(60).default(10),
  /** What happens to a request for more output than the model can give. */
  "limits.overMaxOutput": z.enum(["clamp", "refuse"]).default("clamp"),
  /** Share of successful requests to log, 0 to 1; all others are always logged. */
  "logs.sampleRate": z.number().min(0).max(1).default(1),
  ...cacheLifetimes,
  /** Whether a client's key can be used to sign in and see the requests made with it. */
  "portal.keySignIn": z.enum(["allowed", "off"]).default("allowed"),
  /** What users see of each other in the ranking: nothing, figures without names, or both. */
  "portal.leaderboard": z.enum(["own", "anonymous", "names"]).default("anonymous"),
  "time.zone": z
    .string()
    .refine((zone) => isTimeZone(zone), "must be an IANA time zone such as Asia/Shanghai")
    .default("UTC"),
} as const;

export type SettingName = keyof typeof settingSchemas;
export type Settings = { [N in SettingName]: z.infer<(typeof settingSchemas)[N]> };

function isHttpUrl(text: string): boolean {
  return URL.canParse(text) && /^https?:$/.test(new URL(text).protocol);
}

export function defaultSettings(): Settings {
  return Object.fromEntries(Object.entries(settingSchemas).map(([name, schema]) => [name, schema.parse(undefined)])) as Settings;
}

/** A partial update from the console or the configuration file; unknown names are errors. */
export const UpdateSettingsInput = z.strictObject(
  Object.fromEntries(Object.entries(settingSchemas).map(([name, schema]) => [name, schema.unwrap().optional()])) as {
    [N in SettingName]: z.ZodOptional<ReturnType<(typeof settingSchemas)[N]["unwrap"]>>;
  },
);
export type UpdateSettingsInput = z.infer<typeof UpdateSettingsInput>;

/**
 * A save based on settings that were read before: the new values, and under `expected` the values that were read. Without
 * `expected` the current values are overwritten.
 */
export const SaveSettingsInput = UpdateSettingsInput.extend({ expected: UpdateSettingsInput.optional() });

/** Rolls back a save and all later ones. */
export const RollBackSettingsInput = z.strictObject({ id: uuidField });
