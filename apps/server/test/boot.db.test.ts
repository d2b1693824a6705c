import { readFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import { type AddressInfo, createServer as createTcpServer } from "node:net";
import { join } from "node:path";
import { isProcessAlive } from "@sluice/db/process-facts";
import { clientKey } from "@sluice/testing/config-file";
import { until } from "@sluice/testing/deadline";
import { callModel, type ModelCall } from "@sluice/testing/model-client";
import { freePort } from "@sluice/testing/ports";
import { startTestRedis } from "@sluice/testing/redis";
import { describe, expect, it } from "vitest";
import { awaitRest, errorLines, healthOf, openStream, servicesOf } from "./arrange.ts";
import { openConsole, watch } from "./console-client.ts";
import { useServers } from "./servers.ts";

const servers = useServers();
const quick: ModelCall = { dialect: "anthropic", model: "claude-quick", stream: true, key: clientKey };

async function pidOf(dataDir: string, service: "pg18" | "redis"): Promise<number> {
  return (JSON.parse(await readFile(join(dataDir, service, "run.json"), "utf8")) as { pid: number }).pid;
}

describe("embedded PostgreSQL and private Redis", () => {
  it("outlive a kill -9; the next start attaches to them, and the last process to stop in order stops them", async () => {
    const dataDir = servers.newDataDir();
    const env = await servers.configured(dataDir);
    const options = { dataDir, port: await freePort(), env };
    const first = await servers.start(options);
    expect((await callModel(first.url, quick)).outcome).toBe("complete");
    const pids = [await pidOf(dataDir, "pg18"), await pidOf(dataDir, "redis")];
    const cut = await openStream(servers.upstream, first, "claude-slow");
    await first.stop("SIGKILL");
    await cut.end;
    expect(await Promise.all(pids.map(isProcessAlive))).toEqual([true, true]);

    const second = await servers.start(options);
    expect([await pidOf(dataDir, "pg18"), await pidOf(dataDir, "redis")]).toEqual(pids);
    expect((await callModel(second.url, quick)).outcome).toBe("complete");
    const admin = await openConsole(second.url);
    await awaitRest(second, admin);
    const { items: rows } = await admin.api.logs.list.query({});
    expect(rows.map(({ state }) => state).sort()).toEqual(["done", "done", "error"].sort());
    // The postmaster, its children and Redis of the first start, and no others.
    const services = await servicesOf(dataDir);
    expect(services).toEqual(expect.arrayContaining(pids));

    const third = await servers.start({ ...options, port: await freePort(), roles: "api" });
    expect(await second.stop()).toBe(0);
    expect(await Promise.all(pids.map(isProcessAlive)), "another process still uses them").toEqual([true, true]);
    expect(await healthOf(third)).toMatchObject({ status: "ok", postgres: "ok", redis: "ok" });
    expect(await third.stop()).toBe(0);
    await until(async () => (await servicesOf(dataDir)).length === 0, { what: "nothing of the data directory runs" });
    for (const server of [second, third]) expect(errorLines(server)).toEqual([]);
  });

  it("are started again when they die under a running gateway, which bills what it served meanwhile", async () => {
    const dataDir = servers.newDataDir();
    const server = await servers.start({ dataDir, port: await freePort(), env: await servers.configured(dataDir) });
    const admin = await openConsole(server.url);
    expect((await callModel(server.url, quick)).outcome).toBe("complete");
    const pids = [await pidOf(dataDir, "pg18"), await pidOf(dataDir, "redis")];
    for (const pid of pids) process.kill(pid, "SIGKILL");
    expect((await callModel(server.url, quick)).outcome).toBe("complete");

    const isWell = async () => {
      const { status, postgres, redis } = await healthOf(server);
      return status === "ok" && postgres === "ok" && redis === "ok";
    };
    await until(isWell, { what: "PostgreSQL and Redis are back", deadlineMs: 60_000 });
    expect((await callModel(server.url, quick)).outcome).toBe("complete");
    await awaitRest(server, admin);
    const { items: rows } = await admin.api.logs.list.query({});
    expect(rows.map(({ state }) => state)).toEqual(["done", "done", "done"]);
    const renewed = [await pidOf(dataDir, "pg18"), await pidOf(dataDir, "redis")];
    expect(renewed.filter((pid) => pids.includes(pid))).toEqual([]);
    expect(server.output()).toContain("PostgreSQL has ended; starting it again");
    expect(await server.stop()).toBe(0);
    expect(await servicesOf(dataDir)).toEqual([]);
  });

  it("are stopped again by a start that is told to stop, and by one that fails", async () => {
    const dataDir = servers.newDataDir();
    const cancelled = servers.launch({ dataDir, port: await freePort() });
    await until(() => cancelled.output().includes("PostgreSQL started"), { what: "PostgreSQL was started" });
    expect(await cancelled.stop()).toBe(0);
    expect(cancelled.output()).not.toContain("Sluice is ready");
    expect(await servicesOf(dataDir)).toEqual([]);

    const port = await occupiedPort();
    const { code, output } = await servers.startRefused({ dataDir, port });
    expect({ code, said: output.split("\n").filter((line) => line.startsWith("Port ")) }).toEqual({
      code: 1,
      said: [`Port ${port} on 127.0.0.1 is in use. Stop what uses it (another Sluice?) or set PORT.`],
    });
    expect(await servicesOf(dataDir)).toEqual([]);
  });
});

describe("a PostgreSQL that accepts connections and says nothing", () => {
  it("does not keep a gateway from serving the keys that it has on disk", async () => {
    const dataDir = servers.newDataDir();
    const env = { ...(await servers.configured(dataDir)), ...servers.shared(), REDIS_URL: "none" };
    const options = { dataDir, port: await freePort(), env };
    const seeing = await servers.start(options);
    expect((await callModel(seeing.url, quick)).outcome).toBe("complete");
    await seeing.stop();

    const silent = createTcpServer();
    await new Promise<void>((resolve) => silent.listen(0, "127.0.0.1", resolve));
    servers.later(() => void silent.close());
    const { port } = silent.address() as AddressInfo;
    const blind = await servers.start({ ...options, env: { ...env, DATABASE_URL: `postgres://u:p@127.0.0.1:${port}/d` } });
    expect((await callModel(blind.url, quick)).outcome).toBe("complete");
    expect(await healthOf(blind)).toMatchObject({ status: "degraded", postgres: "down" });
    await blind.stop("SIGKILL");
  });
});

describe("HOST is an address of IPv6", () => {
  it.each(["::1", "::"])("%s: the console works there, and its address can be called", async (host) => {
    const port = await freePort();
    const env = { ...servers.shared(), REDIS_URL: "none", HOST: host };
    const server = servers.launch({ dataDir: servers.newDataDir(), port, env });
    const url = `http://[::1]:${port}`;
    const ready = async () => server.child.exitCode !== null || (await fetch(`${url}/health/ready`)).ok;
    await until(ready, { what: "the server is ready", deadlineMs: 60_000, everyMs: 50 });
    await until(() => server.output().includes("Sluice is ready"), { what: "it says where" });
    const [, said = ""] = /Sluice is ready: (\S+)/.exec(server.output()) ?? [];
    expect((await fetch(`${said}/health/live`)).status).toBe(200);
    await openConsole(url);
    expect(await server.stop()).toBe(0);
  });
});

async function occupiedPort(): Promise<number> {
  const server: Server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  servers.later(() => void server.close());
  return (server.address() as AddressInfo).port;
}

describe("without redis-server", () => {
  it("everything works in one process, and one line says so", async () => {
    const dataDir = servers.newDataDir();
    const configured = await servers.configured(dataDir);
    const env = { ...configured, ...servers.shared(), PATH: join(dataDir, "nothing-here") };
    const server = await servers.start({ dataDir, port: await freePort(), env });
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
    const dataDir = servers.newDataDir();
    const { code, output } = await servers.startRefused({
      dataDir,
      port: await freePort(),
      roles,
      env: { ...servers.shared(), REDIS_URL: "none" },
    });
    expect(code).toBe(1);
    expect(output).toContain("there is no Redis to connect this process to the others. Set REDIS_URL, install redis-server");
  });
});

describe("a Redis that does not fit", () => {
  it("is used with a warning when it may evict, and refused when it is a cluster", async () => {
    const evicting = await startTestRedis({ args: ["--maxmemory-policy", "allkeys-lru"] });
    servers.later(() => evicting.stop());
    const server = await servers.start({
      dataDir: servers.newDataDir(),
      port: await freePort(),
      env: { ...servers.shared(), REDIS_URL: evicting.url },
    });
    const warned = server.logLines().filter(({ level }) => level === 40);
    expect(warned).toEqual([expect.objectContaining({ msg: expect.stringContaining("maxmemory-policy allkeys-lru") })]);

    const cluster = await startTestRedis({ args: ["--cluster-enabled", "yes"] });
    servers.later(() => cluster.stop());
    const dataDir = servers.newDataDir();
    const { code, output } = await servers.startRefused({ dataDir, port: await freePort(), env: { REDIS_URL: cluster.url } });
    expect(code).toBe(1);
    expect(output).toContain("REDIS_URL is a Redis Cluster");
    expect(await servicesOf(dataDir), "PostgreSQL had been started").toEqual([]);
  });
});

describe("a wrong environment", () => {
  it("is reported whole, by name, without any value, and ends with code 2", async () => {
    const { code, output } = await servers.startRefused({
      dataDir: servers.newDataDir(),
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
