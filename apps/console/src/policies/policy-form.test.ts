import { expect, it } from "vitest";
import { policiesInput, policyValuesOf } from "./policy-form.ts";

it("keeps the moment at which something expires when its day is not changed", () => {
  const set = { policies: null, expiresAtMs: new Date(2026, 10, 29, 10, 30).getTime() };
  const values = policyValuesOf(set);
  expect(values.expiresAtMs).toBe("2026-11-29");
  expect(policiesInput(values, set).expiresAtMs).toBe(set.expiresAtMs);
});

it("lets something expire when the chosen local day is over, or never", () => {
  const set = { policies: null, expiresAtMs: new Date(2026, 10, 29, 10, 30).getTime() };
  const values = policyValuesOf(set);
  const end = new Date(2026, 10, 30, 23, 59, 59, 999).getTime();
  expect(policiesInput({ ...values, expiresAtMs: "2026-11-30" }, set).expiresAtMs).toBe(end);
  expect(policiesInput({ ...values, expiresAtMs: "2026-11-30" }, null).expiresAtMs).toBe(end);
  expect(policiesInput({ ...values, expiresAtMs: "" }, set).expiresAtMs).toBeNull();
  expect(policiesInput(policyValuesOf(null), null).expiresAtMs).toBeNull();
});
