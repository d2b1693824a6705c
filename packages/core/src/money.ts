/**
 * Money is an integer number of nano-USD in a bigint, never a float. Unit prices are decimals of USD per million
 * tokens, as providers publish them; products are summed exactly at a finer scale and rounded once, half up.
 */

/** 1 USD in nano-USD. */
export const NANO_PER_USD = 1_000_000_000n;

/** Decimal digits kept for a price per million tokens: more than any price in use has. */
const PRICE_DIGITS = 12;
const PRICE_SCALE = 10n ** BigInt(PRICE_DIGITS);

const decimalPattern = /^(\d{1,12})(?:\.(\d{1,12}))?$/;

/**
 * Parses a non-negative plain decimal ("3", "0.075") into an integer scaled by 10^12.
 * @throws RangeError for any other text.
 */
export function parseDecimal(text: string): bigint {
  const match = decimalPattern.exec(text);
  if (!match) throw new RangeError(`not a plain non-negative decimal with at most ${PRICE_DIGITS} places`);
  return BigInt(match[1] ?? "0") * PRICE_SCALE + BigInt((match[2] ?? "").padEnd(PRICE_DIGITS, "0"));
}

/** Scaled USD per million tokens × tokens, in units of 10^-9 nano-USD (exact, not rounded). */
export function priceTokens(usdPerMTokScaled: bigint, tokens: bigint): bigint {
  // USD/MTok × 10^12 equals nano-USD per token × 10^9, because 1 USD/MTok = 1,000 nano-USD per token.
  return usdPerMTokScaled * tokens;
}

/** Scale of {@link priceTokens} relative to one nano-USD. */
export const COST_SCALE = 10n ** 9n;

/** Rounds an exact amount (10^-9 nano-USD) to nano-USD, half up. Amounts are never negative here. */
export function roundToNanoUsd(exact: bigint): bigint {
  return (exact + COST_SCALE / 2n) / COST_SCALE;
}

/** A sum of amounts of nano-USD that are texts. Nearly all sums fit a number, which costs a fifth of a bigint. */
export class NanoUsdSum {
  #small = 0;
  #large = 0n;

  add(nanoUsd: string): void {
    const amount = Number(nanoUsd);
    const sum = this.#small + amount;
    if (Number.isSafeInteger(amount) && Number.isSafeInteger(sum)) this.#small = sum;
    else this.#large += BigInt(nanoUsd);
  }

  toString(): string {
    return (this.#large + BigInt(this.#small)).toString();
  }
}

const usdPattern = /^(-?)(\d{1,7})(?:\.(\d{1,9}))?$/;

/**
 * Parses an amount of USD as people write it ("10", "-0.5") into nano-USD, exactly.
 * @throws RangeError when the text is not a plain decimal below ten million with at most 9 places.
 */
export function parseUsd(text: string): bigint {
  const match = usdPattern.exec(text);
  if (!match) throw new RangeError("not a plain decimal of USD with at most 9 places");
  const nano = BigInt(match[2] ?? "0") * NANO_PER_USD + BigInt((match[3] ?? "").padEnd(9, "0"));
  return match[1] ? -nano : nano;
}

/** nano-USD as a plain decimal of USD without trailing zeros ("0.0105"); signed. */
export function formatUsd(nanoUsd: bigint): string {
  const sign = nanoUsd < 0n ? "-" : "";
  const abs = nanoUsd < 0n ? -nanoUsd : nanoUsd;
  const fraction = (abs % NANO_PER_USD).toString().padStart(9, "0").replace(/0+$/, "");
  return `${sign}${abs / NANO_PER_USD}${fraction ? `.${fraction}` : ""}`;
}
