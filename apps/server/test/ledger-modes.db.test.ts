import { join } from "node:path";
import type { Settings } from "@sluice/core/inputs/settings";
import { checkInvariants } from "@sluice/ledger/check";
import { clientKey, configure, type ProviderEntry } from "@sluice/testing/config-file";
import { until } from "@sluice/testing/deadline";
import { callModel, type ModelCall, type Seen } from "@sluice/testing/model-client";
import { freePort } from "@sluice/testing/ports";
import { createTestDatabase, type TestDatabase } from "@sluice/testing/postgres";
import { makeDataDir, type ServerProcess, startServer, type TestDataDir } from "@sluice/testing/server-process";
import { startUpstream, type Upstream } from "@sluice/upstream/server";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { awaitRest, errorLines } from "./arrange.ts";
import { openConsole, watch } from "./console-client.ts";

const scenarios = { quick: "plain,6", slow: "plain,12+slow,25", errors: "error-mid,3", cut: "cut,4,how=fin" };
const modelRedirects = Object.fromEntries(
  Object.entries(scenarios).map(([name, script]) => [`claude-${name}`, `claude-${name}@${script}`]),
);
const provider = { dialect: "anthropic", modelRedirects } as const;
/** The first provider answers every fourth request with a 503; then the spare is asked. */
const providers: ProviderEntry[] = [
  { ...provider, name: "first", secret: "sk-first@flaky,4", priority: 0 },
  { ...provider, name: "spare", secret: "sk-spare", priority: 1 },
];

let database: TestDatabase;
let upstream: Upstream;
let dataDir: TestDataDir;
let server: ServerProcess;
let start: () => Promise<ServerProcess>;
beforeAll(async () => {
  database = await createTestDatabase();
  dataDir = makeDataDir();
  upstream = await startUpstream({ oraclePath: join(dataDir.path, "oracle.jsonl") });
  const settings = { "breaker.failures": 0, "upstream.idleTimeoutMs": 1_500 };
  const env = await configure(dataDir.path, upstream, { providers, models: Object.keys(modelRedirects), settings });
  const port = await freePort();
  start = () => startServer({ dataDir: dataDir.path, port, env: { ...env, DATABASE_URL: database.url, REDIS_URL: "none" } });
  server = await start();
});
afterAll(async () => {
  await server?.stop();
  await upstream?.stop();
  await database?.drop();
  await dataDir?.remove();
});

const all: Seen[] = [];
const change = async (settings: Partial<Settings>) => (await openConsole(server.url)).api.settings.update.mutate(settings);

/** Six clients that run until stopped: streams and whole answers, errors, failovers, clients that disconnect. */
function traffic(): { made(): number; stop(): Promise<void> } {
  const names = Object.keys(modelRedirects);
  let [n, open] = [0, true];
  const client = async (): Promise<void> => {
    while (open) {
      const mine = n++;
      const model = names[mine % 5] ?? "claude-quick";
      const call: ModelCall = {
        dialect: "anthropic",
        model,
        stream: mine % 3 !== 0,
        key: clientKey,
        ...(mine % 11 === 10 && { abortAfterMs: 60 }),
      };
      const seen = await callModel(server.url, call);
      all.push(seen);
      if (seen.refusedConnection) return;
    }
  };
  const clients = Promise.all(Array.from({ length: 6 }, client));
  return {
    made: () => n,
    async stop() {
      open = false;
      await clients;
    },
  };
}

async function expectBooksRight(): Promise<void> {
  await awaitRest(server, await openConsole(server.url));
  const clientLog = all.filter(({ id }) => id !== "");
  const spoolDir = join(dataDir.path, "spool");
  expect(await checkInvariants({ oraclePath: join(dataDir.path, "oracle.jsonl"), pool: database.pool, clientLog, spoolDir })).toEqual([]);
}

const isCommitted = async (id: string) => (await database.pool.query("SELECT FROM requests WHERE id = $1", [id])).rowCount === 1;

describe("H10 the way to Postgres is switched while requests run", () => {
  const ways = [
    ["direct", "fsync"],
    ["batched", "write"],
    ["direct", "write"],
    ["batched", "fsync"],
  ] as const;
  it.each(ways)("%s, %s: every token is billed once, across the switch and a kill -9", async (mode, durability) => {
    const before = traffic();
    await until(() => before.made() >= 20, { what: "requests of the other way" });
    await change({ "ledger.mode": mode, "ledger.durability": durability, "ledger.batchSize": 7, "ledger.intervalMs": 1_000 });
    const switched = before.made();
    await until(() => before.made() >= switched + 25, { what: "requests of this way" });
    await change({ "ledger.batchSize": 500, "ledger.intervalMs": 50 });
    await until(() => before.made() >= switched + 50, { what: "requests in other batches" });
    const victim = server;
    await victim.stop("SIGKILL");
    await before.stop();
    server = await start();
    await expectBooksRight();

    await change({ "ledger.intervalMs": 10_000 });
    const seen = await callModel(server.url, { dialect: "anthropic", model: "claude-quick", stream: true, key: clientKey });
    all.push(seen);
    expect(seen.outcome).toBe("complete");
    // Direct: the row exists before the client sees the end. Batched: the batch has ten seconds.
    expect(await isCommitted(seen.id)).toBe(mode === "direct");
    await change({ "ledger.intervalMs": 50 });
    expect([...errorLines(victim), ...errorLines(server)]).toEqual([]);
  });
});

describe("R19 how soon a request is seen", () => {
  it("its end reaches viewers at once, and its row exists after the next flush", async () => {
    await change({ "ledger.mode": "batched", "ledger.durability": "fsync", "ledger.batchSize": 500, "ledger.intervalMs": 1_000 });
    const viewer = watch(await openConsole(server.url));
    await until(() => viewer.frames.length > 0, { what: "the viewer is connected" });
    for (let n = 0; n < 5; n++) {
      const { id } = await callModel(server.url, { dialect: "anthropic", model: "claude-quick", stream: true, key: clientKey });
      // Five times the promise of 1 s by SSE and 1.5 s in the table.
      await until(() => viewer.finished.has(id), { what: "the viewer sees it finish", deadlineMs: 5_000 });
      await until(() => isCommitted(id), { what: "it has its row", deadlineMs: 7_500 });
    }
    viewer.close();
  });
});
