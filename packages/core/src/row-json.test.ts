import { expect, test } from "vitest";
import { noUsage, type RequestRow } from "./requests.ts";
import { rowJson } from "./row-json.ts";

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

test("a row is written as JSON.stringify writes it, in flight, done and corrected", () => {
  const done: RequestRow = {
    ...row,
    state: "done",
    status: 200,
    costNanoUsd: "-12",
    flags: ["partial", "estimated"],
    ttftMs: 5,
    durationMs: 7,
  };
  for (const one of [row, done, { ...done, correctsId: row.id }]) expect(rowJson(one)).toBe(JSON.stringify(one));
});

test("so it is whatever others have named things", () => {
  for (const name of ["sessionId", "group", "model", "upstreamModel", "client"] as const) {
    for (const text of ['quo"te', "back\\slash", "line\nbreak", "\u0000", "\u007f", "é", "模型", "\u2028", "\ud800"]) {
      const odd = { ...row, [name]: text };
      expect(rowJson(odd)).toBe(JSON.stringify(odd));
    }
  }
});
