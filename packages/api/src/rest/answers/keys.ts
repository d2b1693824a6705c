import { z } from "zod";
import { atMs, count, cursorPageOf, idField, numberedPageOf } from "./fields.ts";
import { limitFields, policies, totals } from "./owners.ts";

const keyFields = {
  id: idField,
  userId: idField,
  name: z.string(),
  group: z.string(),
  preview: z.string().meta({ description: "The visible part of its secret.", examples: ["sk-sluice-Ab3d…9xYz"] }),
  ...limitFields,
  expiresAtMs: atMs.nullable(),
  policies: policies.nullable(),
  enabled: z.boolean(),
  revokedAtMs: atMs.nullable(),
  previousValidUntilMs: atMs.nullable(),
  createdAtMs: atMs,
};

export const keyView = z.object(keyFields).meta({ id: "Key" });
const keyItem = z
  .object({ ...keyFields, owner: z.object({ name: z.string(), email: z.string() }).optional(), totals: totals.optional() })
  .meta({ id: "KeyItem", description: "A key with the data requested by `fields`." });

export const keyPage = cursorPageOf(keyItem);
export const numberedKeyPage = numberedPageOf(keyItem);
export const createdKey = z.object({
  key: keyView,
  secret: z.string().meta({ description: "Shown only this once: only a hash of it is stored." }),
});

const limitKind = z.enum(["total", "in_flight", "rpm", "tpm", "5h", "day", "week", "month"]);
const costWindows = ["total", "5h", "day", "week", "month"] as const;
const span = z.object({ startMs: atMs, endMs: atMs });

export const keyLimits = z.object({
  limits: z.array(z.object({ limit: limitKind, value: z.number(), owner: z.number().meta({ description: "Index into `owners`." }) })),
  owners: z.array(
    z.object({
      kind: z.enum(["key", "user", "group"]),
      id: z.string(),
      name: z.string(),
      inFlight: count,
      spent: z.partialRecord(z.enum(costWindows), z.number()).nullable().meta({ description: "nano-USD by window." }),
      reserved: z.number().meta({ description: "nano-USD that requests in flight may still cost." }),
    }),
  ),
  windows: z
    .partialRecord(z.enum(costWindows), span.nullable())
    .meta({ description: "When the window resets; null: it is rolling or never resets." }),
  serverNowMs: atMs,
});

export const keyCheck = z.object({
  model: z.string(),
  dialect: z.string(),
  endpoint: z.string(),
  group: z.string(),
  allowed: z.boolean(),
  rules: z.array(
    z.object({
      rule: z.string(),
      passed: z.boolean().nullable(),
      code: z.string().nullable(),
      limit: z.number().optional(),
      used: z.number().optional(),
      freesAtMs: atMs.nullable().optional(),
    }),
  ),
  atMs,
});
