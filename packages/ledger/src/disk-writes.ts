import { type FileHandle, open } from "node:fs/promises";

/** A write may accept fewer bytes than given (a nearly full disk): repeats until all are written or an error explains why not. */
export async function writeAll(handle: FileHandle, bytes: Buffer, at: number): Promise<void> {
  let written = 0;
  while (written < bytes.length) {
    const { bytesWritten } = await handle.write(bytes, written, bytes.length - written, at + written);
    if (bytesWritten === 0) throw new Error("the disk took no byte");
    written += bytesWritten;
  }
}

/** Makes changes to a directory durable: files created, renamed and removed. */
export async function syncDirectory(path: string): Promise<void> {
  const handle = await open(path, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
