import { z } from "zod";
import { dialectField, groupField, modelField, nameField } from "./provider.ts";
import { scheduleField } from "./provider-options.ts";
import { uuidField } from "./uuid.ts";

/** Patterns as for a provider's models: exact, `prefix*`, `*suffix`, `*contains*`, `/an RE2 expression/`. */
const patternsField = z.array(z.string().trim().min(1).max(300)).max(50).default([]);

/** Headers that carry secrets must not be used for routing. */
const secretHeaders = /^(authorization|cookie|proxy-authorization|.*api-?key)$/;

/** A header (name in lower case) whose value matches a pattern; `*` only requires it to be present. */
export const ruleHeaderField = z.strictObject({
  name: z
    .string()
    .trim()
    .toLowerCase()
    .max(100)
    .regex(/^[!#$%&'*+.^_`|~0-9a-z-]+$/, "must be a header name")
    .refine((name) => !secretHeaders.test(name), "this header carries a secret"),
  value: z.string().trim().min(1).max(300),
});

/**
 * Routes certain requests. Every field that a rule sets must match; empty fields match anything. Only the first matching rule
 * applies.
 */
export const RoutingRule = z
  .strictObject({
    name: nameField,
    enabled: z.boolean().default(true),
    /** The models that clients request. */
    models: patternsField,
    /** Ids, because owners choose the names of their keys. */
    keys: z.array(uuidField).max(50).default([]),
    /** E-mail addresses. */
    users: z.array(z.string().trim().toLowerCase().min(3).max(254)).max(50).default([]),
    dialects: z.array(dialectField).max(3).default([]),
    headers: z.array(ruleHeaderField).max(10).default([]),
    /** Patterns, matched without the query. */
    paths: patternsField,
    bodyBytesMin: z.int().min(1).nullable().default(null),
    bodyBytesMax: z.int().min(1).nullable().default(null),
    schedule: scheduleField.default({ zone: "UTC", windows: [] }),
    /** Share of the matching sessions. The selection is stable, and raising the share keeps the sessions already selected. */
    percent: z.number().min(0).max(100).default(100),
    /** Name of the only provider to try; null = any. */
    provider: nameField.nullable().default(null),
    /** Group whose providers, multiplier and limits replace those of the key's group; null = the key's. */
    group: groupField.nullable().default(null),
    /** Model requested from providers instead of the client's; null = the client's. */
    model: modelField.nullable().default(null),
  })
  .refine(({ provider, group, model }) => provider !== null || group !== null || model !== null, {
    path: ["provider"],
    message: "a rule must name a provider, a group or a model",
  })
  .refine(({ bodyBytesMin, bodyBytesMax }) => bodyBytesMin === null || bodyBytesMax === null || bodyBytesMin <= bodyBytesMax, {
    path: ["bodyBytesMax"],
    message: "must not be less than the minimum",
  });
export type RoutingRule = z.infer<typeof RoutingRule>;
