import { isId } from "@sluice/core/ids";
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
  const { priceId, cost } = detail;
  return {
    row,
    detail: { priceId, cost: cost && { providerMultiplier: cost.providerMultiplier, groupMultiplier: cost.groupMultiplier } },
    upstreamCostNanoUsd,
    detailJson,
  };
}

/** The detail of an end as JSON. Records come from disk, so it may be missing. */
export function detailJsonOf({ detail, detailJson }: SettledRecord): Buffer {
  return detailJson ?? Buffer.from(JSON.stringify(detail ?? null));
}

const uuid = /^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$/i;
const integer = /^-?\d{1,19}$/;
/** DECIMAL(18,12): a value that Postgres would round could not be recomputed. */
const decimal = /^\d{1,6}(\.\d{1,12})?$/;
/** Accessors rather than a list of names: a property looked up by a variable costs ten times as much, for every row. */
const texts: readonly (readonly [name: string, of: (row: FinishRecord["row"]) => unknown])[] = [
  ["tenantId", (row) => row.tenantId],
  ["userId", (row) => row.userId],
  ["keyId", (row) => row.keyId],
  ["sessionId", (row) => row.sessionId],
  ["providerId", (row) => row.providerId],
  ["group", (row) => row.group],
  ["dialect", (row) => row.dialect],
  ["endpoint", (row) => row.endpoint],
  ["model", (row) => row.model],
  ["upstreamModel", (row) => row.upstreamModel],
  ["state", (row) => row.state],
  ["errorCode", (row) => row.errorCode],
  ["client", (row) => row.client],
];
/** Ids further ahead than this come from a broken clock; there is no partition for them. */
const FUTURE_MS = 366 * 86_400_000;

/** Why this record can never become a row; "" when nothing is known against it (Postgres may still refuse it). */
export function defectOf(record: SettledRecord, nowMs: number): string {
  const { row, detail } = record;
  if (typeof row !== "object" || row === null || !isId(String(row.id))) return "the id is no UUIDv7";
  if (typeof detail !== "object" || detail === null) return "there is no detail";
  if (Number.parseInt(row.id.slice(0, 8) + row.id.slice(9, 13), 16) > nowMs + FUTURE_MS) return "the id is from the far future";
  for (const [name, of] of texts) if (typeof of(row) !== "string") return `${name} is no text`;
  if (typeof row.usage !== "object" || row.usage === null) return "there is no usage";
  const { input, output, cacheWrite5m, cacheWrite1h, cacheRead } = row.usage;
  const isCounted = [input, output, cacheWrite5m, cacheWrite1h, cacheRead, row.status, row.attempts].every(Number.isSafeInteger);
  if (!isCounted) return "a count is no integer";
  if (typeof row.stream !== "boolean" || typeof row.billable !== "boolean") return "stream or billable is neither true nor false";
  if (![row.ttftMs ?? 0, row.durationMs ?? 0].every(Number.isFinite)) return "a duration is no number";
  if (row.costNanoUsd !== null && !integer.test(row.costNanoUsd)) return "the cost is no integer";
  if (!integer.test(String(record.upstreamCostNanoUsd))) return "the upstream cost is no integer";
  if (!Number.isFinite(row.startedAtMs) || Math.abs(row.startedAtMs) > 8.64e15) return "the start is no time";
  if (!Array.isArray(row.flags) || !row.flags.every((flag) => /^[a-z_]+$/.test(flag))) return "the flags are no list of words";
  if (row.correctsId !== null && !uuid.test(row.correctsId)) return "correctsId is no UUID";
  const multipliers = [detail.cost?.providerMultiplier ?? "1", detail.cost?.groupMultiplier ?? "1"];
  if (!multipliers.every((multiplier) => decimal.test(String(multiplier)))) return "a multiplier is no decimal";
  if (detail.priceId !== null && !uuid.test(String(detail.priceId))) return "priceId is no UUID";
  return "";
}
