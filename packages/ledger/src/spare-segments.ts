import { type FileHandle, rename, rm, statfs } from "node:fs/promises";
import { join } from "node:path";
import { writeAll } from "./disk-writes.ts";
import type { OpenSegment } from "./segment-writer.ts";

export interface SpareSegmentsOptions {
  directory: string;
  segmentBytes: number;
  openSegment: OpenSegment;
}

interface Spare {
  path: string;
  handle: FileHandle;
}

/** Two, because one commit may free two segments under full load. What a killed process left here is overwritten. */
const NAMES = ["spare", "spare-2"] as const;
/** Written and synced at a time: syncing a whole segment at once would delay the syncs of records. */
const STEP_BYTES = 256 * 1024;
/** Free space, in segments, that must remain before one is made ahead. */
const ROOM_SEGMENTS = 4;

/**
 * Files for the next segments: those of older ones that nothing needs any more, or zeros that are already on disk. Overwriting them
 * changes neither length nor location, so fdatasync waits only for these bytes and not for the file system's journal, which takes two
 * thirds of the time; and under full load nothing is allocated, freed or written twice. Nobody waits for a spare: when there is none,
 * or none can be made, a segment grows as it is written.
 */
export class SpareSegments {
  readonly #options: SpareSegmentsOptions;
  readonly #spares: Spare[] = [];
  #adding: Promise<boolean> | null = null;
  /** One try per segment, so that a failing disk is not asked over and over. */
  #tried = false;
  #closed = false;

  constructor(options: SpareSegmentsOptions) {
    this.#options = options;
  }

  /** Keeps the file of a discarded segment. False: there are enough spares, or it could not be moved. */
  async keep(path: string): Promise<boolean> {
    const { segmentBytes, openSegment } = this.#options;
    return this.#add(async (free) => {
      await rename(path, free);
      const handle = await openSegment(free, "r+");
      // It is a little longer than a segment: the next one would end there, in the middle of older records.
      return closedOnError(handle, () => handle.truncate(segmentBytes));
    });
  }

  /** Starts making a spare of zeros in the background, if there is none. */
  prepare(): void {
    if (this.#tried || this.#adding || this.#spares.length > 0) return;
    this.#tried = true;
    void this.#add((free) => this.#make(free));
  }

  /** Moves a spare to its place. Null: there is none. @throws when it cannot be moved; then the spare is lost. */
  async take(path: string): Promise<FileHandle | null> {
    // One that is still being made will serve the segment after this one.
    this.#tried = this.#adding !== null;
    const spare = this.#spares.at(-1);
    if (!spare) return null;
    try {
      return await closedOnError(spare.handle, () => rename(spare.path, path));
    } finally {
      // Not before: another file could be given its name, and be the one that is moved.
      this.#spares.splice(this.#spares.indexOf(spare), 1);
    }
  }

  /** Stops and removes the spares. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#adding;
    for (const { path, handle } of this.#spares.splice(0)) {
      await handle.close().catch(() => undefined);
      await rm(path, { force: true }).catch(() => undefined);
    }
  }

  /** One at a time. Resolves with whether there is one more. */
  async #add(make: (path: string) => Promise<FileHandle>): Promise<boolean> {
    const name = NAMES.find((each) => this.#spares.every(({ path }) => path !== this.#pathOf(each)));
    if (this.#adding || this.#closed || !name) return false;
    const path = this.#pathOf(name);
    const adding = make(path).then(
      (handle) => {
        this.#spares.push({ path, handle });
        return true;
      },
      async () => {
        await rm(path, { force: true }).catch(() => undefined);
        return false;
      },
    );
    this.#adding = adding;
    const isAdded = await adding;
    this.#adding = null;
    return isAdded;
  }

  async #make(path: string): Promise<FileHandle> {
    const { directory, segmentBytes, openSegment } = this.#options;
    const { bavail, bsize } = await statfs(directory);
    if (bavail * bsize < segmentBytes * ROOM_SEGMENTS) throw new Error("the disk is nearly full");
    await rm(path, { force: true });
    const handle = await openSegment(path, "wx");
    return closedOnError(handle, async () => {
      const zeros = Buffer.alloc(Math.min(STEP_BYTES, segmentBytes));
      for (let at = 0; at < segmentBytes && !this.#closed; at += zeros.length) {
        await writeAll(handle, zeros.subarray(0, segmentBytes - at), at);
        await handle.datasync();
      }
    });
  }

  #pathOf(name: (typeof NAMES)[number]): string {
    return join(this.#options.directory, name);
  }
}

async function closedOnError(handle: FileHandle, work: () => Promise<void>): Promise<FileHandle> {
  try {
    await work();
    return handle;
  } catch (error) {
    await handle.close().catch(() => undefined);
    throw error;
  }
}
