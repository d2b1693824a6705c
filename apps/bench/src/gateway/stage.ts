import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "@sluice/testing/ports";
import { createTestDatabase, type TestDatabase, testPostgres } from "@sluice/testing/postgres";
import { startTestRedis } from "@sluice/testing/redis";
import { Redis } from "ioredis";
import pg from "pg";
import { type CostsPerRequest, costsOf } from "./counters.ts";
import { collectable, type Subject, startGateway, startPassThrough, startUpstream } from "./processes.ts";
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

export type SubjectName = "passThrough" | "inProcess" | "withRedis";

export interface Stage {
  folder: string;
  subjects: Record<SubjectName, Subject>;
  /** What `drive` makes a gateway ask of PostgreSQL and Redis, a request. */
  costs(name: Exclude<SubjectName, "passThrough">, drive: () => Promise<number>): Promise<CostsPerRequest>;
  /** The same of one that commits every row before it answers. */
  directCosts(drive: (subject: Subject) => Promise<number>): Promise<CostsPerRequest>;
  /** New processes, for memory: nothing has run in them yet. */
  freshPassThrough(): Promise<Subject>;
  freshGateway(nodeArgs?: readonly string[]): Promise<Subject>;
  close(): Promise<void>;
}

/** Upstreams, PostgreSQL, Redis, and the three that are compared, each on the measured core. */
export async function openStage(): Promise<Stage> {
  const folder = await mkdtemp(join(tmpdir(), "sluice-bench-"));
  const upstreamPorts = await Promise.all(Array.from({ length: upstreamCount }, () => freePort()));
  // At once: a port that was found free may be anybody's a second later.
  const upstream = await startUpstream(upstreamPorts);
  const upstreamUrls = upstreamPorts.map((port) => `http://127.0.0.1:${port}`);
  const databases: TestDatabase[] = [];
  const redis = await startTestRedis();
  const redisClient = new Redis(redis.url);
  const counts = new pg.Pool({ connectionString: (await testPostgres()).url, max: 2 });
  await counts.query("CREATE EXTENSION IF NOT EXISTS pg_stat_statements");

  const gateway = async (redisUrl: string, options: { mode?: "batched" | "direct"; nodeArgs?: readonly string[] } = {}) => {
    const database = await createTestDatabase();
    databases.push(database);
    const place = join(folder, database.name);
    await writeFile(`${place}.yaml`, configYaml(upstreamPorts, options.mode ?? "batched"));
    const env = {
      DATABASE_URL: database.url,
      REDIS_URL: redisUrl,
      SLUICE_DATA_DIR: place,
      SLUICE_CONFIG: `${place}.yaml`,
      SLUICE_ALLOW_PRIVATE_UPSTREAMS: upstreamPorts.map((port) => `127.0.0.1:${port}`).join(","),
      SLUICE_LOG_LEVEL: "warn",
    };
    return { database, subject: await startGateway(await freePort(), env, options.nodeArgs ?? []) };
  };
  const inProcess = await gateway("none");
  const withRedis = await gateway(redis.url);
  const passThrough = await startPassThrough(await freePort(), upstreamUrls);
  const subjects = { passThrough, inProcess: inProcess.subject, withRedis: withRedis.subject };
  return {
    folder,
    subjects,
    costs(name, drive) {
      const counted =
        name === "inProcess" ? { redis: null, name: inProcess.database.name } : { redis: redisClient, name: withRedis.database.name };
      return costsOf({ pool: counts, ...counted }, drive);
    },
    async directCosts(drive) {
      const { database, subject } = await gateway("none", { mode: "direct" });
      try {
        return await costsOf({ pool: counts, redis: null, name: database.name }, () => drive(subject));
      } finally {
        await subject.stop();
      }
    },
    async freshPassThrough() {
      return startPassThrough(await freePort(), upstreamUrls, collectable);
    },
    async freshGateway(nodeArgs = collectable) {
      return (await gateway("none", { nodeArgs })).subject;
    },
    async close() {
      await Promise.all([...Object.values(subjects), upstream].map((subject) => subject.stop()));
      redisClient.disconnect();
      await redis.stop();
      await counts.end();
      for (const database of databases) await database.drop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
