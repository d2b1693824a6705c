import { requestRow } from "@sluice/testing/factories";
import { describe, expect, it } from "vitest";
import { packTables, unpackTables } from "./packed-tables.ts";

/** Encoded and decoded as for transport. */
function travelled(value: unknown): unknown {
  return unpackTables(JSON.parse(JSON.stringify(packTables(value))));
}

describe("packed tables", () => {
  it("say each name once, and what rows share once", () => {
    const rows = [
      { id: "a", model: "m", state: "done", usage: { input: 1, output: 0 } },
      { id: "b", model: "m", state: "error", usage: { input: 2, output: 0 }, sample: true },
      { id: "c", model: "m", state: "done", usage: { input: 3, output: 0 } },
      { id: "d", model: "m", state: "done", usage: { input: 4, output: 0 } },
    ];
    expect(packTables(rows)).toEqual({
      "#rows": 4,
      id: ["a", "b", "c", "d"],
      model: { "#all": "m" },
      state: { "#of": ["done", "error"], "#is": [0, 1, 0, 0] },
      usage: { "#rows": 4, input: [1, 2, 3, 4], output: { "#all": 0 } },
      sample: { "#at": [1], "#all": true },
    });
    expect(travelled(rows)).toEqual(rows);
  });

  it.each<[what: string, value: unknown]>([
    ["nothing", [null, "", 0, false, [], {}, [[]], [{}]]],
    ["lists of what is no object", { a: [1, 2, 3], b: ["x", "x"], c: [[{ d: 1 }, { d: 2 }], []] }],
    ["objects without a field in common", [{ a: 1 }, { b: 2 }, {}]],
    ["lists and objects in fields", [{ a: [{ b: 1 }, { b: 2 }], c: { d: 1 } }, { a: [], c: { d: 2, e: null } }, { c: { d: 2 } }]],
    ["lists and text that look alike", [{ a: "[1]" }, { a: [1] }, { a: "[1]" }, { a: [1] }]],
    ["objects beside other values", [{ a: { b: 1 } }, { a: null }, { a: "x" }, { a: { b: 1 } }]],
    ["numbers, flags and nothing in one field", [{ a: 1 }, { a: true }, { a: null }, { a: "1" }, { a: 1 }, { a: null }]],
    ["fields with names of ours", [{ "#rows": 2, a: 1 }, { "#all": 1 }]],
    ["tables in tables", { items: [{ rows: [{ a: 1 }, { a: 1 }] }, { rows: [{ a: 1 }, { a: 2, b: 3 }] }], nextCursor: "c" }],
  ])("give back %s", (_, value) => {
    expect(travelled(value)).toEqual(value);
  });

  it("give back any mixture of rows and other events", () => {
    let seed = 7;
    const random = (below: number): number => {
      seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0;
      return seed % below;
    };
    for (let round = 0; round < 50; round++) {
      const events = Array.from({ length: random(30) }, (_, at) => {
        const row = requestRow({ model: `m${random(3)}`, flags: random(2) ? ["partial"] : [], ttftMs: random(2) ? random(500) : null });
        return random(4) === 0
          ? { type: "key.changed", id: `k${at}`, ...(random(2) && { userId: "u" }) }
          : { type: "request.finished", rev: random(3), row, ...(random(2) && { aside: true }) };
      });
      expect(travelled({ id: "e:1-0", events, serverNowMs: 1 })).toEqual({ id: "e:1-0", events, serverNowMs: 1 });
    }
  });

  it("rows do not share their lists", () => {
    const [a, b] = travelled([{ flags: [] }, { flags: [] }]) as { flags: string[] }[];
    a?.flags.push("partial");
    expect(b?.flags).toEqual([]);
  });
});
