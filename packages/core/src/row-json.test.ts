import { expect, test } from "vitest";
import { noUsage, type RequestRow } from "./requests.ts";
import { areAskedAlike, askedJson, rowJson } from "./row-json.ts";

const row: RequestRow = {
  id: "01930000-0000-7000-8000-000000000001",
  tenantId: "01930000-0000-7000-8000-000000000002",
  userId: "01930000-0000-7000-8000-000000000003",
  keyId: "01930000-0000-7000-8000-000000000004",
  sessionId: "",
  providerId: "01930000-0000-7000-8000-000000000005",
  group: "default",
  dialect: "anthropic",
  endpoint: "messages",
  stream: true,
  model: "claude-sonnet-4-5",
  upstreamModel: "claude-sonnet-4-5",
  state: "in_flight",
  status: 0,
  errorCode: "",
  attempts: 0,
  usage: noUsage,
  flags: [],
  costNanoUsd: null,
  billable: true,
  startedAtMs: 1_733_000_000_000,
  ttftMs: null,
  durationMs: null,
  client: "claude-code 2.1",
  correctsId: null,
};

const done: RequestRow = {
  ...row,
  state: "done",
  status: 200,
  costNanoUsd: "-12",
  flags: ["partial", "estimated"],
  ttftMs: 5,
  durationMs: 7,
};
/** Each field with another value than at the start. */
const other: RequestRow = {
  ...{ id: "i", tenantId: "t", userId: "u", keyId: "k", sessionId: "s", providerId: "p", group: "g", dialect: "openai", endpoint: "chat" },
  ...{ stream: false, model: "m", upstreamModel: "n", state: "error", status: 502, errorCode: "upstream_error", attempts: 2 },
  ...{ usage: { input: 1, output: 2, cacheWrite5m: 3, cacheWrite1h: 4, cacheRead: 5 }, flags: ["partial"], costNanoUsd: "7" },
  ...{ billable: false, startedAtMs: 1, ttftMs: 2, durationMs: 3, client: "c", correctsId: "r" },
};

test("the JSON of a row has all of it, in flight, done and corrected", () => {
  for (const one of [row, done, other, { ...done, correctsId: row.id }]) expect(JSON.parse(rowJson(one))).toEqual(one);
});

test("a row that differs from one at its start in any field is written with this field", () => {
  for (const name of Object.keys(row) as (keyof RequestRow)[]) {
    const one = { ...row, [name]: other[name] };
    expect(JSON.parse(rowJson(one))).toEqual(one);
  }
});

test("what was asked is written once for all states of a request, and not for another one", () => {
  expect(areAskedAlike(row, done)).toBe(true);
  expect(JSON.parse(rowJson(done, askedJson(row)))).toEqual(done);
  for (const name of Object.keys(row) as (keyof RequestRow)[]) {
    const one = { ...row, [name]: other[name] };
    if (areAskedAlike(row, one)) expect(JSON.parse(rowJson(one, askedJson(row)))).toEqual(one);
    else expect(askedJson(one)).not.toBe(askedJson(row));
  }
});

test("whatever others have named things", () => {
  for (const name of ["sessionId", "group", "model", "upstreamModel", "errorCode", "client"] as const) {
    for (const text of ['quo"te', "back\\slash", "line\nbreak", "\u0000", "\u007f", "é", "模型", "\u2028", "\ud800"]) {
      const odd = { ...row, [name]: text };
      expect(JSON.parse(rowJson(odd))).toEqual(odd);
    }
  }
});
