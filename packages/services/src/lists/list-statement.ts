import type { Page } from "@sluice/core/inputs/page";
import type { SortName } from "@sluice/core/sort-names";

/*
 * The statement behind a list that is sorted and read page by page. A page is found by an index from its cursor on, so that
 * its cost follows the page's size and not the table's.
 */

/** Values of a statement; gives the placeholder of each. */
export interface SqlValues {
  list: unknown[];
  add(value: unknown): string;
  /** The same list in several places, sent once; as one type in all of them. */
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

/** What a list sorts by: a column with the id that breaks its ties, both of one index. */
export interface SortColumn {
  /** Absent: the id is the order. */
  column?: string;
  id: string;
  /** The column as text, and a text as the column's value; default as they are. */
  toText?: (column: string) => string;
  fromText?: (placeholder: string) => string;
  /** What such a text looks like; default any. */
  text?: RegExp;
}

export interface ListSource {
  select: string;
  from: string;
  sorts: Record<SortName, SortColumn>;
}

/** Where a page begins. */
export type PageStart = { cursor?: string | null | undefined } | { offset: number };

interface ListOrder {
  sort: SortName;
  order: "asc" | "desc";
  limit: number;
}

/** Rows of `source.select`, each with the text of what it is sorted by as `sortText`. */
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
    // A cursor of another order leads nowhere in particular, but never fails.
    const value = start.cursor.slice(37);
    where.push(
      column && text.test(value) ? `(${column}, ${id}) ${after} (${fromText(values.add(value))}, ${ofId})` : `${id} ${after} ${ofId}`,
    );
  }
  const select = `SELECT ${source.select}, ${column ? toText(column) : "''"} AS "sortText" FROM ${source.from}`;
  const sorted = `ORDER BY ${column ? `${column} ${order}, ` : ""}${id} ${order}`;
  const page = `WHERE ${where.join("\n  AND ")}\n${sorted} LIMIT ${values.add(limit)}${skip}`;
  if (skip === "") return `${select}\n${page}`;
  // Rows that are skipped are counted by their ids: what is shown of a row is made for those of the page alone.
  return `${select} JOIN (SELECT ${id} AS "pageId" FROM ${source.from}\n${page}) AS page ON page."pageId" = ${id}\n${sorted}`;
}

/** The page of at most `limit` rows out of one more. */
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

/** Texts that begin so, whatever their case; by the index over the column in the order of bytes. */
export function startsWith(column: string, beginning: string, values: SqlValues): string {
  const sql = `lower(${column}) COLLATE "C"`;
  const from = beginning.toLowerCase();
  return `(${sql} >= ${values.add(from)} AND ${sql} < ${values.add(`${from}\u{10FFFF}`)})`;
}

/** By name, byte by byte, without regard to case. */
export function byName(column: string, id: string): SortColumn {
  return { column: `lower(${column}) COLLATE "C"`, id };
}

/** By a counter. */
export function byCount(column: string, id: string): SortColumn {
  return { column, id, fromText: (sql) => `${sql}::bigint`, text: /^-?\d{1,18}$/ };
}

/** By a moment, to the millisecond. */
export function byTime(column: string, id: string): SortColumn {
  return {
    column,
    id,
    toText: (sql) => `(extract(epoch FROM ${sql}) * 1000)::bigint::text`,
    fromText: (sql) => `to_timestamp(${sql}::float8 / 1000)`,
    text: /^-?\d{1,15}$/,
  };
}
