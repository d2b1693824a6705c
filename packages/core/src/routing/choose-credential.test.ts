import { describe, expect, test } from "vitest";
import { chooseCredential, coolDownAfter } from "./choose-credential.ts";

const credentials = [
  { label: "main", weight: 1 },
  { label: "b", weight: 3 },
  { label: "c", weight: 1 },
];

const choose = (changes: { order?: "first" | "weighted"; used?: string[]; cooling?: Record<string, number>; dice?: number } = {}) =>
  chooseCredential(credentials, changes.order ?? "first", {
    used: new Set(changes.used),
    coolsUntilMs: (label) => changes.cooling?.[label] ?? 0,
    nowMs: 1_000,
    random: () => changes.dice ?? 0,
  })?.label ?? null;

describe("which credential is next", () => {
  test("the first that is not cooling off and was not used", () => {
    expect(choose()).toBe("main");
    expect(choose({ cooling: { main: 2_000 } })).toBe("b");
    expect(choose({ cooling: { main: 1_000 } })).toBe("main");
    expect(choose({ used: ["main"], cooling: { b: 2_000 } })).toBe("c");
    expect(choose({ used: ["main", "b", "c"] })).toBeNull();
  });

  test("by weight among those", () => {
    expect([0, 0.19, 0.2, 0.79, 0.8, 0.99].map((dice) => choose({ order: "weighted", dice }))).toEqual([
      "main",
      "main",
      "b",
      "b",
      "c",
      "c",
    ]);
    expect(choose({ order: "weighted", dice: 0.99, cooling: { c: 2_000 } })).toBe("b");
  });

  test("when all are cooling off, the one that is ready soonest, once", () => {
    const cooling = { main: 9_000, b: 5_000, c: 7_000 };
    expect(choose({ cooling })).toBe("b");
    expect(choose({ cooling, used: ["b"] })).toBeNull();
  });
});

test("how long it cools off: what the provider says, at most 30 minutes, or a default; other failures do not matter", () => {
  expect(coolDownAfter("upstream_rate_limited", 7)).toBe(7);
  expect(coolDownAfter("upstream_rate_limited", 86_400)).toBe(1_800);
  expect(coolDownAfter("upstream_rate_limited", undefined)).toBe(60);
  expect(coolDownAfter("upstream_auth", undefined)).toBe(300);
  expect(coolDownAfter("upstream_error", 7)).toBeNull();
});
