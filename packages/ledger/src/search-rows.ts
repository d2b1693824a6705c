import type pg from "pg";
import type { ListOptions, ListStatement } from "./list-statement.ts";
import type { DbRow } from "./stored-row.ts";

/**
 * The bounded look through rows that no index has gathered: slice by slice back in time, until the page is full, nothing
 * is left, or it has taken as long as somebody waits. Slices begin small, as most are enough, and grow with what the last
 * one cost, so that a cold disk is asked for less than a warm cache.
 */
export interface SearchBudget {
  /** Rows looked at in one page. */
  rows: number;
  /** No slice is begun after so long. */
  ms: number;
}

/** The rows are the rule; the time is half of the 300 ms in which a page has to answer, for a disk that is cold. */
export const searchBudget: SearchBudget = { rows: 20_000, ms: 150 };

const FIRST_ROWS = 500;
/** Kept in memory by the server while they are looked at. */
const MOST_ROWS = 8_000;
const GROWTH = 4;

/** At most limit + 1 rows, newest first; `edge`: where the look ended, null when it did not end early. */
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

/** Which condition has the fewest rows about here: its n-th stands furthest back, or there is none. */
async function sparsest(client: pg.PoolClient, probe: pg.QueryConfig): Promise<number> {
  const { rows } = await client.query<Record<string, string | null>>(probe);
  const ids = Object.values(rows[0] ?? {}).map((id) => id ?? "");
  return ids.indexOf(ids.toSorted()[0] ?? "");
}
