import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { canonicalText } from "./cache-key.ts";

/** Input values with everything that a textual form could confuse: separators, numbers as text, dates, holes. */
const leaf = fc.oneof(
  fc.string(),
  fc.constantFrom("", ":", ",", "null", "true", "1", "1n", "@1", "{}", '"', "undefined", "NaN"),
  fc.integer(),
  fc.double({ noNaN: true }).map((value) => (value === 0 ? 0 : value)),
  fc.bigInt(),
  fc.boolean(),
  fc.constant(null),
  fc.date({ noInvalidDate: true }),
);
const input = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 3 },
    leaf,
    fc.array(tie("value"), { maxLength: 4 }),
    fc.dictionary(fc.string(), tie("value"), { maxKeys: 4 }),
  ),
})).value;
const question = fc.record({
  name: fc.constantFrom("stats:series", "stats:usage", "leaderboard:list"),
  tenantId: fc.constantFrom("default", "other", "default:admin"),
  role: fc.constantFrom("admin", "user", "key"),
  userId: fc.option(fc.constantFrom("u1", "u2", "u1:u2", "")),
  keyId: fc.option(fc.constantFrom("k1", "u1")),
  input,
});

/** A separate, fast equality: by type, then by parts. */
function same(a: unknown, b: unknown): boolean {
  if (a instanceof Date || b instanceof Date) return a instanceof Date && b instanceof Date && a.getTime() === b.getTime();
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return Object.is(a, b);
  if (Array.isArray(a) !== Array.isArray(b)) return false;
  const names = Object.keys(a);
  return (
    names.length === Object.keys(b).length &&
    names.every((name) => Object.hasOwn(b, name) && same(Reflect.get(a, name), Reflect.get(b, name)))
  );
}

function shuffled(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(shuffled);
  if (typeof value !== "object" || value === null || value instanceof Date) return value;
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([name, each]) => [name, shuffled(each)]),
  );
}

describe("P11: keys", () => {
  test("no two (name, tenant, role, user, input) share one", () => {
    fc.assert(
      fc.property(question, question, (a, b) => {
        expect(canonicalText(a) === canonicalText(b)).toBe(same(a, b));
      }),
      { numRuns: 2_000 },
    );
  });

  test("W17: the same in another order of its properties is the same", () => {
    fc.assert(
      fc.property(question, (asked) => {
        expect(canonicalText(shuffled(asked))).toBe(canonicalText(asked));
      }),
    );
  });

  test("a property that is undefined is none, and what no input has is refused", () => {
    expect(canonicalText({ a: 1, b: undefined })).toBe(canonicalText({ a: 1 }));
    expect(() => canonicalText({ a: new Map() })).toThrow(TypeError);
    expect(() => canonicalText(() => 1)).toThrow(TypeError);
  });
});
