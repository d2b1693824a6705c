import { BeyondRetentionError } from "@sluice/db/partitions";
import pg from "pg";

/**
 * Whether the error blames the data (then the batch is halved until the bad record is alone), as opposed to everything
 * that a later try may cure: connections, shutdowns, locks, disk space, a schema that is not there yet. When in doubt it
 * is curable: waiting loses nothing, while quarantine takes a charge out of the books.
 */
export function isDataError(error: unknown): boolean {
  if (error instanceof BeyondRetentionError) return true;
  // A number that does not fit its column already fails while it is encoded.
  if (error instanceof RangeError && "code" in error && error.code === "ERR_OUT_OF_RANGE") return true;
  if (!(error instanceof pg.DatabaseError)) return false;
  const code = error.code ?? "";
  // 22: data exception (a NUL byte, an overflow). 54: a value too large for an index row.
  if (code.startsWith("22") || code.startsWith("54")) return true;
  return code === "23502" || code === "23505" || code === "23514";
}

/** No partition for a row: they are created ahead of time, but an adopted spool may be older than all of them. */
export function isMissingPartition(error: unknown): boolean {
  return error instanceof pg.DatabaseError && error.code === "23514" && error.message.includes("no partition");
}

/** Postgres cancelled the statement because it took too long, or somebody else cancelled it. */
export function isCancelled(error: unknown): boolean {
  return error instanceof pg.DatabaseError && error.code === "57014";
}

/** One line for logs and for the quarantine's reason. */
export function describe(error: unknown): string {
  if (error instanceof pg.DatabaseError) return `${error.code}: ${error.message}`;
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
}
