import type pg from "pg";
import type { ListOptions, ListStatement } from "./list-statement.ts";
import type { DbRow } from "./stored-row.ts";

/**
 * A bounded search through rows that no index selects: slice by slice back in time, until the page is full, nothing is
 * left, or the budget is spent. Slices begin small, since most searches need little, and grow by what the last one cost, so
 * a cold disk is asked for less than a warm cache.
 */
export interface SearchBudget {
  /** Rows examined per page. */
  rows: number;
  /** No slice starts after this time. */
  ms: number;
}

/** Usually the rows are the limit. The time is half of the 300 ms in which a page has to answer, and applies to a cold disk. */
export const searchBudget: SearchBudget = { rows: 20_000, ms: 150 };

const FIRST_ROWS = 500;
/** Postgres keeps a slice in memory while it is examined. */
const MOST_ROWS = 8_000;
const GROWTH = 4;

/** At most limit + 1 rows, newest first; `edge` is where the search stopped, null when it reached its end. */
export async function searchRows(
  client: pg.PoolClient,
  statement: Extract<ListStatement, { kind: "search" }>,
  { limit, before: from, budget }: Pick<ListOptions, "limit" | "before"> & { budget: SearchBudget },
): Promise<{ found: DbRow[]; edge: string | null }> {
  const began = performance.now();
  const driver = statement.probe ? await sparsest(client, statement.probe) : 0;
  const found: DbRow[] = [];
  let before = from;
  let looked = 0;
  for (let rows = Math.min(FIRST_ROWS, budget.rows); ; ) {
    const take = limit + 1 - found.length;
    const { rows: part } = await client.query<DbRow & { edge: string | null }>(statement.slice({ driver, before, rows, take }));
    found.push(...part.filter(({ id }) => id !== null));
    const edge = part[0]?.edge ?? null;
    if (edge === null) return { found, edge };
    looked += rows;
    const tookMs = performance.now() - began;
    if (tookMs >= budget.ms || looked >= budget.rows) return { found, edge };
    const affordable = (looked / tookMs) * (budget.ms - tookMs);
    rows = Math.floor(Math.min(rows * GROWTH, MOST_ROWS, budget.rows - looked, Math.max(affordable, FIRST_ROWS)));
    before = edge;
  }
}

/** The condition with the fewest rows around here: its n-th row is the oldest, or it has none. */
async function sparsest(client: pg.PoolClient, probe: pg.QueryConfig): Promise<number> {
  const { rows } = await client.query<Record<string, string | null>>(probe);
  const ids = Object.values(rows[0] ?? {}).map((id) => id ?? "");
  return ids.indexOf(ids.toSorted()[0] ?? "");
}
