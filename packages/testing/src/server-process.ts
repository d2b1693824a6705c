import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, closeSync, mkdirSync, mkdtempSync, openSync, readFileSync, statSync } from "node:fs";
import type { Socket } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { checkoutDir, testServicesDir } from "./checkout.ts";
import { until } from "./deadline.ts";

/**
 * `apps/server` as a child process, started the way people start it, for tests of outages, kills and restarts. Whatever happens to the
 * process that starts servers here, nothing stays behind: a server stops when its parent is gone, and a keeper ends the PostgreSQL and
 * Redis of its data directory, which outlive servers by design.
 */
export interface ServerOptions {
  /** Absolute, or relative to the checkout. */
  dataDir: string;
  port: number;
  /** `SLUICE_ROLES`; default all. */
  roles?: string;
  /** Overrides what is set here. Of the parent's environment only PATH and HOME are passed on. */
  env?: Record<string, string>;
}

export interface Exit {
  code: number | null;
  signal: NodeJS.Signals | null;
}

/** One server process. */
export interface ServerProcess {
  url: string;
  child: ChildProcess;
  pid: number;
  /** The output of this process so far, stdout and stderr together; also in `<dataDir>/server-<port>.log`. */
  output(): string;
  /** The structured log lines in it. */
  logLines(): Record<string, unknown>[];
  exited: Promise<Exit>;
  /** Sends a signal and resolves with the exit code; null when a signal ended it. */
  stop(signal?: NodeJS.Signals): Promise<number | null>;
}

/** The administrator of servers started here. */
export const serverAdmin = { email: "admin@example.com", password: "an-admin-password" };

/** Starts a server without waiting for it. */
export function launchServer(options: ServerOptions): ServerProcess {
  const dataDir = resolve(checkoutDir, options.dataDir);
  mkdirSync(dataDir, { recursive: true, mode: 0o711 });
  keep(dataDir);
  const logPath = join(dataDir, `server-${options.port}.log`);
  const log = openSync(logPath, "a");
  const from = statSync(logPath).size;
  const child = spawn(process.execPath, ["apps/server/src/main.ts"], {
    cwd: checkoutDir,
    // The channel closes when this process ends, and the server then stops.
    stdio: ["ignore", log, log, "ipc"],
    env: {
      PATH: process.env.PATH,
      HOME: process.env.HOME,
      // Tests start hundreds of servers: those that exit normally leave their compile cache to the next.
      NODE_COMPILE_CACHE: join(testServicesDir, "compile-cache"),
      PORT: String(options.port),
      SLUICE_DATA_DIR: dataDir,
      SLUICE_ROLES: options.roles ?? "gateway,api,worker",
      SLUICE_ADMIN_EMAIL: serverAdmin.email,
      SLUICE_ADMIN_PASSWORD: serverAdmin.password,
      ...options.env,
    },
  });
  closeSync(log);
  child.channel?.unref();
  const exited = new Promise<Exit>((done) => child.once("exit", (code, signal) => done({ code, signal })));
  const output = () => readFileSync(logPath).subarray(from).toString("utf8");
  return {
    url: `http://127.0.0.1:${options.port}`,
    child,
    pid: child.pid ?? -1,
    output,
    logLines: () => output().split("\n").flatMap(parseLine),
    exited,
    async stop(signal = "SIGTERM") {
      if (child.exitCode === null && child.signalCode === null) child.kill(signal);
      return (await exited).code;
    },
  };
}

/** Starts a server and waits until it is ready. @throws with the end of its output when it fails to start. */
export async function startServer(options: ServerOptions): Promise<ServerProcess> {
  const server = launchServer(options);
  let ended: Exit | null = null;
  void server.exited.then((exit) => {
    ended = exit;
  });
  const ready = async () => ended !== null || (await fetch(`${server.url}/health/ready`)).ok;
  await until(ready, { what: `the server at ${server.url} is ready`, deadlineMs: 180_000, everyMs: 50 }).catch(async (error: unknown) => {
    await server.stop("SIGKILL");
    throw new Error(`${String(error)} Its output ends with:\n${server.output().slice(-2_000)}`);
  });
  if (ended !== null) throw new Error(`The server at ${server.url} ended: ${JSON.stringify(ended)}\n${server.output().slice(-2_000)}`);
  return server;
}

function parseLine(line: string): Record<string, unknown>[] {
  if (!line.startsWith("{")) return [];
  try {
    return [JSON.parse(line) as Record<string, unknown>];
  } catch {
    return [];
  }
}

/** A data directory of one test. */
export interface TestDataDir {
  path: string;
  /** Ends the PostgreSQL and Redis that still belong to it, then removes it. */
  remove(): Promise<void>;
}

/** An empty temporary data directory that another system user, who runs PostgreSQL, can enter. */
export function makeDataDir(): TestDataDir {
  const path = mkdtempSync(join(tmpdir(), "sluice-server-"));
  chmodSync(path, 0o711);
  const keeper = keep(path);
  return {
    path,
    async remove() {
      const gone = once(keeper, "exit");
      keeper.ref();
      keeper.stdin?.end("remove\n");
      await gone;
    },
  };
}

const keepers = new Map<string, ChildProcess>();

/**
 * Waits for a line of input or for the end of this process. A server that was killed, or is still starting, leaves its services running:
 * they are found by their pid files (a pid may be reused, so the command is checked too), repeatedly for some seconds, because a server
 * may just be starting them.
 */
const keeperScript = `
trap '' INT TERM HUP
end_services() {
  pg="$0/pg18"
  [ -f "$pg/elsewhere" ] && pg=$(head -n 1 "$pg/elsewhere")
  for file in "$pg/data/postmaster.pid" "$0/redis/redis.pid"; do
    pid=$(head -n 1 "$file" 2>/dev/null)
    [ -n "$pid" ] || continue
    case "$(tr '\\0' ' ' <"/proc/$pid/cmdline" 2>/dev/null || ps -o command= -p "$pid")" in
      *postgres*) kill -QUIT "$pid" 2>/dev/null ;;
      *redis-server*|*valkey-server*) kill -KILL "$pid" 2>/dev/null ;;
    esac
  done
}
word=
read word
rounds=5
[ "$word" = remove ] && rounds=1
while [ $rounds -gt 0 ]; do
  end_services
  rounds=$((rounds - 1))
  [ $rounds -gt 0 ] && sleep 1
done
case "$0" in */sluice-server-*) rm -rf "$0" "$(head -n 1 "$0/pg18/elsewhere" 2>/dev/null)" ;; esac
`;

/** One per data directory, in its own process group, so that it survives whatever ends this process. */
function keep(dataDir: string): ChildProcess {
  const known = keepers.get(dataDir);
  if (known) return known;
  const keeper = spawn("/bin/sh", ["-c", keeperScript, dataDir], { stdio: ["pipe", "ignore", "ignore"], detached: true });
  keeper.stdin.on("error", () => {});
  keeper.once("exit", () => keepers.delete(dataDir));
  keeper.unref();
  (keeper.stdin as Socket).unref();
  keepers.set(dataDir, keeper);
  return keeper;
}
