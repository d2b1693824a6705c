import type { SessionRow } from "@sluice/core/events";
import { expect, it } from "vitest";
import { matchesSession, SessionSearch } from "./search.ts";

const names = {
  provider: (id: string) => ({ p1: "Main account" })[id] ?? id,
  key: (id: string) => ({ k1: "laptop" })[id] ?? id,
  user: (id: string) => ({ u1: "Ada Lovelace" })[id] ?? id,
  list: { providers: [], keys: [], users: [] },
};
const row = {
  id: "s-abc",
  userId: "u1",
  keyId: "k1",
  providerId: "p1",
  model: "claude-sonnet-4-5",
  client: "claude-code 2.1",
} as SessionRow;
const matches = (search: SessionSearch) => matchesSession(row, search, names);

it("looks for every word in what the row shows, in any case", () => {
  expect(matches({ q: "ada SONNET" })).toBe(true);
  expect(matches({ q: " laptop  main " })).toBe(true);
  expect(matches({ q: "ada opus" })).toBe(false);
  expect(matches({ q: "" })).toBe(true);
});

it("compares fields exactly, all of them", () => {
  expect(matches({ user: "u1", model: "claude-sonnet-4-5" })).toBe(true);
  expect(matches({ user: "u1", provider: "p2" })).toBe(false);
  expect(matches({ key: "k1", q: "opus" })).toBe(false);
});

it("takes an address that says nonsense for one that says nothing", () => {
  expect(SessionSearch.parse({ user: 4, other: "x" })).toEqual({ user: undefined });
});

it("opens only what can be the id of a session", () => {
  expect(SessionSearch.parse({ session: "a_b-4", model: "m" })).toEqual({ session: "a_b-4", model: "m" });
  for (const session of ["a b", "", "x".repeat(65)]) expect(SessionSearch.parse({ session })).toEqual({});
});
