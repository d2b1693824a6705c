import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { chmod, chown, mkdir, readdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { totalmem } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import type { Log } from "@sluice/core/log";
import pg from "pg";
import { readRunFile } from "./attached-service.ts";
import type { PostgresBinaries } from "./postgres-binaries.ts";
import { commandOfProcess, freePort, isProcessAlive, waitForExit } from "./process-facts.ts";
import type { SystemUser } from "./system-user.ts";

/** One PostgreSQL data directory and what is needed to run it. */
export interface Cluster {
  /** Contains data/, password, server.log, run.json and the locks. */
  directory: string;
  binaries: PostgresBinaries;
  /** The user to run as; null = the user of this process. */
  user: SystemUser | null;
  durable: boolean;
  log: Log;
}

export interface RunningPostgres {
  pid: number;
  port: number;
  url: string;
}

const superuser = "sluice";
const database = "sluice";
const run = promisify(execFile);

/** Creates the data directory if there is none. */
export async function initCluster(cluster: Cluster): Promise<void> {
  const data = join(cluster.directory, "data");
  await removeUnfinished(cluster);
  if ((await stat(join(data, "PG_VERSION")).catch(() => null)) !== null) return;
  cluster.log.info({ directory: cluster.directory }, "Making the PostgreSQL data directory (once)");
  // A name of its own: the initdb of a start that was killed may still be writing, and deletes what it has made when it fails.
  const part = `${data}.new-${randomBytes(4).toString("hex")}`;
  const password = randomBytes(24).toString("base64url");
  await writeFile(passwordFile(cluster), password, { mode: 0o600 });
  const passwordForInit = join(cluster.directory, "init-password");
  await rm(passwordForInit, { force: true });
  await writeFile(passwordForInit, password, { mode: 0o600 });
  await mkdir(part, { mode: 0o700 });
  await giveTo(cluster, [part, passwordForInit]);
  try {
    await runBinary(cluster, "initdb", [
      ...["-D", part, "-U", superuser, `--pwfile=${passwordForInit}`, "--auth=scram-sha-256", "-E", "UTF8"],
      // A collation that no update of the system's libraries can change under an index.
      ...["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"],
      ...(cluster.durable ? [] : ["--no-sync"]),
      ...["-c", "unix_socket_directories=", "-c", "dynamic_shared_memory_type=posix"],
    ]);
  } finally {
    await rm(passwordForInit, { force: true });
  }
  await writeFile(join(part, "postgresql.conf"), "\ninclude 'sluice.conf'\n", { flag: "a" });
  await writeFile(join(part, "sluice.conf"), "");
  await giveTo(cluster, [join(part, "sluice.conf")]);
  await rename(part, data);
}

/** Deletes what starts that were killed have left; what is still being written is deleted at a later start. */
async function removeUnfinished({ directory }: Cluster): Promise<void> {
  const names = (await readdir(directory)).filter((name) => name.startsWith("data.new"));
  for (const name of names) await rm(join(directory, name), { recursive: true, force: true }).catch(() => undefined);
}

/** Starts the server as a separate daemon and waits until it accepts connections. */
export async function startCluster(cluster: Cluster): Promise<RunningPostgres> {
  const data = join(cluster.directory, "data");
  const logFile = join(cluster.directory, "server.log");
  let wanted = (await readRunFile(cluster.directory))?.port ?? 0;
  for (let attempt = 1; ; attempt++) {
    const port = await freePort(wanted);
    await writeFile(join(data, "sluice.conf"), settings(cluster, port));
    await rotateLog(cluster, logFile);
    const slow = setTimeout(
      () => cluster.log.info({}, `PostgreSQL is still starting (after a crash it repairs itself first); see ${logFile}`),
      2_000,
    );
    try {
      await runBinary(cluster, "pg_ctl", ["start", "-D", data, "-l", logFile, "-w", "-t", "600", "-s"]);
      const running = await findRunningPostgres(cluster);
      if (running !== null) return running;
    } catch (cause) {
      if (attempt >= 3) throw new Error(`PostgreSQL does not start; see ${logFile}. ${await lastLines(logFile)}`, { cause });
    } finally {
      clearTimeout(slow);
    }
    // Processes of a killed server are still ending, which takes them a moment; or the port was taken in the meantime.
    if (attempt === 2) wanted = 0;
    await sleep(500 * attempt);
  }
}

/** Ends every session and stops the server; waits until it is gone. */
export async function stopCluster(cluster: Cluster, running: RunningPostgres): Promise<void> {
  const data = join(cluster.directory, "data");
  await runBinary(cluster, "pg_ctl", ["stop", "-D", data, "-m", "fast", "-w", "-t", "60", "-s"]).catch(async (cause: unknown) => {
    if (await waitForExit(running.pid, 1_000)) return;
    throw new Error(`PostgreSQL (pid ${running.pid}) does not stop; see ${join(cluster.directory, "server.log")}.`, { cause });
  });
}

/**
 * The server of this directory if it runs; waits while it starts or stops. Removes a pid file whose pid belongs to another program or to
 * no running one: PostgreSQL would take a zombie, which an init that does not collect orphans keeps for ever, for a server. Its second
 * lock, the shared memory that the directory's inode identifies, still keeps it from starting beside backends that have not ended.
 */
export async function findRunningPostgres(cluster: Cluster): Promise<RunningPostgres | null> {
  const data = join(cluster.directory, "data");
  const pidFile = join(data, "postmaster.pid");
  const deadline = performance.now() + 600_000;
  for (let looks = 0; ; looks++) {
    if (looks === 40) cluster.log.info({}, "PostgreSQL runs but does not answer yet: waiting");
    const lines = (await readFile(pidFile, "utf8").catch(() => "")).split("\n");
    const pid = Number(lines[0]);
    if (!Number.isInteger(pid) || pid <= 0) return null;
    if (!(await isProcessAlive(pid))) {
      await rm(pidFile, { force: true });
      return null;
    }
    const command = await commandOfProcess(pid);
    if (!command.includes("postgres") || !command.includes(data)) {
      if (await isProcessAlive(pid)) await rm(pidFile, { force: true });
      return null;
    }
    const port = Number(lines[3]);
    if (Number.isInteger(port) && port > 0) {
      const running = { pid, port, url: await urlFor(cluster, port, database) };
      const answer = await knock(await urlFor(cluster, port, "postgres"), data);
      if (answer === "ours") return running;
      if (answer === "refused") {
        throw new Error(
          `The PostgreSQL on port ${port} does not accept the password in ${passwordFile(cluster)}. Stop it (pid ${pid}), then start again.`,
        );
      }
    }
    if (performance.now() > deadline) throw new Error(`PostgreSQL (pid ${pid}) runs but does not answer. Stop it, then start again.`);
    await sleep(50);
  }
}

/** Whether the server at the URL is this directory's: only it knows the password, and it reports its data directory. */
async function knock(url: string, data: string): Promise<"ours" | "not yet" | "refused"> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 5_000 });
  client.on("error", () => {});
  try {
    await client.connect();
    const { rows } = await client.query<{ data_directory: string }>("SHOW data_directory");
    return rows[0]?.data_directory === data ? "ours" : "refused";
  } catch (error) {
    return error instanceof pg.DatabaseError && (error.code ?? "").startsWith("28") ? "refused" : "not yet";
  } finally {
    await client.end().catch(() => {});
  }
}

/** Creates Sluice's database if there is none. */
export async function ensureDatabase(running: RunningPostgres): Promise<void> {
  const client = new pg.Client({ connectionString: running.url.replace(/\/[^/]*$/, "/postgres") });
  await client.connect();
  try {
    const { rowCount } = await client.query("SELECT 1 FROM pg_database WHERE datname = $1", [database]);
    if (rowCount === 0) await client.query(`CREATE DATABASE ${database}`);
  } finally {
    await client.end();
  }
}

function settings(cluster: Cluster, port: number): string {
  const sharedMb = Math.round(Math.min(1024, Math.max(64, totalmem() / 2 ** 20 / 16)));
  const lines = [
    "# Written at every start; changes here are lost.",
    "listen_addresses = '127.0.0.1'",
    "unix_socket_directories = ''",
    `port = ${port}`,
    `max_connections = ${cluster.durable ? 100 : 300}`,
    `shared_buffers = ${sharedMb}MB`,
    "work_mem = 8MB",
    "maintenance_work_mem = 128MB",
    "max_wal_size = 1GB",
    "jit = off",
    "shared_preload_libraries = 'pg_stat_statements'",
    "password_encryption = 'scram-sha-256'",
    "timezone = 'UTC'",
    "log_timezone = 'UTC'",
    "log_checkpoints = off",
    "idle_in_transaction_session_timeout = 60s",
  ];
  if (!cluster.durable) lines.push("fsync = off", "synchronous_commit = off", "full_page_writes = off", "autovacuum_naptime = 10min");
  // Each test has its own database. With the default size, statements that a test counts would be evicted by those of other tests.
  if (!cluster.durable) lines.push("pg_stat_statements.max = 100000");
  return `${lines.join("\n")}\n`;
}

async function urlFor(cluster: Cluster, port: number, name: string): Promise<string> {
  const password = await readFile(passwordFile(cluster), "utf8").catch((cause: unknown) => {
    throw new Error(`${passwordFile(cluster)} cannot be read: it holds the password of the embedded PostgreSQL.`, { cause });
  });
  return `postgresql://${superuser}:${password.trim()}@127.0.0.1:${port}/${name}`;
}

function passwordFile(cluster: Cluster): string {
  return join(cluster.directory, "password");
}

async function giveTo(cluster: Cluster, paths: string[]): Promise<void> {
  if (cluster.user === null) return;
  for (const path of paths) await chown(path, cluster.user.uid, cluster.user.gid);
}

/** Creates the server's log for its user; beyond 10 MB, the log is rotated and one old file kept. */
async function rotateLog(cluster: Cluster, logFile: string): Promise<void> {
  const size = (await stat(logFile).catch(() => null))?.size ?? 0;
  if (size > 10 * 2 ** 20) await rename(logFile, `${logFile}.1`);
  await writeFile(logFile, "", { flag: "a", mode: 0o600 });
  await chmod(logFile, 0o600);
  await giveTo(cluster, [logFile]);
}

async function lastLines(logFile: string): Promise<string> {
  const text = await readFile(logFile, "utf8").catch(() => "");
  return text.trim().split("\n").slice(-5).join(" | ");
}

async function runBinary(cluster: Cluster, name: "initdb" | "pg_ctl", args: string[]): Promise<void> {
  const { user } = cluster;
  try {
    await run(join(cluster.binaries.native, "bin", name), args, {
      cwd: "/",
      // Nothing of our environment: it may contain secrets, and PG* variables would change the tools' behaviour.
      env: { PATH: "/usr/local/bin:/usr/bin:/bin", LC_ALL: "C", TZ: "UTC" },
      ...(user === null ? {} : { uid: user.uid, gid: user.gid }),
    });
  } catch (error) {
    const said = error instanceof Error && "stderr" in error ? String(error.stderr).trim() : "";
    throw new Error(`${name} failed${user === null ? "" : ` as ${user.name}`}: ${said || String(error)}`, { cause: error });
  }
}
