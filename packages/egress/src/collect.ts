import type { Readable } from "node:stream";

/** What of a body is in memory; not `whole` when the limit was in the way. */
export interface Collected {
  parts: Buffer[];
  length: number;
  whole: boolean;
}

/**
 * Reads a body into memory up to `limit` bytes. Beyond it stops reading (the body stays paused, without listeners) and
 * gives what came so far.
 * @throws what the body fails with.
 */
export function collect(body: Readable, limit: number): Promise<Collected> {
  return new Promise((resolve, reject) => {
    const parts: Buffer[] = [];
    let length = 0;
    const stop = (): void => {
      body.off("data", onData).off("end", onEnd).off("error", onError);
    };
    const onData = (chunk: Buffer): void => {
      parts.push(chunk);
      length += chunk.length;
      if (length <= limit) return;
      body.pause();
      stop();
      resolve({ parts, length, whole: false });
    };
    const onEnd = (): void => {
      stop();
      resolve({ parts, length, whole: true });
    };
    const onError = (error: Error): void => {
      stop();
      reject(error);
    };
    body.on("data", onData).on("end", onEnd).on("error", onError);
  });
}
