import { join } from "node:path";
import { isProcessAlive } from "@sluice/db/process-facts";
import { configure, type ProviderEntry } from "@sluice/testing/config-file";
import { until } from "@sluice/testing/deadline";
import { testSecret } from "@sluice/testing/factories";
import { type OwnPostgres, startOwnPostgres } from "@sluice/testing/own-postgres";
import { freePort } from "@sluice/testing/ports";
import { startTestRedis, type TestRedis } from "@sluice/testing/redis";
import { launchServer, makeDataDir, type ServerProcess, startServer } from "@sluice/testing/server-process";
import { startUpstream, type Upstream } from "@sluice/upstream/server";
import { type ClientLog, modelsOf, openClientLog } from "./traffic.ts";

/** The key of an installation's clients. Its limits are never reached, but each request takes a lease and counts. */
export const clientKey = "sk-test-chaos-0123456789";

/** The key of a user whose credit, if clients are prepaid, soon runs out: the limit on spending must survive every kill. */
export const scarceKey = "sk-test-scarce-0123456789";

/** The key of a user who is always postpaid, so that no outage refuses them and every failpoint of a request is reached. */
export const laterKey = "sk-test-later-0123456789";

/** A gateway with its own PostgreSQL, Redis, scripted upstream and clients, all of them real processes. */
export interface Installation {
  postgres: OwnPostgres;
  redis: TestRedis;
  upstream: Upstream;
  log: ClientLog;
  /** Input of the checker. */
  oraclePath: string;
  clientsPath: string;
  spoolDir: string;
  url: string;
  /**
   * Starts the gateway without waiting, and without the configuration file, which the first start applied; `failpoint` in the syntax of
   * SLUICE_FAILPOINT.
   */
  launch(failpoint?: string): ServerProcess;
  /** Resolves when it is ready. */
  start(env?: Record<string, string>): Promise<ServerProcess>;
  setPostgres(state: "up" | "down" | "crashed"): Promise<void>;
  setRedis(state: "up" | "down"): Promise<void>;
  remove(): Promise<void>;
}

/** Small segments and batches, because the behaviour at their edges is tested. */
const settings = { "ledger.intervalMs": 100, "ledger.batchSize": 50, "breaker.failures": 0, "upstream.idleTimeoutMs": 1_500 };
const segmentBytes = 32 * 1024;

export interface InstallationOptions {
  settings?: Record<string, unknown>;
  segmentBytes?: number;
  /** Whether its Postgres calls fsync; by default not, since no machine loses power here. */
  durable?: boolean;
}

/** Starts everything except the gateway. */
export async function openInstallation(options: InstallationOptions = {}): Promise<Installation> {
  const [postgres, redis] = await Promise.all([startOwnPostgres({ durable: options.durable }), startTestRedis()]);
  const dataDir = makeDataDir();
  const paths = {
    oraclePath: join(dataDir.path, "oracle.jsonl"),
    clientsPath: join(dataDir.path, "clients.jsonl"),
    spoolDir: join(dataDir.path, "spool"),
  };
  const upstream = await startUpstream({ oraclePath: paths.oraclePath });
  const config = await configure(dataDir.path, upstream, {
    providers: (["anthropic", "openai", "gemini"] as const).flatMap(providerPair),
    models: ["claude", "gpt", "gemini"].flatMap((brand) => Object.keys(modelsOf(brand))),
    settings: { ...settings, ...options.settings },
    keys: [{ name: "chaos", key: clientKey, inFlight: 5_000, rpm: 1_000_000 }],
    users: [
      { email: "scarce@example.com", name: "Scarce", keys: [{ name: "scarce", key: scarceKey }] },
      { email: "later@example.com", name: "Later", keys: [{ name: "later", key: laterKey }] },
    ],
  });
  const port = await freePort();
  const { SLUICE_CONFIG = "", ...withoutFile } = config;
  const env = {
    ...withoutFile,
    DATABASE_URL: postgres.url,
    REDIS_URL: redis.url,
    SLUICE_SECRET: testSecret,
    SLUICE_SEGMENT_BYTES: String(options.segmentBytes ?? segmentBytes),
  };
  const server = { dataDir: dataDir.path, port, roles: "gateway", env };
  let [postgresIsUp, redisIsUp] = [true, true];
  return {
    postgres,
    redis,
    upstream,
    ...paths,
    log: openClientLog(paths.clientsPath),
    url: `http://127.0.0.1:${port}`,
    launch: (failpoint) => launchServer({ ...server, env: { ...env, ...(failpoint && { SLUICE_FAILPOINT: failpoint }) } }),
    start: (more) => startServer({ ...server, env: { ...env, SLUICE_CONFIG, ...more } }),
    async setPostgres(state) {
      if ((state === "up") === postgresIsUp) return;
      postgresIsUp = state === "up";
      if (state === "up") await postgres.bringBack();
      else await postgres.takeDown(state === "crashed" ? "SIGQUIT" : "SIGINT");
    },
    async setRedis(state) {
      if ((state === "up") === redisIsUp) return;
      redisIsUp = state === "up";
      if (state === "up") await redis.restart();
      else await redis.kill();
    },
    async remove() {
      await upstream.stop();
      await redis.stop();
      await postgres.remove();
      await dataDir.remove();
    },
  };
}

/** The first answers every fourth request with a 503; then the more expensive spare takes over. */
function providerPair(dialect: ProviderEntry["dialect"]): ProviderEntry[] {
  const modelRedirects = modelsOf({ anthropic: "claude", openai: "gpt", gemini: "gemini" }[dialect]);
  return [
    { name: `${dialect} first`, dialect, secret: "sk-first@flaky,4", priority: 0, modelRedirects },
    { name: `${dialect} spare`, dialect, secret: "sk-spare", priority: 1, modelRedirects, costMultiplier: "1.3" },
  ];
}

/** Resolves when the process is ready for requests, or has ended before that. */
export async function readyOrGone(server: ServerProcess): Promise<boolean> {
  let isReady = false;
  const look = async () => {
    if (!(await isProcessAlive(server.pid)) || server.child.exitCode !== null || server.child.signalCode !== null) {
      // The exit event arrives slightly after the process is gone.
      await server.exited;
      return true;
    }
    isReady = (await fetch(`${server.url}/health/ready`)).ok;
    return isReady;
  };
  await until(look, { what: "the gateway is ready or gone", deadlineMs: 120_000, everyMs: 25 });
  return isReady;
}

/** Number of ends that no commit covers yet, as reported by the gateway. */
export async function spoolDepth(url: string): Promise<number> {
  const health = (await (await fetch(`${url}/health`)).json()) as { spool: { depth: number } };
  return health.spool.depth;
}
