import { ensurePartitionFor } from "@sluice/db/partitions";
import type pg from "pg";
import { decodePayload, scanFrames } from "./frames.ts";
import type { FinishRecord } from "./records.ts";
import { settleBatch } from "./settle-batch.ts";
import { describe, isDataError, isMissingPartition } from "./settle-errors.ts";
import { defectOf } from "./settled-record.ts";

/**
 * The record in a quarantined payload: the JSON that the settler kept, or a frame of the spool that an older program
 * did not know. Null: damaged, or not an end.
 */
export function readQuarantined(payload: Buffer): FinishRecord | null {
  for (const found of scanFrames(payload)) {
    const read = found.good ? decodePayload(found.payload) : null;
    if (read?.kind === "finish" || read?.kind === "refuse") return read.record;
  }
  try {
    const parsed: unknown = JSON.parse(payload.toString("utf8"));
    return typeof parsed === "object" && parsed !== null && "row" in parsed && "detail" in parsed ? (parsed as FinishRecord) : null;
  } catch {
    return null;
  }
}

/**
 * Puts a quarantined payload through the settle statement once more. "" = its row is there, whoever made it; else why it
 * is still refused. Any number of times and from any instance at once: what has its row moves nothing.
 * @throws when Postgres cannot be asked.
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
