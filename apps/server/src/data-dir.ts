import { randomBytes } from "node:crypto";
import { chmod, mkdir, open, readFile } from "node:fs/promises";
import { join } from "node:path";

/** Creates the data directory: private to its owner but traversable, because PostgreSQL may run as another user below it. */
export async function makeDataDir(dataDir: string): Promise<void> {
  await mkdir(dataDir, { recursive: true, mode: 0o711 });
}

/**
 * SLUICE_SECRET if given, otherwise the one in `<dataDir>/secret` (mode 600), created on the first start. Concurrent first starts agree,
 * because only one of them can create the file.
 */
export async function readOrMakeSecret(dataDir: string, given: string | null): Promise<string> {
  if (given) return given;
  const path = join(dataDir, "secret");
  try {
    const file = await open(path, "wx", 0o600);
    const secret = randomBytes(32).toString("base64url");
    await file.writeFile(`${secret}\n`);
    await file.sync();
    await file.close();
    return secret;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  }
  await chmod(path, 0o600);
  return readUntilWritten(path);
}

async function readUntilWritten(path: string): Promise<string> {
  for (let attempt = 0; attempt < 50; attempt++) {
    const secret = (await readFile(path, "utf8")).trim();
    if (secret.length >= 16) return secret;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error(
    `${path} is empty. Restore it from a backup: provider secrets are encrypted with it. Remove it only on a new installation.`,
  );
}
