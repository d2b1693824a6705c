import { createHash } from "node:crypto";
import { mkdir } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { tryLockFile } from "@sluice/db/file-lock";

/** The identity of this process among those that share Postgres and Redis. */
export interface Instance {
  /** Letters, digits and '-'. The same after a restart, so that it finds its own spool; never in use twice. */
  id: string;
  release(): void;
}

const maxSlots = 64;

/**
 * Takes the first free slot of the data directory. The operating system frees it when the process dies, for whatever reason.
 * @throws when more than 64 processes use one data directory.
 */
export async function takeInstance(dataDir: string, roles: ReadonlySet<string>): Promise<Instance> {
  const folder = join(dataDir, "instances");
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const place = createHash("sha256").update(`${hostname()}\n${dataDir}`).digest("hex").slice(0, 8);
  const kind = roles.has("gateway") ? "gateway" : [...roles].sort().join("-");
  for (let slot = 1; slot <= maxSlots; slot++) {
    const name = `${kind}-${slot}`;
    const lock = tryLockFile(join(folder, `${name}.lock`));
    if (lock) return { id: `${place}-${name}`, release: () => lock.release() };
  }
  throw new Error(`More than ${maxSlots} processes use ${dataDir}: give each machine its own data directory.`);
}
