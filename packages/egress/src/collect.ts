import type { Readable } from "node:stream";

/** The part of a body in memory; not `whole` when the limit was reached. */
export interface Collected {
  parts: Buffer[];
  length: number;
  whole: boolean;
}

/**
 * Reads a body into memory, up to `limit` bytes. Beyond that it stops reading (the body stays paused, without listeners) and
 * returns what has arrived so far.
 * @throws the error of the body.
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
