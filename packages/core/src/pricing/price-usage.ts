/**
 * The cost of a request, in exact integers throughout: unit prices are decimals scaled by 10^12, products are summed, both
 * multipliers are applied, and the result is rounded once, half up, to nano-USD at the very end. For a price that fits
 * `PriceInput` (≤ 10 decimal places), the derived cache prices are exact too.
 */
import { COST_SCALE, parseDecimal, priceTokens } from "../money.ts";
import type { CostBreakdown, Usage } from "../requests.ts";

/** USD per million tokens as plain decimals; null = derived from the input price (see {@link priceUsage}). */
export interface TokenPrices {
  readonly inputPerMTok: string;
  readonly outputPerMTok: string;
  readonly cacheWrite5mPerMTok: string | null;
  readonly cacheWrite1hPerMTok: string | null;
  readonly cacheReadPerMTok: string | null;
}

/** Plain non-negative decimals. Anything else (NaN, infinite, negative, empty) counts as 1. */
export interface Multipliers {
  readonly providerMultiplier: string;
  readonly groupMultiplier: string;
}

export interface PricedUsage {
  costNanoUsd: bigint;
  /** Parts before multipliers, and the multipliers applied. */
  breakdown: CostBreakdown;
}

/** Scale of a parsed decimal (core/money). */
const ONE = parseDecimal("1");

/**
 * base × provider multiplier × group multiplier, rounded once.
 * Missing prices: cache write 5 m = 1.25 × input, 1 h = 2 × input, cache read = 0.1 × input (the ratios of
 * Anthropic's price page). Token counts are floored; those that are not finite or not positive count as 0.
 * @throws RangeError when a price is not a plain non-negative decimal.
 */
export function priceUsage(price: TokenPrices, usage: Usage, multipliers: Multipliers): PricedUsage {
  const parts = partsOf(price, usage);
  const provider = readMultiplier(multipliers.providerMultiplier);
  const group = readMultiplier(multipliers.groupMultiplier);
  return {
    costNanoUsd: charged(sum(parts), provider.scaled, group.scaled),
    breakdown: {
      input: parts.input.toString(),
      output: parts.output.toString(),
      cacheWrite5m: parts.cacheWrite5m.toString(),
      cacheWrite1h: parts.cacheWrite1h.toString(),
      cacheRead: parts.cacheRead.toString(),
      providerMultiplier: provider.text,
      groupMultiplier: group.text,
    },
  };
}

/**
 * What an attempt costs the operator, nano-USD: base × provider multiplier. The provider's multiplier expresses how its
 * bill differs from the list price; the group's is what the operator adds for their own users.
 */
export function upstreamCost(price: TokenPrices, usage: Usage, providerMultiplier: string): bigint {
  return charged(sum(partsOf(price, usage)), readMultiplier(providerMultiplier).scaled, ONE);
}

/** The most that a request may use, as far as that is known in advance. */
export interface LargestUse {
  inputTokens: number;
  outputTokens: number;
  /** Lifetime of what it asks to write to a cache: writing costs more than plain input. */
  cacheTtl: "none" | "5m" | "1h";
}

/** The most that it may cost, nano-USD: all input at the highest applicable rate, plus the maximum output. */
export function largestCost(price: TokenPrices, use: LargestUse, multipliers: Multipliers): bigint {
  const rates = ratesOf(price);
  const written = use.cacheTtl === "1h" ? rates.cacheWrite1h : use.cacheTtl === "5m" ? rates.cacheWrite5m : 0n;
  const inputRate = written > rates.input ? written : rates.input;
  const exact = priceTokens(inputRate, tokensOf(use.inputTokens)) + priceTokens(rates.output, tokensOf(use.outputTokens));
  return charged(exact, readMultiplier(multipliers.providerMultiplier).scaled, readMultiplier(multipliers.groupMultiplier).scaled);
}

interface Parts {
  input: bigint;
  output: bigint;
  cacheWrite5m: bigint;
  cacheWrite1h: bigint;
  cacheRead: bigint;
}

function partsOf(price: TokenPrices, usage: Usage): Parts {
  const rates = ratesOf(price);
  return {
    input: priceTokens(rates.input, tokensOf(usage.input)),
    output: priceTokens(rates.output, tokensOf(usage.output)),
    cacheWrite5m: priceTokens(rates.cacheWrite5m, tokensOf(usage.cacheWrite5m)),
    cacheWrite1h: priceTokens(rates.cacheWrite1h, tokensOf(usage.cacheWrite1h)),
    cacheRead: priceTokens(rates.cacheRead, tokensOf(usage.cacheRead)),
  };
}

/** Whether two prices bill the same, including derived parts. */
export function billSame(a: TokenPrices, b: TokenPrices): boolean {
  const [left, right] = [ratesOf(a), ratesOf(b)];
  return (Object.keys(left) as (keyof Parts)[]).every((part) => left[part] === right[part]);
}

/** Parsed once per price object (they are immutable): all requests of a model share one. */
const ratesByPrice = new WeakMap<TokenPrices, Parts>();

function ratesOf(price: TokenPrices): Parts {
  const known = ratesByPrice.get(price);
  if (known) return known;
  const input = parseDecimal(price.inputPerMTok);
  const rate = (text: string | null, percentOfInput: bigint): bigint =>
    text === null ? roundHalfUp(input * percentOfInput, 100n) : parseDecimal(text);
  const rates = {
    input,
    output: parseDecimal(price.outputPerMTok),
    cacheWrite5m: rate(price.cacheWrite5mPerMTok, 125n),
    cacheWrite1h: rate(price.cacheWrite1hPerMTok, 200n),
    cacheRead: rate(price.cacheReadPerMTok, 10n),
  };
  ratesByPrice.set(price, rates);
  return rates;
}

function sum(parts: Parts): bigint {
  return parts.input + parts.output + parts.cacheWrite5m + parts.cacheWrite1h + parts.cacheRead;
}

/** The meters clamp already; if one did not, money must still not throw or turn negative. */
function tokensOf(count: number): bigint {
  return count > 0 && Number.isFinite(count) ? BigInt(Math.floor(Math.min(count, Number.MAX_SAFE_INTEGER))) : 0n;
}

function readMultiplier(text: string): { text: string; scaled: bigint } {
  if (text === "1") return { text, scaled: ONE };
  try {
    return { text, scaled: parseDecimal(text) };
  } catch {
    return { text: "1", scaled: ONE };
  }
}

/** An exact amount with its multipliers, in nano-USD. */
function charged(exact: bigint, provider: bigint, group: bigint): bigint {
  // Nearly all are 1, and the smaller numbers take a third of the time.
  if (provider === ONE && group === ONE) return roundHalfUp(exact, COST_SCALE);
  return roundHalfUp(exact * provider * group, COST_SCALE * ONE * ONE);
}

function roundHalfUp(numerator: bigint, denominator: bigint): bigint {
  return (numerator * 2n + denominator) / (denominator * 2n);
}
