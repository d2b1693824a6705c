import { parseDecimal } from "@sluice/core/money";

const amounts = ["inputPerMTok", "outputPerMTok", "cacheWrite5mPerMTok", "cacheWrite1hPerMTok", "cacheReadPerMTok"] as const;

/** USD per million tokens as decimal text, and the most output tokens. */
export type Amounts = Record<(typeof amounts)[number], string | null> & { maxOutputTokens: number | null };

/** Whether two prices have equal amounts; "3" equals "3.00". */
export function sameAmounts(a: Amounts, b: Amounts): boolean {
  if (a.maxOutputTokens !== b.maxOutputTokens) return false;
  return amounts.every((field) => {
    const [left, right] = [a[field], b[field]];
    return left === null || right === null ? left === right : parseDecimal(left) === parseDecimal(right);
  });
}
