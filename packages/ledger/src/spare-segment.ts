import { type FileHandle, rename, rm, statfs } from "node:fs/promises";
import { join } from "node:path";
import { writeAll } from "./disk-writes.ts";

export interface SpareSegmentOptions {
  directory: string;
  segmentBytes: number;
  openSegment: (path: string) => Promise<FileHandle>;
}

/** Written and synced at a time: a whole segment at once would stand in the way of the records' own syncs. */
const STEP_BYTES = 256 * 1024;
/** So many segments have to fit on the disk that one may be made before it is needed. */
const ROOM_SEGMENTS = 4;

/**
 * The next segment, made ahead: zeros, and on the disk. What is written over them changes neither how long the file is nor where it lies, so
 * that fdatasync waits for these bytes alone and not for the journal of the file system, in two thirds of the time. Nobody waits for a spare:
 * while there is none, or none can be made, a segment grows with what is written.
 */
export class SpareSegment {
  readonly #options: SpareSegmentOptions;
  readonly #path: string;
  #made: FileHandle | null = null;
  #making: Promise<void> | null = null;
  /** Once for each segment: a disk that refuses is not asked again and again. */
  #tried = false;
  #closed = false;

  constructor(options: SpareSegmentOptions) {
    this.#options = options;
    this.#path = join(options.directory, "spare");
  }

  /** Begins to make it. */
  prepare(): void {
    if (this.#tried || this.#closed) return;
    this.#tried = true;
    this.#making = this.#make();
  }

  /** Moves it to its place. Null: there is none. @throws when it cannot be moved; it is gone then. */
  async take(path: string): Promise<FileHandle | null> {
    const made = this.#made;
    // One that is still being made is for the segment after this one.
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

  /** Leaves none behind. */
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
      // Of a process that was killed.
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
