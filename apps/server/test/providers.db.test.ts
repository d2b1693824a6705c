import { clientKey, configure } from "@sluice/testing/config-file";
import { until } from "@sluice/testing/deadline";
import { callModel, type Seen } from "@sluice/testing/model-client";
import { freePort } from "@sluice/testing/ports";
import { createTestDatabase, type TestDatabase } from "@sluice/testing/postgres";
import { startTestRedis, type TestRedis } from "@sluice/testing/redis";
import { makeDataDir, type ServerProcess, startServer, type TestDataDir } from "@sluice/testing/server-process";
import { startUpstream, type Upstream } from "@sluice/upstream/server";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { errorLines } from "./arrange.ts";
import { type ConsoleClient, openConsole } from "./console-client.ts";

let database: TestDatabase;
let redis: TestRedis;
let upstream: Upstream;
let dirs: TestDataDir[];
/** Administrators work on an instance without a gateway. */
let api: ServerProcess;
let gateways: [ServerProcess, ServerProcess];
let admin: ConsoleClient;
let serial = 0;

/** The promise is one second; a busy machine gets five. */
const soon = { deadlineMs: 5_000, everyMs: 25 };

beforeAll(async () => {
  [database, redis, upstream] = await Promise.all([createTestDatabase(), startTestRedis(), startUpstream()]);
  dirs = [makeDataDir(), makeDataDir(), makeDataDir()];
  const shared = { DATABASE_URL: database.url, REDIS_URL: redis.url, SLUICE_SECRET: "one-secret-for-all-machines" };
  const start = async (index: number, roles: string, env: Record<string, string>) =>
    startServer({ dataDir: dirs[index]?.path ?? "", port: await freePort(), roles, env: { ...shared, ...env } });
  const settings = { "pricing.unknownModel": "record", "breaker.failures": 3, "breaker.openSeconds": 600 };
  const configured = await configure(dirs[0]?.path ?? "", upstream, { providers: [], models: [], settings });
  api = await start(0, "api,worker", configured);
  const { SLUICE_ALLOW_PRIVATE_UPSTREAMS = "" } = configured;
  gateways = [await start(1, "gateway", { SLUICE_ALLOW_PRIVATE_UPSTREAMS }), await start(2, "gateway", { SLUICE_ALLOW_PRIVATE_UPSTREAMS })];
  admin = await openConsole(api.url);
});
afterAll(async () => {
  await Promise.all([...(gateways ?? []), api].map((server) => server?.stop()));
  for (const server of [...(gateways ?? []), ...(api ? [api] : [])]) expect(errorLines(server)).toEqual([]);
  await upstream?.stop();
  await Promise.all([redis?.stop(), database?.drop()]);
  for (const dir of dirs ?? []) await dir.remove();
});

/** A model that no other provider serves. */
const newModel = (): string => `model-${++serial}`;

/** A provider of one model, identified upstream by the model name it is sent. */
async function add(model: string, { priority = 0, script = "plain,3", name = `p${++serial}` } = {}) {
  const sent = `${name}@${script}`;
  const spec = { name, dialect: "anthropic" as const, baseUrl: upstream.url, secret: "sk-upstream-0001", priority };
  const { id } = await admin.api.providers.create.mutate({ ...spec, models: [model], modelRedirects: { [model]: sent } });
  return { id, name, sent, calls: () => upstream.oracle().filter((line) => line.model === sent && line.line === "opened").length };
}

/** Each call is a separate session by default: equal conversations would otherwise be one. */
const call = (gateway: ServerProcess, model: string, session: string = crypto.randomUUID()): Promise<Seen> =>
  callModel(gateway.url, { dialect: "anthropic", model, stream: true, key: clientKey, session });

interface Made {
  calls(): number;
}

/** Sends requests until one of them reaches the provider. */
async function untilServedBy(provider: Made, gateway: ServerProcess, model: string): Promise<void> {
  const before = provider.calls();
  const isServed = async (): Promise<boolean> => {
    await call(gateway, model);
    return provider.calls() > before;
  };
  await until(isServed, { what: "the provider gets a request", ...soon });
}

/** Waits until both gateways answer with this status. */
async function bothAnswer(model: string, status: number): Promise<void> {
  for (const gateway of gateways) {
    await until(async () => (await call(gateway, model)).status === status, {
      what: `${gateway.url} answers ${status} to ${model}`,
      ...soon,
    });
  }
}

const simulate = (model: string, session = "") =>
  admin.api.providers.simulate.query({ group: "default", dialect: "anthropic", endpoint: "messages", model, session });

describe("R10 a provider that is disabled", () => {
  it("gets no later request on any instance, and works again at once when it is enabled", async () => {
    const model = newModel();
    const provider = await add(model);
    await bothAnswer(model, 200);
    await admin.api.providers.update.mutate({ id: provider.id, enabled: false });
    await bothAnswer(model, 503);
    const calls = provider.calls();
    for (let i = 0; i < 20; i++) expect((await call(gateways[i % 2 ? 1 : 0], model)).status).toBe(503);
    expect(provider.calls()).toBe(calls);
    await admin.api.providers.update.mutate({ id: provider.id, enabled: true });
    await bothAnswer(model, 200);
  });
});

describe("R11 a provider that is deleted", () => {
  it("is never selected again, not even by a session that is bound to it; what it has begun it ends", async () => {
    const model = newModel();
    const gone = await add(model, { script: "plain,40+slow,50" });
    const other = await add(model, { priority: 1 });
    await bothAnswer(model, 200);
    const running = call(gateways[1], model, "bound");
    const before = gone.calls();
    await until(() => gone.calls() > before, { what: "the stream has begun" });
    const { versionId } = await admin.api.providers.delete.mutate({ id: gone.id });
    for (const gateway of gateways) {
      await untilServedBy(other, gateway, model);
    }
    expect((await running).outcome).toBe("complete");
    const calls = gone.calls();
    for (let i = 0; i < 20; i++) expect((await call(gateways[i % 2 ? 1 : 0], model, "bound")).status).toBe(200);
    expect(gone.calls()).toBe(calls);
    await admin.api.providers.restore.mutate({ id: gone.id, versionId });
    await untilServedBy(gone, gateways[0], model);
  });
});

describe("R12 a provider that is created", () => {
  it("gets traffic at once, on every instance", async () => {
    const model = newModel();
    for (const gateway of gateways) expect((await call(gateway, model)).status).toBe(404);
    const later = await add(model, { priority: 5 });
    await bothAnswer(model, 200);
    const first = await add(model, { priority: 1 });
    for (const gateway of gateways) {
      await untilServedBy(first, gateway, model);
    }
    const calls = later.calls();
    for (const gateway of gateways) expect((await call(gateway, model)).status).toBe(200);
    expect(later.calls()).toBe(calls);
  });
});

describe("R31 an earlier version", () => {
  it("is in force again by one action, and what is in flight goes on unharmed", async () => {
    const model = newModel();
    const provider = await add(model);
    await bothAnswer(model, 200);
    const changed = `changed-${++serial}@plain,60+slow,50`;
    const changedCalls = () => upstream.oracle().filter((line) => line.model === changed).length;
    await admin.api.providers.update.mutate({ id: provider.id, modelRedirects: { [model]: changed } });
    await untilServedBy({ calls: changedCalls }, gateways[1], model);
    const running = call(gateways[1], model);
    const before = changedCalls();
    await until(() => changedCalls() > before, { what: "a stream has begun" });
    const { items: rows } = await admin.api.providers.history.query({ id: provider.id });
    await admin.api.providers.restore.mutate({ id: provider.id, versionId: rows.at(-1)?.id ?? "" });
    await untilServedBy(provider, gateways[1], model);
    expect((await running).outcome).toBe("complete");
  });
});

describe("an override", () => {
  it("holds on every instance, and ends by the clock", async () => {
    const model = newModel();
    const provider = await add(model);
    await bothAnswer(model, 200);
    await admin.api.providers.override.mutate({ id: provider.id, kind: "open", forSeconds: 3, note: "test" });
    await bothAnswer(model, 503);
    expect((await simulate(model)).excluded).toContainEqual({ providerId: provider.id, reason: "forced_open" });
    await until(async () => (await call(gateways[0], model)).status === 200, { what: "it ended", deadlineMs: 15_000, everyMs: 100 });
    await bothAnswer(model, 200);
    expect((await simulate(model)).candidates).toMatchObject([{ providerId: provider.id }]);
  });

  it("draining: bound sessions stay on either instance, others go elsewhere", async () => {
    const model = newModel();
    const draining = await add(model);
    const other = await add(model, { priority: 1 });
    await bothAnswer(model, 200);
    expect((await call(gateways[0], model, "mine")).status).toBe(200);
    await admin.api.providers.override.mutate({ id: draining.id, kind: "drain" });
    for (const gateway of gateways) {
      await untilServedBy(other, gateway, model);
      const bound = draining.calls();
      expect((await call(gateway, model, "mine")).status).toBe(200);
      expect(draining.calls()).toBe(bound + 1);
    }
    const bound = async (): Promise<number> => (await admin.api.providers.impact.query({ ids: [draining.id] })).providers[0]?.sessions ?? 0;
    await until(async () => (await bound()) > 0, { what: "the session counts as bound there", ...soon });
  });
});

describe("the simulator, in a process without a gateway", () => {
  it("agrees with what the next request does, also after a breaker opened and was reset", async () => {
    const model = newModel();
    const failing = await add(model, { script: "error-before,500" });
    await until(async () => (await call(gateways[0], model)).status >= 500, { what: "it fails", ...soon });
    const spare = await add(model, { priority: 1 });
    await until(async () => (await call(gateways[0], model)).status === 200, { what: "the spare one helps", ...soon });
    const isOpen = async (): Promise<boolean> => {
      await call(gateways[0], model);
      return (await simulate(model)).excluded.some(({ providerId }) => providerId === failing.id);
    };
    await until(isOpen, { what: "its breaker is open here, too", ...soon });
    const open = await simulate(model);
    expect(open).toMatchObject({ chosenBy: "only", refusal: null, candidates: [{ providerId: spare.id, share: 1 }] });
    expect(open.excluded).toContainEqual({ providerId: failing.id, reason: "breaker_open" });
    for (const gateway of gateways) {
      const [failed, helped] = [failing.calls(), spare.calls()];
      expect((await call(gateway, model)).status).toBe(200);
      expect([failing.calls(), spare.calls()]).toEqual([failed, helped + 1]);
    }

    await admin.api.providers.resetBreaker.mutate({ id: failing.id });
    await until(async () => (await simulate(model)).candidates[0]?.providerId === failing.id, { what: "the reset arrived", ...soon });
    await untilServedBy(failing, gateways[1], model);
    // Simulating takes no probe and counts for nothing.
    for (let i = 0; i < 10; i++) await simulate(model);
    const { health } = await admin.api.providers.bootstrap.query();
    expect(health.find(({ providerId }) => providerId === failing.id)?.breakers.every(({ state }) => state === "closed")).toBe(true);
  });
});
