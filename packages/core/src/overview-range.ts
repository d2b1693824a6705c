/** How far back the overview's series and top lists go. Apart from its input's schema, which is too large for an address. */
export const overviewRanges = ["24h", "7d", "30d"] as const;
export type OverviewRange = (typeof overviewRanges)[number];

/** What series are split by. Users have models and keys only. */
export const overviewSplits = ["model", "provider", "user", "key"] as const;
export type OverviewSplit = (typeof overviewSplits)[number];
