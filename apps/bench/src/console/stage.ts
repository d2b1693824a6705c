import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Browser, type BrowserContext, chromium, type Page } from "@playwright/test";
import { silentLog } from "@sluice/core/log";
import { createLive, type Live } from "@sluice/live/live";
import { type Line, openLine } from "@sluice/testing/cut-line";
import { makeLogin, makeUser } from "@sluice/testing/factories";
import { freePort } from "@sluice/testing/ports";
import { createTestDatabase } from "@sluice/testing/postgres";
import { startTestRedis } from "@sluice/testing/redis";
import { type Subject, startSubject } from "../gateway/processes.ts";

/** An api process, started the way people start it, a publisher in place of the gateways, and a browser behind a proxy that can be cut. */
export interface Stage {
  live: Live;
  line: Line;
  /** A page signed in as an administrator, in a new context, so that nothing is cached. */
  openPage(): Promise<{ page: Page; context: BrowserContext }>;
  close(): Promise<void>;
}

const executablePath = "/usr/bin/chromium";
const args = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-sync"];

export async function openStage(): Promise<Stage> {
  const folder = await mkdtemp(join(tmpdir(), "sluice-bench-"));
  const database = await createTestDatabase();
  const redis = await startTestRedis();
  // Before the api starts: it checks only once whether an administrator exists.
  const { id } = await makeUser(database.prisma, { role: "admin" });
  const { token } = await makeLogin(database.prisma, { userId: id });
  const port = await freePort();
  const api: Subject = await startSubject("rest", ["apps/server/src/main.ts"], port, {
    readyPath: "/health/ready",
    env: {
      PORT: String(port),
      DATABASE_URL: database.url,
      REDIS_URL: redis.url,
      SLUICE_DATA_DIR: folder,
      SLUICE_SECRET: "the-secret-of-a-benchmark",
      SLUICE_LOG_LEVEL: "warn",
      SLUICE_ROLES: "api",
    },
  });
  const live = createLive({
    redisUrl: redis.url,
    instanceId: "publisher",
    log: silentLog,
    settings: () => ({ "sessions.activeWindowSeconds": 300, "time.zone": "UTC" }),
  });
  const line = await openLine(`http://127.0.0.1:${port}`);
  const browser: Browser = await chromium.launch({ executablePath, args });
  return {
    live,
    line,
    async openPage() {
      const context = await browser.newContext({ baseURL: line.url, viewport: { width: 1440, height: 900 }, locale: "en-US" });
      await context.addCookies([{ name: "sid", value: token, url: line.url }]);
      return { page: await context.newPage(), context };
    },
    async close() {
      await browser.close();
      await line.cut();
      await live.close();
      await api.stop();
      await redis.stop();
      await database.drop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
