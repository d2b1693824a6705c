import { writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { type Canaries, dumpFiles, dumpPostgres, dumpRedis, foundCanaries, type Outputs } from "@sluice/testing/canaries";
import { until } from "@sluice/testing/deadline";
import { callModel, type ModelCall } from "@sluice/testing/model-client";
import { freePort } from "@sluice/testing/ports";
import { createTestDatabase, type TestDatabase } from "@sluice/testing/postgres";
import { startTestRedis, type TestRedis } from "@sluice/testing/redis";
import { makeDataDir, type ServerProcess, startServer, type TestDataDir } from "@sluice/testing/server-process";
import { afterAll, beforeAll, expect, it } from "vitest";
import { healthOf } from "./arrange.ts";

const canaries = {
  SLUICE_SECRET: "canary-sluice-secret-0d41f8e2",
  "the metrics token": "canary-metrics-token-77e0b3",
  "a provider's secret": "canary-provider-secret-5f0c2a",
  "a client's key": "sk-canary-client-key-9b1e4d7c",
  "an unknown key": "sk-canary-unknown-key-33ab90f1",
  "a password": "canary-password-of-an-admin-48be",
} satisfies Canaries;

let database: TestDatabase;
let redis: TestRedis;
let dirs: TestDataDir[];
let server: ServerProcess;

/** A provider that answers, and one that fails and repeats the request's headers in its error. */
const provider = createServer((request, response) => {
  request.resume().on("end", () => {
    const failing = request.url?.startsWith("/failing") ?? false;
    const answer = failing
      ? { type: "error", error: { type: "invalid_request_error", message: `Bad request: ${JSON.stringify(request.headers)}` } }
      : {
          ...{ id: "msg", type: "message", role: "assistant", model: "m", content: [{ type: "text", text: "Hello" }] },
          ...{ stop_reason: "end_turn", stop_sequence: null, usage: { input_tokens: 5, output_tokens: 2 } },
        };
    response.writeHead(failing ? 400 : 200, { "content-type": "application/json" }).end(JSON.stringify(answer));
  });
});

beforeAll(async () => {
  provider.listen(0, "127.0.0.1");
  [database, redis] = await Promise.all([createTestDatabase(), startTestRedis()]);
  dirs = [makeDataDir(), makeDataDir()];
  const [data, outside] = dirs.map(({ path }) => path) as [string, string];
  const { port } = provider.address() as AddressInfo;
  const url = `http://127.0.0.1:${port}`;
  const of = { dialect: "anthropic", secret: canaries["a provider's secret"] };
  const config = join(outside, "sluice.yaml");
  await writeFile(
    config,
    JSON.stringify({
      providers: [
        { ...of, name: "answering", baseUrl: url, models: ["good"] },
        { ...of, name: "failing", baseUrl: `${url}/failing`, models: ["bad"] },
      ],
      users: [{ email: "caller@example.com", name: "Caller", keys: [{ name: "caller", key: canaries["a client's key"] }] }],
      prices: ["good", "bad"].map((model) => ({ model, inputPerMTok: "3", outputPerMTok: "15" })),
    }),
  );
  const env = {
    ...{ DATABASE_URL: database.url, REDIS_URL: redis.url, SLUICE_CONFIG: config, SLUICE_SECRET: canaries.SLUICE_SECRET },
    ...{ SLUICE_ALLOW_PRIVATE_UPSTREAMS: `127.0.0.1:${port}`, SLUICE_METRICS_TOKEN: canaries["the metrics token"] },
    // There is no administrator yet: the server prints the token for setting one up.
    ...{ SLUICE_ADMIN_EMAIL: "", SLUICE_ADMIN_PASSWORD: "", SLUICE_LOG_LEVEL: "debug" },
  };
  server = await startServer({ dataDir: data, port: await freePort(), env });
});
afterAll(async () => {
  await server?.stop();
  provider.close();
  await Promise.all([redis?.stop(), database?.drop()]);
  for (const dir of dirs ?? []) await dir.remove();
});

it("planted secrets are in no answer, line, metric, spool, snapshot, row or Redis key", async () => {
  const outputs: Outputs = {};
  const token = /\b[A-Za-z0-9_-]{32,}\b/.exec(server.output().split(/setup/i).slice(1).join(""))?.[0] ?? "";
  expect(token).not.toBe("");
  const setUp = await fetch(`${server.url}/auth/setup`, {
    method: "POST",
    headers: { "content-type": "application/json", origin: server.url },
    body: JSON.stringify({ token, email: "admin@example.com", name: "Admin", password: canaries["a password"] }),
  });
  expect(setUp.status).toBe(200);
  const cookie = setUp.headers.getSetCookie()[0]?.split(";")[0] ?? "";
  outputs.setup = await setUp.text();

  const call: ModelCall = { dialect: "anthropic", model: "good", stream: false, key: canaries["a client's key"] };
  const calls: [what: string, call: ModelCall, status: number][] = [
    ["an answer", call, 200],
    ["a provider's refusal", { ...call, model: "bad" }, 400],
    ["an unknown model", { ...call, model: "none" }, 404],
    ["an unknown key", { ...call, key: canaries["an unknown key"] }, 401],
  ];
  for (const [what, made, status] of calls) {
    const seen = await callModel(server.url, made);
    expect([what, seen.status]).toEqual([what, status]);
    outputs[what] = seen.text;
  }
  await until(async () => (await healthOf(server)).spool.depth === 0, { what: "all is settled" });
  for (const path of [
    "/health",
    "/health/ready",
    "/version",
    "/trpc/logs.list",
    "/trpc/providers.bootstrap",
    "/trpc/system.get",
    "/trpc/audit.list",
  ])
    outputs[path] = await (await fetch(`${server.url}${path}`, { headers: { cookie } })).text();
  const authorization = `Bearer ${canaries["the metrics token"]}`;
  outputs["/metrics"] = await (await fetch(`${server.url}/metrics`, { headers: { authorization } })).text();
  outputs.log = server.output();
  Object.assign(outputs, await dumpFiles(dirs[0]?.path ?? ""));
  outputs.Postgres = await dumpPostgres(database.pool);
  outputs.Redis = await dumpRedis(redis.url);

  // The data that is searched really exists.
  for (const name of ["snapshot.json", ".log"]) expect(Object.keys(outputs).some((path) => path.endsWith(name))).toBe(true);
  expect(Object.keys(outputs).some((path) => path.includes("spool"))).toBe(true);
  expect(outputs["/metrics"]).toContain("sluice_gateway_requests 4");
  expect(outputs.Postgres).toContain("caller@example.com");
  expect(foundCanaries({ ...canaries, "a cookie": cookie.replace(/^[^=]+=/, "") }, outputs)).toEqual([]);
  // The only place where it may appear is the server's output.
  const beyondLog = Object.entries(outputs).filter(([name]) => name !== "log" && !name.endsWith(".log"));
  expect(foundCanaries({ "the setup token": token }, Object.fromEntries(beyondLog))).toEqual([]);
});
