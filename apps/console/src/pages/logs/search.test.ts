import { expect, it } from "vitest";
import { feedKey, filterOf, isFiltered, LogSearch } from "./search.ts";

it("reads an address, and passes over what it does not understand", () => {
  expect(LogSearch.parse({ model: "4", status: "9xx", state: "done", from: "1000", range: "2y", extra: "x" })).toEqual({
    model: "4",
    state: "done",
    from: 1000,
  });
});

it("keeps a relative range relative: it is counted back when it is asked", () => {
  expect(filterOf({ range: "1h" }, 10_000_000)).toEqual({ fromMs: 6_400_000 });
  expect(filterOf({ range: "1h", from: 1, to: 2 }, 10_000_000)).toEqual({ fromMs: 6_400_000 });
  expect(filterOf({ from: 1, to: 2 }, 10_000_000)).toEqual({ fromMs: 1, toMs: 2 });
});

it("asks for what the chips say", () => {
  expect(
    filterOf(
      { user: "u", key: "k", provider: "p", model: "m", session: "s", dialect: "openai", state: "error", status: "5xx", log: "x" },
      0,
    ),
  ).toEqual({
    userId: "u",
    keyId: "k",
    providerId: "p",
    model: "m",
    sessionId: "s",
    dialect: "openai",
    state: "error",
    statusClass: "5xx",
  });
});

it("does not begin anew when only the drawer changes", () => {
  expect(feedKey({ model: "m", log: "a" })).toBe(feedKey({ model: "m", log: "b" }));
  expect(isFiltered({ log: "a" })).toBe(false);
  expect(isFiltered({ range: "1h" })).toBe(true);
});
