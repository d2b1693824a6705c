import { join } from "node:path";
import { timeOfId } from "@sluice/core/ids";
import { checkInvariants } from "@sluice/ledger/check";
import { clientKey, configure, type ProviderEntry } from "@sluice/testing/config-file";
import { until } from "@sluice/testing/deadline";
import { callModel, type ModelCall, type Seen } from "@sluice/testing/model-client";
import { freePort } from "@sluice/testing/ports";
import { createTestDatabase, type TestDatabase } from "@sluice/testing/postgres";
import { startTestRedis, type TestRedis } from "@sluice/testing/redis";
import { seededRandom } from "@sluice/testing/seeded-random";
import { makeDataDir, type ServerProcess, startServer, type TestDataDir } from "@sluice/testing/server-process";
import { startUpstream, type Upstream } from "@sluice/upstream/server";
import { Redis } from "ioredis";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { awaitRest, errorLines } from "./arrange.ts";
import { openConsole } from "./console-client.ts";

const requests = 500;
const concurrency = 16;
/** Choose another list of requests with SLUICE_TEST_SEED=7. */
const seed = Number(process.env.SLUICE_TEST_SEED ?? 20_261_121);

/** What the models of the mix do upstream, and how many of 100 requests use each. */
const scenarios = {
  quick: { script: "plain", share: 26 },
  slow: { script: "plain,12+slow,30", share: 24 },
  long: { script: "plain,60+slow,10", share: 12 },
  tool: { script: "tool", share: 8 },
  thinking: { script: "thinking+slow,10", share: 6 },
  cached: { script: "cache", share: 6 },
  bytes: { script: "plain,3+onebyte", share: 3 },
  errors: { script: "error-mid,3", share: 5 },
  cut: { script: "cut,4,how=fin", share: 3 },
  stalled: { script: "stall,3", share: 2 },
  broken: { script: "error-before,500", share: 3 },
  invalid: { script: "error-before,400", share: 2 },
};
type ScenarioName = keyof typeof scenarios;
const dialects = { anthropic: "claude", chat: "gpt", responses: "gpt", gemini: "gemini" } as const;

let database: TestDatabase;
let redis: TestRedis;
let upstream: Upstream;
let dataDir: TestDataDir;
let server: ServerProcess;
let start: () => Promise<ServerProcess>;

beforeAll(async () => {
  [database, redis] = await Promise.all([createTestDatabase(), startTestRedis()]);
  dataDir = makeDataDir();
  upstream = await startUpstream({ oraclePath: join(dataDir.path, "oracle.jsonl") });
  const names = Object.keys(scenarios) as ScenarioName[];
  const env = await configure(dataDir.path, upstream, {
    providers: (["anthropic", "openai", "gemini"] as const).flatMap(providerPair),
    models: [...["claude", "gpt", "gemini"].flatMap((brand) => names.map((name) => `${brand}-${name}`)), "gpt-embedding"],
    // Breakers are not under test: they would refuse most of the mix after the first failures.
    settings: { "breaker.failures": 0, "upstream.idleTimeoutMs": 1_500 },
    // A limit that is never reached, so that each request takes a lease.
    keys: [{ name: "caller", key: clientKey, inFlight: 1_000 }],
  });
  const port = await freePort();
  start = () => startServer({ dataDir: dataDir.path, port, env: { ...env, DATABASE_URL: database.url, REDIS_URL: redis.url } });
  server = await start();
});
afterAll(async () => {
  await server?.stop();
  await upstream?.stop();
  await Promise.all([redis?.stop(), database?.drop()]);
  await dataDir?.remove();
});

/** The first provider answers every fourth request with a 503; then the spare is asked. */
function providerPair(dialect: ProviderEntry["dialect"]): ProviderEntry[] {
  const brand = { anthropic: "claude", openai: "gpt", gemini: "gemini" }[dialect];
  const models = Object.entries(scenarios).map(([name, { script }]) => [`${brand}-${name}`, `${brand}-${name}@${script}`]);
  const modelRedirects = Object.fromEntries(models);
  return [
    { name: `${dialect} first`, dialect, secret: "sk-first@flaky,4", priority: 0, modelRedirects },
    { name: `${dialect} spare`, dialect, secret: "sk-spare", priority: 1, modelRedirects },
  ];
}

/** The same list of requests for the same seed. */
function planCalls(): ModelCall[] {
  const random = seededRandom(seed);
  const pick = <T>(items: readonly T[]): T => items[Math.floor(random() * items.length)] as T;
  const weighted = (Object.keys(scenarios) as ScenarioName[]).flatMap((name) => Array<ScenarioName>(scenarios[name].share).fill(name));
  return Array.from({ length: requests }, (_, n): ModelCall => {
    const [dialect, scenario, stream, leaves] = [
      pick(Object.keys(dialects) as (keyof typeof dialects)[]),
      pick(weighted),
      random(),
      random(),
    ];
    const abortAfterMs = leaves < 0.15 ? Math.floor(random() * 500) : undefined;
    if (n % 50 === 25) return { dialect: "embeddings", model: "gpt-embedding", stream: false, key: clientKey };
    if (n % 50 === 26) return { dialect: "countTokens", model: "claude-quick", stream: false, key: clientKey };
    return {
      dialect,
      model: `${dialects[dialect]}-${scenario}`,
      stream: stream < 0.7,
      key: clientKey,
      abortAfterMs,
      session: `s${n % 20}`,
    };
  });
}

/** Makes all calls and runs `halfway` after that many. Calls that meet a closed port are repeated. */
async function runAll(calls: readonly ModelCall[], halfway: { after: number; run: () => Promise<void> }): Promise<Seen[]> {
  const seen: Seen[] = [];
  let next = 0;
  let restarted: Promise<void> | null = null;
  const client = async (): Promise<void> => {
    for (let call = calls[next++]; call; call = calls[next++]) {
      let result = await callModel(server.url, call);
      while (result.refusedConnection) {
        await restarted;
        result = await callModel(server.url, call);
      }
      seen.push(result);
      if (seen.length === halfway.after) restarted = halfway.run();
    }
  };
  await Promise.all(Array.from({ length: concurrency }, client));
  await restarted;
  return seen;
}

describe("every token is billed once", () => {
  it("over 500 mixed requests with aborts, failovers, errors and a kill -9", async () => {
    const victim = server;
    let killedAtMs = 0;
    const seen = await runAll(planCalls(), {
      after: 230,
      run: async () => {
        await victim.stop("SIGKILL");
        killedAtMs = Date.now();
        server = await start();
      },
    });
    const admin = await openConsole(server.url);
    await awaitRest(server, admin);
    // After this, every upstream stream has written its last line.
    await upstream.stop();

    const clientLog = seen.filter(({ id }) => id !== "");
    const oraclePath = join(dataDir.path, "oracle.jsonl");
    const differences = await checkInvariants({ oraclePath, pool: database.pool, clientLog, spoolDir: join(dataDir.path, "spool") });
    expect(differences).toEqual([]);
    await expectMixed(seen);
    await expectNothingHeld(killedAtMs);
    expect([...errorLines(victim), ...errorLines(server)]).toEqual([]);
  });
});

/** Checks that the run had the intended mix. */
async function expectMixed(seen: readonly Seen[]): Promise<void> {
  expect(seen).toHaveLength(requests);
  const { rows } = await database.pool.query<Record<string, number>>(`
    SELECT count(*)::int AS all, count(*) FILTER (WHERE state = 'done')::int AS done, count(*) FILTER (WHERE state = 'error')::int AS error,
      count(*) FILTER (WHERE state = 'aborted')::int AS aborted, count(*) FILTER (WHERE attempts > 1 AND state = 'done')::int AS failovers,
      count(*) FILTER (WHERE 'recovered' = ANY (flags))::int AS recovered FROM requests`);
  const counts = rows[0] ?? {};
  expect(counts.done).toBeGreaterThan(250);
  for (const kind of ["error", "aborted", "failovers"]) expect(counts[kind], kind).toBeGreaterThan(15);
  expect(counts.recovered, "requests cut by the kill").toBeGreaterThan(0);
  expect(counts.recovered).toBeLessThanOrEqual(concurrency);
}

/** The registry in Redis is empty, and the only remaining leases are those of the killed process, which expire. */
async function expectNothingHeld(killedAtMs: number): Promise<void> {
  const client = new Redis(redis.url);
  try {
    const registered = async () => {
      const keys = await client.keys("sluice:registry:*");
      return (await Promise.all(keys.map((key) => client.hlen(key)))).reduce((sum, length) => sum + length, 0);
    };
    await until(async () => (await registered()) === 0, { what: "the registry in Redis is empty" });
    const leased = async () => {
      const keys = await client.keys("sluice:leases:*");
      const ids = await Promise.all(keys.map((key) => client.zrange(key, "0", "-1")));
      return ids.flat().filter((id) => timeOfId(id) >= killedAtMs);
    };
    await until(async () => (await leased()).length === 0, { what: "no lease of the living process is held" });
  } finally {
    client.disconnect();
  }
}
