import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Log } from "@sluice/core/log";
import { tryLockFile, withFileLock } from "./file-lock.ts";
import { isProcessAlive } from "./process-facts.ts";

/**
 * A server (Postgres, Redis) that belongs to a data directory rather than to a process: each process attaches to the running
 * server, the last one to stop gracefully stops it, and a kill -9 leaves it running for the next start. Each attached process
 * holds a shared lock on `attached.lock`; `start.lock` keeps two of them from starting or stopping at once.
 */
export interface ServiceControl<R extends RunningService> {
  /** The server if it is running and really belongs to this directory, else null; cleans up after a crash. */
  find(): Promise<R | null>;
  start(): Promise<R>;
  stop(running: R): Promise<void>;
}

export interface RunningService {
  pid: number;
  port: number;
}

/** For a process that outlives its start: the server is started again when it dies, on the same port if that is still free. */
export interface KeepRunning {
  /** For people, like "PostgreSQL". */
  name: string;
  log: Log;
}

export interface Attached<R> {
  running: R;
  /** Whether it was already running. */
  found: boolean;
  /** Detaches, and stops the server when nobody else is attached. Idempotent. */
  leave(): Promise<void>;
}

/** Finds or starts the server of `dir` and attaches to it. @throws what `find` and `start` throw. */
export async function attachService<R extends RunningService>(
  dir: string,
  control: ServiceControl<R>,
  keep?: KeepRunning,
): Promise<Attached<R>> {
  await mkdir(dir, { recursive: true, mode: 0o711 });
  const startLock = join(dir, "start.lock");
  const attachedLock = join(dir, "attached.lock");

  const findOrStart = async (): Promise<{ running: R; found: boolean }> => {
    const found = await control.find();
    const running = found ?? (await control.start());
    await writeRunFile(dir, { pid: running.pid, port: running.port });
    return { running, found: found !== null };
  };
  return withFileLock(startLock, async () => {
    const { running, found } = await findOrStart();
    const attachment = tryLockFile(attachedLock, { shared: true });
    if (attachment === null) throw new Error(`${attachedLock} is locked by another program.`);

    const leaving = new AbortController();
    // Several processes may notice at once: the first one starts it, the others find it.
    const revive = () => withFileLock(startLock, async () => (leaving.signal.aborted ? running : (await findOrStart()).running));
    const kept = keep && keepRunning(running, revive, { ...keep, signal: leaving.signal });

    let left: Promise<void> | undefined;
    const leave = async () => {
      leaving.abort();
      await withFileLock(startLock, async () => {
        attachment.release();
        const last = tryLockFile(attachedLock);
        if (last === null) return;
        try {
          // Looked up again, because somebody else may have restarted it since.
          const current = await control.find();
          if (current !== null) await control.stop(current);
          await writeRunFile(dir, { pid: null, port: running.port });
        } finally {
          last.release();
        }
      });
      // Afterwards nothing of this process touches the directory.
      await kept;
    };
    return {
      running,
      found,
      leave() {
        left ??= leave();
        return left;
      },
    };
  });
}

const LOOK_MS = 1_000;
/** After a failed start, before the next one. */
const MOST_WAIT_MS = 60_000;

async function keepRunning<R extends RunningService>(
  first: R,
  revive: () => Promise<R>,
  { name, log, signal }: KeepRunning & { signal: AbortSignal },
): Promise<void> {
  let { pid } = first;
  let waitMs = LOOK_MS;
  for (;;) {
    await sleep(waitMs, undefined, { signal, ref: false }).catch(() => undefined);
    if (signal.aborted) return;
    if ((await isProcessAlive(pid)) || signal.aborted) continue;
    log.error({ pid }, `${name} has ended; starting it again`);
    try {
      const running = await revive();
      pid = running.pid;
      waitMs = LOOK_MS;
      if (running.port === first.port) log.info({ pid }, `${name} runs again`);
      else log.error({ pid, port: running.port }, `${name} runs again, but its port ${first.port} was taken: restart Sluice`);
    } catch (error) {
      waitMs = Math.min(waitMs * 2, MOST_WAIT_MS);
      log.error({ detail: String(error) }, `${name} could not be started again`);
    }
  }
}

/** `run.json`: where the server listens; `pid` is null after it was stopped gracefully. */
export interface RunFile {
  pid: number | null;
  port: number;
}

/** The content of run.json; null when it is missing or damaged by a crash. Only a hint, which the caller verifies. */
export async function readRunFile(dir: string): Promise<RunFile | null> {
  try {
    const value: unknown = JSON.parse(await readFile(join(dir, "run.json"), "utf8"));
    if (typeof value !== "object" || value === null || !("port" in value) || !("pid" in value)) return null;
    if (typeof value.port !== "number") return null;
    return { port: value.port, pid: typeof value.pid === "number" ? value.pid : null };
  } catch {
    return null;
  }
}

async function writeRunFile(dir: string, content: RunFile): Promise<void> {
  const path = join(dir, "run.json");
  await writeFile(`${path}.new`, `${JSON.stringify(content)}\n`, { mode: 0o600 });
  await rename(`${path}.new`, path);
}
