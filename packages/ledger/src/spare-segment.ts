import { type FileHandle, rename, rm, statfs } from "node:fs/promises";
import { join } from "node:path";
import { writeAll } from "./disk-writes.ts";

export interface SpareSegmentOptions {
  directory: string;
  segmentBytes: number;
  openSegment: (path: string) => Promise<FileHandle>;
}

/** Written and synced at a time: syncing a whole segment at once would delay the syncs of records. */
const STEP_BYTES = 256 * 1024;
/** Free space, in segments, that must remain before one is made ahead. */
const ROOM_SEGMENTS = 4;

/**
 * The next segment, made ahead: zeros that are already on disk. Overwriting them changes neither the file's length nor its location, so
 * fdatasync waits only for these bytes and not for the file system's journal, which takes two thirds of the time. Nobody waits for a
 * spare: when there is none, or none can be made, a segment grows as it is written.
 */
export class SpareSegment {
  readonly #options: SpareSegmentOptions;
  readonly #path: string;
  #made: FileHandle | null = null;
  #making: Promise<void> | null = null;
  /** One try per segment, so that a failing disk is not asked over and over. */
  #tried = false;
  #closed = false;

  constructor(options: SpareSegmentOptions) {
    this.#options = options;
    this.#path = join(options.directory, "spare");
  }

  /** Starts making the spare in the background. */
  prepare(): void {
    if (this.#tried || this.#closed) return;
    this.#tried = true;
    this.#making = this.#make();
  }

  /** Moves the spare to its place. Null: there is none. @throws when it cannot be moved; then the spare is lost. */
  async take(path: string): Promise<FileHandle | null> {
    const made = this.#made;
    // One that is still being made will serve the segment after this one.
    this.#tried = this.#making !== null;
    if (!made) return null;
    this.#made = null;
    try {
      await rename(this.#path, path);
    } catch (error) {
      await made.close();
      throw error;
    }
    return made;
  }

  /** Stops and removes the spare. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#making;
    await this.#made?.close().catch(() => undefined);
    this.#made = null;
    await rm(this.#path, { force: true }).catch(() => undefined);
  }

  async #make(): Promise<void> {
    const { directory, segmentBytes, openSegment } = this.#options;
    let handle: FileHandle | null = null;
    try {
      const { bavail, bsize } = await statfs(directory);
      if (bavail * bsize < segmentBytes * ROOM_SEGMENTS) return;
      // Left by a process that was killed.
      await rm(this.#path, { force: true });
      handle = await openSegment(this.#path);
      const zeros = Buffer.alloc(Math.min(STEP_BYTES, segmentBytes));
      for (let at = 0; at < segmentBytes && !this.#closed; at += zeros.length) {
        await writeAll(handle, zeros.subarray(0, segmentBytes - at), at);
        await handle.datasync();
      }
      this.#made = handle;
    } catch {
      await handle?.close().catch(() => undefined);
      await rm(this.#path, { force: true }).catch(() => undefined);
    } finally {
      this.#making = null;
    }
  }
}
