import { z } from "zod";
import { atMs, count, idField, nanoUsd, usd } from "./fields.ts";

const dialect = z.enum(["anthropic", "openai", "gemini"]);
const override = z.object({ kind: z.enum(["open", "drain", "closed"]), untilMs: atMs.nullable(), note: z.string() });

const health = z.object({
  providerId: idField,
  inFlight: count,
  requests: count,
  errors: count,
  costNanoUsd: nanoUsd,
  breakers: z.array(
    z.object({
      model: z.string(),
      state: z.enum(["closed", "open", "half_open"]),
      failures: count,
      probeAtMs: atMs.nullable(),
      cause: z.string(),
    }),
  ),
});

export const providerList = z.object({
  providers: z.array(
    z
      .object({
        id: idField,
        name: z.string(),
        dialect,
        host: z.string(),
        groups: z.array(z.string()),
        priority: z.number(),
        weight: z.number(),
        enabled: z.boolean(),
        costMultiplier: z.string().optional(),
        override: override.optional(),
      })
      .meta({ id: "ProviderLine" }),
  ),
  health: z.array(health),
  serverNowMs: atMs,
});

export const providerView = z
  .object({
    id: idField,
    name: z.string(),
    dialect,
    serves: z.array(z.enum(["chat", "responses", "embeddings"])),
    baseUrl: z.string(),
    secretTail: z.string(),
    groups: z.array(z.string()),
    priority: z.number(),
    weight: z.number(),
    models: z.array(z.string()),
    modelRedirects: z.array(z.object({ from: z.string(), to: z.string() })),
    costMultiplier: z.string(),
    enabled: z.boolean(),
    override: override.nullable(),
    createdAtMs: atMs,
  })
  .meta({ id: "Provider", description: "A provider, without its secrets." });

export const priceList = z.array(
  z
    .object({
      id: idField,
      model: z.string(),
      inputPerMTok: usd,
      outputPerMTok: usd,
      cacheWrite5mPerMTok: usd.nullable(),
      cacheWrite1hPerMTok: usd.nullable(),
      cacheReadPerMTok: usd.nullable(),
      maxOutputTokens: count.nullable(),
      source: z.string(),
      createdAtMs: atMs,
    })
    .meta({ id: "Price", description: "USD per million tokens; null: derived from the input price." }),
);
