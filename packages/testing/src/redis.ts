import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "@sluice/db/process-facts";
import { readInfo } from "@sluice/db/redis";
import { findRedisServer } from "@sluice/db/redis-binary";
import { Redis } from "ioredis";
import { until } from "./deadline.ts";

/** A redis-server for one test file: a real process that ends with this one, however this one ends. */
export interface TestRedis {
  url: string;
  port: number;
  /** Process id; changes with a restart. */
  readonly pid: number;
  stop(): Promise<void>;
  /** Suspends the process (SIGSTOP): connections stay open and nothing answers. */
  pause(): void;
  resume(): void;
  /** Kills it without warning; `restart` brings it back empty on the same port. */
  kill(): Promise<void>;
  /** Stops it if it is running and starts it again on the same port, empty. */
  restart(): Promise<void>;
}

interface Launched {
  pid: number;
  /** SIGKILL, even while suspended. Idempotent. */
  end(): Promise<void>;
}

/** Starts a server on a free port, with additional `args`. @throws when neither redis-server nor valkey-server is on PATH. */
export async function startTestRedis(options: { args?: string[] } = {}): Promise<TestRedis> {
  const binary = await findRedisServer();
  if (binary === null) throw new Error("redis-server is needed: apt-get install redis-server (or valkey-server).");
  const dir = await mkdtemp(join(tmpdir(), "sluice-redis-"));
  const port = await freePort();
  const listen = ["--port", String(port), "--bind", "127.0.0.1"];
  const keep = ["--save", "", "--appendonly", "no", "--maxmemory-policy", "noeviction", "--dir", dir];
  const args = [...listen, ...keep, ...(options.args ?? [])];
  let server = await launch(binary, args, port);
  return {
    url: `redis://127.0.0.1:${port}`,
    port,
    get pid() {
      return server.pid;
    },
    kill: () => server.end(),
    async stop() {
      await server.end();
      await rm(dir, { recursive: true, force: true });
    },
    pause: () => void process.kill(server.pid, "SIGSTOP"),
    resume: () => void process.kill(server.pid, "SIGCONT"),
    async restart() {
      await server.end();
      server = await launch(binary, args, port);
    },
  };
}

/**
 * Runs the server under a shell that waits for the end of its input. That also ends when this process is killed, and the shell then kills
 * the server.
 */
async function launch(binary: string, args: string[], port: number): Promise<Launched> {
  const script = '"$0" "$@" <&- & read _; kill -9 $! 2>/dev/null; wait $!';
  const shell = spawn("/bin/sh", ["-c", script, binary, ...args], { stdio: ["pipe", "ignore", "ignore"] });
  shell.stdin.on("error", () => {});
  const exited = once(shell, "exit");
  const end = async () => {
    shell.stdin.end();
    await exited;
  };
  try {
    return { pid: await awaitServer(port), end };
  } catch (error) {
    await end();
    throw error;
  }
}

/** The server's process id, once it answers. */
async function awaitServer(port: number): Promise<number> {
  const client = new Redis({ port, host: "127.0.0.1", lazyConnect: true, retryStrategy: null });
  client.on("error", () => {});
  try {
    return await until(
      async () => {
        if (client.status !== "ready") await client.connect();
        return Number(readInfo(await client.info("server")).get("process_id"));
      },
      { what: `redis-server answers on port ${port}`, everyMs: 20 },
    );
  } finally {
    client.disconnect();
  }
}
