import { z } from "zod";

/** How far back series and top lists go. */
export const overviewRanges = ["24h", "7d", "30d"] as const;
export type OverviewRange = (typeof overviewRanges)[number];

/** What series are split by. Users have models and keys only. */
export const overviewSplits = ["model", "provider", "user", "key"] as const;
export type OverviewSplit = (typeof overviewSplits)[number];

export const GetOverviewInput = z.strictObject({
  range: z.enum(overviewRanges).default("24h"),
  by: z.enum(overviewSplits).default("model"),
});
export type GetOverviewInput = z.infer<typeof GetOverviewInput>;
