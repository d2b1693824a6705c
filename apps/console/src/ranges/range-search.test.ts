import { expect, it } from "vitest";
import { searchOf, text } from "../search-fields.ts";
import { inOrder, rangeEnd, rangeStart } from "./range-search.ts";

const fields = searchOf({ q: text, from: rangeStart, to: rangeEnd });

it("ignores a range that does not end after it begins", () => {
  const { parse } = inOrder(fields);
  for (const to of ["1000", "2000"]) expect(parse({ q: "a", from: "2000", to })).toEqual({ q: "a" });
  expect(parse({ from: "now-1h", to: "1000" })).toEqual({});
  expect(parse({ from: "2000", to: "2001" })).toEqual({ from: 2000, to: 2001 });
  expect(parse({ from: "2000" })).toEqual({ from: 2000 });
  expect(parse({ to: "1000" })).toEqual({ to: 1000 });
});

it("counts from the beginning that a page has by default", () => {
  const { parse } = inOrder(fields, "now-24h");
  expect(parse({ q: "a", to: "1000" })).toEqual({ q: "a" });
  expect(parse({ to: String(Date.now()) })).toHaveProperty("to");
  expect(parse({})).toEqual({});
});
