import { firstIdAt } from "@sluice/core/ids";
import type { LogFilter } from "@sluice/core/inputs/log";
import type pg from "pg";
import { statusClassSql } from "./settle-statement.ts";
import { rowColumns } from "./stored-row.ts";

/**
 * The SQL of a list page. One condition drives: the most selective one that has an index with the id behind it. The
 * others are looked at row by row, and then only so many rows of the driver are gone through, because a condition that
 * nothing fulfils would otherwise read the whole table.
 */
export interface ListOptions {
  filter: LogFilter;
  /** Rows older than this id; absent = from the newest. */
  before?: string | undefined;
  limit: number;
  /** Rows committed up to this position of `settled_seq` only: what an export began with. */
  settledUpTo?: string | undefined;
  /** A user sees their own rows only; absent = all. */
  scope: { userId?: string | undefined };
}

export interface ListStatement {
  page: pg.QueryConfig;
  /** Where the bounded look ended: the last id of the window, no row when the window held all there is. */
  boundary: pg.QueryConfig | null;
}

/** Rows of the driver that one page goes through at most. */
export const WINDOW_ROWS = 20_000;

type Bind = (value: unknown) => string;

interface Condition {
  sql(bind: Bind): string;
  /** Has an index that ends in the id. */
  indexed: boolean;
  /** Of that index, before the id. */
  leading?: string;
}

/** null: no row can match (what is in flight lives in the registry; a user never sees another's rows). */
export function listStatement(options: ListOptions): ListStatement | null {
  const conditions = conditionsOf(options);
  if (!conditions) return null;
  const values: unknown[] = [];
  const bind: Bind = (value) => `$${values.push(value)}`;
  const driver = conditions.find(({ indexed }) => indexed);
  const rest = conditions.filter((condition) => condition !== driver);
  const inner = [...rangeOf(options), ...(driver ? [driver] : [])].map(({ sql }) => sql(bind));
  const order = `ORDER BY ${driver?.leading ? `${driver.leading}, ` : ""}r.id DESC`;
  const take = options.limit + 1;
  if (rest.length === 0) {
    const text = `SELECT ${rowColumns} FROM requests r WHERE ${[...inner, "r.corrects_id IS NULL"].join(" AND ")} ${order} LIMIT ${take}`;
    return { page: { text, values }, boundary: null };
  }
  const where = inner.length > 0 ? `WHERE ${inner.join(" AND ")}` : "";
  const edge = `SELECT r.id FROM requests r ${where} ${order} OFFSET ${WINDOW_ROWS - 1} LIMIT 1`;
  const boundary = { text: edge, values: [...values] };
  const outer = rest.map(({ sql }) => sql(bind));
  const text = `SELECT ${rowColumns} FROM (SELECT * FROM requests r ${where} ${order} LIMIT ${WINDOW_ROWS}) AS r
    WHERE ${[...outer, "r.corrects_id IS NULL"].join(" AND ")} ${order} LIMIT ${take}`;
  return { page: { text, values }, boundary };
}

/** Time range and keyset as one id range, which prunes partitions; and the position, which all but the newest rows are below. */
function rangeOf({ filter, before, settledUpTo }: ListOptions): Condition[] {
  const uppers = [before, filter.toMs === undefined ? undefined : firstIdAt(filter.toMs)];
  const upper = uppers.filter((id) => id !== undefined).sort()[0];
  const lower = filter.fromMs === undefined ? undefined : firstIdAt(filter.fromMs);
  return [...compareId("<", upper), ...compareId(">=", lower), ...compare("r.settled_seq <=", settledUpTo, "::bigint")];
}

function compareId(operator: "=" | "<" | ">=", value: string | undefined): Condition[] {
  return value === undefined ? [] : [{ sql: (bind) => `r.id ${operator} ${bind(value)}::uuid`, indexed: true }];
}

/** A condition that no index helps. */
function compare(left: string, value: unknown, cast = ""): Condition[] {
  return value === undefined ? [] : [{ sql: (bind) => `${left} ${bind(value)}${cast}`, indexed: false }];
}

/**
 * A column whose index goes on with the id. Written as ANY of one and sorted by, because with a plain `=` the planner
 * may walk the primary key backwards and filter: fast for a value that is everywhere, a scan of the whole table for a
 * provider that was switched off last month.
 */
function ofIndex(column: "session_id" | "key_id" | "user_id" | "provider_id" | "model", value: string | undefined): Condition[] {
  if (value === undefined) return [];
  return [{ sql: (bind) => `r.${column} = ANY(${bind([value])}::text[])`, indexed: true, leading: `r.${column}` }];
}

/** Most selective first. */
function conditionsOf({ filter, scope }: ListOptions): Condition[] | null {
  if (filter.state === "in_flight" || filter.state === "lost") return null;
  if (scope.userId !== undefined && filter.userId !== undefined && filter.userId !== scope.userId) return null;
  return [
    ...compareId("=", filter.requestId),
    ...ofIndex("session_id", filter.sessionId),
    ...ofIndex("key_id", filter.keyId),
    ...ofIndex("user_id", scope.userId ?? filter.userId),
    ...stateIs(filter.state),
    ...ofIndex("provider_id", filter.providerId),
    ...ofIndex("model", filter.model),
    ...compare("r.dialect =", filter.dialect),
    ...compare('r."group" =', filter.group),
    ...compare(`(${statusClassSql}) =`, filter.statusClass),
    ...compare("r.attempts >=", filter.minAttempts),
    ...exclusionsOf(filter),
  ];
}

function exclusionsOf(filter: LogFilter): Condition[] {
  const not = (column: string, values: readonly string[] | undefined): Condition[] =>
    values === undefined ? [] : [{ sql: (bind) => `${column} <> ALL(${bind(values)}::text[])`, indexed: false }];
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

/** States as constants: a parameter would hide from the planner that the partial index of failed requests applies. */
const stateSql = { error: "r.state = 'error'", refused: "r.state = 'refused'", done: "r.state = 'done'", aborted: "r.state = 'aborted'" };

function stateIs(state: LogFilter["state"]): Condition[] {
  if (state === undefined || state === "in_flight" || state === "lost") return [];
  return [{ sql: () => stateSql[state], indexed: state === "error" || state === "refused" }];
}
