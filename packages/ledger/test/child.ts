import { writeSync } from "node:fs";
import { systemClock } from "@sluice/core/clock";
import { silentLog } from "@sluice/core/log";
import { createPool } from "@sluice/db/postgres";
import { seededRandom } from "@sluice/testing/seeded-random";
import { failpointFrom } from "../src/failpoints.ts";
import { createLedger } from "../src/ledger.ts";
import { progressOf, quickSettings, randomFinish, startOf } from "./arrange.ts";

/**
 * A process to be killed: it serves `requests` made-up requests, eight at a time, and reports each promise on stdout at the moment it makes
 * it: `start ID`, `ack {end}`. The test reads these lines after its death.
 */
interface Order {
  dir: string;
  url: string;
  seed: number;
  requests: number;
  failpoint: string;
}

const order = JSON.parse(process.argv[2] ?? "{}") as Order;
/** Synchronous, because a promise must be on the pipe before the next step can kill the process; retries while the pipe is full. */
function say(line: string): void {
  let rest = Buffer.from(`${line}\n`);
  while (rest.length > 0) {
    try {
      rest = rest.subarray(writeSync(1, rest));
    } catch (error) {
      if (!(error instanceof Error && "code" in error && error.code === "EAGAIN")) throw error;
    }
  }
}
const random = seededRandom(order.seed);
const failpoint = failpointFrom(order.failpoint);
const ledger = await createLedger({
  dir: order.dir,
  pool: createPool(order.url, { max: 2, connectTimeoutMs: 500 }),
  settings: () => quickSettings({ "ledger.batchSize": 20 }),
  clock: systemClock,
  log: silentLog,
  instanceId: "victim",
  failpoint,
  onRecovered: ({ row }) => say(`recovered ${row.id}`),
  tuning: { segmentBytes: 64 * 1024, checkpointMs: 5 },
});
say("ready");

async function serve(): Promise<void> {
  const end = randomFinish(random);
  if (end.row.state === "refused") return ledger.refuse(end);
  await ledger.start(startOf(end));
  say(`start ${end.row.id}`);
  failpoint("after_headers");
  if (random() < 0.5) ledger.progress(progressOf(end.row.id, Math.floor(random() * 100)));
  if (random() < 0.3) await new Promise((resolve) => setTimeout(resolve, random() * 5));
  await ledger.finish(end);
  say(`ack ${JSON.stringify({ id: end.row.id, cost: end.row.costNanoUsd, state: end.row.state })}`);
}

let left = order.requests;
await Promise.all(
  Array.from({ length: 8 }, async () => {
    while (left-- > 0) await serve();
  }),
);
await ledger.close();
say("closed");
process.exit(0);
