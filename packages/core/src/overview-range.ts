/** Ranges of the overview's series and top lists. Separate from the input schema, which is too large just to read an address. */
export const overviewRanges = ["24h", "7d", "30d"] as const;
export type OverviewRange = (typeof overviewRanges)[number];

/** What series are split by. Users have only models and keys. */
export const overviewSplits = ["model", "provider", "user", "key"] as const;
export type OverviewSplit = (typeof overviewSplits)[number];
