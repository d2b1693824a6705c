import { open, rm } from "node:fs/promises";
import { join } from "node:path";
import { systemClock } from "@sluice/core/clock";
import { defaultSettings } from "@sluice/core/inputs/settings";
import { silentLog } from "@sluice/core/log";
import { createLedger } from "@sluice/ledger/ledger";
import pg from "pg";
import { quantile } from "../report.ts";
import { makeEnds } from "./ends.ts";

export interface Latency {
  p50Ms: number;
  p99Ms: number;
  perSecond: number;
}

/** Each writer starts its next record as soon as the last is acknowledged. */
async function measureWriters(writers: number, count: number, write: (index: number) => Promise<void>): Promise<Latency> {
  const took: number[] = [];
  let next = 0;
  const began = performance.now();
  await Promise.all(
    Array.from({ length: writers }, async () => {
      while (next < count) {
        const index = next++;
        const at = performance.now();
        await write(index);
        took.push(performance.now() - at);
      }
    }),
  );
  return { p50Ms: quantile(took, 0.5), p99Ms: quantile(took, 0.99), perSecond: (count / (performance.now() - began)) * 1_000 };
}

/** Latency of a durable FINISH. Without a pool Postgres is away, so that only the spool is measured. */
export async function finishLatency(dir: string, writers: number, count: number, pool: pg.Pool | null): Promise<Latency> {
  const absent = new pg.Pool({ host: "127.0.0.1", port: 1, connectionTimeoutMillis: 200 });
  const settings = defaultSettings();
  const ledger = await createLedger({
    dir,
    pool: pool ?? absent,
    settings: () => settings,
    clock: systemClock,
    log: silentLog,
    instanceId: `bench-${count}-${Math.random().toString(36).slice(2)}`,
  });
  const ends = makeEnds(count);
  const latency = await measureWriters(writers, count, async (index) => {
    await ledger.finish(ends[index] as (typeof ends)[number]);
  });
  await ledger.close({ graceMs: pool ? 60_000 : 0 }).catch((error) => {
    if (pool) throw error;
  });
  await absent.end();
  return latency;
}

/** The cheapest possible durable append: records of the same size queue, and one loop writes them all and syncs. */
export async function appendLatency(dir: string, writers: number, count: number): Promise<Latency> {
  const path = join(dir, `append-${Math.random().toString(36).slice(2)}`);
  const file = await open(path, "a");
  const record = Buffer.alloc(Buffer.byteLength(JSON.stringify(makeEnds(1)[0])), 1);
  let waiting: (() => void)[] = [];
  let flushing = false;
  const flush = async (): Promise<void> => {
    flushing = true;
    while (waiting.length > 0) {
      const group = waiting;
      waiting = [];
      await file.writev(group.map(() => record));
      await file.datasync();
      for (const resolve of group) resolve();
    }
    flushing = false;
  };
  const latency = await measureWriters(writers, count, () => {
    return new Promise<void>((resolve) => {
      waiting.push(resolve);
      if (!flushing) void Promise.resolve().then(() => (flushing ? undefined : flush()));
    });
  });
  await file.close();
  await rm(path);
  return latency;
}
