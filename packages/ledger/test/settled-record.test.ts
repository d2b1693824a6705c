import { expect, test } from "vitest";
import { defectOf, withDetailBytes } from "../src/settled-record.ts";
import { finishOf } from "./arrange.ts";

const texts = ["tenantId", "userId", "keyId", "sessionId", "providerId", "group", "dialect", "endpoint", "model", "upstreamModel"] as const;

test("a price is named by a UUID, whichever the row before had", () => {
  const ofPrice = (priceId: string) => {
    const finish = finishOf();
    return defectOf({ ...finish, detail: { priceId, cost: null } }, Date.now());
  };
  const odd = () => ["", "x"].map(ofPrice);
  expect(odd()).toEqual(["priceId is no UUID", "priceId is no UUID"]);
  expect(ofPrice("0190a0a0-0000-7000-8000-000000000001")).toBe("");
  expect(odd()).toEqual(["priceId is no UUID", "priceId is no UUID"]);
});

test("a record from disk that lacks any field is named as what it is, instead of becoming a wrong row", () => {
  expect(defectOf(finishOf(), Date.now())).toBe("");
  for (const name of [...texts, "state", "errorCode", "client"] as const) {
    expect(defectOf(finishOf({ [name]: undefined }), Date.now())).toBe(`${name} is no text`);
  }
  for (const name of ["status", "attempts"] as const) expect(defectOf(finishOf({ [name]: 1.5 }), Date.now())).toBe("a count is no integer");
  for (const name of ["input", "output", "cacheWrite5m", "cacheWrite1h", "cacheRead"] as const) {
    const { row, ...rest } = finishOf();
    expect(defectOf({ ...rest, row: { ...row, usage: { ...row.usage, [name]: null } } }, Date.now())).toBe("a count is no integer");
  }
});

test("multipliers are decimals that Postgres keeps as they are", () => {
  const withMultipliers = (providerMultiplier: string, groupMultiplier: string) => {
    const finish = finishOf();
    return { ...finish, detail: { priceId: null, cost: { providerMultiplier, groupMultiplier } } };
  };
  expect(defectOf(withMultipliers("1", "0.123456789012"), Date.now())).toBe("");
  for (const odd of ["0.1234567890123", "-1", "", "1e3", "1234567"]) {
    expect(defectOf(withMultipliers(odd, "1"), Date.now())).toBe("a multiplier is no decimal");
    expect(defectOf(withMultipliers("1", odd), Date.now())).toBe("a multiplier is no decimal");
  }
});

test("what waits for its row has its own price and multipliers, whatever the one before had", () => {
  const price = "019a0000-0000-7000-8000-000000000001";
  const cost = (providerMultiplier: string, groupMultiplier: string) => ({
    ...{ input: "1", output: "2", cacheWrite5m: "0", cacheWrite1h: "0", cacheRead: "0" },
    ...{ providerMultiplier, groupMultiplier },
  });
  const details = [
    { priceId: null, cost: null },
    { priceId: price, cost: cost("1", "1") },
    { priceId: price, cost: cost("1", "1") },
    { priceId: price, cost: cost("2", "1") },
    { priceId: price, cost: cost("2", "0.5") },
    { priceId: price, cost: null },
    { priceId: null, cost: cost("2", "0.5") },
  ];
  const kept = details.map((detail) => {
    const finish = finishOf();
    return withDetailBytes({ ...finish, detail: { ...finish.detail, ...detail } }, Buffer.from("{}")).detail;
  });
  for (const [index, { priceId, cost }] of details.entries()) {
    expect(kept[index]?.priceId).toBe(priceId);
    expect([kept[index]?.cost?.providerMultiplier, kept[index]?.cost?.groupMultiplier]).toEqual([
      cost?.providerMultiplier,
      cost?.groupMultiplier,
    ]);
  }
});
