import { expect, it } from "vitest";
import { choice, number, numberBetween, searchOf, text, wholeBetween } from "./search-fields.ts";

const Search = searchOf({ q: text, of: choice(["a", "b"]), at: number, least: numberBetween(2, 100), page: wholeBetween(1, 9) });

it("reads what an address says, in the order of its fields and nothing else", () => {
  const read = Search.parse({ page: "3", at: "-1.5", of: "b", q: "4", least: 2, other: "x" });
  expect(Object.entries(read)).toEqual([
    ["q", "4"],
    ["of", "b"],
    ["at", -1.5],
    ["least", 2],
    ["page", 3],
  ]);
});

it("takes what it cannot read for what is not there", () => {
  expect(Object.keys(Search.parse({ q: 4, of: "c", at: "soon", least: "101", page: "1.5" }))).toEqual([]);
  expect(Object.keys(Search.parse({ at: "", least: " ", page: null, of: undefined }))).toEqual([]);
  expect(Object.keys(Search.parse({ at: "Infinity" }))).toEqual([]);
});
