import { ensurePartitionFor } from "@sluice/db/partitions";
import type pg from "pg";
import { readEnd } from "./frames.ts";
import type { FinishRecord } from "./records.ts";
import { settleBatch } from "./settle-batch.ts";
import { describe, isDataError, isMissingPartition } from "./settle-errors.ts";
import { defectOf } from "./settled-record.ts";

/**
 * The record in a quarantined payload: either the JSON that the settler kept, or a spool frame that an older version did
 * not understand. Null: damaged, or not an end.
 */
export function readQuarantined(payload: Buffer): FinishRecord | null {
  const end = readEnd(payload);
  if (end) return end;
  try {
    const parsed: unknown = JSON.parse(payload.toString("utf8"));
    return typeof parsed === "object" && parsed !== null && "row" in parsed && "detail" in parsed ? (parsed as FinishRecord) : null;
  } catch {
    return null;
  }
}

/**
 * Runs a quarantined payload through settlement again. Returns "" when its row exists, whoever wrote it, and otherwise why it
 * is still refused. Safe to repeat and to run on several instances at once: a record that has its row changes nothing.
 * @throws when Postgres is unavailable.
 */
export async function settleQuarantined(pool: pg.Pool, payload: Buffer, nowMs: number): Promise<string> {
  const record = readQuarantined(payload);
  if (!record) return "damaged or of an unknown version";
  const defect = defectOf(record, nowMs);
  if (defect) return defect;
  try {
    await ensurePartitionFor(pool, record.row.id);
    await settleBatch(pool, [record]);
    return "";
  } catch (error) {
    if (isDataError(error) && !isMissingPartition(error)) return describe(error).replaceAll("\0", "").slice(0, 2_000);
    throw error;
  }
}
