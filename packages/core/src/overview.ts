import { type OverviewRange, type OverviewSplit, overviewSplits } from "./overview-range.ts";
import type { RequestRow } from "./requests.ts";
import { statusClassOf } from "./status-class.ts";

/**
 * The figures of the overview: read once from the rollups and then updated by rows that finish, with the same rules on the
 * server (unsettled rows) and in the browser (pushed rows). A row counts where it started. Errors are the classes 4xx and
 * 5xx; refused and aborted requests are not errors.
 */
export interface Sums {
  requests: number;
  errors: number;
  input: number;
  output: number;
  cacheWrite: number;
  cacheRead: number;
  /** Decimal. */
  costNanoUsd: string;
  /** Requests that produced a first content, and the sum of their times to it, ms. */
  ttftCount: number;
  ttftMsSum: number;
  durationMsSum: number;
}

/** Sums by bucket, one array per measure: a third of the bytes of one object per bucket. `tokens` counts all kinds. */
export interface Columns {
  requests: number[];
  errors: number[];
  tokens: number[];
  costNanoUsd: string[];
  ttftCount: number[];
  ttftMsSum: number[];
  durationMsSum: number[];
}

export interface TopEntry {
  id: string;
  requests: number;
  errors: number;
  tokens: number;
  costNanoUsd: string;
}

export interface OverviewSeries extends Columns {
  /** Id of the model, provider, user or key; null = all without a series of their own, always the last one. */
  id: string | null;
}

/** Administrators see everything, users their own requests. */
export interface Overview {
  range: OverviewRange;
  by: OverviewSplit;
  /** IANA name from the settings. Days are days in this zone. */
  zone: string;
  day: { startMs: number; endMs: number; today: Sums };
  /**
   * Yesterday in five-minute buckets from `startMs` on, so that it can be cut at any time of day, with the number of sessions active
   * around the start of each; null where none was recorded.
   */
  yesterday: { startMs: number; sessions: (number | null)[] } & Columns;
  /** Starts of the buckets, ascending; `endMs` is the end of the last one. */
  times: number[];
  endMs: number;
  series: OverviewSeries[];
  /** Over the whole range, most expensive first, at most {@link TOP}. Users get only models and keys. */
  top: Partial<Record<OverviewSplit, TopEntry[]>>;
  /** Ids of requests in flight and of active sessions. */
  inFlight: string[];
  sessions: string[];
  /** Requests included although their event may still arrive: those that ended in the last {@link RECENT_MS} before `serverNowMs`. */
  counted: string[];
  /** False before the first request ever. */
  used: boolean;
  busId: string;
  serverNowMs: number;
}

/** Number of entries of a top list, and of separate series. */
export const TOP = 8;
export const SERIES = 6;
export const FIVE_MINUTES_MS = 300_000;
/** A request that ended this long before a read may still be on its way to a viewer. */
export const RECENT_MS = 5_000;

export const noSums: Sums = {
  ...{ requests: 0, errors: 0, input: 0, output: 0, cacheWrite: 0, cacheRead: 0 },
  ...{ costNanoUsd: "0", ttftCount: 0, ttftMsSum: 0, durationMsSum: 0 },
};

export function zeroColumns(buckets: number): Columns {
  const zeros = (): number[] => new Array<number>(buckets).fill(0);
  return {
    ...{ requests: zeros(), errors: zeros(), tokens: zeros(), ttftCount: zeros(), ttftMsSum: zeros(), durationMsSum: zeros() },
    costNanoUsd: new Array<string>(buckets).fill("0"),
  };
}

/** A copy with arrays of its own. */
export function copiedColumns({ requests, errors, tokens, costNanoUsd, ttftCount, ttftMsSum, durationMsSum }: Columns): Columns {
  return {
    ...{ requests: [...requests], errors: [...errors], tokens: [...tokens], costNanoUsd: [...costNanoUsd] },
    ...{ ttftCount: [...ttftCount], ttftMsSum: [...ttftMsSum], durationMsSum: [...durationMsSum] },
  };
}

/** What one finished row adds. A correction changes only tokens and cost. */
export function sumsOf(row: RequestRow): Sums {
  const { usage } = row;
  const counts = row.correctsId === null;
  const status = statusClassOf(row);
  const measured = counts && row.ttftMs !== null;
  return {
    requests: counts ? 1 : 0,
    errors: counts && (status === "4xx" || status === "5xx") ? 1 : 0,
    input: usage.input,
    output: usage.output,
    cacheWrite: usage.cacheWrite5m + usage.cacheWrite1h,
    cacheRead: usage.cacheRead,
    costNanoUsd: row.costNanoUsd ?? "0",
    ttftCount: measured ? 1 : 0,
    ttftMsSum: measured ? Math.round(row.ttftMs ?? 0) : 0,
    durationMsSum: counts ? Math.round(row.durationMs ?? 0) : 0,
  };
}

/** The sum of all kinds of tokens. */
export function tokensOf(sums: Pick<Sums, "input" | "output" | "cacheWrite" | "cacheRead">): number {
  return sums.input + sums.output + sums.cacheWrite + sums.cacheRead;
}

/** Counts a finished row everywhere it belongs. Changes `overview` in place. */
export function countRow(overview: Overview, row: RequestRow): void {
  const sums = sumsOf(row);
  const { day, yesterday } = overview;
  moveRange(overview, row.startedAtMs);
  const { times } = overview;
  overview.used = true;
  if (row.startedAtMs >= day.startMs) {
    // After midnight, until the page is read again, rows of the new day do not belong to today.
    if (row.startedAtMs < day.endMs) addSums(day.today, sums);
  } else addAt(yesterday, Math.floor((row.startedAtMs - yesterday.startMs) / FIVE_MINUTES_MS), sums);
  const first = times[0] ?? Number.POSITIVE_INFINITY;
  if (row.startedAtMs < first || row.startedAtMs >= overview.endMs) return;
  addAt(seriesOf(overview, idBy[overview.by](row)), bucketOf(times, row.startedAtMs), sums);
  for (const split of overviewSplits) addToList(overview.top[split] ?? [], idBy[split](row), sums);
}

const idBy: Record<OverviewSplit, (row: RequestRow) => string> = {
  model: (row) => row.model,
  provider: (row) => row.providerId,
  user: (row) => row.userId,
  key: (row) => row.keyId,
};

/** The id's own series, a new one while there is room, or the series of all others. */
function seriesOf(overview: Overview, id: string): Columns {
  const known = overview.series.find((series) => series.id === id);
  if (known) return known;
  const own = id !== "" && overview.series.filter((series) => series.id !== null).length < SERIES;
  const wanted = own ? id : null;
  const found = overview.series.find((series) => series.id === wanted);
  if (found) return found;
  const made: OverviewSeries = { id: wanted, ...zeroColumns(overview.times.length) };
  const rest = overview.series.findIndex((series) => series.id === null);
  overview.series.splice(rest < 0 || wanted === null ? overview.series.length : rest, 0, made);
  return made;
}

/** The last bucket that begins at or before `ms`; day buckets differ in length. */
function bucketOf(times: readonly number[], ms: number): number {
  let low = 0;
  let high = times.length - 1;
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if ((times[middle] ?? 0) <= ms) low = middle;
    else high = middle - 1;
  }
  return low;
}

function addToList(list: TopEntry[], id: string, sums: Sums): void {
  if (id === "") return;
  let entry = list.find((one) => one.id === id);
  if (!entry) {
    if (list.length >= TOP) return;
    entry = { id, requests: 0, errors: 0, tokens: 0, costNanoUsd: "0" };
    list.push(entry);
  }
  entry.requests += sums.requests;
  entry.errors += sums.errors;
  entry.tokens += tokensOf(sums);
  entry.costNanoUsd = plus(entry.costNanoUsd, sums.costNanoUsd);
  list.sort(byCost);
}

/** Most expensive first, then most requests. */
function byCost(a: TopEntry, b: TopEntry): number {
  const difference = BigInt(b.costNanoUsd) - BigInt(a.costNanoUsd);
  if (difference !== 0n) return difference > 0n ? 1 : -1;
  return b.requests - a.requests || (a.id < b.id ? -1 : 1);
}

function addSums(to: Sums, more: Sums): void {
  to.requests += more.requests;
  to.errors += more.errors;
  to.input += more.input;
  to.output += more.output;
  to.cacheWrite += more.cacheWrite;
  to.cacheRead += more.cacheRead;
  to.costNanoUsd = plus(to.costNanoUsd, more.costNanoUsd);
  to.ttftCount += more.ttftCount;
  to.ttftMsSum += more.ttftMsSum;
  to.durationMsSum += more.durationMsSum;
}

/** Adds to one bucket; ignored when out of range. */
export function addAt(columns: Columns, at: number, sums: Sums): void {
  if (at < 0 || at >= columns.requests.length) return;
  columns.requests[at] = (columns.requests[at] ?? 0) + sums.requests;
  columns.errors[at] = (columns.errors[at] ?? 0) + sums.errors;
  columns.tokens[at] = (columns.tokens[at] ?? 0) + tokensOf(sums);
  columns.costNanoUsd[at] = plus(columns.costNanoUsd[at] ?? "0", sums.costNanoUsd);
  columns.ttftCount[at] = (columns.ttftCount[at] ?? 0) + sums.ttftCount;
  columns.ttftMsSum[at] = (columns.ttftMsSum[at] ?? 0) + sums.ttftMsSum;
  columns.durationMsSum[at] = (columns.durationMsSum[at] ?? 0) + sums.durationMsSum;
}

function plus(a: string, b: string): string {
  return b === "0" ? a : (BigInt(a) + BigInt(b)).toString();
}

export interface Until extends Pick<Sums, "requests" | "errors" | "costNanoUsd" | "ttftCount" | "ttftMsSum"> {
  tokens: number;
  /** Requests in flight at that time of day: the mean over its five minutes, from the durations of its requests. */
  inFlight: number;
  /** Sessions active at that time of day; null when not recorded. */
  sessions: number | null;
}

/** Yesterday up to an instant: whole buckets, plus the elapsed share of the current one. */
export function untilTime(columns: Overview["yesterday"], ms: number): Until {
  const place = Math.max(0, (ms - columns.startMs) / FIVE_MINUTES_MS);
  const whole = Math.min(columns.requests.length, Math.floor(place));
  const share = whole < columns.requests.length ? place - whole : 0;
  const sum = (values: readonly number[]): number =>
    values.slice(0, whole).reduce((total, value) => total + value, 0) + (values[whole] ?? 0) * share;
  const cost = columns.costNanoUsd.slice(0, whole).reduce((total, value) => total + BigInt(value), 0n);
  const partOfCost = (BigInt(columns.costNanoUsd[whole] ?? "0") * BigInt(Math.round(share * 1_000))) / 1_000n;
  return {
    requests: sum(columns.requests),
    errors: sum(columns.errors),
    tokens: sum(columns.tokens),
    costNanoUsd: (cost + partOfCost).toString(),
    ttftCount: sum(columns.ttftCount),
    ttftMsSum: sum(columns.ttftMsSum),
    inFlight: (columns.durationMsSum[whole] ?? 0) / FIVE_MINUTES_MS,
    sessions: columns.sessions[whole] ?? null,
  };
}

/** Shifts the range until `nowMs` is in its last bucket. Ranges of days are read again at the end of the day instead. */
export function moveRange(overview: Overview, nowMs: number): void {
  const { times, series } = overview;
  const stepMs = overview.endMs - (times.at(-1) ?? overview.endMs);
  if (overview.range === "30d" || stepMs <= 0) return;
  while (overview.endMs <= nowMs) {
    times.shift();
    times.push(overview.endMs);
    overview.endMs += stepMs;
    for (const { requests, errors, tokens, costNanoUsd, ttftCount, ttftMsSum, durationMsSum } of series) {
      for (const values of [requests, errors, tokens, ttftCount, ttftMsSum, durationMsSum]) {
        values.shift();
        values.push(0);
      }
      costNanoUsd.shift();
      costNanoUsd.push("0");
    }
  }
}
