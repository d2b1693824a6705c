import { isId } from "@sluice/core/ids";
import type { StatisticsFilter } from "@sluice/core/inputs/statistics";
import { FIVE_MINUTES_MS } from "@sluice/core/overview";
import type { SeriesSplit } from "@sluice/core/statistics";
import { DAY_MS, HOUR_MS } from "@sluice/core/time-zone";
import type { SqlValues } from "../lists/list-statement.ts";
import { endsOfRollup, keyDaysSql, measured } from "../overview/key-days-statement.ts";
import { type BucketList, rollupSums } from "../overview/overview-statements.ts";
import type { SlotPieces } from "./slot-pieces.ts";

/**
 * The statements over sums. Figures of all users by one dimension come from `usage_sums`, one row per bucket and value; whole days of
 * users and keys from `key_days`, one row per key; everything else from the rollups, by the beginning of their key: (tenant, bucket,
 * user). Never from `requests`.
 */
export interface SumsAsk {
  tenantId: string;
  /** Limits the sums to one user; null = all users. */
  userId: string | null;
  filter: Omit<StatisticsFilter, "userId" | "tag">;
  /** Keys with the requested tag; null = any key. */
  keyIds: readonly string[] | null;
  /** Owners of the requested keys, to narrow the index scan; null = unknown. */
  ownerIds: readonly string[] | null;
}

export type Dimension = Exclude<SeriesSplit, "none">;

export const columnOf: Record<Dimension, string> = {
  model: "model",
  provider: "provider_id",
  user: "user_id",
  key: "key_id",
  group: `"group"`,
  dialect: "dialect",
  status: "status_class",
};

/** Dimensions for which `usage_sums` has rows; '' = everything together. */
type SumsKind = "" | Exclude<Dimension, "user" | "key">;
const kinds: readonly SeriesSplit[] = ["model", "provider", "group", "dialect", "status"] satisfies SumsKind[];
const kindOfField: Partial<Record<keyof StatisticsFilter, SumsKind>> = {
  model: "model",
  providerId: "provider",
  group: "group",
  dialect: "dialect",
  statusClass: "status",
};

const { requests, errors, ...otherSums } = rollupSums;
const sums = {
  ...{ requests, errors },
  aborted: "sum(aborted)::float8",
  refused: "sum(refused)::float8",
  ...otherSums,
  costNanoUsd: "sum(cost_nano_usd)::text",
};
/** Columns named as in core/statistics SpanSums; zeros when there are no rows. */
export const summed = Object.entries(sums)
  .map(([name, sql]) => `${sql} AS "${name}"`)
  .join(", ");

export const summedNames = Object.keys(sums)
  .map((name) => `"${name}"`)
  .join(", ");

/** Sums under the names of the summed columns, so that they can be summed again. */
export const addedUp = ["errors", "aborted", "refused", ...measured.split(",").map((name) => name.trim())]
  .map((name) => `sum(${name}) AS ${name}`)
  .join(", ");

/** The slot of a bucket: the index of the last of these ascending times at or before it. */
export function slotSql(values: SqlValues, times: readonly Date[]): string {
  return `width_bucket(bucket, ${values.addOnce(times)}::timestamptz[]) - 1`;
}

/** Selects `slot` (an index into `pieces.moves`), `id` and sums; `from` gives the rows of some buckets. */
export function bySlotSql(values: SqlValues, { parts }: SlotPieces, sums: string, from: (buckets: BucketList) => string): string {
  return parts
    .map(
      ({ first, times, buckets }) => `SELECT ${slotSql(values, times)} + ${first} AS slot, id, ${sums} FROM ${from(buckets)} GROUP BY 1, 2`,
    )
    .join(" UNION ALL ");
}

/**
 * Rows of the sums in these buckets that match the filter: `bucket`, `id` (of the dimension; '' for none), `errors`, `aborted`, `refused`
 * and the measured columns.
 */
export function wantedSql(values: SqlValues, ask: SumsAsk, by: SeriesSplit, buckets: BucketList | "all"): string {
  const source = sourceOf(ask, by);
  if (source !== null) return usageSums(values, buckets, { tenantId: ask.tenantId, ...source });
  return isOfKeys(ask, by) ? keys(values, buckets, ask, by) : rollups(values, buckets, rowsOf(values, ask, by));
}

const rowsOf = (values: SqlValues, ask: SumsAsk, by: SeriesSplit) => ({
  tenantId: ask.tenantId,
  id: idOf(by),
  where: conditions(values, ask),
});
const idOf = (by: SeriesSplit): string => (by === "none" ? "''" : columnOf[by]);

/** Whether sums by key can answer, which contain only ids of our own tables. */
function isOfKeys({ userId, keyIds, ownerIds, filter: { keyId, ...filter } }: SumsAsk, by: SeriesSplit): by is "none" | "user" | "key" {
  const ids = [userId ?? [], keyId ?? [], keyIds ?? [], ownerIds ?? []].flat();
  return (by === "none" || by === "user" || by === "key") && ids.every(isId) && Object.values(filter).every((value) => value === undefined);
}

export interface SumsSource {
  kind: SumsKind;
  id?: string | undefined;
}

/** The kind of `usage_sums` that can answer, with the requested value; null = none. */
export function sourceOf(ask: SumsAsk, by: SeriesSplit): SumsSource | null {
  if (ask.userId !== null || ask.keyIds !== null) return null;
  const wanted = by === "none" ? "" : kinds.includes(by) ? (by as SumsKind) : undefined;
  const [first, ...more] = Object.entries(ask.filter).filter(([, value]) => value !== undefined);
  if (first === undefined) return wanted === undefined ? null : { kind: wanted };
  const [field, id] = first;
  const kind = kindOfField[field as keyof StatisticsFilter];
  return more.length === 0 && kind !== undefined && (wanted === "" || wanted === kind) ? { kind, id } : null;
}

/** Rows of one kind of `usage_sums`, of all or some ids. */
export function usageSums(
  values: SqlValues,
  buckets: BucketList | "all",
  { tenantId, kind, id, ids }: { tenantId: string; kind: SumsKind; id?: string | undefined; ids?: readonly string[] },
): string {
  const tenant = values.add(tenantId);
  const only = `${id === undefined ? "" : ` AND id = ${values.add(id)}`}${ids === undefined ? "" : ` AND id = ANY(${values.add(ids)}::text[])`}`;
  return inBuckets(
    buckets,
    () => "true",
    (list, stepMs) => within(values, list, stepMs),
    (grain, bucket) => {
      return `SELECT bucket, id, requests_4xx + requests_5xx AS errors, requests_aborted AS aborted, requests_refused AS refused, ${measured}
    FROM usage_sums WHERE tenant_id = ${tenant} AND grain = '${grain}' AND kind = '${kind}' AND ${bucket}${only}`;
    },
  );
}

/** Lists all days, so that only one user's rows of each day are read. */
function everyDay(tenantId: string, values: SqlValues): string {
  const days = `FROM usage_sums WHERE tenant_id = ${values.add(tenantId)} AND grain = 'day' AND kind = ''`;
  return `bucket = ANY(ARRAY(SELECT bucket ${days}))`;
}
const tables = { "5m": "rollups_5m", hour: "rollups_hour", day: "rollups_day" } as const;

interface RollupRows {
  tenantId: string;
  id: string;
  where: string;
  /** Additional columns. */
  more?: string;
}

/** Rollup rows, by their full key. */
export function rollups(values: SqlValues, buckets: BucketList | "all", rows: RollupRows): string {
  const every = () => everyDay(rows.tenantId, values);
  return inBuckets(
    buckets,
    every,
    (list) => listed(values, list),
    (grain, bucket) => rollup(grain, bucket, rows),
  );
}

const rollup = (grain: keyof typeof tables, bucket: string, { id, where, more = "" }: RollupRows): string =>
  `SELECT bucket, ${id} AS id, ${endsOfRollup}, ${measured}${more} FROM ${tables[grain]} WHERE ${where} AND ${bucket}`;

/** `key_days` for whole days, and rollups for the rest. */
function keys(values: SqlValues, buckets: BucketList | "all", ask: SumsAsk, by: "none" | "user" | "key"): string {
  const isOfSome = by === "key" || ask.keyIds !== null || ask.filter.keyId !== undefined;
  const dayOf = (bucket: string): string =>
    keyDaysSql({
      id: idOf(by),
      where: `${keyConditions(values, ask)} AND ${bucket}`,
      keyless: isOfSome ? undefined : `${conditions(values, ask)} AND ${bucket}`,
    });
  return inBuckets(
    buckets,
    () => everyDay(ask.tenantId, values),
    (list) => listed(values, list),
    (grain, bucket) => (grain === "day" ? dayOf(bucket) : rollup(grain, bucket, rowsOf(values, ask, by))),
  );
}

/** `every`: the condition for all buckets, `some`: for the given ones. */
function inBuckets(
  buckets: BucketList | "all",
  every: () => string,
  some: (list: readonly Date[], stepMs: number) => string,
  part: (grain: keyof typeof tables, bucket: string) => string,
): string {
  if (buckets === "all") return `(${part("day", every())}) AS wanted`;
  const { fiveMinutes, hours, days } = buckets;
  const lists = [["5m", fiveMinutes, FIVE_MINUTES_MS] as const, ["hour", hours, HOUR_MS] as const, ["day", days, DAY_MS] as const];
  const parts = lists.flatMap(([grain, list, stepMs]) => (list.length > 0 ? [part(grain, some(list, stepMs))] : []));
  return `(${parts.join(" UNION ALL ") || part("5m", "false")}) AS wanted`;
}

function listed(values: SqlValues, list: readonly Date[]): string {
  return `bucket = ANY(${values.addOnce(list)}::timestamptz[])`;
}

/** A range when the buckets are contiguous: a list of two thousand takes longer to plan than to read. */
function within(values: SqlValues, list: readonly Date[], stepMs: number): string {
  const isWhole = list.every((date, at) => at === 0 || date.getTime() - (list[at - 1]?.getTime() ?? 0) === stepMs);
  return isWhole ? `bucket BETWEEN ${values.add(list[0])} AND ${values.add(list.at(-1))}` : listed(values, list);
}

/** Conditions on the key of the rollups. */
export function conditions(values: SqlValues, { tenantId, userId, filter, keyIds, ownerIds }: SumsAsk): string {
  const equal: [string, string | undefined][] = [
    ["key_id", filter.keyId],
    ["provider_id", filter.providerId],
    ["model", filter.model],
    [`"group"`, filter.group],
    ["dialect", filter.dialect],
    ["status_class", filter.statusClass],
  ];
  return [
    `tenant_id = ${values.add(tenantId)}`,
    ...(userId === null ? [] : [`user_id = ${values.add(userId)}`]),
    ...(userId !== null || ownerIds === null ? [] : [`user_id = ANY(${values.add(ownerIds)}::text[])`]),
    ...(keyIds === null ? [] : [`key_id = ANY(${values.add(keyIds)}::text[])`]),
    ...equal.flatMap(([column, value]) => (value === undefined ? [] : [`${column} = ${values.add(value)}`])),
  ].join(" AND ");
}

/** Conditions on tables that are kept by key; a question about one key also names its owner. */
export function keyConditions(values: SqlValues, { tenantId, userId, filter, keyIds, ownerIds }: SumsAsk): string {
  return [
    `tenant_id = ${values.add(tenantId)}`,
    ...(userId === null ? [] : [`user_id = ${values.add(userId)}::uuid`]),
    ...(userId !== null || ownerIds === null ? [] : [`user_id = ANY(${values.add(ownerIds)}::uuid[])`]),
    ...(keyIds === null ? [] : [`key_id = ANY(${values.add(keyIds)}::uuid[])`]),
    ...(filter.keyId === undefined ? [] : [`key_id = ${values.add(filter.keyId)}::uuid`]),
  ].join(" AND ");
}
