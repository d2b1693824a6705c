import { describe, expect, it } from "vitest";
import { keyRefusal, priceInForce, priceRefusal } from "./refusals.ts";

const enabled = { enabled: true };
const nowMs = 1_000;

describe("a key", () => {
  it("is refused for its own state first, then for its owner's", () => {
    const key = { enabled: true, expiresAtMs: null };
    expect(keyRefusal(key, enabled, nowMs)).toBeNull();
    expect(keyRefusal({ enabled: false, expiresAtMs: 1 }, undefined, nowMs)).toBe("key_disabled");
    expect(keyRefusal({ ...key, expiresAtMs: nowMs }, { enabled: false }, nowMs)).toBe("key_expired");
    expect(keyRefusal({ ...key, expiresAtMs: nowMs + 1 }, enabled, nowMs)).toBeNull();
    expect(keyRefusal(key, { enabled: false }, nowMs)).toBe("user_disabled");
    expect(keyRefusal(key, undefined, nowMs)).toBe("user_disabled");
  });
});

describe("a price", () => {
  const prices = new Map([["asked", "of asked"]]);
  const provider = { modelRedirects: { asked: "sent" } };
  const rules = { "pricing.billedModel": "requested", "pricing.unknownModel": "refuse" } as const;

  it("is that of the model asked for, or of the one it is redirected to", () => {
    expect(priceInForce(prices, rules, provider, "asked")).toBe("of asked");
    expect(priceInForce(prices, { ...rules, "pricing.billedModel": "redirected" }, provider, "asked")).toBeNull();
  });

  it("must be known for what costs something, unless such requests are recorded without", () => {
    expect(priceRefusal(null, rules, true)).toBe("unpriced_model");
    expect(priceRefusal(null, rules, false)).toBeNull();
    expect(priceRefusal("of asked", rules, true)).toBeNull();
    expect(priceRefusal(null, { ...rules, "pricing.unknownModel": "record" }, true)).toBeNull();
  });
});
