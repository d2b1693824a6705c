import { closeSync, openSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { tryLock } from "fs-native-extensions";

/**
 * Operating system locks on files: they belong to an open file, so a SIGKILL frees them and nothing stale remains. Used where
 * several processes share something that outlives each of them.
 */
export interface FileLock {
  release(): void;
}

export interface FileLockOptions {
  /** Shared holders only exclude an exclusive one. Default false. */
  shared?: boolean;
}

/** Takes the lock; null when a conflicting one is held (even by another open file of this process). Creates the file, mode 600. */
export function tryLockFile(path: string, options: FileLockOptions = {}): FileLock | null {
  const fd = openSync(path, "a+", 0o600);
  let held = false;
  try {
    held = tryLock(fd, { shared: options.shared ?? false });
  } finally {
    if (!held) closeSync(fd);
  }
  if (!held) return null;
  let open = true;
  return {
    release() {
      if (!open) return;
      open = false;
      closeSync(fd);
    },
  };
}

export interface WaitForLockOptions extends FileLockOptions {
  /** Default 120,000 ms: as long as a first start may take. */
  deadlineMs?: number;
}

/** Waits for the lock by polling: a blocking wait would occupy one of libuv's four threads. @throws when the deadline passes. */
export async function lockFile(path: string, options: WaitForLockOptions = {}): Promise<FileLock> {
  const deadline = performance.now() + (options.deadlineMs ?? 120_000);
  for (;;) {
    const lock = tryLockFile(path, options);
    if (lock !== null) return lock;
    if (performance.now() > deadline) {
      throw new Error(`Another process has held ${path} for too long. Stop it, then start again.`);
    }
    await sleep(25);
  }
}

/** Runs `work` while holding the exclusive lock. */
export async function withFileLock<T>(path: string, work: () => Promise<T>): Promise<T> {
  const lock = await lockFile(path);
  try {
    return await work();
  } finally {
    lock.release();
  }
}
