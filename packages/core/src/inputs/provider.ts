import { z } from "zod";
import { redirectList } from "../routing/model-redirects.ts";
import { overrideKinds } from "../routing/provider-override.ts";
import { changedLimitFields, newLimitFields } from "./limits.ts";
import { changedProviderOptions, headersField, newProviderOptions, proxyField } from "./provider-options.ts";
import { uuidField } from "./uuid.ts";
import { isVisible } from "./visible.ts";

/** Name of a provider, user or key: 1–80 visible characters including emoji, no control characters. */
export const nameField = z.string().trim().min(1).max(80).refine(isVisible, "must not contain control characters");

export const groupField = z.string().regex(/^[a-z0-9][a-z0-9_-]{0,39}$/, "must be lower-case letters, digits, - and _");

/** A model name as clients send it: one line, at most 200 characters. */
export const modelField = z
  .string()
  .min(1)
  .max(200)
  .regex(/^[^\p{Cc}\s]+$/u, "must not contain spaces or control characters");

/**
 * Requested models (patterns) and the names sent upstream; the first match wins. An object is accepted and read in its order,
 * but stored as a list: PostgreSQL's jsonb sorts the names of an object.
 */
export const redirectsField = z
  .union([z.array(z.strictObject({ from: modelField, to: modelField })), z.record(modelField, modelField)])
  .transform((redirects) => [...redirectList(redirects)])
  .refine((redirects) => redirects.length <= 500, "must be at most 500");

export const dialectField = z.enum(["anthropic", "openai", "gemini"]);

/** Endpoints of an `openai` provider; other dialects serve all of theirs. */
export const servesField = z.enum(["chat", "responses", "embeddings"]);

/** A plain decimal text such as "1.25". */
export const decimalField = z.string().regex(/^\d{1,6}(\.\d{1,12})?$/, "must be a plain decimal such as 1.25");

export const CreateProviderInput = z.strictObject({
  name: nameField,
  dialect: dialectField,
  serves: z.array(servesField).min(1).default(["chat", "responses", "embeddings"]),
  /** In the form that the dialect's official SDK takes: OpenAI's with `/v1`, the others without. */
  baseUrl: z.url({ protocol: /^https?$/ }).max(500),
  secret: z.string().min(1).max(4096),
  groups: z.array(groupField).min(1).max(50).default(["default"]),
  /** The lowest number is tried first. */
  priority: z.int().min(0).max(1000).default(0),
  weight: z.int().min(1).max(1000).default(1),
  /** Patterns (core/routing/model-patterns) of the models it serves; empty = any. */
  models: z.array(modelField).max(500).default([]),
  modelRedirects: redirectsField.default([]),
  costMultiplier: decimalField.default("1"),
  enabled: z.boolean().default(true),
  ...newProviderOptions,
  ...newLimitFields,
});
export type CreateProviderInput = z.infer<typeof CreateProviderInput>;

/** Every field except the id is optional; an absent secret keeps the stored one, unless baseUrl changes its origin. */
export const UpdateProviderInput = z.strictObject({
  id: uuidField,
  name: nameField.optional(),
  serves: z.array(servesField).min(1).optional(),
  baseUrl: z
    .url({ protocol: /^https?$/ })
    .max(500)
    .optional(),
  secret: z.string().min(1).max(4096).optional(),
  groups: z.array(groupField).min(1).max(50).optional(),
  priority: z.int().min(0).max(1000).optional(),
  weight: z.int().min(1).max(1000).optional(),
  models: z.array(modelField).max(500).optional(),
  modelRedirects: redirectsField.optional(),
  costMultiplier: decimalField.optional(),
  enabled: z.boolean().optional(),
  /** The address that the caller has read (`providers.get`) and that this change is meant for. Absent = any. */
  expected: z.strictObject({ baseUrl: z.string().max(500).optional(), proxy: z.string().max(500).optional() }).optional(),
  ...changedProviderOptions,
  ...changedLimitFields,
});
export type UpdateProviderInput = z.infer<typeof UpdateProviderInput>;

/** A connection test of a stored provider (id) or of one about to be created. */
export const TestProviderInput = z.union([
  z.strictObject({ id: uuidField, model: modelField.optional() }),
  z.strictObject({
    dialect: dialectField,
    baseUrl: z.url({ protocol: /^https?$/ }).max(500),
    secret: z.string().min(1).max(4096),
    headers: headersField.optional(),
    proxy: proxyField.optional(),
    model: modelField.optional(),
  }),
]);
export type TestProviderInput = z.infer<typeof TestProviderInput>;

/** One provider's part of a batch, with the fields that can be changed for many at once. */
const ProviderChange = z.strictObject({
  id: uuidField,
  enabled: z.boolean().optional(),
  priority: z.int().min(0).max(1000).optional(),
  weight: z.int().min(1).max(1000).optional(),
  groups: z.array(groupField).min(1).max(50).optional(),
  costMultiplier: decimalField.optional(),
});
export type ProviderChange = z.infer<typeof ProviderChange>;

/** Changes many providers, all or none; to undo a batch, make the same call with the previous values. */
export const UpdateProvidersInput = z.strictObject({
  changes: z
    .array(ProviderChange)
    .min(1)
    .max(500)
    .refine((changes) => new Set(changes.map(({ id }) => id)).size === changes.length, "a provider appears twice"),
});
export type UpdateProvidersInput = z.infer<typeof UpdateProvidersInput>;

const LONGEST_OVERRIDE_S = 30 * 86_400;

export const OverrideProviderInput = z.strictObject({
  id: uuidField,
  /** null removes the current override. */
  kind: z.enum(overrideKinds).nullable(),
  /** From now; null = until it is removed. */
  forSeconds: z.int().min(1).max(LONGEST_OVERRIDE_S).nullable().default(null),
  /** The reason, shown to other administrators. */
  note: z.string().trim().max(300).default(""),
});
export type OverrideProviderInput = z.infer<typeof OverrideProviderInput>;

/** A hypothetical request with a key, or with any key of a group. */
export const SimulateRoutingInput = z
  .strictObject({
    keyId: uuidField.optional(),
    group: groupField.optional(),
    dialect: dialectField,
    endpoint: z.enum(["messages", "countTokens", "chat", "responses", "embeddings", "generateContent"]),
    model: modelField,
    /** The id shown on the sessions page or, with a key, the client's own session id. */
    session: z.string().max(200).default(""),
  })
  .refine(({ keyId, group }) => (keyId === undefined) !== (group === undefined), {
    message: "give either a key or a group",
    path: ["keyId"],
  });
export type SimulateRoutingInput = z.infer<typeof SimulateRoutingInput>;
