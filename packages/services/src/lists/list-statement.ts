import type { Page } from "@sluice/core/inputs/page";
import type { SortName } from "@sluice/core/sort-names";

/*
 * The statement behind every sorted, paged list. An index finds a page from its cursor on, so the cost depends on the page's size and not
 * on the table's.
 */

/** Collects the values of a statement and returns their placeholders. */
export interface SqlValues {
  list: unknown[];
  add(value: unknown): string;
  /** For a list used in several places: sent once, and with the same type in each. */
  addOnce(value: readonly unknown[]): string;
}

export function sqlValues(): SqlValues {
  const list: unknown[] = [];
  const add = (value: unknown): string => `$${list.push(value)}`;
  return {
    list,
    add,
    addOnce(value) {
      const at = list.indexOf(value);
      return at < 0 ? add(value) : `$${at + 1}`;
    },
  };
}

/** A sort column with the id that breaks ties, both from one index. */
export interface SortColumn {
  /** Absent: sorted by the id alone. */
  column?: string;
  id: string;
  /** SQL for the column as text, and for such a text as the column's value; default: unchanged. */
  toText?: (column: string) => string;
  fromText?: (placeholder: string) => string;
  /** Format of that text; default: anything. */
  text?: RegExp;
}

export interface ListSource {
  select: string;
  from: string;
  sorts: Record<SortName, SortColumn>;
}

/** Start of a page. */
export type PageStart = { cursor?: string | null | undefined } | { offset: number };

interface ListOrder {
  sort: SortName;
  order: "asc" | "desc";
  limit: number;
}

/** Selects rows of `source.select`, each with its sort value as text in `sortText`. */
export function listStatement(
  source: ListSource,
  conditions: readonly string[],
  values: SqlValues,
  { sort, order, limit, ...start }: ListOrder & PageStart,
): string {
  const { column, id, toText = (sql: string) => `${sql}::text`, fromText = (sql: string) => sql, text = /./s } = source.sorts[sort];
  const where = [...conditions];
  let skip = "";
  if ("offset" in start) skip = ` OFFSET ${values.add(start.offset)}`;
  else if (start.cursor) {
    const after = order === "asc" ? ">" : "<";
    const ofId = `${values.add(start.cursor.slice(0, 36))}::uuid`;
    // A cursor from another sort order yields an arbitrary page, but never an error.
    const value = start.cursor.slice(37);
    where.push(
      column && text.test(value) ? `(${column}, ${id}) ${after} (${fromText(values.add(value))}, ${ofId})` : `${id} ${after} ${ofId}`,
    );
  }
  const select = `SELECT ${source.select}, ${column ? toText(column) : "''"} AS "sortText" FROM ${source.from}`;
  const sorted = `ORDER BY ${column ? `${column} ${order}, ` : ""}${id} ${order}`;
  const page = `WHERE ${where.join("\n  AND ")}\n${sorted} LIMIT ${values.add(limit)}${skip}`;
  if (skip === "") return `${select}\n${page}`;
  // Skipped rows are counted by id only; columns are computed just for the rows of the page.
  return `${select} JOIN (SELECT ${id} AS "pageId" FROM ${source.from}\n${page}) AS page ON page."pageId" = ${id}\n${sorted}`;
}

/** The page of `limit` items; `rows` holds one more if there is a next page. */
export function cursorPage<R extends { id: string; sortText: string }, T>(
  rows: readonly R[],
  limit: number,
  toItem: (row: R) => T,
): Page<T> {
  const page = rows.slice(0, limit);
  const last = page.at(-1);
  const hasMore = rows.length > limit;
  return {
    items: page.map(toItem),
    nextCursor: hasMore && last ? (last.sortText === "" ? last.id : `${last.id}~${last.sortText}`) : null,
    hasMore,
  };
}

/** Matches by prefix, ignoring case, using the index over the column in byte order. */
export function startsWith(column: string, beginning: string, values: SqlValues): string {
  const sql = `lower(${column}) COLLATE "C"`;
  const from = beginning.toLowerCase();
  return `(${sql} >= ${values.add(from)} AND ${sql} < ${values.add(`${from}\u{10FFFF}`)})`;
}

/** Sorts by name: bytewise, ignoring case. */
export function byName(column: string, id: string): SortColumn {
  return { column: `lower(${column}) COLLATE "C"`, id };
}

/** Sorts by a counter. */
export function byCount(column: string, id: string): SortColumn {
  return { column, id, fromText: (sql) => `${sql}::bigint`, text: /^-?\d{1,18}$/ };
}

/** Sorts by a timestamp, in milliseconds. */
export function byTime(column: string, id: string): SortColumn {
  return {
    column,
    id,
    toText: (sql) => `(extract(epoch FROM ${sql}) * 1000)::bigint::text`,
    fromText: (sql) => `to_timestamp(${sql}::float8 / 1000)`,
    text: /^-?\d{1,15}$/,
  };
}
