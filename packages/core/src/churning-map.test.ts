import { getHeapSpaceStatistics, setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect, test } from "vitest";
import { ChurningMap } from "./churning-map.ts";

test("behaves like a Map, whatever was added and removed", () => {
  const map = new ChurningMap<number, string>([[0, "0"]]);
  const model = new Map([[0, "0"]]);
  for (let step = 1; step < 5_000; step++) {
    map.set(step, String(step));
    model.set(step, String(step));
    const gone = step % 7 === 0 ? step : step - 64;
    expect(map.delete(gone)).toBe(model.delete(gone));
  }
  expect([...map]).toEqual([...model]);
  expect([...map.keys()]).toEqual([...model.keys()]);
  expect([...map.values()]).toEqual([...model.values()]);
  expect([map.size, map.has(4_999), map.get(4_999), map.get(1)]).toEqual([model.size, true, "4999", undefined]);
  map.clear();
  expect([map.size, [...map]]).toEqual([0, []]);
});

test("releases what was removed, even if it had been there for long", () => {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  const oldBytes = (): number => getHeapSpaceStatistics().find(({ space_name }) => space_name === "old_space")?.space_used_size ?? 0;
  const map = new ChurningMap<number, number[]>();
  const ask = (id: number): void => {
    map.set(id, new Array<number>(500).fill(id));
    map.delete(id - 64);
  };
  for (let id = 0; id < 64; id++) ask(id);
  collect();
  collect();
  const before = oldBytes();
  for (let id = 64; id < 8_000; id++) ask(id);
  // 32 MB came and went; a plain Map would keep all of it until the next full collection.
  expect(oldBytes() - before).toBeLessThan(8_000_000);
});
