import { readdir, readFile, readlink } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import { type AddressInfo, connect, type Socket } from "node:net";
import { join } from "node:path";
import { isProcessAlive } from "@sluice/db/process-facts";
import { until } from "@sluice/testing/deadline";
import { testSecret } from "@sluice/testing/factories";
import { freePort } from "@sluice/testing/ports";
import { createTestDatabase, type TestDatabase } from "@sluice/testing/postgres";
import { launchServer, makeDataDir, type ServerOptions, type ServerProcess, startServer } from "@sluice/testing/server-process";
import { startUpstream, type Upstream } from "@sluice/upstream/server";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { awaitRest, clientKey, configure, errorLines, healthOf, oneProvider } from "./arrange.ts";
import { openConsole, watch } from "./console-client.ts";
import { callModel, type ModelCall } from "./model-client.ts";
import { parsePrometheus } from "./prometheus-text.ts";

let database: TestDatabase;
let upstream: Upstream;
const running: ServerProcess[] = [];
const leftovers: (() => Promise<void> | void)[] = [];

beforeAll(async () => {
  [database, upstream] = await Promise.all([createTestDatabase(), startUpstream()]);
});
afterEach(async () => {
  for (const server of running.splice(0)) await server.stop("SIGKILL");
  for (const remove of leftovers.splice(0).reverse()) await remove();
});
afterAll(async () => {
  await upstream?.stop();
  await database?.drop();
});

function newDataDir(): string {
  const dir = makeDataDir();
  leftovers.push(() => dir.remove());
  return dir.path;
}

async function started(options: ServerOptions): Promise<ServerProcess> {
  const server = await startServer(options);
  running.push(server);
  return server;
}

/** One database for many data directories: then they need one secret. */
const shared = () => ({ DATABASE_URL: database.url, SLUICE_SECRET: testSecret });

/** With the shared PostgreSQL and without Redis: where neither is the subject. */
async function plainServer(env: Record<string, string> = {}): Promise<ServerProcess> {
  const dataDir = newDataDir();
  const configured = await configure(dataDir, upstream, oneProvider(models));
  return started({ dataDir, port: await freePort(), env: { ...configured, ...shared(), REDIS_URL: "none", ...env } });
}

/** Starts what is expected to give up by itself. */
async function refusedStart(options: ServerOptions): Promise<{ code: number | null; output: string }> {
  const server = launchServer(options);
  running.push(server);
  const { code } = await server.exited;
  return { code, output: server.output() };
}

const models = { "claude-quick": "plain,6", "claude-slow": "plain,20+slow,60", "claude-endless": "plain,100000+slow,50" };
const quick: ModelCall = { dialect: "anthropic", model: "claude-quick", stream: true, key: clientKey };

/** A stream that has begun: resolves with its later end. */
async function openStream(server: ServerProcess, model: string): Promise<{ end: ReturnType<typeof callModel> }> {
  const before = upstream.oracle().filter((line) => line.model.startsWith(model)).length;
  const end = callModel(server.url, { ...quick, model });
  await until(() => upstream.oracle().filter((line) => line.model.startsWith(model)).length > before, { what: "the stream has begun" });
  return { end };
}

/** Processes that work inside the data directory: its PostgreSQL and Redis. */
async function servicesOf(dataDir: string): Promise<number[]> {
  const found: number[] = [];
  for (const name of await readdir("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    const cwd = await readlink(`/proc/${name}/cwd`).catch(() => "");
    if (cwd.startsWith(`${dataDir}/`) && (await isProcessAlive(Number(name)))) found.push(Number(name));
  }
  return found;
}

async function pidOf(dataDir: string, service: "pg18" | "redis"): Promise<number> {
  return (JSON.parse(await readFile(join(dataDir, service, "run.json"), "utf8")) as { pid: number }).pid;
}

describe("embedded PostgreSQL and private Redis", () => {
  it("outlive a kill -9; the next start attaches to them, and the last process to stop in order stops them", async () => {
    const dataDir = newDataDir();
    const env = await configure(dataDir, upstream, oneProvider(models));
    const options = { dataDir, port: await freePort(), env };
    const first = await started(options);
    expect((await callModel(first.url, quick)).outcome).toBe("complete");
    const pids = [await pidOf(dataDir, "pg18"), await pidOf(dataDir, "redis")];
    const cut = await openStream(first, "claude-slow");
    await first.stop("SIGKILL");
    await cut.end;
    expect(await Promise.all(pids.map(isProcessAlive))).toEqual([true, true]);

    const second = await started(options);
    expect([await pidOf(dataDir, "pg18"), await pidOf(dataDir, "redis")]).toEqual(pids);
    expect((await callModel(second.url, quick)).outcome).toBe("complete");
    const admin = await openConsole(second.url);
    await awaitRest(second, admin);
    const { rows } = await admin.api.logs.list.query({});
    expect(rows.map(({ state }) => state).sort()).toEqual(["done", "done", "error"].sort());
    // Postmaster and its children, redis: of the first start, and nothing beside them.
    const services = await servicesOf(dataDir);
    expect(services).toEqual(expect.arrayContaining(pids));

    const third = await started({ ...options, port: await freePort(), roles: "api" });
    expect(await second.stop()).toBe(0);
    expect(await Promise.all(pids.map(isProcessAlive)), "another process still uses them").toEqual([true, true]);
    expect(await healthOf(third)).toMatchObject({ status: "ok", postgres: "ok", redis: "ok" });
    expect(await third.stop()).toBe(0);
    await until(async () => (await servicesOf(dataDir)).length === 0, { what: "nothing of the data directory runs" });
    for (const server of [second, third]) expect(errorLines(server)).toEqual([]);
  });

  it("are stopped again by a start that is told to stop, and by one that fails", async () => {
    const dataDir = newDataDir();
    const cancelled = launchServer({ dataDir, port: await freePort() });
    running.push(cancelled);
    await until(() => cancelled.output().includes("PostgreSQL started"), { what: "PostgreSQL was started" });
    expect(await cancelled.stop()).toBe(0);
    expect(cancelled.output()).not.toContain("Sluice is ready");
    expect(await servicesOf(dataDir)).toEqual([]);

    const port = await occupiedPort();
    const { code, output } = await refusedStart({ dataDir, port });
    expect({ code, said: output.split("\n").filter((line) => line.startsWith("Port ")) }).toEqual({
      code: 1,
      said: [`Port ${port} on 127.0.0.1 is in use. Stop what uses it (another Sluice?) or set PORT.`],
    });
    expect(await servicesOf(dataDir)).toEqual([]);
  });
});

async function occupiedPort(): Promise<number> {
  const server: Server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  leftovers.push(() => void server.close());
  return (server.address() as AddressInfo).port;
}

describe("without redis-server", () => {
  it("everything works in one process, and one line says so", async () => {
    const dataDir = newDataDir();
    const configured = await configure(dataDir, upstream, oneProvider(models));
    const env = { ...configured, ...shared(), PATH: join(dataDir, "nothing-here") };
    const server = await started({ dataDir, port: await freePort(), env });
    expect(server.logLines().filter(({ msg }) => String(msg).includes("Redis"))).toEqual([
      expect.objectContaining({ level: 30, msg: "No Redis: limits, live events and sessions are kept in this process" }),
    ]);
    expect(await healthOf(server)).toMatchObject({ status: "ok", redis: "in_process" });
    const viewer = watch(await openConsole(server.url));
    await until(() => viewer.frames.length > 0, { what: "the viewer is connected" });
    const { id, outcome } = await callModel(server.url, quick);
    expect(outcome).toBe("complete");
    await until(() => viewer.finished.has(id), { what: "the viewer saw it" });
    viewer.close();
    expect(await server.stop()).toBe(0);
  });

  it.each(["gateway", "api,worker"])("a process that is only %s refuses to start", async (roles) => {
    const dataDir = newDataDir();
    const { code, output } = await refusedStart({ dataDir, port: await freePort(), roles, env: { ...shared(), REDIS_URL: "none" } });
    expect(code).toBe(1);
    expect(output).toContain("there is no Redis to join this process with the others. Set REDIS_URL, install redis-server");
  });
});

describe("a wrong environment", () => {
  it("is reported whole, by name, without any value, and ends with code 2", async () => {
    const { code, output } = await refusedStart({
      dataDir: newDataDir(),
      port: 99_999,
      roles: "gateway,kitchen",
      env: {
        DATABASE_URL: "mysql://root:hunter2@db/x",
        SLUICE_SECRET: "too-short",
        SLUICE_COLOUR: "mauve",
        SLUICE_ADMIN_EMAIL: "not-an-address",
      },
    });
    expect(code).toBe(2);
    expect(output).toContain("The environment has 6 problems:");
    const names = ["PORT", "SLUICE_ROLES", "DATABASE_URL", "SLUICE_SECRET", "SLUICE_COLOUR", "SLUICE_ADMIN_EMAIL"];
    for (const name of names) expect(output).toMatch(new RegExp(`^  ${name}`, "m"));
    for (const value of ["99999", "kitchen", "hunter2", "too-short", "mauve", "not-an-address"]) expect(output).not.toContain(value);
    expect(output).not.toMatch(/^\s+at /m);
  });
});

describe("R08 SIGTERM", () => {
  it("lets an open stream finish while new requests are refused, then the process ends by itself with 0", async () => {
    const server = await plainServer();
    const viewer = watch(await openConsole(server.url));
    await until(() => viewer.frames.length > 0, { what: "the viewer is connected" });
    const stream = await openStream(server, "claude-slow");
    server.child.kill("SIGTERM");
    await until(async () => (await fetch(`${server.url}/health/ready`)).status === 503, { what: "not ready any more" });
    expect(await healthOf(server)).toMatchObject({ status: "draining" });
    expect((await fetch(`${server.url}/health/live`)).status).toBe(200);
    expect(await callModel(server.url, quick)).toMatchObject({ status: 503 });
    // A second one changes nothing.
    server.child.kill("SIGTERM");
    const { outcome, id } = await stream.end;
    expect(outcome).toBe("complete");
    expect(await server.exited).toEqual({ code: 0, signal: null });
    viewer.close();
    expect(await rowOf(id)).toMatchObject({ state: "done" });
    expect(server.output()).not.toContain("still open");
    expect(errorLines(server)).toEqual([]);
  });

  it("ends within the grace time whatever clients do, and bills what passed", async () => {
    const server = await plainServer({ SLUICE_DRAIN_SECONDS: "1" });
    const stream = await openStream(server, "claude-endless");
    const sockets = await hangingClients(server);
    const told = performance.now();
    server.child.kill("SIGTERM");
    expect(await server.exited).toEqual({ code: 0, signal: null });
    // The grace of one second, two for sockets; a busy machine gets five times that.
    expect(performance.now() - told).toBeLessThan(15_000);
    const { outcome, id, text, outputTokens = 0 } = await stream.end;
    expect(outcome).toBe("cut");
    expect(text).toContain("The gateway is stopping");
    expect(await rowOf(id)).toMatchObject({ state: "error", error_code: "draining" });
    expect(outputTokens).toBeGreaterThan(0);
    expect(Number((await rowOf(id)).output_tokens)).toBeGreaterThanOrEqual(Math.floor(0.6 * outputTokens));
    expect(server.output()).not.toContain("still open");
    for (const socket of sockets) socket.destroy();
  });

  it("ends an idle server at once, leaving no process behind", async () => {
    const dataDir = newDataDir();
    const server = await started({ dataDir, port: await freePort() });
    expect((await servicesOf(dataDir)).length).toBeGreaterThan(1);
    expect(await server.stop()).toBe(0);
    expect(await servicesOf(dataDir)).toEqual([]);
    expect(server.output()).not.toContain("still open");
    expect(errorLines(server)).toEqual([]);
  });

  it("with Postgres away keeps what is not settled in the spool, says so, and ends", async () => {
    const dataDir = newDataDir();
    const { url, drop } = await createTestDatabase();
    leftovers.push(drop);
    const env = { ...(await configure(dataDir, upstream, oneProvider(models))), DATABASE_URL: url, REDIS_URL: "none" };
    const options = { dataDir, port: await freePort(), env };
    const server = await started(options);
    const { id } = await callModel(server.url, quick);
    await server.stop();
    const unreachable = { ...env, DATABASE_URL: url.replace(/:\d+\//, ":9/") };
    const blind = await started({ ...options, env: unreachable });
    const unsettled = await callModel(blind.url, quick);
    expect(unsettled.outcome).toBe("complete");
    expect(await blind.stop()).toBe(1);
    expect(blind.output()).toContain("it is in the spool and will be billed at the next start");
    expect(blind.output()).not.toContain("still open");

    const seeing = await started(options);
    const admin = await openConsole(seeing.url);
    await awaitRest(seeing, admin);
    expect((await admin.api.logs.list.query({})).rows.map((row) => row.id)).toEqual([unsettled.id, id]);
  });
});

async function rowOf(id: string): Promise<Record<string, unknown>> {
  const { rows } = await database.pool.query("SELECT state, error_code, output_tokens FROM requests WHERE id = $1", [id]);
  return (rows[0] as Record<string, unknown> | undefined) ?? {};
}

/** One that says nothing, one in the middle of its head, one in the middle of its body. */
async function hangingClients(server: ServerProcess): Promise<Socket[]> {
  const port = Number(new URL(server.url).port);
  const head = `POST /v1/messages HTTP/1.1\r\nhost: 127.0.0.1\r\nx-api-key: ${clientKey}\r\ncontent-type: application/json\r\ncontent-length: 900\r\n`;
  return Promise.all(
    ["", head, `${head}\r\n{"model":`].map(async (bytes) => {
      const socket = connect(port, "127.0.0.1");
      socket.on("error", () => undefined);
      await new Promise<void>((resolve) => socket.once("connect", () => (bytes === "" ? resolve() : socket.write(bytes, () => resolve()))));
      return socket;
    }),
  );
}

describe("A23 /health, /version and /metrics", () => {
  it("say how it is, on every port", async () => {
    const consolePort = await freePort();
    const server = await plainServer({ CONSOLE_PORT: String(consolePort), SLUICE_VERSION: "9.8.7" });
    const people = `http://127.0.0.1:${consolePort}`;
    for (const url of [server.url, people]) {
      const health = await fetch(`${url}/health`);
      expect(health.headers.get("content-type")).toContain("application/json");
      expect(await health.json()).toEqual({
        status: "ok",
        version: "9.8.7",
        postgres: "ok",
        redis: "in_process",
        spool: { status: "ok", depth: 0, oldestAgeMs: 0 },
      });
      expect(await (await fetch(`${url}/version`)).json()).toEqual({ version: "9.8.7" });
      for (const path of ["/health/live", "/health/ready"]) expect((await fetch(`${url}${path}`)).status).toBe(200);
    }
    // Without a token only the port that clients do not reach has metrics.
    expect((await fetch(`${server.url}/metrics`)).status).toBe(401);
    expect((await fetch(`${people}/metrics`)).status).toBe(200);
    expect((await fetch(`${server.url}/auth/login`, { method: "POST" })).status).toBe(404);
  });

  it("metrics need the token where there is one, and are Prometheus' text", async () => {
    const token = "a-token-of-some-length";
    const server = await plainServer({ SLUICE_METRICS_TOKEN: token });
    for (const authorization of ["", "Bearer wrong-token-0123456789", `Basic ${token}`])
      expect((await fetch(`${server.url}/metrics`, { headers: { authorization } })).status).toBe(401);

    const scrape = async () => {
      const answer = await fetch(`${server.url}/metrics`, { headers: { authorization: `Bearer ${token}` } });
      expect(answer.status).toBe(200);
      expect(answer.headers.get("content-type")).toBe("text/plain; version=0.0.4; charset=utf-8");
      return parsePrometheus(await answer.text());
    };
    const figure = (families: Awaited<ReturnType<typeof scrape>>, name: string, labels = {}): number | undefined =>
      families.get(name)?.samples.find((sample) => JSON.stringify(sample.labels) === JSON.stringify(labels))?.value;

    const before = await scrape();
    expect(figure(before, "sluice_build_info", { version: "0.1.0" })).toBe(1);
    expect(figure(before, "process_start_time_seconds")).toBeGreaterThan(1_700_000_000);
    for (let n = 0; n < 3; n++) await callModel(server.url, quick);
    await callModel(server.url, { ...quick, key: "sk-unknown" });
    await until(async () => figure(await scrape(), "sluice_ledger_depth") === 0, { what: "everything is settled" });
    const after = await scrape();
    expect(figure(after, "sluice_gateway_requests")).toBe(4);
    expect(figure(after, "sluice_gateway_in_flight")).toBe(0);
    expect(figure(after, "sluice_gateway_refused_anonymous")).toBe(1);
    expect(figure(after, "sluice_ledger_flushes")).toBeGreaterThan(0);
    expect(figure(after, "sluice_ledger_writable")).toBe(1);
    const answers = (families: typeof after, status: string) => figure(families, "http_requests_total", { status }) ?? 0;
    expect(answers(after, "2xx") - answers(before, "2xx")).toBeGreaterThanOrEqual(3);
    expect(answers(after, "4xx") - answers(before, "4xx")).toBe(1);
    expect([...after.values()].every(({ help, type }) => help !== "" && type !== "")).toBe(true);
  });
});
