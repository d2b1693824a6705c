import { expect, it } from "vitest";
import { columnsFor, columnsOf, stepOf } from "./columns.ts";

const names = (...args: Parameters<typeof columnsOf>) => columnsOf(...args).shown.map(({ name }) => name);

it("shows more columns in a wider pane, and never less than what a row is about", () => {
  expect(names({}, true, 1_224)).toEqual("time status model provider user key tokens speed ttft duration cost".split(" "));
  expect(names({}, true, 600)).toEqual("time status model tokens duration cost".split(" "));
});

it("has the same columns for all widths of a step, so that a pane is not drawn anew for a few pixels", () => {
  for (let width = 300; width < 2_000; width += 7) expect(names({}, true, stepOf(width))).toEqual(names({}, true, width));
  expect(new Set([761, 800, 899].map(stepOf)).size).toBe(1);
});

it("shows columns that were switched on at any width, and none that were switched off", () => {
  expect(names({ session: true, cost: false }, true, 600)).toEqual("time status model session tokens duration".split(" "));
});

it("has nothing of providers and users for a user", () => {
  expect(names({ provider: true, user: true }, false, 2_000)).not.toContain("provider");
  expect(columnsFor(false)).not.toContain("user");
});

it("adds up to a least width, beyond which the table scrolls sideways", () => {
  const { least } = columnsOf(Object.fromEntries(columnsFor(true).map((name) => [name, true])), true, 600);
  expect(least).toBeGreaterThan(1_400);
});
