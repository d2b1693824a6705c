import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { startUpstream } from "./server.ts";
import { startTraffic } from "./traffic.ts";

// The other half of `npm run demo`: the scripted providers of demo.yaml, and traffic of users.
const { values } = parseArgs({
  options: {
    port: { type: "string", default: "4010" },
    gateway: { type: "string", default: "http://127.0.0.1:4000" },
    data: { type: "string", default: ".sluice-demo" },
  },
});

const stopping = new AbortController();
await mkdir(values.data, { recursive: true });
const upstream = await startUpstream({ port: Number(values.port), oraclePath: join(values.data, "oracle.jsonl") });
for (const signal of ["SIGINT", "SIGTERM", "disconnect"] as const) {
  process.once(signal, () => {
    stopping.abort();
    void upstream.stop().then(() => process.exit(0));
  });
}

const config = await readFile(fileURLToPath(new URL("../demo.yaml", import.meta.url)), "utf8");
const keys = [...config.matchAll(/key: (sk-demo-[\w-]+)/g)].map((match) => match[1] ?? "");
while (!stopping.signal.aborted) {
  const ready = await fetch(`${values.gateway}/health/ready`).then(
    (answer) => answer.ok,
    () => false,
  );
  if (ready) break;
  await sleep(250);
}
await startTraffic({ baseUrl: values.gateway, keys, rps: 2, signal: stopping.signal });
