import { join } from "node:path";
import { systemClock } from "@sluice/core/clock";
import { defaultSettings } from "@sluice/core/inputs/settings";
import { silentLog } from "@sluice/core/log";
import { createLedger, type LedgerOptions } from "@sluice/ledger/ledger";
import pg from "pg";
import { makeEnds } from "./ends.ts";

export interface Boot {
  /** Until the gateway may accept requests: the spool has been scanned. */
  readyMs: number;
  /** Rows/s from then on, until all rows are stored. */
  drainedPerSecond: number;
}

const CHUNK = 5_000;

/** A start over the spool of a gateway in which this many requests ended while Postgres was away. */
export async function bootWithBacklog(dir: string, records: number, pool: pg.Pool): Promise<Boot> {
  const absent = new pg.Pool({ host: "127.0.0.1", port: 1, connectionTimeoutMillis: 200 });
  const settings = defaultSettings();
  const instanceId = `boot-${Math.random().toString(36).slice(2)}`;
  const options: LedgerOptions = {
    ...{ dir: join(dir, "boot"), pool: absent, settings: () => settings, clock: systemClock, log: silentLog, instanceId },
  };
  const before = await createLedger(options);
  for (let made = 0; made < records; made += CHUNK) await Promise.all(makeEnds(CHUNK).map((end) => before.finish(end)));
  await before.close({ graceMs: 0 }).catch(() => undefined);
  await absent.end();

  const began = performance.now();
  const ledger = await createLedger({ ...options, pool });
  const readyMs = performance.now() - began;
  await ledger.close({ graceMs: 300_000 });
  return { readyMs, drainedPerSecond: (records / (performance.now() - began - readyMs)) * 1_000 };
}
