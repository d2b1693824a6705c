import { parseDecimal } from "@sluice/core/money";

const amounts = ["inputPerMTok", "outputPerMTok", "cacheWrite5mPerMTok", "cacheWrite1hPerMTok", "cacheReadPerMTok"] as const;

/** Plain decimals of USD per million tokens, and the most output. */
export type Amounts = Record<(typeof amounts)[number], string | null> & { maxOutputTokens: number | null };

/** Whether two prices are the same amounts: "3" and "3.00" are. */
export function sameAmounts(a: Amounts, b: Amounts): boolean {
  if (a.maxOutputTokens !== b.maxOutputTokens) return false;
  return amounts.every((field) => {
    const [left, right] = [a[field], b[field]];
    return left === null || right === null ? left === right : parseDecimal(left) === parseDecimal(right);
  });
}
