import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { cpus } from "node:os";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { LoadOptions, LoadResult } from "./load.ts";

const root = fileURLToPath(new URL("../../../..", import.meta.url));
const here = (name: string): string => fileURLToPath(new URL(name, import.meta.url));
const run = promisify(execFile);

/**
 * The measured process has the last core to itself: on the first one the kernel handles interrupts and housekeeping, for tens of ms at a
 * time.
 */
type Cores = "measured" | "rest" | "all";

const lastCore = cpus().length - 1;
/** In taskset's notation. */
const listOf: Record<Cores, string> = { measured: String(lastCore), rest: `0-${lastCore - 1}`, all: `0-${lastCore}` };

/** Without taskset or a second core nothing is pinned. */
export async function pinned(cores: Cores, args: string[]): Promise<[string, string[]]> {
  const canPin =
    lastCore > 0 &&
    (await run("taskset", ["--version"]).then(
      () => true,
      () => false,
    ));
  return canPin ? ["taskset", ["-c", listOf[cores], process.execPath, ...args]] : [process.execPath, args];
}

/** Moves a subject with all its threads: to all cores during its warm-up, because the compiler threads need as much time as it does. */
export async function moveTo(cores: Cores, { child }: Pick<Subject, "child">): Promise<void> {
  const [command] = await pinned(cores, []);
  if (command === "taskset") await run("taskset", ["-acp", listOf[cores], String(child.pid)]);
}

/** Keeps this process, and everything it starts unpinned from now on (PostgreSQL, Redis), off the measured core. */
export async function leaveCoreToSubjects(): Promise<void> {
  const [command] = await pinned("rest", []);
  if (command === "taskset") await run("taskset", ["-cp", listOf.rest, String(process.pid)]);
}

/**
 * Lets a process run before others on its cores as soon as it has something to do. The load generator, the upstreams and Redis stand for
 * other machines: behind PostgreSQL, which settles in the background, they would wait for up to 3 ms until its time slice is over, and
 * the subject for them. Without chrt, or the right to use it, they do.
 */
export async function runFirst(pid: number): Promise<void> {
  await run("chrt", ["--all-tasks", "--rr", "--pid", "1", String(pid)]).catch(() => undefined);
}

/** A process of the benchmark. */
export interface Subject {
  child: ChildProcess;
  port: number;
  /** Suspends it, so that it uses no CPU at all until it is thawed. */
  freeze(): void;
  thaw(): void;
  stop(): Promise<void>;
}

/**
 * Starts a script on all cores, waits until its port answers, and then pins it. `readyPath` replaces the TCP check by a path that must
 * return 200.
 */
export async function startSubject(
  cores: Cores,
  args: string[],
  port: number,
  options: { env?: Record<string, string>; readyPath?: string } = {},
): Promise<Subject> {
  const [command, rest] = await pinned("all", args);
  const child = spawn(command, rest, {
    cwd: root,
    stdio: ["ignore", "ignore", "inherit"],
    env: { PATH: process.env.PATH, HOME: process.env.HOME, ...options.env },
  });
  const url = `http://127.0.0.1:${port}${options.readyPath ?? "/"}`;
  const deadline = Date.now() + 60_000;
  for (;;) {
    if (child.exitCode !== null) throw new Error(`${args[0]} ended with code ${child.exitCode}`);
    if (Date.now() > deadline) throw new Error(`${args[0]} did not start`);
    const abort = AbortSignal.timeout(500);
    const state = await fetch(url, { method: options.readyPath ? "GET" : "HEAD", signal: abort }).then(
      (answer) => answer.ok || !options.readyPath,
      // A bare-socket subject never answers a HEAD; that it accepted the connection suffices.
      (error: unknown) => !options.readyPath && error instanceof Error && error.name === "TimeoutError",
    );
    if (state) break;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  await moveTo(cores, { child });
  return {
    child,
    port,
    freeze: () => void child.kill("SIGSTOP"),
    thaw: () => void child.kill("SIGCONT"),
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill("SIGCONT");
      const ended = once(child, "exit");
      child.kill("SIGTERM");
      await ended;
    },
  };
}

export async function startUpstream(ports: readonly number[]): Promise<Subject> {
  const upstream = await startSubject("rest", [here("./raw-upstream.ts"), ...ports.map(String)], ports[0] ?? 0);
  await runFirst(upstream.child.pid ?? 0);
  return upstream;
}

/** For memory measurements: a subject that collects its garbage on request, so that only live memory is read. */
export const collectable = ["--expose-gc", "--import", here("./collect-on-signal.ts")];
/** The same with a minimal young generation, which otherwise grows in steps unrelated to requests. */
export const forMemory = [...collectable, "--max-semi-space-size=1"];
export const startPassThrough = (port: number, upstreams: readonly string[], nodeArgs: readonly string[] = []): Promise<Subject> =>
  startSubject("measured", [...nodeArgs, here("./passthrough.ts"), String(port), ...upstreams], port);
export const startGateway = (port: number, env: Record<string, string>, nodeArgs: readonly string[] = []): Promise<Subject> =>
  startSubject("measured", [...nodeArgs, "apps/server/src/main.ts"], port, {
    env: { ...env, PORT: String(port) },
    readyPath: "/health/ready",
  });

/** The load generator's process, on the same cores as the upstream. */
export interface Load {
  /** One load at a time. */
  run(options: LoadOptions): Promise<LoadResult>;
  stop(): void;
}

/** Starts load.ts as a process. */
export async function startLoad(): Promise<Load> {
  const [command, args] = await pinned("rest", [here("./load.ts")]);
  const child = spawn(command, args, { stdio: ["ignore", "ignore", "inherit", "ipc"] });
  await runFirst(child.pid ?? 0);
  return {
    run(options) {
      return new Promise((resolve, reject) => {
        const onExit = (code: number | null): void => reject(new Error(`the load ended with code ${code}`));
        child.once("exit", onExit);
        child.once("message", (result) => {
          child.off("exit", onExit);
          resolve(result as LoadResult);
        });
        child.send(options);
      });
    },
    stop: () => void child.kill(),
  };
}

/** CPU time of a process so far, in µs (user and system, all threads). */
export async function cpuMicros(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, "utf8");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  // utime and stime are in ticks of 1/100 s on every Linux that Node supports.
  return (Number(fields[11]) + Number(fields[12])) * 10_000;
}

/** Resident bytes of a process. */
export async function residentBytes(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, "utf8");
  return Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1] ?? 0) * 1024;
}
