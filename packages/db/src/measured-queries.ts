import type { PoolClient } from "pg";

/** A statement that PostgreSQL answered, or that failed. */
export interface MeasuredQuery {
  /** The first table it names; `pg_catalog` for PostgreSQL's own tables, `none` without a table, `other` beyond a number of tables. */
  table: string;
  /** As sent: parameter values are separate and not included. */
  text: string;
  ms: number;
  failed: boolean;
}

type Callback = (error: unknown, result: unknown) => void;

/**
 * Reports every statement of a connection, whether sent by the pool, a transaction or Prisma. Errors are reported and rethrown unchanged.
 * COPY streams are not awaited statements and are not reported.
 */
export function measureQueries(client: PoolClient, onQuery: (query: MeasuredQuery) => void): void {
  const send = client.query.bind(client) as (...args: unknown[]) => unknown;
  function measured(...args: unknown[]): unknown {
    const text = textOf(args[0]);
    if (text === null) return send(...args);
    const beganMs = performance.now();
    const told = (failed: boolean): void => onQuery({ table: tableOf(text), text, ms: performance.now() - beganMs, failed });
    const at = args.findIndex((each) => typeof each === "function");
    if (at >= 0) {
      const callback = args[at] as Callback;
      args[at] = (error: unknown, result: unknown) => {
        told(Boolean(error));
        callback(error, result);
      };
      return send(...args);
    }
    return (send(...args) as Promise<unknown>).then(
      (result) => {
        told(false);
        return result;
      },
      (error: unknown) => {
        told(true);
        throw error;
      },
    );
  }
  client.query = measured as typeof client.query;
}

function textOf(statement: unknown): string | null {
  if (typeof statement === "string") return statement;
  if (typeof statement !== "object" || statement === null || "submit" in statement) return null;
  return "text" in statement && typeof statement.text === "string" ? statement.text : null;
}

const MOST_TABLES = 64;
const MOST_TEXTS = 1_000;
const tables = new Set<string>();
/** Cached, because most statements are sent over and over. */
let known = new Map<string, string>();

const named = /\b(FROM|JOIN|INTO|UPDATE|TABLE)\s+(?:ONLY\s+)?(?:"?([a-z_][a-z0-9_]*)"?\.)?"?([a-z_][a-z0-9_]*)\b"?(\s*\()?/gi;
/** `FROM` in expressions that name no table. */
const notTables = /\b(?:extract\s*\(\s*\w+|DISTINCT)\s+FROM\b/gi;
const words = new Set(["select", "lateral", "set", "skip", "of", "nowait", "values"]);
/** Names that a statement gives to its own parts (CTEs). */
const parts = /\b([a-z_][a-z0-9_]*)\s*(?:\([^()]*\)\s*)?AS\s+(?:NOT\s+)?(?:MATERIALIZED\s+)?\(/gi;

/** The table under which a statement is reported. */
export function tableOf(text: string): string {
  let table = known.get(text);
  if (table === undefined) {
    if (known.size >= MOST_TEXTS) known = new Map();
    table = findTable(text);
    known.set(text, table);
  }
  return table;
}

function findTable(text: string): string {
  const own = new Set(Array.from(text.matchAll(parts), ([, name]) => name));
  for (const [, keyword = "", schema, name = "", opens] of text.replaceAll(notTables, "").matchAll(named)) {
    const isFunction = opens !== undefined && /^(from|join)$/i.test(keyword);
    if (isFunction || own.has(name) || words.has(name.toLowerCase())) continue;
    if (schema === "pg_catalog" || schema === "information_schema" || name.startsWith("pg_")) return "pg_catalog";
    const table = schema === "partitions" ? name.replace(/_\d.*$/, "") : name;
    if (!tables.has(table) && tables.size >= MOST_TABLES) return "other";
    tables.add(table);
    return table;
  }
  return "none";
}
