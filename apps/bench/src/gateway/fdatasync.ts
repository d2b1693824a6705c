import { open, rm } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { ask } from "./ask.ts";

/**
 * Latencies in ms of the cheapest durable append on this disk, at a rate: records queue, and one writer appends them all and calls
 * fdatasync. Anything the gateway adds to this is its own.
 */
export async function appendLoopMs(folder: string, rate: number, ms: number): Promise<number[]> {
  const path = join(folder, "append-loop");
  const file = await open(path, "a");
  const record = Buffer.alloc(1_024, 1);
  let waiting: number[] = [];
  const latencies: number[] = [];
  let writing = false;
  const flush = async (): Promise<void> => {
    if (writing) return;
    writing = true;
    while (waiting.length > 0) {
      const group = waiting;
      waiting = [];
      await file.writev(group.map(() => record));
      await file.datasync();
      const now = performance.now();
      for (const at of group) latencies.push(now - at);
    }
    writing = false;
  };
  await ask(rate, performance.now() + ms, (at) => {
    waiting.push(at);
    void flush();
  });
  while (writing) await wait(5);
  await file.close();
  await rm(path);
  return latencies;
}
