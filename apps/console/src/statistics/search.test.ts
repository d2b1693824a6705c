import { StatisticsFilter } from "@sluice/core/inputs/statistics";
import { expect, it } from "vitest";
import { searchOf } from "../search-fields.ts";
import { filterFields, filterOf } from "./search.ts";

const Search = searchOf(filterFields);

it("passes over what is longer than the server takes, or no tag", () => {
  const most = { user: 64, key: 64, provider: 64, model: 200, group: 200, tag: 40 };
  for (const [field, length] of Object.entries(most)) {
    const longest = Search.parse({ [field]: "x".repeat(length) });
    expect(Object.keys(longest)).toEqual([field]);
    expect(StatisticsFilter.safeParse(filterOf(longest)).success).toBe(true);
    expect(Search.parse({ [field]: "x".repeat(length + 1) })).toEqual({});
  }
  for (const tag of ["a,b", "a\u0000", " "]) expect(Search.parse({ tag })).toEqual({});
  expect(Search.parse({ tag: "👨‍👩‍👧" }), "one character to those who read it").toEqual({ tag: "👨‍👩‍👧" });
});
