import { expect, test } from "vitest";
import { detailJson } from "./detail-json.ts";
import { type Attempt, type DecisionCandidate, emptyDetail, noUsage, type RequestDetail } from "./requests.ts";

const attempt: Attempt = {
  providerId: "01930000-0000-7000-8000-000000000005",
  upstreamModel: "claude-sonnet-4-5",
  startedMs: 1,
  firstContentMs: null,
  endedMs: 12,
  status: 200,
  outcome: "ok",
  errorCode: "",
  upstreamCostNanoUsd: "81000",
  usage: { ...noUsage, input: 12, output: 3 },
};
const candidate: DecisionCandidate = { providerId: attempt.providerId, priority: 0, weight: 1 };
const fullCandidate: Required<DecisionCandidate> = { ...candidate, weight: 0.5, converted: "anthropic → gemini", saw: { ttftMs: 12 } };
/** With every field, so that a field added to the types is added here, and then missed in what is written. */
const fullAttempt: Required<Attempt> = {
  ...attempt,
  credential: 'second "key"',
  rule: { name: "überlastet", action: "retry" },
  converted: "anthropic → openai chat",
  dropped: ["top_k"],
};
const plain: Required<Omit<RequestDetail, "correction">> = {
  ...emptyDetail("01930000-0000-7000-8000-000000000001"),
  decision: { candidates: [candidate, { ...candidate, priority: 3 }], excluded: [], chosenBy: "weighted" },
  attempts: [attempt],
  cost: {
    ...{ input: "36000000000000", output: "45000000000000", cacheWrite5m: "0", cacheWrite1h: "0", cacheRead: "0" },
    ...{ providerMultiplier: "1", groupMultiplier: "1.25" },
  },
  priceId: "01930000-0000-7000-8000-000000000009",
  userAgent: "claude-cli/2.1 (external, cli)",
  clientIp: "203.0.113.7",
  path: "/v1/messages",
  requestBytes: 1_024,
  responseBytes: 311,
};

const variants: Record<string, RequestDetail> = {
  plain,
  "that reached no provider": { ...emptyDetail(plain.id), error: { message: "No such model.", detail: "unknown" }, endReason: "error" },
  "with first content": { ...plain, attempts: [{ ...attempt, firstContentMs: 8 }] },
  "with a rare attempt": { ...plain, attempts: [fullAttempt] },
  "of several attempts": {
    ...plain,
    attempts: [{ ...attempt, outcome: "failed", errorCode: "upstream_error", status: null }, fullAttempt],
  },
  "with every part of a decision": {
    ...plain,
    decision: {
      candidates: [candidate, fullCandidate],
      excluded: [{ providerId: candidate.providerId, reason: "schedule", opensAtMs: 1 }],
      ...{ excludedMore: 2, chosenBy: "sticky", failedBackFrom: candidate.providerId, rule: { name: 'the "rule"', model: "x" } },
    },
  },
  "of a correction": { ...plain, correction: { reason: "priced", actorId: "", atMs: 1 } },
};

test.each(Object.entries(variants))("a detail %s is written as JSON.stringify writes it", (_, detail) => {
  expect(JSON.parse(detailJson(detail))).toEqual(JSON.parse(JSON.stringify(detail)));
});

test("so it is whatever clients send and others have named", () => {
  for (const text of ['quo"te', "back\\slash", "line\nbreak", "\u0000", "é", "模型", "\u2028", "\ud800"]) {
    const odd: RequestDetail[] = [
      ...(["userAgent", "clientIp", "path"] as const).map((name) => ({ ...plain, [name]: text })),
      { ...plain, attempts: [{ ...attempt, upstreamModel: text }] },
      { ...plain, error: { message: text, detail: text } },
    ];
    for (const detail of odd) expect(JSON.parse(detailJson(detail))).toEqual(JSON.parse(JSON.stringify(detail)));
  }
});
