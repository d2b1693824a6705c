import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdir, readFile, realpath, rename, rm, stat, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Log } from "@sluice/core/log";
import { Redis } from "ioredis";
import { attachService, type ServiceControl } from "./attached-service.ts";
import { searchPath } from "./env.ts";
import { commandOfProcess, freePort, isProcessAlive, waitForExit } from "./process-facts.ts";
import { readInfo } from "./redis.ts";
import { findRedisServer } from "./redis-binary.ts";

/** A redis-server that belongs to the data directory (`<dataDir>/redis`), like the embedded PostgreSQL. */
export interface PrivateRedis {
  /** Includes the password: never log it. */
  url: string;
  pid: number;
  port: number;
  /** Whether the server was already running. */
  attached: boolean;
  /** Detaches from the server; the last process to do so stops it. Idempotent. */
  stop(): Promise<void>;
}

export interface PrivateRedisOptions {
  dataDir: string;
  log: Log;
  /** Starts it again when it ends while this process is attached. */
  keepRunning?: boolean;
  /** Where to look for redis-server or valkey-server; default: PATH. */
  path?: string;
}

interface Running {
  pid: number;
  port: number;
  url: string;
}

interface Place {
  directory: string;
  binary: string;
}

/** Starts or finds the data directory's Redis; null when this machine has neither redis-server nor valkey-server. */
export async function startPrivateRedis(options: PrivateRedisOptions): Promise<PrivateRedis | null> {
  const binary = await findRedisServer(options.path ?? searchPath());
  if (binary === null) return null;
  const directory = await makeDirectory(options.dataDir);
  const place: Place = { directory, binary };
  const control: ServiceControl<Running> = {
    find: () => findRunning(place),
    start: () => start(place),
    stop: (running) => stop(running),
  };
  const attached = await attachService(directory, control, options.keepRunning ? { name: "Redis", log: options.log } : undefined);
  const { pid, port, url } = attached.running;
  options.log.info({ pid, port }, `${basename(binary)} ${attached.found ? "found running" : "started"} on 127.0.0.1:${port}`);
  return { url, pid, port, attached: attached.found, stop: attached.leave };
}

async function makeDirectory(dataDir: string): Promise<string> {
  await mkdir(dataDir, { recursive: true, mode: 0o711 });
  const directory = join(await realpath(dataDir), "redis");
  // Redis creates world-readable files, so the directory must not be accessible.
  await mkdir(directory, { recursive: true, mode: 0o700 });
  return directory;
}

/** Port and password come from the configuration files; Redis itself tells whether it belongs to this directory. */
async function findRunning(place: Place): Promise<Running | null> {
  const port = await rememberedPort(place);
  if (port === null) return null;
  const url = urlFor(await readPassword(place), port);
  const deadline = performance.now() + 600_000;
  for (;;) {
    const answer = await knock(url, place.directory);
    if (typeof answer === "number") return { pid: answer, port, url };
    if (answer === "other") return null;
    const pid = Number(await readFile(join(place.directory, "redis.pid"), "utf8").catch(() => ""));
    const isStarting = pid > 0 && (await isProcessAlive(pid)) && /(redis|valkey)-server/.test(await commandOfProcess(pid));
    if (!isStarting) return null;
    if (performance.now() > deadline) throw new Error(`Redis (pid ${pid}) runs but does not answer. Stop it, then start again.`);
    await sleep(50);
  }
}

async function start(place: Place): Promise<Running> {
  const { directory, binary } = place;
  const logFile = join(directory, "server.log");
  const password = (await readPassword(place)) || (await makePassword(place));
  let wanted = (await rememberedPort(place)) ?? 0;
  for (let attempt = 1; ; attempt++) {
    const port = await freePort(wanted);
    await writePrivately(join(directory, "redis.conf"), configuration(directory, port, password));
    await rm(join(directory, "redis.pid"), { force: true });
    if (((await stat(logFile).catch(() => null))?.size ?? 0) > 10 * 2 ** 20) await rename(logFile, `${logFile}.1`);
    const child = spawn(binary, [join(directory, "redis.conf")], {
      cwd: directory,
      detached: true,
      stdio: "ignore",
      env: { PATH: searchPath() },
    });
    const ended = new Promise<"ended">((resolve) => {
      child.once("error", () => resolve("ended"));
      child.once("exit", () => resolve("ended"));
    });
    child.unref();
    const url = urlFor(password, port);
    for (;;) {
      const answer = await knock(url, directory);
      if (typeof answer === "number") return { pid: answer, port, url };
      if ((await Promise.race([ended, sleep(20, "waiting" as const)])) === "ended") break;
    }
    if (attempt >= 3) {
      const said = (await readFile(logFile, "utf8").catch(() => "")).trim().split("\n").slice(-3).join(" | ");
      throw new Error(`${basename(binary)} does not start; see ${logFile}. ${said}`);
    }
    // The port was taken in the meantime.
    wanted = 0;
  }
}

async function stop(running: Running): Promise<void> {
  await withClient(running.url, async (client) => {
    // There is no reply: the connection just ends. Everything is in the append-only file.
    await client.shutdown("NOSAVE").catch(() => {});
  });
  if (!(await waitForExit(running.pid, 30_000))) throw new Error(`Redis (pid ${running.pid}) does not stop.`);
}

/** The process id if the server at the URL belongs to this directory, else the reason why not. */
async function knock(url: string, directory: string): Promise<number | "other" | "not yet"> {
  let said = "";
  const note = (error: Error) => {
    said += error.message;
  };
  return withClient(
    url,
    async (client) => {
      try {
        await client.connect();
        const [, dir] = (await client.config("GET", "dir")) as string[];
        return dir === directory ? Number(readInfo(await client.info("server")).get("process_id")) : "other";
      } catch {
        // The rejection only says that the connection was closed; the preceding event says why.
        return /WRONGPASS|NOAUTH|invalid password|without any password/.test(said) ? "other" : "not yet";
      }
    },
    note,
  );
}

async function withClient<T>(url: string, work: (client: Redis) => Promise<T>, onError: (error: Error) => void = () => {}): Promise<T> {
  const client = new Redis(url, { lazyConnect: true, retryStrategy: null, connectTimeout: 2_000, commandTimeout: 5_000 });
  client.on("error", onError);
  try {
    return await work(client);
  } finally {
    client.disconnect();
  }
}

function configuration(directory: string, port: number, password: string): string {
  return `# Written at every start; changes here are lost.
port ${port}
bind 127.0.0.1
protected-mode yes
requirepass ${password}
dir ${JSON.stringify(directory)}
pidfile ${JSON.stringify(join(directory, "redis.pid"))}
logfile ${JSON.stringify(join(directory, "server.log"))}
daemonize no
appendonly yes
appendfsync everysec
save ""
maxmemory-policy noeviction
`;
}

async function rememberedPort(place: Place): Promise<number | null> {
  const text = await readFile(join(place.directory, "redis.conf"), "utf8").catch(() => "");
  const port = Number(/^port (\d+)$/m.exec(text)?.[1]);
  return Number.isInteger(port) ? port : null;
}

function urlFor(password: string, port: number): string {
  return `redis://:${password}@127.0.0.1:${port}`;
}

async function readPassword(place: Place): Promise<string> {
  return (await readFile(join(place.directory, "password"), "utf8").catch(() => "")).trim();
}

async function makePassword(place: Place): Promise<string> {
  const password = randomBytes(24).toString("base64url");
  await writePrivately(join(place.directory, "password"), password);
  return password;
}

/** The mode is set before any content is written. */
async function writePrivately(path: string, content: string): Promise<void> {
  await writeFile(`${path}.new`, content, { mode: 0o600 });
  await rename(`${path}.new`, path);
}
