// Sends commands while only the young generation is collected, and prints how many bytes per command are then in the old generation. Run
// with node --expose-gc.
import { getHeapSpaceStatistics } from "node:v8";
import { createRedis, waitForRedis } from "../src/redis.ts";
import { defineScript, runScript } from "../src/redis-script.ts";

const collect = globalThis.gc;
if (!collect) throw new Error("--expose-gc is missing");
const commands = 200;
const rounds = 40;
const redis = createRedis(process.argv[2] ?? "", { name: "young", commandTimeoutMs: 10_000 });

function oldBytes(): number {
  return getHeapSpaceStatistics().find(({ space_name }) => space_name === "old_space")?.space_used_size ?? Number.NaN;
}

const echo = defineScript("return ARGV[1]");

async function ask(round: number): Promise<void> {
  const texts = Array.from({ length: commands }, (_, index) => `${round}:${index}:`.padEnd(1_000, "x"));
  await Promise.all(texts.map((text, index) => (index % 2 === 0 ? redis.echo(text) : runScript(redis, echo, [], [text]))));
}

await waitForRedis(redis, 10_000);
for (let warm = 0; warm < 20; warm++) await ask(warm);
collect({ type: "major" });
const before = oldBytes();
for (let round = 0; round < rounds; round++) {
  await ask(round);
  await new Promise((resolve) => setImmediate(resolve));
  collect({ type: "minor" });
}
process.stdout.write(`${Math.round((oldBytes() - before) / (rounds * commands))}\n`);
redis.disconnect();
