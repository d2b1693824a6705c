import type { BooksDifference } from "@sluice/core/events";
import type pg from "pg";
import { type BookCheck, idsOf, LISTED, type Span } from "./book-check.ts";
import { costsCheck } from "./costs-check.ts";
import { sumChecks } from "./sums-checks.ts";
import { balancesCheck, totalsChecks } from "./totals-checks.ts";

/**
 * The invariants that Postgres alone can show. They are computed apart from the code that writes: sums from the raw
 * rows, costs in SQL's exact decimals from tokens × the price version. Every difference is a defect of ours.
 */
export interface Difference {
  invariant: BooksDifference["invariant"] | "I1" | "I6" | "I9";
  /** The request, or the key of a sum. */
  id: string;
  what: string;
}

/** What can be checked a day at a time; null = of all time at once. */
export function checksOf(span: Span | null): BookCheck[] {
  return [...sumChecks(span), doublesCheck(span), costsCheck(span)];
}

/** What has no time: totals and balances, from the daily sums. That these are right is I2. */
export const timelessChecks: readonly BookCheck[] = [...totalsChecks, balancesCheck];

/** I2: every sum at every level equals that of its raw rows, with the same key, none missing and none too many. */
export const findWrongSums = (pool: pg.Pool): Promise<Difference[]> => findAll(pool, sumChecks(null));

/** I2: what a key or a user has used in all is the sum of its days. */
export const findWrongTotals = (pool: pg.Pool): Promise<Difference[]> => findAll(pool, totalsChecks);

/**
 * I3: every account has what it was given less what the ledger charged, and holds what its open holds say. The ledger's
 * part is read from the daily sums, which stay when old rows go.
 */
export const findWrongBalances = (pool: pg.Pool): Promise<Difference[]> => findAll(pool, [balancesCheck]);

/** I4: no id twice. (A primary key says so of each partition, and ranges of each other; this says so of the data.) */
export const findDoubles = (pool: pg.Pool): Promise<Difference[]> => findAll(pool, [doublesCheck(null)]);

/** I5: what was charged is what tokens and price give, bit for bit. */
export const findWrongCosts = (pool: pg.Pool): Promise<Difference[]> => findAll(pool, [costsCheck(null)]);

async function findAll(pool: pg.Pool, checks: readonly BookCheck[]): Promise<Difference[]> {
  const found: Difference[] = [];
  for (const check of checks) {
    for (const { invariant, table, id, expected, found: kept } of await check.find(pool))
      found.push({ invariant, id, what: `${table}: expected ${expected}, kept is ${kept}` });
  }
  return found;
}

function doublesCheck(span: Span | null): BookCheck {
  const { where, values } = idsOf(span);
  return {
    table: "requests",
    async find(db) {
      const { rows } = await db.query<{ id: string; n: string }>(
        `SELECT id, count(*) AS n FROM requests r WHERE ${where} GROUP BY id HAVING count(*) > 1 LIMIT ${LISTED}`,
        values,
      );
      return rows.map(({ id, n }) => ({ invariant: "I4", table: "requests", id, requestId: id, expected: "1 row", found: `${n} rows` }));
    },
  };
}
