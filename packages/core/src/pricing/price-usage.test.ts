import { seededRandom } from "@sluice/testing/seeded-random";
import { describe, expect, test } from "vitest";
import { PriceInput } from "../inputs/price.ts";
import { formatUsd } from "../money.ts";
import { noUsage, type Usage } from "../requests.ts";
import { priceUsage, type TokenPrices, upstreamCost } from "./price-usage.ts";
import { shippedPrices, shippedPricesDate } from "./shipped-prices.ts";

const P: TokenPrices = {
  inputPerMTok: "3",
  outputPerMTok: "15",
  cacheWrite5mPerMTok: "3.75",
  cacheWrite1hPerMTok: null,
  cacheReadPerMTok: "0.3",
};
const plain = { providerMultiplier: "1", groupMultiplier: "1" };

function usd(price: TokenPrices, usage: Partial<Usage>, multipliers = plain): string {
  return formatUsd(priceUsage(price, { ...noUsage, ...usage }, multipliers).costNanoUsd);
}

describe("worked examples", () => {
  test("1000 in, 500 out", () => {
    expect(usd(P, { input: 1000, output: 500 })).toBe("0.0105");
  });
  test("cache writes of both lives and a read", () => {
    const price = { ...P, cacheWrite1hPerMTok: "6" };
    expect(usd(price, { cacheWrite5m: 200, cacheWrite1h: 300 })).toBe("0.00255");
    expect(usd(price, { cacheRead: 1000 })).toBe("0.0003");
    expect(usd(price, { cacheWrite5m: 200, cacheWrite1h: 300, cacheRead: 1000 })).toBe("0.00285");
  });
  test("whole dollars a token", () => {
    const price = { ...P, inputPerMTok: "2000000", outputPerMTok: "20000000", cacheReadPerMTok: "200000" };
    expect(usd(price, { input: 2, output: 3, cacheRead: 5 })).toBe("65");
  });
  test("multipliers 1.5 and 2", () => {
    expect(usd(P, { input: 1000, output: 500 }, { providerMultiplier: "1.5", groupMultiplier: "2" })).toBe("0.0315");
  });
  test("the premium rates of a long context are just other prices", () => {
    expect(usd({ ...P, inputPerMTok: "6", outputPerMTok: "22.5" }, { input: 250_000, output: 100_000 })).toBe("3.75");
  });
});

describe("missing cache prices", () => {
  const price = { ...P, cacheWrite5mPerMTok: null, cacheReadPerMTok: null };
  test("5 m is 1.25 ×, 1 h is 2 ×, read is 0.1 × of input", () => {
    expect(usd(price, { cacheWrite5m: 1_000_000 })).toBe("3.75");
    expect(usd(price, { cacheWrite1h: 1_000_000 })).toBe("6");
    expect(usd(price, { cacheRead: 1_000_000 })).toBe("0.3");
  });
});

describe("multipliers", () => {
  test.each(["NaN", "Infinity", "-Infinity", "-1", "", "abc", "1e3"])("%s counts as 1", (bad) => {
    const priced = priceUsage(P, { ...noUsage, input: 1000, output: 500 }, { providerMultiplier: bad, groupMultiplier: bad });
    expect(formatUsd(priced.costNanoUsd)).toBe("0.0105");
    expect(priced.breakdown.providerMultiplier).toBe("1");
    expect(priced.breakdown.groupMultiplier).toBe("1");
  });
  test("0 is free, not bad", () => {
    expect(usd(P, { input: 1000 }, { providerMultiplier: "0", groupMultiplier: "1" })).toBe("0");
  });
  test("Postgres' padded decimals are read like short ones", () => {
    expect(usd(P, { input: 1000, output: 500 }, { providerMultiplier: "1.500000000000", groupMultiplier: "2.00" })).toBe("0.0315");
  });
});

describe("rounding", () => {
  test("happens once, half up", () => {
    // 0.0004 USD/MTok = 0.4 nano-USD per token; two parts of 0.4 make 0.8 → 1, while rounding each would make 0.
    const price = { ...P, inputPerMTok: "0.0004", outputPerMTok: "0.0004" };
    expect(usd(price, { input: 1, output: 1 })).toBe("0.000000001");
    expect(usd({ ...P, inputPerMTok: "0.0005" }, { input: 1 })).toBe("0.000000001");
    expect(usd({ ...P, inputPerMTok: "0.0004999999" }, { input: 1 })).toBe("0");
  });
  test("the breakdown is before multipliers and exact", () => {
    const { breakdown } = priceUsage(P, { ...noUsage, input: 1, cacheRead: 3 }, { providerMultiplier: "7", groupMultiplier: "2" });
    expect(breakdown).toEqual({
      input: "3000000000000",
      output: "0",
      cacheWrite5m: "0",
      cacheWrite1h: "0",
      cacheRead: "900000000000",
      providerMultiplier: "7",
      groupMultiplier: "2",
    });
  });
  test("upstream cost is base × the provider's multiplier", () => {
    expect(formatUsd(upstreamCost(P, { ...noUsage, input: 1000, output: 500 }, "1.5"))).toBe("0.01575");
    expect(formatUsd(upstreamCost(P, { ...noUsage, input: 1000, output: 500 }, "bad"))).toBe("0.0105");
  });
});

test.each([Number.NaN, -5, Number.POSITIVE_INFINITY])("a token count of %s costs nothing", (count) => {
  expect(usd(P, { input: count })).toBe("0");
});

test("any price, usage and multiplier equal a rational reference to the last nano-USD", () => {
  const random = seededRandom(20261121);
  for (let round = 0; round < 3_000; round++) {
    const price: TokenPrices = {
      inputPerMTok: decimal(random, 4, 10),
      outputPerMTok: decimal(random, 4, 10),
      cacheWrite5mPerMTok: random() < 0.5 ? null : decimal(random, 4, 10),
      cacheWrite1hPerMTok: random() < 0.5 ? null : decimal(random, 4, 10),
      cacheReadPerMTok: random() < 0.5 ? null : decimal(random, 4, 10),
    };
    const usage: Usage = {
      input: count(random),
      output: count(random),
      cacheWrite5m: count(random),
      cacheWrite1h: count(random),
      cacheRead: count(random),
    };
    const multipliers = { providerMultiplier: decimal(random, 2, 12), groupMultiplier: decimal(random, 2, 12) };
    expect(priceUsage(price, usage, multipliers).costNanoUsd, JSON.stringify({ round, price, usage, multipliers })).toBe(
      reference(price, usage, multipliers),
    );
  }
});

describe("shipped prices", () => {
  test("are dated, unique, and each is a price an administrator could have typed", () => {
    expect(shippedPricesDate).toMatch(/^\d{4}-\d{2}-\d{2}$/);
    expect(new Set(shippedPrices.map((price) => price.model)).size).toBe(shippedPrices.length);
    expect(shippedPrices.length).toBeGreaterThanOrEqual(40);
    for (const price of shippedPrices) expect(PriceInput.parse(price)).toEqual({ ...price, maxOutputTokens: null });
  });
});

/** Numerators over powers of ten, added by cross-multiplication: shares no code with the code under test. */
function reference(price: TokenPrices, usage: Usage, multipliers: { providerMultiplier: string; groupMultiplier: string }): bigint {
  type Ratio = [bigint, bigint];
  const ratio = (text: string): Ratio => {
    const [whole = "0", fraction = ""] = text.split(".");
    return [BigInt(whole + fraction), 10n ** BigInt(fraction.length)];
  };
  const times = (a: Ratio, b: Ratio): Ratio => [a[0] * b[0], a[1] * b[1]];
  const plus = (a: Ratio, b: Ratio): Ratio => [a[0] * b[1] + b[0] * a[1], a[1] * b[1]];
  const input = ratio(price.inputPerMTok);
  const rates: Ratio[] = [
    input,
    ratio(price.outputPerMTok),
    price.cacheWrite5mPerMTok === null ? times(input, [5n, 4n]) : ratio(price.cacheWrite5mPerMTok),
    price.cacheWrite1hPerMTok === null ? times(input, [2n, 1n]) : ratio(price.cacheWrite1hPerMTok),
    price.cacheReadPerMTok === null ? times(input, [1n, 10n]) : ratio(price.cacheReadPerMTok),
  ];
  const counts = [usage.input, usage.output, usage.cacheWrite5m, usage.cacheWrite1h, usage.cacheRead];
  let total: Ratio = [0n, 1n];
  rates.forEach((rate, i) => {
    // USD per million tokens × 10^9 ÷ 10^6 = nano-USD per token.
    total = plus(total, times(rate, [BigInt(counts[i] ?? 0) * 1000n, 1n]));
  });
  total = times(times(total, ratio(multipliers.providerMultiplier)), ratio(multipliers.groupMultiplier));
  const floor = total[0] / total[1];
  return (total[0] - floor * total[1]) * 2n >= total[1] ? floor + 1n : floor;
}

function digits(random: () => number, length: number): string {
  return Array.from({ length }, () => Math.floor(random() * 10)).join("");
}

function decimal(random: () => number, whole: number, places: number): string {
  const fraction = Math.floor(random() * (places + 1));
  const left = digits(random, 1 + Math.floor(random() * whole));
  return fraction === 0 ? left : `${left}.${digits(random, fraction)}`;
}

function count(random: () => number): number {
  return Math.floor(random() ** 3 * 10_000_000);
}
