import { open, readFile, rename } from "node:fs/promises";
import { join } from "node:path";
import { syncDirectory } from "./disk-writes.ts";
import type { FailpointHook } from "./failpoints.ts";

/**
 * The position in the spool up to which every end has its row. It only saves work: replaying what was committed changes
 * nothing, so an old, missing or unreadable checkpoint is harmless. A new one replaces it atomically.
 */
export interface Checkpoint {
  segment: number;
  end: number;
}

const NAME = "checkpoint";

/** Null when there is no readable checkpoint. */
export async function readCheckpoint(directory: string): Promise<Checkpoint | null> {
  try {
    const read: unknown = JSON.parse(await readFile(join(directory, NAME), "utf8"));
    if (typeof read !== "object" || read === null || !("segment" in read) || !("end" in read)) return null;
    return Number.isSafeInteger(read.segment) && Number.isSafeInteger(read.end) ? (read as Checkpoint) : null;
  } catch {
    return null;
  }
}

/** Temp file, fsync, rename, fsync of the directory. */
export async function writeCheckpoint(directory: string, checkpoint: Checkpoint, failpoint: FailpointHook): Promise<void> {
  const temporary = join(directory, `${NAME}.tmp`);
  const handle = await open(temporary, "w", 0o600);
  try {
    await handle.writeFile(JSON.stringify({ v: 1, segment: checkpoint.segment, end: checkpoint.end }));
    await handle.sync();
  } finally {
    await handle.close();
  }
  failpoint("during_rename");
  await rename(temporary, join(directory, NAME));
  await syncDirectory(directory);
}
