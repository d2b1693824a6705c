import { expect, it } from "vitest";
import { RowKeys } from "./row-keys.ts";

const rows = (text: string): string[] => text.split("");

it("leaves a row in its element while most rows stay, and makes elements for those that come", () => {
  const keys = new RowKeys();
  expect(keys.of(rows("dcba"), undefined)).toEqual([1, 2, 3, 4]);
  expect(keys.of(rows("fedc"), undefined)).toEqual([5, 6, 1, 2]);
  expect(keys.of(rows("fed"), undefined)).toEqual([5, 6, 1]);
});

it("writes rows into the elements that stand at their places when most are new", () => {
  const keys = new RowKeys();
  keys.of(rows("dcba"), undefined);
  expect(keys.of(rows("hgfed"), undefined)).toEqual([1, 2, 3, 4, 5]);
  expect(keys.of(rows("hgfed"), undefined)).toEqual([1, 2, 3, 4, 5]);
});

it("neither takes the element away from the row that has the focus, nor moves it in the document", () => {
  const keys = new RowKeys();
  keys.of(rows("dcba"), "d");
  expect(keys.of(rows("hgfed"), "d")).toEqual([5, 6, 7, 8, 1]);
  expect(keys.of(rows("mlkjid"), "d")).toEqual([5, 6, 7, 8, 9, 1]);
  expect(keys.of(rows("rd678"), "d")).toEqual([5, 1, 10, 11, 12]);
  expect(keys.of(rows("stuvw"), "d")).toEqual([5, 1, 10, 11, 12]);
});

it("gives no element to two rows", () => {
  const keys = new RowKeys();
  for (const shown of ["dcba", "zyxd", "zyxwvu", "tszy", "tszyxw", "9876tsz"])
    expect(new Set(keys.of(rows(shown), "z")).size).toBe(shown.length);
});
