import type { Percentiles } from "./latency-sketch.ts";
import type { Columns, Sums } from "./overview.ts";

/**
 * What is answered about the past: from rollups, so of what is settled (seconds behind), whatever the range. Every answer says
 * when it was computed and whether it comes from a cache. A request counts where it started; errors are the classes 4xx and
 * 5xx; a correction counts in the moment of the request that it corrects, and moves tokens and cost only.
 */
export interface Answered {
  /** When it was computed, ms since the epoch. */
  asOf: number;
  cache: "hit" | "miss" | "bypass";
}
export type Answer<T> = T & Answered;

/**
 * How an answer and the events of what ends go together: all that ended before `fromMs` is counted, of what ended since then
 * `ids` are, and all corrections that are so new. A request that ends is counted once, whichever comes first and whoever's clock it has.
 */
export interface Recent {
  fromMs: number;
  ids: string[];
}

/** What series are split by. Users may not ask for `provider`, and are the only `user` they see. */
export const seriesSplits = ["none", "model", "provider", "user", "key", "group", "dialect", "status"] as const;
export type SeriesSplit = (typeof seriesSplits)[number];

/** Lengths of buckets, ascending. Days, weeks (from Monday) and months are those of the zone's calendar, and differ in length. */
export const statisticsSteps = ["5m", "15m", "30m", "hour", "day", "week", "month"] as const;
export type StatisticsStep = (typeof statisticsSteps)[number];

export const compareSplits = ["key", "user", "provider", "model", "group"] as const;
export type CompareSplit = (typeof compareSplits)[number];

export const leaderboardOf = ["users", "keys", "providers", "models"] as const;
export type LeaderboardOf = (typeof leaderboardOf)[number];
/** All descending but `ttft`, of which less is better. */
export const leaderboardSorts = ["requests", "tokens", "cost", "cacheHitRate", "successRate", "ttft"] as const;
export type LeaderboardSort = (typeof leaderboardSorts)[number];
/** The zone's day, week (from Monday) and calendar month that are going on. */
export const leaderboardPeriods = ["today", "week", "month", "all", "custom"] as const;
export type LeaderboardPeriod = (typeof leaderboardPeriods)[number];

/** Sums of a span; {@link ratesOf} gives what follows from them. */
export interface SpanSums extends Sums {
  /** Ended by the client. */
  aborted: number;
  /** Never went to a provider. */
  refused: number;
}

/** From `fromMs` to before `toMs`. */
export interface Span {
  fromMs: number;
  toMs: number;
}

/**
 * The buckets of an answer, which are exactly what is counted: the range asked for is widened to whole ones. Where sums of
 * five minutes are kept no more (`retention.fiveMinuteDays`) every bucket begins with an hour of universal time: a day of a
 * zone that is half an hour off then begins with the first whole hour in it.
 */
export interface Buckets {
  /** IANA. */
  zone: string;
  step: StatisticsStep;
  /** Starts, ascending, at least one. */
  times: number[];
  /** End of the last one. */
  endMs: number;
}

/** A value a bucket, zeros included. `cached` of the tokens sent, which are `prompt`, were read from a provider's cache. */
export interface StatisticsColumns extends Columns {
  prompt: number[];
  cached: number[];
}

export interface StatisticsSeries extends StatisticsColumns {
  /** Model, provider, user or key id, group, dialect or status class; null = all that have no series of their own, the last one. */
  id: string | null;
}

export interface Statistics extends Buckets {
  by: SeriesSplit;
  /** The most expensive first, at most as many as asked for and as fit the answer; split by `none`: one, with id null. */
  series: StatisticsSeries[];
  recent: Recent;
}

export interface Usage extends Buckets {
  totals: SpanSums;
  /** As long as what has passed of the range, one range earlier. */
  previous: Span & { totals: SpanSums };
  trend: StatisticsColumns;
  recent: Recent;
}

/** One of what is compared; each is read and cached by itself, so that one may fail alone. */
export type Compared = { id: string } & (
  | ({ failed: false; totals: SpanSums; previous: Span & { totals: SpanSums }; trend: StatisticsColumns } & Answered)
  | { failed: true; code: string; message: string }
);

export interface Comparison extends Buckets {
  by: CompareSplit;
  /** In the order asked for. */
  entries: Compared[];
}

export interface LeaderboardEntry {
  /** From 1; ties are in the order of their requests, then of their ids. */
  rank: number;
  /** Null: was not in it, or there is no period before. */
  previousRank: number | null;
  /** '' = another user, as users see them. */
  id: string;
  /** Null: is no more, or is not told. */
  name: string | null;
  requests: number;
  errors: number;
  tokens: number;
  costNanoUsd: string;
  /** Of all entries and what revoked keys did, 0 to 1; null when sorted by what does not add up (a rate, a time). */
  share: number | null;
  rates: Omit<Rates, "durationMs">;
}

/** What keys did that have been revoked since: counted, and not ranked. */
export interface RevokedKeys {
  /** How many of them were used. */
  keys: number;
  requests: number;
  errors: number;
  tokens: number;
  costNanoUsd: string;
  /** As an entry's. */
  share: number | null;
}

export interface Leaderboard {
  of: LeaderboardOf;
  sort: LeaderboardSort;
  period: LeaderboardPeriod;
  zone: string;
  /** What is counted; of `all` null. */
  span: Span | null;
  /** The day, week, month or span before, whole; of `all` null. */
  previous: Span | null;
  items: LeaderboardEntry[];
  /** Of keys, what makes the sum of all entries that of the ledger; null when there is nothing, and of anything else. */
  revoked: RevokedKeys | null;
  /** All that were used and are ranked. */
  total: number;
  page: number;
  pageSize: number;
  totalPages: number;
  hasNext: boolean;
  hasPrev: boolean;
}

/** What filters may name. Of users their own, and no providers and users. */
export interface FilterOptions {
  /** Asked for in the last 30 days. */
  models: string[];
  groups: string[];
  dialects: string[];
  tags: string[];
  providers: { id: string; name: string }[];
  /** The newest {@link MOST_OPTIONS}. */
  keys: { id: string; name: string; userId: string }[];
  users: { id: string; name: string }[];
}
export const MOST_OPTIONS = 200;

/** How a provider was, with one of its models or all of them. */
export interface AvailabilityRow {
  providerId: string;
  /** Null: all models. */
  model: string | null;
  requests: number;
  errors: number;
  aborted: number;
  /** Until the first content, and until the end. */
  ttft: Percentiles;
  duration: Percentiles;
  /** By bucket. */
  series: { requests: number[]; errors: number[]; aborted: number[] };
}

export interface Availability extends Buckets {
  /** Providers, most requests first, each followed by its models, most requests first; at most as many as fit the answer. */
  rows: AvailabilityRow[];
  /** Rows there are. */
  total: number;
}

/** What one user has used. */
export interface UserStats {
  userId: string;
  /** Since the beginning. */
  totalRequests: number;
  totalTokens: number;
  /** Charged since the beginning, corrections included, without what was refunded. Decimal nano-USD. */
  creditsUsedNanoUsd: string;
  refundedNanoUsd: string;
  lastUsedAtMs: number | null;
  /** The calendar month that is going on, in the zone of the settings. */
  month: Span & { totals: SpanSums };
}

/** What follows from sums; null where nothing says so. 0 to 1, ms. */
export interface Rates {
  /** Of the requests that a provider ended. */
  successRate: number | null;
  /** Of the tokens sent, those read from a provider's cache. */
  cacheHitRate: number | null;
  /** Means. */
  ttftMs: number | null;
  durationMs: number | null;
}

export function ratesOf(sums: Omit<SpanSums, "output" | "costNanoUsd">): Rates {
  const { requests, aborted, refused, cacheRead } = sums;
  const ranked = { ...sums, ended: requests - aborted - refused, prompt: sums.input + sums.cacheWrite + cacheRead, cached: cacheRead };
  return { ...rankedRatesOf(ranked), durationMs: ratio(sums.durationMsSum, requests) };
}

/** What leaderboards rank by: requests that a provider ended, and of these the failed ones; tokens sent, and of these the cached ones. */
export interface RankedSums {
  errors: number;
  ended: number;
  prompt: number;
  cached: number;
  ttftCount: number;
  ttftMsSum: number;
}

export function rankedRatesOf({ errors, ended, prompt, cached, ttftCount, ttftMsSum }: RankedSums): Omit<Rates, "durationMs"> {
  return { successRate: ratio(ended - errors, ended), cacheHitRate: ratio(cached, prompt), ttftMs: ratio(ttftMsSum, ttftCount) };
}

function ratio(part: number, whole: number): number | null {
  return whole > 0 ? part / whole : null;
}
