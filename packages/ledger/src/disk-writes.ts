import { type FileHandle, open } from "node:fs/promises";

/** A write may take less than it was given (a nearly full disk): goes on until all is written or an error says why not. */
export async function writeAll(handle: FileHandle, bytes: Buffer, at: number): Promise<void> {
  let written = 0;
  while (written < bytes.length) {
    const { bytesWritten } = await handle.write(bytes, written, bytes.length - written, at + written);
    if (bytesWritten === 0) throw new Error("the disk took no byte");
    written += bytesWritten;
  }
}

/** Makes names in a directory durable: creations, renames, removals. */
export async function syncDirectory(path: string): Promise<void> {
  const handle = await open(path, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
