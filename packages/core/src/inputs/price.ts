import { z } from "zod";
import { decimalField, modelField } from "./provider.ts";

/** USD per million tokens as plain decimals; absent cache prices follow core/pricing's defaults. */
export const PriceInput = z.strictObject({
  model: modelField,
  inputPerMTok: decimalField,
  outputPerMTok: decimalField,
  cacheWrite5mPerMTok: decimalField.nullable().default(null),
  cacheWrite1hPerMTok: decimalField.nullable().default(null),
  cacheReadPerMTok: decimalField.nullable().default(null),
});
export type PriceInput = z.infer<typeof PriceInput>;
