import { priceUsage, upstreamCost } from "@sluice/core/pricing/price-usage";
import { emptyDetail, noUsage, type RequestDetail, type RequestRow, type UsageFlag } from "@sluice/core/requests";
import type { FinishRecord, ProgressRecord } from "./records.ts";
import type { OpenRequest } from "./spool-scan.ts";

/**
 * The end of a request whose process died. The usage of its last PROGRESS is billed at the price it began with; without
 * one, the request is void: a row of cost 0 that is not billable. The same records always give the same end, so a recovery
 * that is itself interrupted can be repeated.
 */
export function recoverEnd(open: OpenRequest): FinishRecord {
  return open.progress ? billed(open, open.progress) : voided(open);
}

function billed(open: OpenRequest, progress: ProgressRecord): FinishRecord {
  const { start } = open;
  const { providerMultiplier } = progress;
  const billable = start.row.billable;
  const priced = start.price
    ? priceUsage(start.price, progress.usage, { providerMultiplier, groupMultiplier: start.groupMultiplier })
    : null;
  const upstream = start.price ? upstreamCost(start.price, progress.usage, providerMultiplier) : 0n;
  const flags: UsageFlag[] = ["partial", "recovered"];
  if (progress.estimated) flags.unshift("estimated");
  if (billable && !priced) flags.push("unpriced");
  const row: RequestRow = {
    ...ended(open),
    providerId: progress.providerId,
    upstreamModel: progress.upstreamModel,
    // The first content was sent with status 200; then the client saw the connection break.
    status: progress.ttftMs === null ? 0 : 200,
    attempts: Math.max(1, start.row.attempts),
    usage: progress.usage,
    flags: [...new Set([...start.row.flags, ...flags])],
    costNanoUsd: billable ? (priced?.costNanoUsd.toString() ?? null) : "0",
    ttftMs: progress.ttftMs,
  };
  const detail = detailOf(open, billable ? (priced?.breakdown ?? null) : null);
  detail.attempts.push({
    providerId: progress.providerId,
    upstreamModel: progress.upstreamModel,
    startedMs: 0,
    firstContentMs: progress.ttftMs,
    endedMs: row.durationMs ?? 0,
    status: null,
    outcome: "failed",
    errorCode: "internal",
    upstreamCostNanoUsd: upstream.toString(),
    usage: progress.usage,
  });
  return { row, detail, upstreamCostNanoUsd: upstream.toString() };
}

function voided(open: OpenRequest): FinishRecord {
  const row: RequestRow = { ...ended(open), status: 0, usage: noUsage, flags: ["recovered"], costNanoUsd: "0", billable: false };
  return { row, detail: detailOf(open, null), upstreamCostNanoUsd: "0" };
}

function ended(open: OpenRequest): RequestRow {
  const { row } = open.start;
  return { ...row, state: "error", errorCode: "internal", durationMs: Math.max(0, Math.round(open.lastAtMs - row.startedAtMs)) };
}

function detailOf(open: OpenRequest, cost: RequestDetail["cost"]): RequestDetail {
  return {
    ...emptyDetail(open.start.row.id),
    cost,
    priceId: open.start.price?.priceId ?? null,
    error: { message: "The gateway stopped before this request ended.", detail: "written by recovery from the spool" },
    endReason: "error",
  };
}
