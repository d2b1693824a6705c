import type { BooksDifference } from "@sluice/core/events";
import type pg from "pg";
import { type BookCheck, idsOf, LISTED, type Span } from "./book-check.ts";
import { costsCheck } from "./costs-check.ts";
import { sumChecks } from "./sums-checks.ts";
import { balancesCheck, totalsChecks } from "./totals-checks.ts";

/**
 * The invariants that can be checked in Postgres alone, computed independently of the code that writes: sums from the raw
 * rows, costs in SQL's exact decimals from tokens × the price version. Every difference is a defect of ours.
 */
export interface Difference {
  invariant: BooksDifference["invariant"] | "I1" | "I6" | "I9";
  /** The request, or the key of a sum. */
  id: string;
  what: string;
}

/** Checks that can run one day at a time; null = all time at once. */
export function checksOf(span: Span | null): BookCheck[] {
  return [...sumChecks(span), doublesCheck(span), costsCheck(span)];
}

/** Checks that span all time: totals and balances, derived from the daily sums, which I2 verifies. */
export const timelessChecks: readonly BookCheck[] = [...totalsChecks, balancesCheck];

/** I2: every sum at every level equals that of its raw rows, under the same key; none is missing or extra. */
export const findWrongSums = (pool: pg.Pool): Promise<Difference[]> => findAll(pool, sumChecks(null));

/** I2: the overall usage of a key or a user is the sum of its days. */
export const findWrongTotals = (pool: pg.Pool): Promise<Difference[]> => findAll(pool, totalsChecks);

/**
 * I3: every balance is what the account was given minus what the ledger charged, and its held amount matches its open holds.
 * Charges are read from the daily sums, which remain when old rows are dropped.
 */
export const findWrongBalances = (pool: pg.Pool): Promise<Difference[]> => findAll(pool, [balancesCheck]);

/** I4: no id twice. (Primary keys guarantee it per partition and disjoint ranges across partitions; this verifies the data itself.) */
export const findDoubles = (pool: pg.Pool): Promise<Difference[]> => findAll(pool, [doublesCheck(null)]);

/** I5: every charge is exactly what tokens and price give. */
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
