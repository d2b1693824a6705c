import type { LogFilter } from "@sluice/core/inputs/log";
import type { StatusClass } from "@sluice/core/requests";
import { DAY_MS, HOUR_MS } from "@sluice/core/time-zone";
import type pg from "pg";

/**
 * Requests over time by status class. Reads rollups and never `requests`, so a month costs as much as an hour. Rollups
 * have the dimensions user, key, provider, model, group, dialect and class; filters on anything else cannot be answered.
 */
export interface HistogramQuery {
  tenantId: string;
  filter: LogFilter;
  /** Limits the result to one user's rows, or to one key; absent = all. */
  scope: { userId?: string | undefined; keyId?: string | undefined };
  span: HistogramSpan;
  /** Requests that may have been settled by now: the answer names those that are. */
  unsettled: readonly string[];
}

/** Whole buckets from `fromMs` to `toMs`, ms since the epoch. */
export interface HistogramSpan {
  fromMs: number;
  toMs: number;
  stepMs: number;
}

export interface HistogramBucket {
  atMs: number;
  counts: Partial<Record<StatusClass, number>>;
}

const MINUTE_MS = 60_000;
const steps = [
  5 * MINUTE_MS,
  10 * MINUTE_MS,
  15 * MINUTE_MS,
  30 * MINUTE_MS,
  HOUR_MS,
  2 * HOUR_MS,
  3 * HOUR_MS,
  6 * HOUR_MS,
  12 * HOUR_MS,
  DAY_MS,
  7 * DAY_MS,
  28 * DAY_MS,
];
const MOST_BUCKETS = 120;

/** The finest span of whole buckets over a time range that stays readable. Before `fineFromMs`, only hourly sums exist. */
export function spanOf(fromMs: number, toMs: number, fineFromMs = 0): HistogramSpan {
  const finest = fromMs < fineFromMs ? HOUR_MS : 0;
  const stepMs = steps.find((step) => step >= finest && (toMs - fromMs) / step <= MOST_BUCKETS) ?? 365 * DAY_MS;
  return { fromMs: Math.floor(fromMs / stepMs) * stepMs, toMs: Math.ceil(toMs / stepMs) * stepMs, stepMs };
}

/** Fields of a filter that the sums cannot answer. */
export function unanswered(filter: LogFilter): (keyof LogFilter)[] {
  const unknown = (["sessionId", "notSessionId", "requestId", "minAttempts"] as const).filter((field) => filter[field] !== undefined);
  // Requests that have not ended are in no sum, so excluding them is always satisfied.
  return filter.state === "in_flight" || filter.state === "lost" ? [...unknown, "state"] : unknown;
}

/** Non-empty buckets, oldest first, and which of `unsettled` they include: one statement, one snapshot. */
export async function countByBucket(
  pool: pg.Pool,
  query: HistogramQuery,
): Promise<{ buckets: HistogramBucket[]; settled: ReadonlySet<string> }> {
  const { text, values } = histogramStatement(query);
  const { rows } = await pool.query<{ at: Date | null; name: string; requests: string }>(text, values);
  const buckets = new Map<number, HistogramBucket>();
  const settled = new Set<string>();
  for (const { at, name, requests } of rows) {
    if (at === null) {
      settled.add(name);
      continue;
    }
    const atMs = at.getTime();
    const bucket = buckets.get(atMs) ?? { atMs, counts: {} };
    bucket.counts[name as StatusClass] = Number(requests);
    buckets.set(atMs, bucket);
  }
  return { buckets: [...buckets.values()].sort((a, b) => a.atMs - b.atMs), settled };
}

function histogramStatement({ tenantId, filter, scope, span, unsettled }: HistogramQuery): { text: string; values: unknown[] } {
  const values: unknown[] = [];
  const bind = (value: unknown): string => `$${values.push(value)}`;
  const asked = { tenantId, filter, scope, span };
  const from = dimensionOf(asked)
    ? usageSums(bind, asked)
    : `${rollupTableOf(span.stepMs)} WHERE ${rollupConditions(bind, asked).join(" AND ")}`;
  const binned = `date_bin(${bind(`${span.stepMs} ms`)}::interval, bucket, '1970-01-01T00:00:00Z'::timestamptz)`;
  const text = `SELECT ${binned} AS at, status_class AS name, sum(requests)::text AS requests FROM ${from} GROUP BY 1, 2
    UNION ALL SELECT NULL, id::text, '1' FROM requests WHERE id = ANY(${bind(unsettled)}::uuid[])`;
  return { text, values };
}

type Asked = Omit<HistogramQuery, "unsettled">;

/** The single model or provider that is asked for, or all of them, when `usage_sums` can answer; undefined when it cannot. */
function dimensionOf({ filter, scope }: Asked): { kind: string; id: string } | undefined {
  const { model, providerId, statusClass: _1, notStatusClass: _2, state: _3, notState: _4, ...others } = filter;
  const isAnswered = scope.userId === undefined && Object.values(others).every((value) => value === undefined);
  if (!isAnswered || (model !== undefined && providerId !== undefined)) return undefined;
  if (model !== undefined) return { kind: "model", id: model };
  return providerId === undefined ? { kind: "", id: "" } : { kind: "provider", id: providerId };
}

const counted = ["3xx", "4xx", "5xx", "aborted", "refused"];
const classCounts = [
  `('2xx', requests - ${counted.map((name) => `requests_${name}`).join(" - ")})`,
  ...counted.map((name) => `('${name}', requests_${name})`),
];

/** Turns one row per bucket into one row per class. */
function usageSums(bind: (value: unknown) => string, asked: Asked): string {
  const { kind, id } = dimensionOf(asked) ?? { kind: "", id: "" };
  const { tenantId, filter, span } = asked;
  const grain = rollupTableOf(span.stepMs).replace("rollups_", "");
  const where = [
    `tenant_id = ${bind(tenantId)} AND grain = '${grain}' AND kind = ${bind(kind)} AND id = ${bind(id)}`,
    `bucket >= ${bind(new Date(span.fromMs))} AND bucket < ${bind(new Date(span.toMs))}`,
    ...classesOf(filter).map((classes) => `name = ANY(${bind(classes)}::text[])`),
  ];
  return `(SELECT bucket, name AS status_class, n AS requests FROM usage_sums, LATERAL (VALUES ${classCounts.join(", ")}) AS ended(name, n)
    WHERE n <> 0 AND ${where.join(" AND ")}) AS ends`;
}

/** Conditions on the key of the rollups. With a user, buckets are listed one by one, so that only that user's entries are read. */
export function rollupConditions(
  bind: (value: unknown) => string,
  { tenantId, filter, scope, span }: Omit<HistogramQuery, "unsettled">,
): string[] {
  return [
    `tenant_id = ${bind(tenantId)}`,
    ...bucketConditions(bind, span, (scope.userId ?? filter.userId) !== undefined),
    ...(scope.userId === undefined ? [] : [`user_id = ${bind(scope.userId)}`]),
    ...(scope.keyId === undefined ? [] : [`key_id = ${bind(scope.keyId)}`]),
    ...equal(bind, filter),
    ...classesOf(filter).map((classes) => `status_class = ANY(${bind(classes)}::text[])`),
  ];
}

function bucketConditions(bind: (value: unknown) => string, span: HistogramSpan, isListed: boolean): string[] {
  const [from, to] = [bind(new Date(span.fromMs)), bind(new Date(span.toMs))];
  if (!isListed) return [`bucket >= ${from}`, `bucket < ${to}`];
  const step = { rollups_5m: "5 minutes", rollups_hour: "1 hour", rollups_day: "24 hours" }[rollupTableOf(span.stepMs)];
  const last = `${to}::timestamptz - interval '${step}'`;
  return [`bucket = ANY(ARRAY(SELECT generate_series(${from}::timestamptz, ${last}, interval '${step}')))`];
}

/** The coarsest rollup whose buckets fit this step. */
export function rollupTableOf(stepMs: number): "rollups_5m" | "rollups_hour" | "rollups_day" {
  if (stepMs < HOUR_MS) return "rollups_5m";
  return stepMs < DAY_MS ? "rollups_hour" : "rollups_day";
}

function equal(bind: (value: unknown) => string, filter: LogFilter): string[] {
  const columns = [
    ["user_id", filter.userId, filter.notUserId],
    ["key_id", filter.keyId, filter.notKeyId],
    ["provider_id", filter.providerId, filter.notProviderId],
    ["model", filter.model, filter.notModel],
    ['"group"', filter.group, filter.notGroup],
    ["dialect", filter.dialect, filter.notDialect],
  ] as const;
  return columns.flatMap(([column, is, not]) => [
    ...(is === undefined ? [] : [`${column} = ${bind(is)}`]),
    ...(not === undefined ? [] : [`${column} <> ALL(${bind(not)}::text[])`]),
  ]);
}

const classesOfState = {
  done: ["2xx", "3xx"],
  error: ["4xx", "5xx"],
  aborted: ["aborted"],
  refused: ["refused"],
  in_flight: [],
  lost: [],
} as const satisfies Record<NonNullable<LogFilter["state"]>, readonly StatusClass[]>;

const allClasses: readonly StatusClass[] = ["2xx", "3xx", "4xx", "5xx", "aborted", "refused"];

/** For each condition on the outcome, the classes that satisfy it. A state corresponds to one or two classes. */
function classesOf({ statusClass, notStatusClass, state, notState }: LogFilter): (readonly StatusClass[])[] {
  const without = (left: readonly StatusClass[]) => allClasses.filter((one) => !left.includes(one));
  return [
    ...(statusClass === undefined ? [] : [[statusClass]]),
    ...(notStatusClass === undefined ? [] : [without(notStatusClass)]),
    ...(state === undefined ? [] : [classesOfState[state]]),
    ...(notState === undefined ? [] : [without(notState.flatMap((one) => [...classesOfState[one]]))]),
  ];
}
