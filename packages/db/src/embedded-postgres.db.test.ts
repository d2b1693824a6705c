import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Log } from "@sluice/core/log";
import { silentLog } from "@sluice/core/log";
import { until } from "@sluice/testing/deadline";
import pg from "pg";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { holdService } from "../test/holder.ts";
import type { EmbeddedPostgres, EmbeddedPostgresOptions } from "./embedded-postgres.ts";
import { startEmbeddedPostgres } from "./embedded-postgres.ts";
import { isProcessAlive, waitForExit } from "./process-facts.ts";
import { isRoot } from "./system-user.ts";

let dataDir: string;

beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), "sluice-pg-"));
  await chmod(dataDir, 0o711);
});

afterEach(async () => {
  // A failed test has not stopped the servers it started; stopping twice is harmless.
  for (const server of started.splice(0)) await server.stop();
  // The same for the server of a process that it killed.
  if (existsSync(join(dataDir, "pg18", "data", "postmaster.pid"))) await (await start()).stop();
  await rm(dataDir, { recursive: true, force: true });
});

const started: EmbeddedPostgres[] = [];

/** Without fsync by default. */
async function start(options: Partial<EmbeddedPostgresOptions> = {}): Promise<EmbeddedPostgres> {
  const server = await startEmbeddedPostgres({ dataDir, durable: false, log: silentLog, ...options });
  started.push(server);
  return server;
}

async function query<T extends pg.QueryResultRow>(url: string, sql: string): Promise<T[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<T>(sql)).rows;
  } finally {
    await client.end();
  }
}

describe("embedded PostgreSQL", () => {
  it("keeps its data, port and password over an orderly stop", async () => {
    const first = await start();
    await query(first.url, "CREATE TABLE kept AS SELECT 1 AS n");
    await first.stop();
    expect(await isProcessAlive(first.pid)).toBe(false);

    const second = await start();
    expect(second).toMatchObject({ attached: false, port: first.port, url: first.url });
    expect(await query(second.url, "SELECT n FROM kept")).toEqual([{ n: 1 }]);
    await second.stop();
  });

  it("listens on 127.0.0.1 only, wants the password, preloads pg_stat_statements and syncs to disk", async () => {
    const server = await start({ durable: true });
    const [facts] = await query<Record<string, string>>(
      server.url,
      `SELECT current_setting('listen_addresses') AS addresses, current_setting('unix_socket_directories') AS sockets,
              current_setting('fsync') AS fsync, current_setting('shared_preload_libraries') AS preloaded,
              current_setting('server_version_num')::int / 10000 AS major`,
    );
    expect(facts).toEqual({ addresses: "127.0.0.1", sockets: "", fsync: "on", preloaded: "pg_stat_statements", major: 18 });
    await expect(query(server.url.replace(/:[^:@]+@/, ":wrong@"), "SELECT 1")).rejects.toThrow(/password authentication failed/);
    expect((await stat(join(server.directory, "password"))).mode & 0o777).toBe(0o600);
    expect(JSON.parse(await readFile(join(server.directory, "run.json"), "utf8"))).toEqual({ pid: server.pid, port: server.port });
    await server.stop();
  });

  it("survives a kill -9 of its only owner; the next start attaches and the last orderly stop ends it", async () => {
    const owner = await holdService("postgres", dataDir);
    expect(owner.attached).toBe(false);
    await owner.kill();

    const next = await start();
    expect(next).toMatchObject({ attached: true, pid: owner.pid, port: owner.port, url: owner.url });
    const other = await holdService("postgres", dataDir);
    await next.stop();
    expect(await query(other.url, "SELECT 1 AS still_there")).toEqual([{ still_there: 1 }]);
    await other.leave();
    expect(await isProcessAlive(owner.pid)).toBe(false);
  });

  it("is started once when two processes come at the same time", async () => {
    const holders = await Promise.all([holdService("postgres", dataDir), holdService("postgres", dataDir)]);
    expect(holders.map((holder) => holder.attached).sort()).toEqual([false, true]);
    expect(holders[0]?.pid).toBe(holders[1]?.pid);
    await Promise.all(holders.map((holder) => holder.leave()));
    expect(await isProcessAlive(holders[0]?.pid ?? 0)).toBe(false);
  });

  it("starts again after the server itself was killed, also when its pid is another program's by then", async () => {
    const first = await start({ durable: true });
    await query(first.url, "CREATE TABLE kept AS SELECT 1 AS n");
    process.kill(first.pid, "SIGKILL");
    await waitForExit(first.pid, 10_000);
    const pidFile = join(first.directory, "data", "postmaster.pid");
    const lines = (await readFile(pidFile, "utf8")).split("\n");
    await writeFile(pidFile, [String(process.pid), ...lines.slice(1)].join("\n"));

    const second = await start({ durable: true });
    expect(second.attached).toBe(false);
    expect(await query(second.url, "SELECT n FROM kept")).toEqual([{ n: 1 }]);
    await second.stop();
    await first.stop();
    expect(await isProcessAlive(second.pid)).toBe(false);
  });

  it("starts again on its port beside a zombie of the killed server, which this machine's init may keep", async () => {
    const first = await start();
    process.kill(first.pid, "SIGKILL");
    await waitForExit(first.pid, 10_000);
    // The shell becomes a program that never collects its child. PostgreSQL ignores other users' processes.
    const { uid, gid } = await stat(join(first.directory, "data"));
    const parent = spawn("sh", ["-c", "sleep 0 & echo $!; exec sleep 60"], { uid, gid, stdio: ["ignore", "pipe", "ignore"] });
    const [zombie] = await once(parent.stdout, "data");
    const pidFile = join(first.directory, "data", "postmaster.pid");
    const lines = (await readFile(pidFile, "utf8")).split("\n");
    await writeFile(pidFile, [String(zombie).trim(), ...lines.slice(1)].join("\n"));
    await until(async () => !(await isProcessAlive(Number(zombie))), { what: "the child has ended" });

    try {
      expect(await start()).toMatchObject({ attached: false, port: first.port });
    } finally {
      parent.kill();
    }
  });

  it("gets its database when the process that started it was killed before it had made it", async () => {
    const owner = await holdService("postgres", dataDir);
    await owner.kill();
    await query(owner.url.replace(/\/sluice$/, "/postgres"), "DROP DATABASE sluice");

    const next = await start();
    expect(next).toMatchObject({ attached: true, pid: owner.pid });
    expect(await query(next.url, "SELECT current_database() AS name")).toEqual([{ name: "sluice" }]);
  });

  it("is made beside the initdb of a start that was killed, which may go on writing, and deletes its files later", async () => {
    const abandoned = ["data.new", "data.new-0123abcd"].map((name) => join(dataDir, "pg18", name, "base"));
    const script = abandoned.map((dir) => `mkdir -p ${dir}; true >${dir}/$n`).join("; ");
    // The same hundred names again and again: initdb writes a thousand files, not as many as this loop has time for. Not `:`, with which a
    // shell ends when it cannot write.
    const orphan = spawn("/bin/sh", ["-c", `n=0; while :; do n=$(((n + 1) % 100)); { ${script}; } 2>/dev/null; done`]);
    const ended = once(orphan, "exit");
    try {
      await until(() => abandoned.every((dir) => existsSync(dir)), { what: "it writes" });
      const server = await start();
      expect(await query(server.url, "SELECT 1 AS n")).toEqual([{ n: 1 }]);
      await server.stop();
      expect(orphan.exitCode, "it has gone on writing").toBeNull();
    } finally {
      orphan.kill("SIGKILL");
      await ended;
    }
    await (await start()).stop();
    expect((await readdir(join(dataDir, "pg18"))).filter((name) => name.startsWith("data"))).toEqual(["data"]);
  });

  it("is started again when it dies, once, however many processes keep it running; nothing starts it when they have left", async () => {
    const options = { durable: true, keepRunning: true };
    const [first, second] = await Promise.all([start(options), start(options)]);
    await query(first.url, "CREATE TABLE kept AS SELECT 1 AS n");
    process.kill(first.pid, "SIGKILL");
    const kept = () => query(first.url, "SELECT n FROM kept").catch(() => []);
    await until(async () => (await kept()).length === 1, { what: "PostgreSQL is back on its port", deadlineMs: 60_000 });
    await first.stop();
    expect(await kept()).toEqual([{ n: 1 }]);
    await second.stop();
    expect(await kept()).toEqual([]);
  });

  it("takes another port when its own is taken", async () => {
    const first = await start();
    await first.stop();
    const squatter = (await import("node:net")).createServer().listen(first.port, "127.0.0.1");
    const second = await start();
    expect(second.port).not.toBe(first.port);
    await second.stop();
    squatter.close();
  });
});

if (isRoot()) {
  describe("embedded PostgreSQL under root", () => {
    let reachableRoot: string;
    let said: string[];
    const log: Log = { ...silentLog, warn: (_, message) => void said.push(message) };

    beforeEach(async () => {
      reachableRoot = await mkdtemp(join(tmpdir(), "sluice-reachable-"));
      await chmod(reachableRoot, 0o755);
      said = [];
    });
    afterEach(() => rm(reachableRoot, { recursive: true, force: true }));

    it("goes where its system user can reach it, says so, and is found there again", async () => {
      await chmod(dataDir, 0o700);
      const first = await start({ reachableRoot, log });
      expect(first.directory.startsWith(reachableRoot)).toBe(true);
      expect(said).toEqual([expect.stringContaining(`cannot enter ${dataDir}; the database is in ${first.directory}`)]);
      await query(first.url, "CREATE TABLE kept AS SELECT 1 AS n");
      await first.stop();

      // Even when the data directory is accessible by now: the data has not moved.
      await chmod(dataDir, 0o711);
      const second = await start({ reachableRoot, log });
      expect(second.directory).toBe(first.directory);
      expect(await query(second.url, "SELECT n FROM kept")).toEqual([{ n: 1 }]);
      await second.stop();

      // A new data directory at the old path starts empty.
      await rm(dataDir, { recursive: true });
      await mkdir(dataDir, { mode: 0o700 });
      const third = await start({ reachableRoot, log });
      expect(third.directory).not.toBe(first.directory);
      await third.stop();
    });

    it("does not start an empty database beside one that it can no longer reach", async () => {
      const server = await start({ reachableRoot, log });
      await server.stop();
      await chmod(dataDir, 0o700);
      await expect(start({ reachableRoot, log })).rejects.toThrow(/chmod o\+x/);
    });
  });
}
