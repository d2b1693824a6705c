import { LogFilter } from "@sluice/core/inputs/log";
import { expect, it } from "vitest";
import { adding, clearing, conditionsOf, feedKey, filterOf, isFiltered, LogSearch, removing, shifted } from "./search.ts";

it("reads an address, and passes over what it does not understand", () => {
  const read = LogSearch.parse({ model: "4", status: "9xx", state: "done", from: "1000", to: "soon", attempts: "0", extra: "x" });
  expect(read).toEqual({ model: "4", state: "done", from: 1000 });
  expect(LogSearch.parse({ from: "now-24h" })).toEqual({ from: "now-24h" });
  expect(LogSearch.parse({ from: "now-2y" })).toEqual({});
});

it("passes over names and ids that are longer than the server takes, also among what is left out", () => {
  const longest = { user: "u".repeat(64), key: "k".repeat(64), provider: "p".repeat(64) };
  const names = { model: "m".repeat(200), session: "s".repeat(200), group: "g".repeat(200) };
  const kept = LogSearch.parse({ ...longest, ...names, notUser: longest.user, notModel: names.model });
  expect(LogFilter.parse(filterOf(kept, 0))).toMatchObject({ userId: longest.user, notUserId: [longest.user], notModel: [names.model] });
  for (const [field, value] of Object.entries({ ...longest, ...names })) {
    const not = `not${field[0]?.toUpperCase()}${field.slice(1)}`;
    const search = LogSearch.parse({ [field]: `${value}x`, [not]: `${value}x,short` });
    expect(LogFilter.parse(filterOf(search, 0))).toEqual({ [field === "model" || field === "group" ? not : `${not}Id`]: ["short"] });
    expect(conditionsOf(search)).toEqual([{ field, value: "short", not: true }]);
  }
});

it("takes for a time only what is one, and for attempts only a whole number", () => {
  for (const of of ["1e300", "9e15", "-5", "1.5", " ", "Infinity"]) {
    expect(LogSearch.parse({ from: of, to: of })).toEqual({});
  }
  expect(LogSearch.parse({ from: "0", to: "253402300799999", attempts: "2.5" })).toEqual({ from: 0, to: 253_402_300_799_999 });
});

it("keeps a relative range relative: it is counted back when it is asked", () => {
  expect(filterOf({ from: "now-1h" }, 10_000_000)).toEqual({ fromMs: 6_400_000 });
  expect(filterOf({ from: "now-30d" }, 10_000_000)).toEqual({ fromMs: 0 });
  expect(filterOf({ from: 1, to: 2 }, 10_000_000)).toEqual({ fromMs: 1, toMs: 2 });
});

it("asks for what the chips say", () => {
  const search: LogSearch = {
    ...{ user: "u", key: "k", provider: "p", model: "m", session: "s", group: "g", dialect: "openai", state: "error", status: "5xx" },
    ...{ attempts: 2, log: "x", notModel: "a%2Cb,c", notState: "done,nonsense" },
  };
  expect(filterOf(search, 0)).toEqual({
    userId: "u",
    keyId: "k",
    providerId: "p",
    model: "m",
    sessionId: "s",
    group: "g",
    dialect: "openai",
    state: "error",
    statusClass: "5xx",
    minAttempts: 2,
    notModel: ["a,b", "c"],
    notState: ["done"],
  });
});

it("adds and takes away conditions; for and out of the same value exclude each other", () => {
  const out = adding({ model: "a" }, { field: "model", value: "a", not: true });
  expect(out).toEqual({ model: undefined, notModel: "a" });
  const both = adding({ notModel: "a" }, { field: "model", value: "b,c", not: true });
  expect(both).toEqual({ notModel: "a,b%2Cc" });
  expect(conditionsOf(both)).toEqual([
    { field: "model", value: "a", not: true },
    { field: "model", value: "b,c", not: true },
  ]);
  expect(adding({ notModel: "a,b" }, { field: "model", value: "a", not: false })).toEqual({ model: "a", notModel: "b" });
  expect(removing({ notModel: "a" }, { field: "model", value: "a", not: true })).toEqual({ notModel: undefined });
  expect(conditionsOf({ ...both, model: "m", ...clearing })).toEqual([]);
});

it("does not begin anew when only the drawer changes", () => {
  expect(feedKey({ model: "m", log: "a" })).toBe(feedKey({ model: "m", log: "b" }));
  expect(isFiltered({ log: "a" })).toBe(false);
  expect(isFiltered({ from: "now-1h" })).toBe(true);
});

it("steps through ranges, and moves a fixed one by its length", () => {
  expect(shifted({}, -1)).toEqual({ from: "now-30d", to: undefined });
  expect(shifted({ from: "now-15m" }, -1)).toEqual({ from: "now-15m", to: undefined });
  expect(shifted({ from: "now-30d" }, 1)).toEqual({ from: undefined, to: undefined });
  expect(shifted({ from: 100, to: 150 }, -1)).toEqual({ from: 50, to: 100 });
});
