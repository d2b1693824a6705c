import { firstIdAt } from "@sluice/core/ids";
import type { LogFilter } from "@sluice/core/inputs/log";
import type pg from "pg";
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

/** Time range and keyset as one id range: what prunes partitions. */
function rangeOf({ filter, before }: ListOptions): Condition[] {
  const uppers = [before, filter.toMs === undefined ? undefined : firstIdAt(filter.toMs)];
  const upper = uppers.filter((id) => id !== undefined).sort()[0];
  const lower = filter.fromMs === undefined ? undefined : firstIdAt(filter.fromMs);
  return [...compare("id", "<", upper), ...compare("id", ">=", lower)];
}

function compare(column: "id" | "dialect", operator: "=" | "<" | ">=", value: string | undefined): Condition[] {
  if (value === undefined) return [];
  const cast = column === "id" ? "::uuid" : "";
  return [{ sql: (bind) => `r.${column} ${operator} ${bind(value)}${cast}`, indexed: column === "id" }];
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
  if (filter.state === "in_flight") return null;
  if (scope.userId !== undefined && filter.userId !== undefined && filter.userId !== scope.userId) return null;
  return [
    ...compare("id", "=", filter.requestId),
    ...ofIndex("session_id", filter.sessionId),
    ...ofIndex("key_id", filter.keyId),
    ...ofIndex("user_id", scope.userId ?? filter.userId),
    ...stateIs(filter.state),
    ...ofIndex("provider_id", filter.providerId),
    ...ofIndex("model", filter.model),
    ...compare("dialect", "=", filter.dialect),
    ...statusIn(filter.statusClass),
  ];
}

/** States as constants: a parameter would hide from the planner that the partial index of failed requests applies. */
const stateSql = { error: "r.state = 'error'", refused: "r.state = 'refused'", done: "r.state = 'done'", aborted: "r.state = 'aborted'" };

function stateIs(state: LogFilter["state"]): Condition[] {
  if (state === undefined || state === "in_flight") return [];
  return [{ sql: () => stateSql[state], indexed: state === "error" || state === "refused" }];
}

/** By the status that the client got, as the browser filters live rows. */
function statusIn(statusClass: LogFilter["statusClass"]): Condition[] {
  if (statusClass === undefined) return [];
  const low = Number(statusClass[0]) * 100;
  return [{ sql: () => `r.status >= ${low} AND r.status < ${low + 100}`, indexed: false }];
}
