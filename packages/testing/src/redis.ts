import type { ChildProcess } from "node:child_process";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "@sluice/db/process-facts";
import { findRedisServer } from "@sluice/db/redis-binary";
import { Redis } from "ioredis";
import { until } from "./deadline.ts";

/** A redis-server of one test file: a real child process that ends with this one. */
export interface TestRedis {
  url: string;
  port: number;
  stop(): Promise<void>;
  /** Freezes the process (SIGSTOP): connections stay open and nothing answers. */
  pause(): void;
  resume(): void;
  /** Kills it without warning; with `restart` it comes back empty on the same port. */
  kill(): Promise<void>;
  /** Stops it if it runs and starts it again on the same port, empty. */
  restart(): Promise<void>;
}

/** Starts one on a free port; `args` are added to redis-server's. @throws when neither redis-server nor valkey-server is on PATH. */
export async function startTestRedis(options: { args?: string[] } = {}): Promise<TestRedis> {
  const binary = await findRedisServer();
  if (binary === null) throw new Error("redis-server is needed: apt-get install redis-server (or valkey-server).");
  const dir = await mkdtemp(join(tmpdir(), "sluice-redis-"));
  const port = await freePort();
  const url = `redis://127.0.0.1:${port}`;
  let child = await launch(binary, port, dir, options.args);

  const endChild = () => child.kill("SIGKILL");
  process.once("exit", endChild);
  const kill = async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, "exit");
    child.kill("SIGKILL");
    await ended;
  };
  return {
    url,
    port,
    kill,
    async stop() {
      process.removeListener("exit", endChild);
      await kill();
      await rm(dir, { recursive: true, force: true });
    },
    pause: () => void child.kill("SIGSTOP"),
    resume: () => void child.kill("SIGCONT"),
    async restart() {
      await kill();
      child = await launch(binary, port, dir, options.args);
    },
  };
}

async function launch(binary: string, port: number, dir: string, extra: string[] = []): Promise<ChildProcess> {
  const listen = ["--port", String(port), "--bind", "127.0.0.1"];
  const keep = ["--save", "", "--appendonly", "no", "--maxmemory-policy", "noeviction", "--dir", dir];
  const args = [...listen, ...keep, ...extra];
  const child = spawn(binary, args, { stdio: "ignore" });
  const client = new Redis({ port, host: "127.0.0.1", lazyConnect: true, retryStrategy: null, enableReadyCheck: true });
  client.on("error", () => {});
  try {
    await until(
      async () => {
        if (child.exitCode !== null) throw new Error(`redis-server ended with code ${child.exitCode}`);
        if (client.status !== "ready") await client.connect();
        return (await client.ping()) === "PONG";
      },
      { what: `redis-server answers on port ${port}`, everyMs: 20 },
    );
  } finally {
    client.disconnect();
  }
  return child;
}
