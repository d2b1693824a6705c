import { randomBytes } from "node:crypto";
import { chmod, constants, copyFile, link, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";

/** Creates the data directory: private to its owner but traversable, because PostgreSQL may run as another user below it. */
export async function makeDataDir(dataDir: string): Promise<void> {
  await mkdir(dataDir, { recursive: true, mode: 0o711 });
}

/**
 * SLUICE_SECRET if given, otherwise the one in `<dataDir>/secret` (mode 600), created on the first start. It is linked into place when
 * complete: concurrent first starts agree, and one that was killed or found the disk full leaves no empty secret.
 */
export async function readOrMakeSecret(dataDir: string, given: string | null): Promise<string> {
  if (given) return given;
  const path = join(dataDir, "secret");
  return (await readSecret(path)) ?? (await makeSecret(path)) ?? (await readSecret(path)) ?? emptySecret(path);
}

/** null when there is no file. */
async function readSecret(path: string): Promise<string | null> {
  const text = await readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "ENOENT") throw error;
    return null;
  });
  if (text === null) return null;
  await chmod(path, 0o600);
  const secret = text.trim();
  return secret.length >= 16 ? secret : emptySecret(path);
}

/** null when another process was faster. */
async function makeSecret(path: string): Promise<string | null> {
  const part = `${path}.${process.pid}-${randomBytes(4).toString("hex")}`;
  try {
    const secret = randomBytes(32).toString("base64url");
    await writeFile(part, `${secret}\n`, { mode: 0o600, flush: true });
    await link(part, path).catch((error: NodeJS.ErrnoException) => {
      if (error.code === "EEXIST") throw error;
      // A file system without hard links.
      return copyFile(part, path, constants.COPYFILE_EXCL);
    });
    return secret;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    return null;
  } finally {
    await rm(part, { force: true });
  }
}

function emptySecret(path: string): never {
  throw new Error(
    `${path} is empty. Restore it from a backup: provider secrets are encrypted with it. Remove it only on a new installation.`,
  );
}
