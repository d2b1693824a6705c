import { expect, it } from "vitest";
import { choice, number, numberBetween, searchOf, text, uuid, wholeBetween } from "./search-fields.ts";

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

it("ignores values that it cannot read", () => {
  expect(Object.keys(Search.parse({ q: 4, of: "c", at: "soon", least: "101", page: "1.5" }))).toEqual([]);
  expect(Object.keys(Search.parse({ at: "", least: " ", page: null, of: undefined }))).toEqual([]);
  expect(Object.keys(Search.parse({ at: "Infinity" }))).toEqual([]);
});

it("accepts only ids that the server accepts, in any spelling", () => {
  expect(uuid("018F3C1E-7B2A-7C3D-8E4F-0A1B2C3D4E5F")).toBe("018f3c1e-7b2a-7c3d-8e4f-0a1b2c3d4e5f");
  for (const other of ["nope", "", 4, "018f3c1e-7b2a-7c3d-8e4f-0a1b2c3d4e5", "018f3c1e-7b2a-7c3d-ce4f-0a1b2c3d4e5f"])
    expect(uuid(other)).toBeUndefined();
});
