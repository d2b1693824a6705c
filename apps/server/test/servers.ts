import { configure, oneProvider } from "@sluice/testing/config-file";
import { testSecret } from "@sluice/testing/factories";
import { freePort } from "@sluice/testing/ports";
import { createTestDatabase, type TestDatabase } from "@sluice/testing/postgres";
import { launchServer, makeDataDir, type ServerOptions, type ServerProcess, startServer } from "@sluice/testing/server-process";
import { startUpstream, type Upstream } from "@sluice/upstream/server";
import { afterAll, afterEach, beforeAll } from "vitest";

/** The models that `useServers` prices, with their upstream scenarios. */
const models = { "claude-quick": "plain,6", "claude-slow": "plain,50+slow,80", "claude-endless": "plain,100000+slow,50" };

/** The servers of a test file: each test starts its own, and none outlives it. */
export interface Servers {
  readonly upstream: Upstream;
  readonly database: TestDatabase;
  /** A database for several data directories, which then need the same secret. */
  shared(): { DATABASE_URL: string; SLUICE_SECRET: string };
  newDataDir(): string;
  /** Registers a clean-up that runs after the test. */
  later(cleanUp: () => Promise<void> | void): void;
  /** Environment with a configuration for `models`. */
  configured(dataDir: string): Promise<Record<string, string>>;
  start(options: ServerOptions): Promise<ServerProcess>;
  launch(options: ServerOptions): ServerProcess;
  /** With the shared PostgreSQL and without Redis, for tests about neither. */
  startPlain(env?: Record<string, string>): Promise<ServerProcess>;
  /** Starts a server that is expected to exit by itself. */
  startRefused(options: ServerOptions): Promise<{ code: number | null; output: string }>;
}

/** Registers the hooks. */
export function useServers(): Servers {
  let database: TestDatabase;
  let upstream: Upstream;
  const running: ServerProcess[] = [];
  const leftovers: (() => Promise<void> | void)[] = [];
  beforeAll(async () => {
    [database, upstream] = await Promise.all([createTestDatabase(), startUpstream()]);
  });
  afterEach(async () => {
    for (const server of running.splice(0)) await server.stop("SIGKILL");
    for (const cleanUp of leftovers.splice(0).reverse()) await cleanUp();
  });
  afterAll(async () => {
    await upstream?.stop();
    await database?.drop();
  });

  const servers: Servers = {
    get upstream() {
      return upstream;
    },
    get database() {
      return database;
    },
    shared: () => ({ DATABASE_URL: database.url, SLUICE_SECRET: testSecret }),
    newDataDir() {
      const dir = makeDataDir();
      leftovers.push(() => dir.remove());
      return dir.path;
    },
    later: (cleanUp) => void leftovers.push(cleanUp),
    configured: (dataDir) => configure(dataDir, upstream, oneProvider(models)),
    async start(options) {
      const server = await startServer(options);
      running.push(server);
      return server;
    },
    launch(options) {
      const server = launchServer(options);
      running.push(server);
      return server;
    },
    async startPlain(env = {}) {
      const dataDir = servers.newDataDir();
      const base = { ...(await servers.configured(dataDir)), ...servers.shared(), REDIS_URL: "none" };
      return servers.start({ dataDir, port: await freePort(), env: { ...base, ...env } });
    },
    async startRefused(options) {
      const server = servers.launch(options);
      const { code } = await server.exited;
      return { code, output: server.output() };
    },
  };
  return servers;
}
