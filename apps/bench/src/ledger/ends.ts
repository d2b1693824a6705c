import { newId } from "@sluice/core/ids";
import { priceUsage } from "@sluice/core/pricing/price-usage";
import type { FinishRecord } from "@sluice/ledger/records";
import { requestDetail, requestRow } from "@sluice/testing/factories";

const price = { inputPerMTok: "3", outputPerMTok: "15", cacheWrite5mPerMTok: null, cacheWrite1hPerMTok: null, cacheReadPerMTok: null };

/** Ends of a busy hour: 50 keys, each with its usual provider and one of three models, 5 % failed. */
export function makeEnds(count: number): FinishRecord[] {
  return Array.from({ length: count }, () => makeEnd(Math.floor(Math.random() * 50)));
}

function makeEnd(who: number): FinishRecord {
  const failed = Math.random() < 0.05;
  const usage = {
    input: Math.floor(Math.random() * 4_000),
    output: Math.floor(Math.random() * 1_000),
    cacheWrite5m: 0,
    cacheWrite1h: 0,
    cacheRead: Math.floor(Math.random() * 20_000),
  };
  const { costNanoUsd, breakdown } = priceUsage(price, usage, { providerMultiplier: "1", groupMultiplier: "1" });
  const providerId = idOf(0xa0 + (who % 4));
  const row = requestRow({
    id: newId(),
    userId: idOf(who),
    keyId: idOf(100 + who),
    sessionId: `session-${who}-${Math.floor(Math.random() * 5)}`,
    providerId,
    dialect: "anthropic",
    endpoint: "messages",
    stream: true,
    model: `claude-bench-${Math.random() < 0.8 ? 0 : 1 + (who % 2)}`,
    upstreamModel: "claude-bench-20261101",
    state: failed ? "error" : "done",
    status: failed ? 502 : 200,
    errorCode: failed ? "upstream_error" : "",
    usage,
    costNanoUsd: costNanoUsd.toString(),
    client: "claude-code 2.1",
  });
  const attempt = { providerId, upstreamModel: row.upstreamModel, startedMs: 1, firstContentMs: 120, endedMs: 340, status: row.status };
  const detail = requestDetail({
    id: row.id,
    decision: { candidates: [{ providerId, priority: 0, weight: 1 }], excluded: [], chosenBy: "sticky" },
    attempts: [
      { ...attempt, outcome: failed ? "failed" : "ok", errorCode: row.errorCode, upstreamCostNanoUsd: costNanoUsd.toString(), usage },
    ],
    cost: breakdown,
    path: "/v1/messages",
    userAgent: "claude-cli/2.1.0 (external, cli)",
  });
  return { row, detail, upstreamCostNanoUsd: costNanoUsd.toString() };
}

function idOf(number: number): string {
  return `019a0000-0000-7000-8000-${number.toString(16).padStart(12, "0")}`;
}
