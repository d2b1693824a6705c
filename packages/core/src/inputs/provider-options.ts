import { z } from "zod";
import { firstCredential } from "../routing/choose-credential.ts";
import { isTimeZone } from "../time-zone.ts";
import { isVisible } from "./visible.ts";

/** HH:mm, 00:00 to 23:59. */
const timeOfDay = z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$/, "must be a time of day such as 08:00");

/** When the provider may be used; no windows = always. */
export const scheduleField = z.strictObject({
  zone: z
    .string()
    .refine((zone) => isTimeZone(zone), "must be an IANA time zone such as Asia/Shanghai")
    .default("UTC"),
  windows: z.array(z.strictObject({ from: timeOfDay, to: timeOfDay })).max(20),
});

/** Milliseconds; absent ones use the settings `upstream.*`. `totalMs` bounds one attempt including its whole answer. */
export const timeoutsField = z.strictObject({
  connectMs: z.int().min(100).max(60_000).optional(),
  firstContentMs: z.int().min(100).max(600_000).optional(),
  idleMs: z.int().min(100).max(600_000).optional(),
  totalMs: z.int().min(1_000).max(3_600_000).optional(),
});
export type ProviderTimeouts = z.infer<typeof timeoutsField>;

/** Breaker options; absent ones use the settings `breaker.*`. */
export const breakerField = z.strictObject({
  /** Consecutive failures that open it; 0 = never. */
  failures: z.int().min(0).max(1_000).optional(),
  openSeconds: z.int().min(1).max(3_600).optional(),
  /** Concurrent requests that may probe whether the provider is well again. */
  probes: z.int().min(1).max(20).optional(),
  /** Recent failure rate in percent that opens it as well; 0 = never. */
  failureRatePercent: z.int().min(0).max(100).optional(),
});
export type ProviderBreaker = z.infer<typeof breakerField>;

/** Label of an additional credential: short, on one line. */
const labelField = z.string().trim().min(1).max(40).refine(isVisible, "must not contain control characters");

const weightField = z.int().min(1).max(1000);

/** In addition to the first credential, which is called {@link firstCredential}. An absent secret keeps the stored one of that label. */
export const credentialsField = z
  .array(z.strictObject({ label: labelField, secret: z.string().min(1).max(4096).optional(), weight: weightField.default(1) }))
  .max(50)
  .refine((list) => new Set([firstCredential, ...list.map(({ label }) => label)]).size === list.length + 1, "a label appears twice");

/** `first`: the first one that is not cooling down, in their order; `weighted`: by weight among those. */
export const credentialOrderField = z.enum(["first", "weighted"]);

/** Headers that an administrator can never set: authentication, cookies, routing, and those of the connection. */
const reservedHeaders =
  /^(authorization|.*api-?key|.*-auth|x-auth-.*|.*-token|cookie2?|set-cookie2?|host|connection|keep-alive|te|trailers?|transfer-encoding|upgrade|expect|http2-settings|content-.*|accept-encoding|via|forwarded|x-forwarded-.*|x-real-ip|proxy-.*|sec-.*|:.*)$/;

/** Sent to the provider with every request, replacing the client's headers of the same name. Names in lower case. */
export const headersField = z
  .record(
    z
      .string()
      .max(100)
      .regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/, "must be a header name")
      .refine((name) => !reservedHeaders.test(name.toLowerCase()), "this header is not to be set here"),
    z
      .string()
      .max(2_000)
      .regex(/^[\t\x20-\x7e]*$/, "must be printable ASCII on one line"),
  )
  .transform((headers) => Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value.trim()])))
  .refine((headers) => Object.keys(headers).length <= 30, "must be at most 30");

/** `http://` (CONNECT) or `socks5://`, with a login if needed; null = none. Write-only: the login is never shown. */
export const proxyField = z
  .url({ protocol: /^(http|socks5)$/ })
  .max(500)
  .nullable();

const priorityField = z.int().min(0).max(1000);

/** Options that most providers leave unset. */
const fields = {
  /** Priority within a group, replacing the general one. */
  groupPriorities: z
    .record(z.string().regex(/^[a-z0-9][a-z0-9_-]{0,39}$/, "must be lower-case letters, digits, - and _"), priorityField)
    .refine((priorities) => Object.keys(priorities).length <= 50, "must be at most 50"),
  schedule: scheduleField,
  timeouts: timeoutsField,
  breaker: breakerField,
  credentials: credentialsField,
  credentialOrder: credentialOrderField,
  /** Weight of the first credential. */
  secretWeight: weightField,
  headers: headersField,
  proxy: proxyField,
};

/** For creation. */
export const newProviderOptions = {
  groupPriorities: fields.groupPriorities.default({}),
  schedule: fields.schedule.default({ zone: "UTC", windows: [] }),
  timeouts: fields.timeouts.default({}),
  breaker: fields.breaker.default({}),
  credentials: fields.credentials.default([]),
  credentialOrder: fields.credentialOrder.default("first"),
  secretWeight: fields.secretWeight.default(1),
  headers: fields.headers.default({}),
  proxy: fields.proxy.default(null),
};

/** For an update: absent = unchanged; a given value replaces the whole field. */
export const changedProviderOptions = {
  groupPriorities: fields.groupPriorities.optional(),
  schedule: fields.schedule.optional(),
  timeouts: fields.timeouts.optional(),
  breaker: fields.breaker.optional(),
  credentials: fields.credentials.optional(),
  credentialOrder: fields.credentialOrder.optional(),
  secretWeight: fields.secretWeight.optional(),
  headers: fields.headers.optional(),
  proxy: fields.proxy.optional(),
};
