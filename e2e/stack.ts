import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, openSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { admin, upstreamPort } from "./places.ts";

const root = fileURLToPath(new URL("..", import.meta.url));

export interface ServerOptions {
  dataDir: string;
  port: number;
  roles?: string;
  env?: Record<string, string>;
}

/** One server process, started the way people start it. */
export interface ServerProcess {
  url: string;
  child: ChildProcess;
  /** Resolves with the exit code. */
  stop(signal?: NodeJS.Signals): Promise<number | null>;
}

/** Starts `apps/server` and waits until it is ready; its output goes to `<dataDir>/server-<port>.log`. */
export async function startServer(options: ServerOptions): Promise<ServerProcess> {
  mkdirSync(options.dataDir, { recursive: true });
  const output = openSync(join(options.dataDir, `server-${options.port}.log`), "a");
  const child = spawn(process.execPath, ["apps/server/src/main.ts"], {
    cwd: root,
    stdio: ["ignore", output, output],
    env: {
      PATH: process.env.PATH,
      HOME: process.env.HOME,
      PORT: String(options.port),
      SLUICE_DATA_DIR: options.dataDir,
      SLUICE_ROLES: options.roles ?? "gateway,api,worker",
      SLUICE_ADMIN_EMAIL: admin.email,
      SLUICE_ADMIN_PASSWORD: admin.password,
      SLUICE_ALLOW_PRIVATE_UPSTREAMS: `127.0.0.1:${upstreamPort}`,
      ...options.env,
    },
  });
  const url = `http://127.0.0.1:${options.port}`;
  await waitUntilReady(url, child);
  return {
    url,
    child,
    async stop(signal = "SIGTERM") {
      if (child.exitCode !== null || child.signalCode !== null) return child.exitCode;
      const ended = once(child, "exit");
      child.kill(signal);
      await ended;
      return child.exitCode;
    },
  };
}

async function waitUntilReady(url: string, child: ChildProcess): Promise<void> {
  const deadline = Date.now() + 90_000;
  while (Date.now() < deadline) {
    if (child.exitCode !== null) throw new Error(`the server at ${url} ended with code ${child.exitCode}; see its log in the data dir`);
    const answer = await fetch(`${url}/health/ready`).catch(() => null);
    if (answer?.ok) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`the server at ${url} was not ready in time; see its log in the data dir`);
}
