import { firstIdAt } from "@sluice/core/ids";
import type { LogFilter } from "@sluice/core/inputs/log";
import { prepared } from "@sluice/db/prepared";
import type pg from "pg";
import { statusClassSql } from "./settle-statement.ts";
import { rowColumns } from "./stored-row.ts";

/**
 * The SQL of a list page. One condition drives: one with an index that continues with the id, so that its rows come newest
 * first. Without further conditions the page is a range of that index. With further conditions the driver's rows are checked
 * one by one, in slices of bounded size, because a condition that matches nothing would otherwise read the whole table.
 */
export interface ListOptions {
  filter: LogFilter;
  /** Rows older than this id; absent = from the newest. */
  before?: string | undefined;
  limit: number;
  /** Only rows committed up to this `settled_seq`: the state in which an export began. */
  settledUpTo?: string | undefined;
  /** Limits the result to one user's rows, or to one key; absent = all. */
  scope: { userId?: string | undefined; keyId?: string | undefined };
}

export type ListStatement =
  /** A single query. Prepared, because planning over all partitions takes longer than reading the page. */
  | { kind: "range"; page: pg.QueryConfig }
  /** Needs several slices, each with `before` set to the edge of the previous one. */
  | {
      kind: "search";
      /** Returns one row with an id per condition that could drive. Null when there is no choice. */
      probe: pg.QueryConfig | null;
      slice(part: Slice): pg.QueryConfig;
    };

export interface Slice {
  /** Index of the driving condition among the columns of the probe. */
  driver: number;
  before: string | undefined;
  /** Number of the driver's rows to examine. */
  rows: number;
  /** Number of matching rows wanted. */
  take: number;
}

/** How many rows a probe goes back: the condition whose row is the oldest covers the most time per slice. */
export const PROBE_ROWS = 500;

type Bind = (value: unknown) => string;

interface Condition {
  sql(bind: Bind): string;
  /** Set when there is an index that ends in the id: the part of it that precedes the id. */
  driver?: { leading: string };
  /** Matches at most one row. */
  unique?: true;
}

/** Null: no row can match (requests in flight live in the registry; users never see the rows of others). */
export function listStatement(options: ListOptions): ListStatement | null {
  const conditions = conditionsOf(options);
  if (!conditions) return null;
  const drivers = conditions.filter(({ driver }) => driver !== undefined);
  const only = conditions.find(({ unique }) => unique) ?? (drivers.length === 1 ? drivers[0] : undefined);
  if (conditions.length === (only ? 1 : 0)) return { kind: "range", page: rangeStatement(options, only) };
  const candidates = only ? [only] : drivers;
  return {
    kind: "search",
    probe: candidates.length > 1 ? probeStatement(options, candidates) : null,
    slice: (part) => sliceStatement(options, part, { driver: candidates[part.driver], conditions }),
  };
}

function rangeStatement(options: ListOptions, driver: Condition | undefined): pg.QueryConfig {
  const { values, bind } = binding();
  const where = whereOf([...rangeOf(options, options.before), ...(driver ? [driver] : []), listed], bind);
  return prepared(`SELECT ${rowColumns} FROM requests r ${where} ${orderOf(driver)} LIMIT ${bind(options.limit + 1)}`, values);
}

function probeStatement(options: ListOptions, drivers: readonly Condition[]): pg.QueryConfig {
  const { values, bind } = binding();
  const range = rangeOf(options, options.before);
  const columns = drivers.map(
    (driver, at) =>
      `(SELECT r.id FROM requests r ${whereOf([...range, driver], bind)} ${orderOf(driver)} OFFSET ${PROBE_ROWS - 1} LIMIT 1) AS "${at}"`,
  );
  return { text: `SELECT ${columns.join(", ")}`, values };
}

/**
 * The matching rows of a slice, newest first, each with `edge`: the last id examined, or null when nothing is left behind
 * it or enough was found. Without a match it returns one row of nulls. A materialized CTE is evaluated only as far as it is read.
 */
function sliceStatement(
  options: ListOptions,
  { before, rows, take }: Slice,
  { driver, conditions }: { driver: Condition | undefined; conditions: readonly Condition[] },
): pg.QueryConfig {
  const { values, bind } = binding();
  const order = orderOf(driver);
  const inner = whereOf([...rangeOf(options, before), ...(driver ? [driver] : [])], bind);
  const outer = whereOf([...conditions.filter((condition) => condition !== driver), listed], bind);
  const text = `WITH slice AS MATERIALIZED (SELECT ${rowColumns} FROM requests r ${inner} ${order} LIMIT ${rows}),
    found AS MATERIALIZED (SELECT * FROM slice r ${outer} ${order} LIMIT ${take})
    SELECT reached.edge, r.* FROM (SELECT CASE WHEN (SELECT count(*) FROM found) < ${take} AND (SELECT count(*) FROM slice) = ${rows}
      THEN (SELECT id FROM slice ORDER BY id LIMIT 1) END AS edge) AS reached LEFT JOIN found r ON true ORDER BY r.id DESC`;
  return { text, values };
}

function binding(): { values: unknown[]; bind: Bind } {
  const values: unknown[] = [];
  return { values, bind: (value) => `$${values.push(value)}` };
}

function whereOf(conditions: readonly Condition[], bind: Bind): string {
  return conditions.length === 0 ? "" : `WHERE ${conditions.map(({ sql }) => sql(bind)).join(" AND ")}`;
}

function orderOf(driver: Condition | undefined): string {
  const leading = driver?.driver?.leading;
  return `ORDER BY ${leading ? `${leading}, ` : ""}r.id DESC`;
}

/** Corrections are never listed. */
const listed: Condition = { sql: () => "r.corrects_id IS NULL" };

/** Time range and keyset as one id range, which prunes partitions, and the commit position, which excludes only the newest rows. */
function rangeOf({ filter, settledUpTo }: ListOptions, before: string | undefined): Condition[] {
  const uppers = [before, filter.toMs === undefined ? undefined : firstIdAt(filter.toMs)];
  const upper = uppers.filter((id) => id !== undefined).sort()[0];
  const lower = filter.fromMs === undefined ? undefined : firstIdAt(filter.fromMs);
  return [
    ...compare("r.id <", upper, "::uuid"),
    ...compare("r.id >=", lower, "::uuid"),
    ...compare("r.settled_seq <=", settledUpTo, "::bigint"),
  ];
}

function compare(left: string, value: unknown, cast = ""): Condition[] {
  return value === undefined ? [] : [{ sql: (bind) => `${left} ${bind(value)}${cast}` }];
}

/**
 * A column whose index continues with the id. Written as ANY of one value and included in the ORDER BY, because with a plain `=`
 * the planner may walk the primary key backwards and filter: fast for a value that is everywhere, but a scan of the whole
 * table for a provider that was switched off last month.
 */
function ofIndex(column: "session_id" | "key_id" | "user_id" | "provider_id" | "model", value: string | undefined): Condition[] {
  if (value === undefined) return [];
  return [{ sql: (bind) => `r.${column} = ANY(${bind([value])}::text[])`, driver: { leading: `r.${column}` } }];
}

function conditionsOf({ filter, scope }: ListOptions): Condition[] | null {
  if (filter.state === "in_flight" || filter.state === "lost") return null;
  if (scope.userId !== undefined && filter.userId !== undefined && filter.userId !== scope.userId) return null;
  if (scope.keyId !== undefined && filter.keyId !== undefined && filter.keyId !== scope.keyId) return null;
  return [
    ...compare("r.id =", filter.requestId, "::uuid").map((condition) => ({ ...condition, driver: { leading: "" }, unique: true as const })),
    ...ofIndex("session_id", filter.sessionId),
    ...ofIndex("key_id", scope.keyId ?? filter.keyId),
    // A key has exactly one owner.
    ...ofIndex("user_id", scope.keyId === undefined ? (scope.userId ?? filter.userId) : undefined),
    ...ofIndex("provider_id", filter.providerId),
    ...ofIndex("model", filter.model),
    ...stateIs(filter.state),
    ...classIs(filter.statusClass),
    ...compare("r.dialect =", filter.dialect),
    ...compare('r."group" =', filter.group),
    ...compare("r.attempts >=", filter.minAttempts),
    ...exclusionsOf(filter),
  ];
}

function exclusionsOf(filter: LogFilter): Condition[] {
  const not = (column: string, values: readonly string[] | undefined): Condition[] =>
    values === undefined ? [] : [{ sql: (bind) => `${column} <> ALL(${bind(values)}::text[])` }];
  return [
    ...not("r.user_id", filter.notUserId),
    ...not("r.key_id", filter.notKeyId),
    ...not("r.provider_id", filter.notProviderId),
    ...not("r.model", filter.notModel),
    ...not("r.session_id", filter.notSessionId),
    ...not('r."group"', filter.notGroup),
    ...not("r.dialect", filter.notDialect),
    ...not("r.state", filter.notState),
    ...not(`(${statusClassSql})`, filter.notStatusClass),
  ];
}

/**
 * Every state except success has a partial index. The value is a literal, because a parameter would keep the planner from
 * recognising that the index applies.
 */
function stateIs(state: LogFilter["state"]): Condition[] {
  if (state === undefined) return [];
  const sql = () => `r.state = ANY('{${state}}'::text[])`;
  return [state === "done" ? { sql } : { sql, driver: { leading: "r.state" } }];
}

function classIs(statusClass: LogFilter["statusClass"]): Condition[] {
  if (statusClass === undefined) return [];
  const sql = () => `(${statusClassSql}) = ANY('{${statusClass}}'::text[])`;
  // The index's own predicate; every class but 2xx satisfies it.
  if (statusClass === "2xx") return [{ sql }];
  return [{ sql: () => `${sql()} AND (r.state <> 'done' OR r.status >= 300)`, driver: { leading: `(${statusClassSql})` } }];
}
