import { spawn } from "node:child_process";
import { readFile } from "node:fs/promises";
import { procedures } from "@sluice/api/router";
import { createRedis, waitForRedis } from "@sluice/db/redis";
import { checkoutDir } from "@sluice/testing/checkout";
import { until } from "@sluice/testing/deadline";
import { requestRow } from "@sluice/testing/factories";
import { createTestDatabase, type TestDatabase } from "@sluice/testing/postgres";
import { startTestRedis, type TestRedis } from "@sluice/testing/redis";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { call, makePerson, signIn, startApi, type TestApi } from "./harness.ts";
import { makeThings, procedureSweep } from "./sweep.ts";

let database: TestDatabase;
let server: TestRedis;
let redis: ReturnType<typeof createRedis>;
let api: TestApi;
beforeAll(async () => {
  [database, server] = await Promise.all([createTestDatabase(), startTestRedis()]);
  redis = createRedis(server.url, { name: "test" });
  await waitForRedis(redis, 5_000);
  api = await startApi({ database, redisUrl: server.url });
});
afterAll(async () => {
  await api?.close();
  redis?.disconnect();
  await server?.stop();
  await database?.drop();
});

/** Commands whose cost grows with the amount of data. */
const unbounded = ["keys", "scan", "smembers", "flushall", "flushdb", "sort", "monitor"];

async function commandCalls(): Promise<Map<string, number>> {
  const stats = await redis.info("commandstats");
  return new Map([...stats.matchAll(/^cmdstat_([^:|]+)[^:]*:calls=(\d+)/gm)].map(([, name = "", calls]) => [name, Number(calls)]));
}

describe("A06 every procedure that an administrator may call", () => {
  it("A25 asks Redis for nothing unbounded, by its own count and its slow log", async () => {
    const user = await makePerson(database, "admin");
    const cookie = await signIn(api.url, user.email);
    await redis.config("RESETSTAT");
    await redis.config("SET", "slowlog-log-slower-than", "50000");
    const called: string[] = [];
    for (const { path, type } of procedures.filter(({ type }) => type !== "subscription")) {
      const things = await makeThings(database, api, { user });
      const [input] = (await procedureSweep[path]?.(things)) ?? [];
      const answer = await call(api.url, type === "mutation" ? "mutation" : "query", path, input, { cookie });
      expect(["unauthenticated", "forbidden", "internal"], path).not.toContain(answer.code);
      called.push(path);
    }
    expect(called.length).toBeGreaterThan(60);
    const used = [...(await commandCalls()).keys()];
    expect(used).toContain("evalsha");
    expect(used.filter((name) => unbounded.includes(name))).toEqual([]);
    expect(((await redis.call("SLOWLOG", "GET", "10")) as unknown[]).length).toBe(0);
  });

  it("and no source asks for it", async () => {
    const files = await new Promise<string[]>((resolve) => {
      const list = spawn("git", ["ls-files", "apps/server", "packages"], { cwd: checkoutDir });
      let out = "";
      list.stdout.on("data", (part) => {
        out += part;
      });
      list.once("close", () =>
        resolve(out.split("\n").filter((path) => /\/src\/.*\.ts$/.test(path) && !/\.test\.ts$|^packages\/testing/.test(path))),
      );
    });
    expect(files.length).toBeGreaterThan(400);
    const found: string[] = [];
    for (const path of files) {
      const text = await readFile(`${checkoutDir}/${path}`, "utf8").catch(() => "");
      if (/\b(?:redis|pipeline|client)\.(?:keys|smembers|scan)\(|(?:call|command)\(\s*["'`](?:keys|scan)["'`]/i.test(text))
        found.push(path);
    }
    expect(found).toEqual([]);
  });
});

describe("A07 a list of what is in flight on another instance", () => {
  it("is read in batches, beside 100,000 keys that nobody looks at", async () => {
    const rows = 3_000;
    const other = await startApi({ database, redisUrl: server.url, name: "other" });
    const fill = "for i = 1, 5000 do redis.call('SET', 'unrelated:' .. ARGV[1] .. ':' .. i, i) end";
    for (let part = 0; part < 20; part++) await redis.eval(fill, 0, part);
    for (let i = 0; i < rows; i++) other.live.registry.started(requestRow({ state: "in_flight" }));
    await until(async () => (await redis.hlen("sluice:registry:other")) === rows, { what: "the other instance shows its rows" });
    const user = await makePerson(database, "admin");
    const cookie = await signIn(api.url, user.email);
    await redis.config("RESETSTAT");
    const { data, code } = await call(api.url, "query", "logs.list", { limit: 50 }, { cookie });
    expect(code).toBe("");
    expect((data as { items: unknown[] }).items).toHaveLength(50);
    const used = await commandCalls();
    expect(used.get("hscan")).toBeGreaterThanOrEqual(rows / 500);
    expect(used.get("hgetall") ?? 0).toBeLessThan(5);
    expect([...used.keys()].filter((name) => unbounded.includes(name))).toEqual([]);
    await other.close();
  });
});
