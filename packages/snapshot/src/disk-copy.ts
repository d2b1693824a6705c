import { createHash } from "node:crypto";
import { readFile, rename, writeFile } from "node:fs/promises";
import type { Log } from "@sluice/core/log";
import type { StoredConfig } from "./stored-config.ts";

const FORMAT = 1;

interface DiskCopyFile {
  format: number;
  savedAtMs: number;
  /** SHA-256 of the configuration's JSON, so that a half-written or edited file is not used. */
  sha256: string;
  config: StoredConfig;
}

export interface DiskCopy {
  config: StoredConfig;
  savedAtMs: number;
}

/**
 * The configuration saved by the last process; null when there is none.
 * @throws Error with the reason when the file is damaged, of another format or of another tenant.
 */
export async function readDiskCopy(path: string, tenantId: string): Promise<DiskCopy | null> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return null;
    throw error;
  }
  const file = JSON.parse(text) as Partial<DiskCopyFile> | null;
  if (file?.format !== FORMAT || !file.config || typeof file.savedAtMs !== "number")
    throw new Error("not a copy in the format of this version");
  if (file.sha256 !== digest(JSON.stringify(file.config))) throw new Error("the checksum does not match");
  if (file.config.tenantId !== tenantId) throw new Error("the copy is of another tenant");
  return { config: file.config, savedAtMs: file.savedAtMs };
}

/** Writes one copy at a time, and skips all waiting ones except the newest. */
export interface CopyWriter {
  write(json: string, savedAtMs: number): void;
  /** Resolves when everything is on disk. */
  settled(): Promise<void>;
}

/** A copy that cannot be written is only logged: the process works without it. */
export function createCopyWriter(path: string, log: Log): CopyWriter {
  let next: { json: string; savedAtMs: number } | null = null;
  let writing: Promise<void> | null = null;
  async function drain(): Promise<void> {
    while (next) {
      const { json, savedAtMs } = next;
      next = null;
      await writeDiskCopy(path, json, savedAtMs).catch((error: unknown) => {
        log.error({ path, reason: String(error) }, "the configuration's copy on disk cannot be written");
      });
    }
    writing = null;
  }
  return {
    write(json, savedAtMs) {
      next = { json, savedAtMs };
      writing ??= drain();
    },
    settled: () => writing ?? Promise.resolve(),
  };
}

/** `json` is the configuration. The file is readable only by its owner and replaced atomically. */
async function writeDiskCopy(path: string, json: string, savedAtMs: number): Promise<void> {
  const temporary = `${path}.${process.pid}.tmp`;
  const head = `{"format":${FORMAT},"savedAtMs":${savedAtMs},"sha256":"${digest(json)}","config":`;
  await writeFile(temporary, `${head}${json}}\n`, { mode: 0o600, flush: true });
  await rename(temporary, path);
}

function digest(json: string): string {
  return createHash("sha256").update(json).digest("hex");
}
