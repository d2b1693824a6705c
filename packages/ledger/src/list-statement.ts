import { firstIdAt } from "@sluice/core/ids";
import type { LogFilter } from "@sluice/core/inputs/log";
import { prepared } from "@sluice/db/prepared";
import type pg from "pg";
import { statusClassSql } from "./settle-statement.ts";
import { rowColumns } from "./stored-row.ts";

/**
 * The SQL of a list page. One condition drives: one that has an index with the id behind it, so that its rows come newest
 * first. With no other condition the page is a piece of that index. Others are looked at row by row, and then the driver
 * is gone through in slices of bounded size, because a condition that nothing fulfils would otherwise read the whole table.
 */
export interface ListOptions {
  filter: LogFilter;
  /** Rows older than this id; absent = from the newest. */
  before?: string | undefined;
  limit: number;
  /** Rows committed up to this position of `settled_seq` only: what an export began with. */
  settledUpTo?: string | undefined;
  /** A user sees their own rows only, a key of theirs its own; absent = all. */
  scope: { userId?: string | undefined; keyId?: string | undefined };
}

export type ListStatement =
  /** The whole answer; planned once a connection, for a plan over all partitions takes longer than the page. */
  | { kind: "range"; page: pg.QueryConfig }
  /** Slices have to be gone through, each `before` the edge of the one before. */
  | {
      kind: "search";
      /** One row; its columns are the conditions that could drive, as ids. null when there is no choice. */
      probe: pg.QueryConfig | null;
      slice(part: Slice): pg.QueryConfig;
    };

export interface Slice {
  /** Which of the columns of the probe drives. */
  driver: number;
  before: string | undefined;
  /** Rows of the driver that are looked at. */
  rows: number;
  /** Rows wanted. */
  take: number;
}

/** How many rows a probe goes back: the condition whose row stands furthest back passes most time with a slice. */
export const PROBE_ROWS = 500;

type Bind = (value: unknown) => string;

interface Condition {
  sql(bind: Bind): string;
  /** Has an index that ends in the id; of that index, what is before the id. */
  driver?: { leading: string };
  /** Holds for one row or none. */
  unique?: true;
}

/** null: no row can match (what is in flight lives in the registry; a user never sees another's rows). */
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
 * Rows of a slice that match, newest first, each with the `edge`: the last id looked at, null when there is nothing behind
 * it or enough was found. Without a match it is one row of nulls. What is kept apart is read only as far as it is asked for.
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

/** A correction is never listed. */
const listed: Condition = { sql: () => "r.corrects_id IS NULL" };

/** Time range and keyset as one id range, which prunes partitions; and the position, which all but the newest rows are below. */
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
 * A column whose index goes on with the id. Written as ANY of one and sorted by, because with a plain `=` the planner
 * may walk the primary key backwards and filter: fast for a value that is everywhere, a scan of the whole table for a
 * provider that was switched off last month.
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
    // A key has one owner.
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
 * All but what went well have partial indexes. Values as constants: a parameter would hide from the planner that such an
 * index applies.
 */
function stateIs(state: LogFilter["state"]): Condition[] {
  if (state === undefined) return [];
  const sql = () => `r.state = ANY('{${state}}'::text[])`;
  return [state === "done" ? { sql } : { sql, driver: { leading: "r.state" } }];
}

function classIs(statusClass: LogFilter["statusClass"]): Condition[] {
  if (statusClass === undefined) return [];
  const sql = () => `(${statusClassSql}) = ANY('{${statusClass}}'::text[])`;
  // The index's own condition: what has another class fulfils it.
  if (statusClass === "2xx") return [{ sql }];
  return [{ sql: () => `${sql()} AND (r.state <> 'done' OR r.status >= 300)`, driver: { leading: `(${statusClassSql})` } }];
}
