import { z } from "zod";
import { modelField } from "./provider.ts";

/** At most 10 decimal places: 1.25 × and 0.1 × of it then stay exact at the 12 that core/money keeps. */
const priceField = z.string().regex(/^\d{1,6}(\.\d{1,10})?$/, "a plain decimal such as 1.25");

/** USD per million tokens as plain decimals; absent cache prices follow core/pricing's defaults. */
export const PriceInput = z.strictObject({
  model: modelField,
  inputPerMTok: priceField,
  outputPerMTok: priceField,
  cacheWrite5mPerMTok: priceField.nullable().default(null),
  cacheWrite1hPerMTok: priceField.nullable().default(null),
  cacheReadPerMTok: priceField.nullable().default(null),
});
export type PriceInput = z.infer<typeof PriceInput>;
