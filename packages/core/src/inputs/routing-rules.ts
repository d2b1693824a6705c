import { z } from "zod";
import { dialectField, groupField, modelField, nameField } from "./provider.ts";
import { scheduleField } from "./provider-options.ts";
import { uuidField } from "./uuid.ts";

/** As models of a provider are written: exact, `prefix*`, `*suffix`, `*contains*`, `/an RE2 expression/`. */
const patternsField = z.array(z.string().trim().min(1).max(300)).max(50).default([]);

/** What carries secrets is nothing to route by. */
const secretHeaders = /^(authorization|cookie|proxy-authorization|.*api-?key)$/;

/** A header, by its name in lower case, whose value matches a pattern (`*`: it is there at all). */
export const ruleHeaderField = z.strictObject({
  name: z
    .string()
    .trim()
    .toLowerCase()
    .max(100)
    .regex(/^[!#$%&'*+.^_`|~0-9a-z-]+$/, "a header's name")
    .refine((name) => !secretHeaders.test(name), "this header carries a secret"),
  value: z.string().trim().min(1).max(300),
});

/**
 * Where certain requests go. All that a rule names must apply; what it leaves empty may be anything. The first rule that
 * applies counts, and no other is looked at.
 */
export const RoutingRule = z
  .strictObject({
    name: nameField,
    enabled: z.boolean().default(true),
    /** As the client asks for them. */
    models: patternsField,
    /** Ids: owners choose the names of their keys. */
    keys: z.array(uuidField).max(50).default([]),
    /** E-mail addresses. */
    users: z.array(z.string().trim().toLowerCase().min(3).max(254)).max(50).default([]),
    dialects: z.array(dialectField).max(3).default([]),
    headers: z.array(ruleHeaderField).max(10).default([]),
    /** Patterns, without the query. */
    paths: patternsField,
    bodyBytesMin: z.int().min(1).nullable().default(null),
    bodyBytesMax: z.int().min(1).nullable().default(null),
    schedule: scheduleField.default({ zone: "UTC", windows: [] }),
    /** Of the sessions that all else applies to; the same ones at every request, and still them when it is raised. */
    percent: z.number().min(0).max(100).default(100),
    /** The name of the only provider to be tried; null = any. */
    provider: nameField.nullable().default(null),
    /** Whose providers, multiplier and limits count in place of the key's group; null = the key's. */
    group: groupField.nullable().default(null),
    /** What providers are asked for in place of the client's model; null = that. */
    model: modelField.nullable().default(null),
  })
  .refine(({ provider, group, model }) => provider !== null || group !== null || model !== null, {
    path: ["provider"],
    message: "a rule names a provider, a group or a model",
  })
  .refine(({ bodyBytesMin, bodyBytesMax }) => bodyBytesMin === null || bodyBytesMax === null || bodyBytesMin <= bodyBytesMax, {
    path: ["bodyBytesMax"],
    message: "less than the least",
  });
export type RoutingRule = z.infer<typeof RoutingRule>;
