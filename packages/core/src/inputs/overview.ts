import { z } from "zod";
import { overviewRanges, overviewSplits } from "../overview-range.ts";

export const GetOverviewInput = z.strictObject({
  range: z.enum(overviewRanges).default("24h"),
  by: z.enum(overviewSplits).default("model"),
});
export type GetOverviewInput = z.infer<typeof GetOverviewInput>;
