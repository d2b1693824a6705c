import { expect, it } from "vitest";
import { optionsOf, type QueryWords, readQuery, suggestions } from "./query.ts";

const names = {
  users: [
    { id: "u-1", name: "Bob", email: "bob@example.com" },
    { id: "u-2", name: "Alice Smith", email: "alice@example.com" },
  ],
  keys: [{ id: "k-1", name: "laptop", userId: "u-1" }],
  providers: [{ id: "p-1", name: "main" }],
};
const all = new Map([...names.users, ...names.keys, ...names.providers].map(({ id, name }) => [id, name]));
const words: QueryWords = {
  fieldText: (field) => field[0]?.toUpperCase() + field.slice(1),
  valueText: (_, value) => all.get(value) ?? value,
};
const options = optionsOf(names, ["claude-sonnet", "gpt-5"], true);

it("reads conditions, exclusions, names and a bare request id", () => {
  const id = "019a0000-0000-7000-8000-000000000001";
  expect(readQuery(`model:gpt-5 -status:2xx user:bob user:"alice smith" attempts:>=3 ${id}`, options, words)).toEqual({
    conditions: [
      { field: "model", value: "gpt-5", not: false },
      { field: "status", value: "2xx", not: true },
      { field: "user", value: "u-1", not: false },
      { field: "user", value: "u-2", not: false },
      { field: "attempts", value: "3", not: false },
      { field: "request", value: id, not: false },
    ],
  });
});

it("says what it does not understand", () => {
  expect(readQuery("hello", options, words)).toEqual({ fault: "unknown", text: "hello" });
  expect(readQuery("user:nobody", options, words)).toEqual({ fault: "noSuch", text: "nobody", field: "user" });
  expect(readQuery("provider:main", optionsOf(names, [], false), words)).toEqual({ fault: "unknown", text: "provider:main" });
});

it("offers fields, then values, and names that begin as one types", () => {
  expect(suggestions("", options, words).map(({ note }) => note)).toContain("model:");
  expect(suggestions("-mod", options, words).map(({ pick }) => pick)).toEqual([{ text: "-model:" }]);
  expect(suggestions("model:gpt-5 -state:ab", options, words)[0]?.pick).toEqual({ field: "state", value: "aborted", not: true });
  expect(suggestions("model:", options, words).map(({ label }) => label)).toEqual(["claude-sonnet", "gpt-5"]);
  expect(suggestions("lapt", options, words).map(({ pick }) => pick)).toEqual([{ field: "key", value: "k-1", not: false }]);
});
