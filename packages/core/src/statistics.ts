import type { Percentiles } from "./latency-sketch.ts";
import type { Columns, Sums } from "./overview.ts";

/**
 * Answers about the past, from rollups and therefore about settled requests (seconds behind), whatever the range. Each answer gives
 * the time of its computation and whether it came from a cache. A request counts where it started; errors are the classes 4xx and
 * 5xx; a correction counts at the time of the request it corrects, and changes only tokens and cost.
 */
export interface Answered {
  /** When it was computed, ms since the epoch. */
  asOf: number;
  cache: "hit" | "miss" | "bypass";
}
export type Answer<T> = T & Answered;

/**
 * Reconciles an answer with the events of requests that end: everything that ended before `fromMs` is included, of later ends and
 * equally recent corrections those in `ids` are. So each is counted once, whichever comes first and whatever clock it has.
 */
export interface Recent {
  fromMs: number;
  ids: string[];
}

/** What series are split by. Users cannot use `provider`, and see only themselves under `user`. */
export const seriesSplits = ["none", "model", "provider", "user", "key", "group", "dialect", "status"] as const;
export type SeriesSplit = (typeof seriesSplits)[number];

/** Bucket lengths, ascending. Days, weeks (from Monday) and months follow the zone's calendar and differ in length. */
export const statisticsSteps = ["5m", "15m", "30m", "hour", "day", "week", "month"] as const;
export type StatisticsStep = (typeof statisticsSteps)[number];

export const compareSplits = ["key", "user", "provider", "model", "group"] as const;
export type CompareSplit = (typeof compareSplits)[number];

export const leaderboardOf = ["users", "keys", "providers", "models"] as const;
export type LeaderboardOf = (typeof leaderboardOf)[number];
/** All descending except `ttft`, where less is better. */
export const leaderboardSorts = ["requests", "tokens", "cost", "cacheHitRate", "successRate", "ttft"] as const;
export type LeaderboardSort = (typeof leaderboardSorts)[number];
/** The current day, week (from Monday) and calendar month of the zone. */
export const leaderboardPeriods = ["today", "week", "month", "all", "custom"] as const;
export type LeaderboardPeriod = (typeof leaderboardPeriods)[number];

/** Sums of a span; {@link ratesOf} derives rates from them. */
export interface SpanSums extends Sums {
  /** Ended by the client. */
  aborted: number;
  /** Never reached a provider. */
  refused: number;
}

/** From `fromMs` up to but not including `toMs`. */
export interface Span {
  fromMs: number;
  toMs: number;
}

/**
 * The buckets of an answer, which cover exactly what is counted: the requested range is extended to whole buckets. Where five-minute
 * sums are no longer kept (`retention.fiveMinuteDays`), every bucket begins with a UTC hour: in a zone with a half-hour offset, a
 * day then begins with the first whole hour in it.
 */
export interface Buckets {
  /** IANA name. */
  zone: string;
  step: StatisticsStep;
  /** Starts, ascending, at least one. */
  times: number[];
  /** End of the last one. */
  endMs: number;
}

/** One value per bucket, including zeros. `prompt` counts the tokens sent, `cached` those of them read from a provider's cache. */
export interface StatisticsColumns extends Columns {
  prompt: number[];
  cached: number[];
}

export interface StatisticsSeries extends StatisticsColumns {
  /** Model, provider, user or key id, group, dialect or status class; null = all without a series of their own, the last one. */
  id: string | null;
}

export interface Statistics extends Buckets {
  by: SeriesSplit;
  /** Most expensive first, at most as many as requested and as fit the answer; when split by `none`: one, with id null. */
  series: StatisticsSeries[];
  recent: Recent;
}

export interface Usage extends Buckets {
  totals: SpanSums;
  /** The preceding span, as long as the elapsed part of the range. */
  previous: Span & { totals: SpanSums };
  trend: StatisticsColumns;
  recent: Recent;
}

/** One of the compared entries. Each is read and cached separately, so one can fail alone. */
export type Compared = { id: string } & (
  | ({ failed: false; totals: SpanSums; previous: Span & { totals: SpanSums }; trend: StatisticsColumns } & Answered)
  | { failed: true; code: string; message: string }
);

export interface Comparison extends Buckets {
  by: CompareSplit;
  /** In the requested order. */
  entries: Compared[];
}

export interface LeaderboardEntry {
  /** From 1; ties are ordered by requests, then by id. */
  rank: number;
  /** null: not ranked then, or there is no previous period. */
  previousRank: number | null;
  /** '' = another user, as shown to users. */
  id: string;
  /** null: deleted or not visible. */
  name: string | null;
  requests: number;
  errors: number;
  tokens: number;
  costNanoUsd: string;
  /** Share of all entries plus revoked keys, 0 to 1; null when sorted by something that does not add up (a rate, a time). */
  share: number | null;
  rates: Omit<Rates, "durationMs">;
}

/** Usage of keys that have been revoked since: counted but not ranked. */
export interface RevokedKeys {
  /** How many of them were used. */
  keys: number;
  requests: number;
  errors: number;
  tokens: number;
  costNanoUsd: string;
  /** Like that of an entry. */
  share: number | null;
}

export interface Leaderboard {
  of: LeaderboardOf;
  sort: LeaderboardSort;
  period: LeaderboardPeriod;
  zone: string;
  /** What is counted; null for `all`. */
  span: Span | null;
  /** The previous day, week, month or span, in full; null for `all`. */
  previous: Span | null;
  items: LeaderboardEntry[];
  /** For keys: the difference between the sum of all entries and the ledger's; null when there is none, and for anything else. */
  revoked: RevokedKeys | null;
  /** All that were used and are ranked. */
  total: number;
  page: number;
  pageSize: number;
  totalPages: number;
  hasNext: boolean;
  hasPrev: boolean;
}

/** What filters can offer. Users get their own data, and no providers or users. */
export interface FilterOptions {
  /** Requested in the last 30 days. */
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

/** A provider's availability, for one of its models or all of them. */
export interface AvailabilityRow {
  providerId: string;
  /** null: all models. */
  model: string | null;
  requests: number;
  errors: number;
  aborted: number;
  /** Until first content, and until the end. */
  ttft: Percentiles;
  duration: Percentiles;
  /** By bucket. */
  series: { requests: number[]; errors: number[]; aborted: number[] };
}

export interface Availability extends Buckets {
  /** Providers by number of requests, each followed by its models by number of requests; at most as many as fit the answer. */
  rows: AvailabilityRow[];
  /** Number of existing rows. */
  total: number;
}

/** Usage of one user. */
export interface UserStats {
  userId: string;
  /** Since the beginning. */
  totalRequests: number;
  totalTokens: number;
  /** Charged since the beginning, including corrections, before refunds. Decimal nano-USD. */
  creditsUsedNanoUsd: string;
  refundedNanoUsd: string;
  lastUsedAtMs: number | null;
  /** The current calendar month, in the zone of the settings. */
  month: Span & { totals: SpanSums };
}

/** Rates derived from sums; null where there is no data. Shares are 0 to 1, times in ms. */
export interface Rates {
  /** Among requests that reached an end at a provider. */
  successRate: number | null;
  /** Share of the tokens sent that were read from a provider's cache. */
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

/** What leaderboards rank by: requests ended by a provider and the failed ones among them; tokens sent and the cached ones among them. */
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
