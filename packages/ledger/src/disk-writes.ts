import { type FileHandle, open } from "node:fs/promises";

/** writev may write less than it was given (a nearly full disk): goes on until all is written or an error says why not. */
export async function writeAll(handle: FileHandle, buffers: Buffer[], at: number): Promise<void> {
  const total = buffers.reduce((sum, buffer) => sum + buffer.length, 0);
  const { bytesWritten } = buffers.length === 1 ? await handle.write(buffers[0] as Buffer, 0, total, at) : await handle.writev(buffers, at);
  if (bytesWritten === total) return;
  let rest = Buffer.concat(buffers).subarray(bytesWritten);
  let offset = at + bytesWritten;
  while (rest.length > 0) {
    const more = await handle.write(rest, 0, rest.length, offset);
    if (more.bytesWritten === 0) throw new Error("the disk took no byte");
    rest = rest.subarray(more.bytesWritten);
    offset += more.bytesWritten;
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
