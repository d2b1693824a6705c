// Settles batches while only the young generation is collected, and prints how many bytes per row are then in the old generation. Run with
// node --expose-gc.
import { getHeapSpaceStatistics } from "node:v8";
import { createPool } from "@sluice/db/postgres";
import { settleBatch } from "../src/settle-batch.ts";
import { finishOf } from "./arrange.ts";

const collect = globalThis.gc;
if (!collect) throw new Error("--expose-gc is missing");
const rows = 200;
const rounds = 20;
const pool = createPool(process.argv[2] ?? "");

function oldBytes(): number {
  return getHeapSpaceStatistics().find(({ space_name }) => space_name === "old_space")?.space_used_size ?? Number.NaN;
}

async function settle(): Promise<void> {
  const ends = Array.from({ length: rows }, () => finishOf());
  for (const { detail } of ends) detail.userAgent = Buffer.alloc(2_000, "x").toString("latin1");
  await settleBatch(pool, ends);
}

for (let warm = 0; warm < 5; warm++) await settle();
collect({ type: "major" });
const before = oldBytes();
for (let round = 0; round < rounds; round++) {
  const settling = settle();
  // Once during a batch, so that part of it does get promoted.
  const timer = round === 0 ? setInterval(() => collect({ type: "minor" }), 1) : undefined;
  await settling;
  clearInterval(timer);
  await new Promise((resolve) => setImmediate(resolve));
  collect({ type: "minor" });
}
process.stdout.write(`${Math.round((oldBytes() - before) / (rounds * rows))}\n`);
await pool.end();
