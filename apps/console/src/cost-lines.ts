import type { CostBreakdown, Usage } from "@sluice/core/requests";

export interface CostLine {
  kind: "input" | "output" | "cacheRead" | "cacheWrite5m" | "cacheWrite1h";
  tokens: number;
  /** Rounded to nano-USD after the multipliers; null without a price. */
  nanoUsd: string | null;
}

const kinds = ["input", "output", "cacheRead", "cacheWrite5m", "cacheWrite1h"] as const;
const EXACT = 10n ** 9n;

/** The token kinds of a request with their cost: input and output always, cache kinds only when used. */
export function costLines(usage: Usage, cost: CostBreakdown | null): CostLine[] {
  return kinds
    .filter((kind) => kind === "input" || kind === "output" || usage[kind] > 0)
    .map((kind) => ({ kind, tokens: usage[kind], nanoUsd: cost ? part(cost[kind], cost) : null }));
}

/** A part (nano-USD × 10^9) times both multipliers, rounded half up. */
function part(exact: string, cost: CostBreakdown): string {
  const product = BigInt(exact) * scaled(cost.providerMultiplier) * scaled(cost.groupMultiplier);
  const scale = EXACT * MULTIPLIER * MULTIPLIER;
  return ((product + scale / 2n) / scale).toString();
}

const DIGITS = 12;
const MULTIPLIER = 10n ** BigInt(DIGITS);

function scaled(decimal: string): bigint {
  const [whole = "0", fraction = ""] = decimal.split(".");
  return BigInt(whole) * MULTIPLIER + BigInt(fraction.slice(0, DIGITS).padEnd(DIGITS, "0"));
}
