import type { Counts, Price } from "./evidence.ts";

const SCALE = 12;
const ONE = 10n ** BigInt(SCALE);

/**
 * Nano-USD for these tokens: each kind times its USD per million, all times both multipliers, rounded once, half up. A missing cache
 * price is 1.25, 2 or 0.1 times the input price.
 */
export function costOf(usage: Counts, price: Price, multipliers: readonly [string, string]): bigint {
  const input = scaled(price.input);
  const perMillion =
    BigInt(usage.input) * input +
    BigInt(usage.output) * scaled(price.output) +
    BigInt(usage.cacheWrite5m) * (price.cacheWrite5m === null ? (input * 5n) / 4n : scaled(price.cacheWrite5m)) +
    BigInt(usage.cacheWrite1h) * (price.cacheWrite1h === null ? input * 2n : scaled(price.cacheWrite1h)) +
    BigInt(usage.cacheRead) * (price.cacheRead === null ? input / 10n : scaled(price.cacheRead));
  // USD per million tokens equal thousands of nano-USD per token.
  const product = perMillion * 1_000n * scaled(multipliers[0]) * scaled(multipliers[1]);
  const unit = ONE ** 3n;
  return (2n * product + unit) / (2n * unit);
}

/** A decimal text as an integer multiple of 10^-12. */
function scaled(text: string): bigint {
  const [whole = "0", fraction = ""] = text.split(".");
  return BigInt(whole) * ONE + BigInt(fraction.padEnd(SCALE, "0").slice(0, SCALE));
}
