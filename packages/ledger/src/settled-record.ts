import { isId, timeOfId } from "@sluice/core/ids";
import type { CostBreakdown, RequestDetail } from "@sluice/core/requests";
import type { FinishRecord } from "./records.ts";

/** The parts of a detail that have columns. */
type DetailColumns = Pick<RequestDetail, "priceId"> & { cost: Pick<CostBreakdown, "providerMultiplier" | "groupMultiplier"> | null };

/**
 * An end that waits for its row. There can be thousands, so a detail that was written to the spool stays the bytes written: not fifty
 * objects, nor a string that each young-generation collection copies.
 */
export interface SettledRecord extends Omit<FinishRecord, "detail"> {
  detail: RequestDetail | DetailColumns;
  /** Absent: `detail` is complete. */
  detailJson?: Buffer;
}

/** The same end with its detail as JSON. */
export function withDetailBytes({ row, detail, upstreamCostNanoUsd }: FinishRecord, detailJson: Buffer): SettledRecord {
  return { row, detail: columnsOf(detail), upstreamCostNanoUsd, detailJson };
}

let lastColumns: DetailColumns = { priceId: null, cost: null };

/** Most requests have the price and the multipliers of the one before: what waits for Postgres shares them. */
function columnsOf({ priceId, cost }: RequestDetail): DetailColumns {
  const { priceId: lastPriceId, cost: last } = lastColumns;
  const isSame = last?.providerMultiplier === cost?.providerMultiplier && last?.groupMultiplier === cost?.groupMultiplier;
  if (lastPriceId !== priceId || !isSame)
    lastColumns = { priceId, cost: cost && { providerMultiplier: cost.providerMultiplier, groupMultiplier: cost.groupMultiplier } };
  return lastColumns;
}

/** The detail of an end as JSON. Records come from disk, so it may be missing. */
export function detailJsonOf({ detail, detailJson }: SettledRecord): Buffer {
  return detailJson ?? Buffer.from(JSON.stringify(detail ?? null));
}

const uuid = /^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$/i;
const integer = /^-?\d{1,19}$/;
/** DECIMAL(18,12): a value that Postgres would round could not be recomputed. */
const decimal = /^\d{1,6}(\.\d{1,12})?$/;
const word = /^[a-z_]+$/;
/** Ids further ahead than this come from a broken clock; there is no partition for them. */
const FUTURE_MS = 366 * 86_400_000;

/** Why this record can never become a row; "" when nothing is known against it (Postgres may still refuse it). */
export function defectOf(record: SettledRecord, nowMs: number): string {
  const { row, detail } = record;
  if (typeof row !== "object" || row === null || !isId(String(row.id))) return "the id is no UUIDv7";
  if (typeof detail !== "object" || detail === null) return "there is no detail";
  if (timeOfId(row.id) > nowMs + FUTURE_MS) return "the id is from the far future";
  if (!hasTexts(row)) return `${textNames.find((name) => typeof row[name] !== "string")} is no text`;
  if (typeof row.usage !== "object" || row.usage === null) return "there is no usage";
  if (!hasCounts(row)) return "a count is no integer";
  if (typeof row.stream !== "boolean" || typeof row.billable !== "boolean") return "stream or billable is neither true nor false";
  if (!Number.isFinite(row.ttftMs ?? 0) || !Number.isFinite(row.durationMs ?? 0)) return "a duration is no number";
  if (row.costNanoUsd !== null && !integer.test(row.costNanoUsd)) return "the cost is no integer";
  if (!integer.test(String(record.upstreamCostNanoUsd))) return "the upstream cost is no integer";
  if (!Number.isFinite(row.startedAtMs) || Math.abs(row.startedAtMs) > 8.64e15) return "the start is no time";
  if (!Array.isArray(row.flags) || !row.flags.every((flag) => word.test(flag))) return "the flags are no list of words";
  if (row.correctsId !== null && !uuid.test(row.correctsId)) return "correctsId is no UUID";
  if (!isMultiplier(detail.cost?.providerMultiplier) || !isMultiplier(detail.cost?.groupMultiplier)) return "a multiplier is no decimal";
  if (detail.priceId !== null && !isPriceId(detail.priceId)) return "priceId is no UUID";
  return "";
}

const textNames = [
  ...(["tenantId", "userId", "keyId", "sessionId", "providerId", "group", "dialect", "endpoint", "model", "upstreamModel"] as const),
  ...(["state", "errorCode", "client"] as const),
];

/** Written out, like the rest: a loop over names or functions costs several times as much, and every row comes through here. */
function hasTexts(row: FinishRecord["row"]): boolean {
  const hasIds =
    typeof row.tenantId === "string" &&
    typeof row.userId === "string" &&
    typeof row.keyId === "string" &&
    typeof row.sessionId === "string" &&
    typeof row.providerId === "string";
  const hasRoute = typeof row.group === "string" && typeof row.dialect === "string" && typeof row.endpoint === "string";
  const hasNames = typeof row.model === "string" && typeof row.upstreamModel === "string" && typeof row.client === "string";
  return hasIds && hasRoute && hasNames && typeof row.state === "string" && typeof row.errorCode === "string";
}

function hasCounts({ usage, status, attempts }: FinishRecord["row"]): boolean {
  const hasTokens = Number.isSafeInteger(usage.input) && Number.isSafeInteger(usage.output) && Number.isSafeInteger(usage.cacheRead);
  const hasWrites = Number.isSafeInteger(usage.cacheWrite5m) && Number.isSafeInteger(usage.cacheWrite1h);
  return hasTokens && hasWrites && Number.isSafeInteger(status) && Number.isSafeInteger(attempts);
}

let lastPriceId: string | null = null;

/** Most are that of the row before. */
function isPriceId(priceId: string): boolean {
  if (priceId === lastPriceId) return true;
  if (!uuid.test(String(priceId))) return false;
  lastPriceId = priceId;
  return true;
}

/** Almost all are 1. */
function isMultiplier(multiplier: string | undefined): boolean {
  return multiplier === "1" || multiplier === undefined || multiplier === null || decimal.test(String(multiplier));
}
