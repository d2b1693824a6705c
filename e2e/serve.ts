// Started by playwright.config.ts: runs one of the two arrangements under test until it is stopped.
import { execFileSync } from "node:child_process";
import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { withFileLock } from "@sluice/db/file-lock";
import { type ServerProcess, startServer } from "@sluice/testing/server-process";
import { noteStorage, startJoinedGateway } from "./joined-gateway.ts";
import { admin, dataRoot, places, upstreamPort } from "./places.ts";

const arrangement = process.argv[2];
const portOf = (url: string): number => Number(new URL(url).port);
const dataDir = join(dataRoot, arrangement ?? "");
const env = {
  SLUICE_CONFIG: "e2e/config.yaml",
  SLUICE_ADMIN_EMAIL: admin.email,
  SLUICE_ADMIN_PASSWORD: admin.password,
  SLUICE_ALLOW_PRIVATE_UPSTREAMS: `127.0.0.1:${upstreamPort}`,
};

async function start(): Promise<ServerProcess[]> {
  if (arrangement === "single")
    return [await startServer({ dataDir, port: portOf(places.single.consoleUrl), env: { ...env, REDIS_URL: "none" } })];
  if (arrangement === "split") {
    const gateway = await startServer({ dataDir, port: portOf(places.split.gatewayUrl), roles: "gateway", env });
    await noteStorage(dataDir);
    const second = await startJoinedGateway({ dataDir: `${dataDir}-second`, port: portOf(places.split.secondGatewayUrl) });
    return [gateway, second, await startServer({ dataDir, port: portOf(places.split.consoleUrl), roles: "api,worker", env })];
  }
  throw new Error("usage: serve.ts split|single");
}

// If Playwright is started directly, the console may not be built yet; both arrangements share one build.
mkdirSync(dataRoot, { recursive: true });
await withFileLock(".sluice-e2e/build.lock", async () => {
  execFileSync(process.execPath, ["scripts/prepare.mjs"], { stdio: ["ignore", "ignore", "inherit"] });
});

// A new installation for each run: data of earlier runs, or from a migration under development, must not affect the tests.
for (const dir of [dataDir, `${dataDir}-second`]) rmSync(dir, { recursive: true, force: true });
const servers = await start();
async function stop(): Promise<void> {
  // The api stops first: the last process to leave stops Postgres and Redis.
  for (const server of servers.reverse()) await server.stop();
  process.exit(0);
}
process.on("SIGTERM", stop);
process.on("SIGINT", stop);
