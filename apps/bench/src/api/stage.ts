import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createCache } from "@sluice/cache/create-cache";
import { defaultSettings } from "@sluice/core/inputs/settings";
import { createRedis, waitForRedis } from "@sluice/db/redis";
import { keepRecentTotals } from "@sluice/services/overview/keep-recent-totals";
import { makeLogin, makeUser } from "@sluice/testing/factories";
import { freePort } from "@sluice/testing/ports";
import { createTestDatabase } from "@sluice/testing/postgres";
import { startTestRedis } from "@sluice/testing/redis";
import { type SkewedLog, seedSkewedLog, seedSkewedSums } from "@sluice/testing/seed-skewed-log";
import { skewedId } from "@sluice/testing/skewed-log";
import { collectable, type Subject, startSubject } from "../gateway/processes.ts";

const metricsToken = "the-metrics-token-of-a-benchmark";

/** An api process, started the way people start it, over a seeded database. */
export interface ApiStage {
  url: string;
  server: Subject;
  /** Cookies of an administrator, and of users who own keys. */
  admin: string;
  users: readonly string[];
  /** The text of /metrics. */
  metrics(): Promise<string>;
  /** Invalidates all cached answers, as another instance would. */
  forget(): Promise<void>;
  close(): Promise<void>;
}

export async function openApiStage(log: SkewedLog): Promise<ApiStage> {
  const folder = await mkdtemp(join(tmpdir(), "sluice-bench-"));
  const database = await createTestDatabase();
  const redis = await startTestRedis();
  const began = performance.now();
  await seedSkewedLog(database.pool, log);
  await seedSkewedSums(database.pool, log);
  // Normally the worker does this every few minutes.
  await keepRecentTotals(database.pool, { nowMs: Date.now(), settings: defaultSettings() });
  console.log(`${log.rows} rows and ${log.users} users seeded in ${Math.round((performance.now() - began) / 1_000)} s`);
  const signIn = async (userId: string): Promise<string> => `sid=${(await makeLogin(database.prisma, { userId })).token}`;
  const admin = await signIn((await makeUser(database.prisma, { role: "admin" })).id);
  const users = await Promise.all(Array.from({ length: 8 }, (_, n) => signIn(skewedId("user", n))));
  const port = await freePort();
  const server = await startSubject("measured", [...collectable, "apps/server/src/main.ts"], port, {
    readyPath: "/health/ready",
    env: {
      PORT: String(port),
      DATABASE_URL: database.url,
      REDIS_URL: redis.url,
      SLUICE_DATA_DIR: folder,
      SLUICE_SECRET: "the-secret-of-a-benchmark",
      SLUICE_METRICS_TOKEN: metricsToken,
      SLUICE_LOG_LEVEL: "warn",
      SLUICE_ROLES: "api",
    },
  });
  const url = `http://127.0.0.1:${port}`;
  const link = createRedis(redis.url, { name: "bench" });
  await waitForRedis(link, 10_000);
  const cache = createCache({ redis: link, version: "bench", settings: defaultSettings, configVersion: () => "0" });
  return {
    ...{ url, server, admin, users },
    forget: () => cache.invalidateAll(),
    async metrics() {
      return (await fetch(`${url}/metrics`, { headers: { authorization: `Bearer ${metricsToken}` } })).text();
    },
    async close() {
      cache.close();
      link.disconnect();
      await server.stop();
      await redis.stop();
      await database.drop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
