import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { silentLog } from "@sluice/core/log";
import { startEmbeddedPostgres } from "@sluice/db/embedded-postgres";
import { startPrivateRedis } from "@sluice/db/private-redis";
import { type ServerProcess, startServer } from "@sluice/testing/server-process";
import { dataRoot, upstreamPort } from "./places.ts";

/*
 * Gateways as if on other machines: each with its own data directory, joined to the split arrangement only by its Postgres, its Redis and
 * its secret. The connection data is in a file, because specs run in separate processes.
 */
const sharedPath = join(dataRoot, "split-storage.json");

/** Stores the addresses of the Postgres and Redis of a running server's data directory. */
export async function noteStorage(dataDir: string): Promise<void> {
  const [postgres, redis] = await Promise.all([
    startEmbeddedPostgres({ dataDir, log: silentLog }),
    startPrivateRedis({ dataDir, log: silentLog }),
  ]);
  if (!redis) throw new Error("the split arrangement needs redis-server");
  const secret = await readFile(join(dataDir, "secret"), "utf8");
  const shared = { DATABASE_URL: postgres.url, REDIS_URL: redis.url, SLUICE_SECRET: secret.trim() };
  await writeFile(sharedPath, JSON.stringify(shared), { mode: 0o600 });
  await Promise.all([postgres.stop(), redis.stop()]);
}

/** Starts a gateway that joins the split arrangement. */
export async function startJoinedGateway({ dataDir, port }: { dataDir: string; port: number }): Promise<ServerProcess> {
  const shared = JSON.parse(await readFile(sharedPath, "utf8")) as Record<string, string>;
  const env = { ...shared, SLUICE_ALLOW_PRIVATE_UPSTREAMS: `127.0.0.1:${upstreamPort}` };
  return startServer({ dataDir, port, roles: "gateway", env });
}
