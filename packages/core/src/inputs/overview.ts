import { z } from "zod";
import { overviewRanges, overviewSplits } from "../overview-range.ts";
import { uuidField } from "./uuid.ts";

export const GetOverviewInput = z.strictObject({
  range: z.enum(overviewRanges).default("24h"),
  by: z.enum(overviewSplits).default("model"),
});
/** Percentiles of all providers or of one. */
export const GetLatencyInput = z.strictObject({
  range: z.enum(overviewRanges).default("24h"),
  providerId: uuidField.optional(),
});

export type GetOverviewInput = z.infer<typeof GetOverviewInput>;
