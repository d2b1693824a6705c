import { clientKey, configure, oneProvider } from "@sluice/testing/config-file";
import { until } from "@sluice/testing/deadline";
import { callModel, type ModelCall } from "@sluice/testing/model-client";
import { freePort } from "@sluice/testing/ports";
import { createTestDatabase, type TestDatabase } from "@sluice/testing/postgres";
import { startTestRedis, type TestRedis } from "@sluice/testing/redis";
import { makeDataDir, type ServerProcess, startServer, type TestDataDir } from "@sluice/testing/server-process";
import { startUpstream, type Upstream } from "@sluice/upstream/server";
import { Redis } from "ioredis";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { type ConsoleClient, openConsole } from "./console-client.ts";

let database: TestDatabase;
let server: TestRedis;
let redis: Redis;
let upstream: Upstream;
let dirs: TestDataDir[];
let a: ServerProcess;
let b: ServerProcess;
let admin: ConsoleClient;

beforeAll(async () => {
  [database, server, upstream] = await Promise.all([createTestDatabase(), startTestRedis(), startUpstream()]);
  redis = new Redis(server.url);
  dirs = [makeDataDir(), makeDataDir()];
  const [ofA, ofB] = dirs.map(({ path }) => path) as [string, string];
  const shared = { DATABASE_URL: database.url, REDIS_URL: server.url, SLUICE_SECRET: "one-secret-for-both-machines" };
  const configured = await configure(ofA, upstream, oneProvider({ "claude-quick": "plain,6" }));
  const { SLUICE_ALLOW_PRIVATE_UPSTREAMS = "" } = configured;
  a = await startServer({ dataDir: ofA, port: await freePort(), env: { ...shared, ...configured } });
  b = await startServer({ dataDir: ofB, port: await freePort(), env: { ...shared, SLUICE_ALLOW_PRIVATE_UPSTREAMS } });
  admin = await openConsole(a.url);
});
afterEach(async () => {
  // Whatever a test did to the messages, all pass again.
  await redis.call("ACL", "SETUSER", "default", "allchannels");
});
afterAll(async () => {
  redis?.disconnect();
  await Promise.all([a?.stop(), b?.stop()]);
  await upstream?.stop();
  await Promise.all([server?.stop(), database?.drop()]);
  for (const dir of dirs ?? []) await dir.remove();
});

const ask = (key: string): Promise<{ status: number }> => {
  const call: ModelCall = { dialect: "anthropic", model: "claude-quick", stream: false, key };
  return callModel(b.url, call);
};

async function makeKey(name: string, more: object = {}) {
  const { items } = await admin.api.users.list.query({ search: "caller@example.com" });
  return admin.api.keys.create.mutate({ userId: items[0]?.id ?? "", name, ...more });
}

const answers = (key: string, status: number, deadlineMs: number) =>
  until(async () => (await ask(key)).status === status, { what: `B answers ${status}`, deadlineMs, everyMs: 50 });

/** Makes each change on A, checks B's answer, and reverts it where possible. */
async function changeAll(name: string, deadlineMs: number): Promise<void> {
  const [revoked, limited] = [await makeKey(`${name}-revoked`), await makeKey(`${name}-limited`)];
  const { providers } = await admin.api.providers.bootstrap.query();
  const id = providers[0]?.id ?? "";
  await Promise.all([answers(revoked.secret, 200, 40_000), answers(limited.secret, 200, 40_000)]);
  await admin.api.keys.revoke.mutate({ id: revoked.key.id });
  await admin.api.keys.update.mutate({ id: limited.key.id, rpm: 1 });
  await Promise.all([answers(revoked.secret, 401, deadlineMs), answers(limited.secret, 429, deadlineMs)]);
  await admin.api.providers.update.mutate({ id, enabled: false });
  await answers(clientKey, 503, deadlineMs);
  await admin.api.providers.update.mutate({ id, enabled: true });
  await answers(clientKey, 200, deadlineMs);
}

describe("a change on one instance is in force on another", () => {
  it("at once by message: key revoked, limit lowered, provider disabled", async () => {
    // The promise is one second; a busy machine gets five.
    await changeAll("told", 5_000);
  });

  it("within thirty seconds when no message passes", async () => {
    // Nobody may publish or subscribe: subscribers are disconnected and cannot return.
    await redis.call("ACL", "SETUSER", "default", "resetchannels");
    await expect(redis.publish("sluice:config", "0")).rejects.toThrow(/NOPERM/);
    await changeAll("silent", 30_000);
  }, 150_000);
});
