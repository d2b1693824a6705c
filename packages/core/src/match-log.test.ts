import { expect, it } from "vitest";
import type { LogFilter } from "./inputs/log.ts";
import { matchesLog } from "./match-log.ts";
import { noUsage, type RequestRow } from "./requests.ts";

const row: RequestRow = {
  id: "00000000-1388-7000-8000-000000000001",
  tenantId: "default",
  userId: "u",
  keyId: "k",
  sessionId: "s",
  providerId: "p",
  group: "g",
  dialect: "openai",
  endpoint: "chat",
  stream: false,
  model: "m",
  upstreamModel: "m",
  state: "error",
  status: 503,
  errorCode: "upstream_error",
  attempts: 2,
  usage: noUsage,
  flags: [],
  costNanoUsd: null,
  billable: true,
  startedAtMs: 5_000,
  ttftMs: null,
  durationMs: 1,
  client: "",
  correctsId: null,
};

it.each<[LogFilter, boolean]>([
  [{}, true],
  [{ keyId: "k", model: "m", group: "g" }, true],
  [{ keyId: "other" }, false],
  [{ notKeyId: ["other"] }, true],
  [{ notKeyId: ["other", "k"] }, false],
  [{ notModel: ["m"] }, false],
  [{ notProviderId: ["q"], notUserId: ["v"], notSessionId: ["t"], notGroup: ["h"], notDialect: ["gemini"] }, true],
  [{ statusClass: "5xx" }, true],
  [{ statusClass: "2xx" }, false],
  [{ notStatusClass: ["5xx"] }, false],
  [{ state: "in_flight" }, false],
  [{ notState: ["error"] }, false],
  [{ minAttempts: 2 }, true],
  [{ minAttempts: 3 }, false],
  [{ fromMs: 5_000, toMs: 5_001 }, true],
  [{ toMs: 5_000 }, false],
  [{ fromMs: 5_001 }, false],
  [{ requestId: row.id }, true],
  [{ requestId: "00000000-1388-7000-8000-000000000002" }, false],
])("%j → %s", (filter, matches) => {
  expect(matchesLog(row, filter)).toBe(matches);
});

it("gives a request in flight no class, so that filters by class neither select nor exclude it", () => {
  const flying: RequestRow = { ...row, state: "in_flight", status: 0 };
  expect(matchesLog(flying, { statusClass: "2xx" })).toBe(false);
  expect(matchesLog(flying, { notStatusClass: ["2xx"] })).toBe(true);
});

it("counts a stream that broke after a 200 as a failure, as the sums do", () => {
  expect(matchesLog({ ...row, status: 200 }, { statusClass: "5xx" })).toBe(true);
  expect(matchesLog({ ...row, status: 429, state: "refused" }, { statusClass: "refused" })).toBe(true);
});
