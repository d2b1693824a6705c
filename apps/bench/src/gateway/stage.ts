import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startOwnPostgres } from "@sluice/testing/own-postgres";
import { freePort } from "@sluice/testing/ports";
import { startTestRedis } from "@sluice/testing/redis";
import { Redis } from "ioredis";
import { type CostsPerRequest, costsOf } from "./counters.ts";
import { type Load, runFirst, type Subject, startGateway, startLoad, startPassThrough, startUpstream } from "./processes.ts";
import { benchKeys } from "./shapes.ts";

const upstreamCount = 5;

const configYaml = (ports: readonly number[], mode: "batched" | "direct"): string => `
providers:
${ports.map((port) => `  - { name: bench-${port}, dialect: anthropic, baseUrl: "http://127.0.0.1:${port}", secret: sk-upstream, models: [bench-model] }`).join("\n")}
users:
  - email: bench@example.com
    name: Bench
    role: user
    keys:
      - { name: bench, key: ${benchKeys.free} }
      - { name: limited, key: ${benchKeys.limited}, rpm: 1000000, inFlight: 10000 }
prices:
  - { model: bench-model, inputPerMTok: "3", outputPerMTok: "15" }
settings: { ledger.mode: ${mode} }
`;

export interface GatewayOptions {
  redis?: boolean;
  mode?: "batched" | "direct";
  /** Arguments for node. */
  nodeArgs?: readonly string[];
}

export interface Stage {
  folder: string;
  load: Load;
  /** A new process on the measured core, in which nothing has run yet. */
  passThrough(nodeArgs?: readonly string[]): Promise<Subject>;
  gateway(options?: GatewayOptions): Promise<Subject>;
  /** Number of requests, over all subjects, whose upstream has sent everything requested and holds the answer open. */
  held(): Promise<Record<"stream" | "whole", number>>;
  /** Cost per request of `drive`, which returns its number of requests, in PostgreSQL and Redis. */
  costs(gateway: Subject, drive: () => Promise<number>): Promise<CostsPerRequest>;
  close(): Promise<void>;
}

/**
 * Starts the load generator, upstreams, PostgreSQL and Redis; subjects are started on request. PostgreSQL syncs as it does in use:
 * otherwise the kernel would write half a minute of full load at once, while latency is measured, and the spool's syncs wait for that.
 */
export async function openStage(): Promise<Stage> {
  const folder = await mkdtemp(join(tmpdir(), "sluice-bench-"));
  const upstreamPorts = await Promise.all(Array.from({ length: upstreamCount }, () => freePort()));
  // The ports are used immediately: a free one may be taken a second later.
  const [upstream, load, redis, postgres] = await Promise.all([
    startUpstream(upstreamPorts),
    startLoad(),
    startTestRedis(),
    startOwnPostgres({ durable: true }),
  ]);
  await runFirst(redis.pid);
  const redisClient = new Redis(redis.url);
  await postgres.pool.query("CREATE EXTENSION pg_stat_statements");
  const subjects: Subject[] = [upstream];
  let databaseCount = 0;
  const databases = new Map<Subject, { name: string; redis: Redis | null }>();

  async function started(starting: Promise<Subject>): Promise<Subject> {
    const subject = await starting;
    subjects.push(subject);
    return subject;
  }
  return {
    folder,
    load,
    async passThrough(nodeArgs = []) {
      const upstreams = upstreamPorts.map((port) => `http://127.0.0.1:${port}`);
      return started(startPassThrough(await freePort(), upstreams, nodeArgs));
    },
    async gateway({ redis: shares = false, mode = "batched", nodeArgs = [] } = {}) {
      const name = `bench_${++databaseCount}`;
      await postgres.pool.query(`CREATE DATABASE ${name}`);
      const place = join(folder, name);
      await writeFile(`${place}.yaml`, configYaml(upstreamPorts, mode));
      const env = {
        DATABASE_URL: postgres.url.replace(/\/[^/]*$/, `/${name}`),
        REDIS_URL: shares ? redis.url : "none",
        SLUICE_DATA_DIR: place,
        SLUICE_CONFIG: `${place}.yaml`,
        SLUICE_ALLOW_PRIVATE_UPSTREAMS: upstreamPorts.map((port) => `127.0.0.1:${port}`).join(","),
        SLUICE_LOG_LEVEL: "warn",
      };
      const subject = await started(startGateway(await freePort(), env, nodeArgs));
      databases.set(subject, { name, redis: shares ? redisClient : null });
      return subject;
    },
    async held() {
      const answer = await fetch(`http://127.0.0.1:${upstreamPorts[0]}/held`);
      return (await answer.json()) as Record<"stream" | "whole", number>;
    },
    costs(gateway, drive) {
      const asked = databases.get(gateway);
      if (!asked) throw new Error("this is no gateway of the stage");
      return costsOf({ pool: postgres.pool, ...asked }, drive);
    },
    async close() {
      load.stop();
      await Promise.all(subjects.map((subject) => subject.stop()));
      redisClient.disconnect();
      await redis.stop();
      await postgres.remove();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
