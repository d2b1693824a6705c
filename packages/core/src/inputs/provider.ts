import { z } from "zod";

/** Name of a provider, user or key: 1–80 visible characters, no control characters. */
export const nameField = z
  .string()
  .trim()
  .min(1)
  .max(80)
  .regex(/^[^\p{Cc}\p{Cf}]*$/u, "no control characters");

export const groupField = z.string().regex(/^[a-z0-9][a-z0-9_-]{0,39}$/, "lower-case letters, digits, - and _");

/** A model name as clients send it: one line, at most 200 characters. */
export const modelField = z
  .string()
  .min(1)
  .max(200)
  .regex(/^[^\p{Cc}\s]+$/u, "no spaces or control characters");

export const dialectField = z.enum(["anthropic", "openai", "gemini"]);

/** What an `openai` provider serves; other dialects serve all of theirs. */
export const servesField = z.enum(["chat", "responses", "embeddings"]);

/** A plain decimal text such as "1.25". */
export const decimalField = z.string().regex(/^\d{1,6}(\.\d{1,12})?$/, "a plain decimal such as 1.25");

export const CreateProviderInput = z.strictObject({
  name: nameField,
  dialect: dialectField,
  serves: z.array(servesField).min(1).default(["chat", "responses", "embeddings"]),
  /** As that dialect's official SDK takes it: OpenAI's with `/v1`, the others without. */
  baseUrl: z.url({ protocol: /^https?$/ }).max(500),
  secret: z.string().min(1).max(4096),
  groups: z.array(groupField).min(1).max(50).default(["default"]),
  /** The lowest number is tried first. */
  priority: z.int().min(0).max(1000).default(0),
  weight: z.int().min(1).max(1000).default(1),
  /** Models it serves; empty = any. */
  models: z.array(modelField).max(500).default([]),
  /** Asked-for model → name sent upstream. */
  modelRedirects: z.record(modelField, modelField).default({}),
  costMultiplier: decimalField.default("1"),
  enabled: z.boolean().default(true),
});
export type CreateProviderInput = z.infer<typeof CreateProviderInput>;

/** Every field but the id is optional; an absent secret keeps the stored one, unless baseUrl changes origin. */
export const UpdateProviderInput = z.strictObject({
  id: z.uuid(),
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
  modelRedirects: z.record(modelField, modelField).optional(),
  costMultiplier: decimalField.optional(),
  enabled: z.boolean().optional(),
});
export type UpdateProviderInput = z.infer<typeof UpdateProviderInput>;

/** A connection test: of a stored provider (id) or of one about to be created. */
export const TestProviderInput = z.union([
  z.strictObject({ id: z.uuid(), model: modelField.optional() }),
  z.strictObject({
    dialect: dialectField,
    baseUrl: z.url({ protocol: /^https?$/ }).max(500),
    secret: z.string().min(1).max(4096),
    model: modelField.optional(),
  }),
]);
export type TestProviderInput = z.infer<typeof TestProviderInput>;
