import fc from "fast-check";
import SuperJSON from "superjson";
import { expect, it } from "vitest";
import { keptText, valueOfKept } from "./kept-text.ts";

const leaf = fc.oneof(
  { arbitrary: fc.double(), weight: 3 },
  ...[fc.string(), fc.boolean(), fc.constant(null), fc.constant(undefined), fc.bigInt(), fc.date({ noInvalidDate: true })],
);
// superjson refuses these.
const name = fc.string().filter((text) => !["__proto__", "constructor", "prototype"].includes(text));
const values = fc.letrec((tie) => ({
  value: fc.oneof({ maxDepth: 4 }, leaf, fc.array(tie("value")), fc.dictionary(name, tie("value"))),
})).value;

it("any answer comes out as superjson would give it, also what is not JSON", () => {
  fc.assert(
    fc.property(values, (value) => {
      const plain = SuperJSON.stringify(value);
      expect(valueOfKept(keptText(value))).toStrictEqual(SuperJSON.parse(plain));
      expect(valueOfKept(plain)).toStrictEqual(SuperJSON.parse(plain));
    }),
  );
});

it("holes, circles and zeros below zero are not lost", () => {
  const circle: Record<string, unknown> = {};
  circle.self = circle;
  const back = valueOfKept(keptText(circle)) as typeof circle;
  expect(back.self).toBe(back);
  expect(valueOfKept(keptText({ zero: -0, none: undefined, all: [undefined] }))).toStrictEqual({
    zero: -0,
    none: undefined,
    all: [undefined],
  });
});
