import { z } from "zod";
import { modelField } from "./provider.ts";
import { uuidField } from "./uuid.ts";

/** At most 10 decimal places, so that 1.25 × and 0.1 × of it stay exact within the 12 places of core/money. */
const priceField = z.string().regex(/^\d{1,6}(\.\d{1,10})?$/, "must be a plain decimal such as 1.25");

/** USD per million tokens as plain decimals; absent cache prices use the defaults of core/pricing. */
export const PriceInput = z.strictObject({
  model: modelField,
  inputPerMTok: priceField,
  outputPerMTok: priceField,
  cacheWrite5mPerMTok: priceField.nullable().default(null),
  cacheWrite1hPerMTok: priceField.nullable().default(null),
  cacheReadPerMTok: priceField.nullable().default(null),
  /** The model's maximum output per answer; null = unknown. */
  maxOutputTokens: z.int().min(1).max(100_000_000).nullable().default(null),
});
export type PriceInput = z.infer<typeof PriceInput>;

/** Latest time allowed, well within the 48 bits that an id has. */
const MOST_MS = 8.64e15 / 100;

/** Maximum size of a price file in characters: LiteLLM's is about 1.5 MB. */
export const MOST_PRICE_FILE = 8 * 1024 * 1024;

/** A price table in LiteLLM's form, as text so that decimals are read exactly. Without `apply` it only previews the changes. */
export const ImportPricesInput = z.strictObject({
  text: z.string().max(MOST_PRICE_FILE, "must be at most 8 MB"),
  /** Whether to replace prices that a person or the configuration file has set as well. */
  replaceOwn: z.boolean().default(false),
  apply: z.boolean().default(false),
});

export const PriceHistoryInput = z.strictObject({ model: modelField });

/** Reprices a model's requests that began in [fromMs, toMs) with a price version; absent = the current one. */
export const RepriceInput = z
  .strictObject({
    model: modelField,
    priceId: uuidField.optional(),
    fromMs: z.int().min(0).max(MOST_MS),
    toMs: z.int().min(0).max(MOST_MS),
  })
  .refine(({ fromMs, toMs }) => fromMs < toMs, { path: ["toMs"], message: "must be after `fromMs`" });
