import { randomBytes } from "node:crypto";
import { link, mkdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import type { Log } from "@sluice/core/log";
import type { PostgresBinaries } from "./postgres-binaries.ts";
import { copyPostgresBinaries, findPostgresBinaries } from "./postgres-binaries.ts";
import type { SystemUser } from "./system-user.ts";
import { findOrCreateDatabaseUser, findSystemUser, isReachable, isRoot } from "./system-user.ts";

/** Where the PostgreSQL of a data directory is, with which binaries and as which user it runs. Trivial unless this process is root. */
export interface PostgresPlace {
  directory: string;
  binaries: PostgresBinaries;
  /** null = the user of this process. */
  user: SystemUser | null;
}

export interface PlaceOptions {
  /** Real path. */
  dataDir: string;
  log: Log;
  /** Where data and binaries go when the system user cannot reach them otherwise. */
  reachableRoot: string;
}

const majorVersion = 18;

/** Decides, and records what must not change later. @throws with what to do when the data cannot be reached. */
export async function choosePostgresPlace(options: PlaceOptions): Promise<PostgresPlace> {
  const own = join(options.dataDir, `pg${majorVersion}`);
  const binaries = await findPostgresBinaries();
  if (!isRoot()) {
    await refuseForeignData(own);
    return { directory: own, binaries, user: null };
  }

  // Data created by an ordinary user stays with that user when root starts it later.
  const user = (await ownerOfData(own)) ?? (await findOrCreateDatabaseUser(options.log));
  return {
    directory: await chooseDirectory(own, user, options),
    binaries: await chooseBinaries(binaries, user, options),
    user,
  };
}

async function chooseBinaries(binaries: PostgresBinaries, user: SystemUser, options: PlaceOptions): Promise<PostgresBinaries> {
  if (await isReachable(join(binaries.native, "bin"), user)) return binaries;
  const copy = await copyPostgresBinaries(binaries, options.reachableRoot);
  options.log.warn({}, `The user ${user.name} cannot enter ${binaries.native}; PostgreSQL runs from a copy in ${copy.native}`);
  return copy;
}

async function chooseDirectory(own: string, user: SystemUser, options: PlaceOptions): Promise<string> {
  const elsewhere = await readMarker(own);
  if (elsewhere === null && (await isReachable(options.dataDir, user, "enter"))) return own;
  if (elsewhere === null && (await dataOwner(own)) !== null) {
    throw new Error(`The database is in ${own}, which the user ${user.name} cannot enter. Let it pass: chmod o+x on the folders above.`);
  }
  const directory = elsewhere ?? (await makeMarker(own, options));
  options.log.warn({}, `The user ${user.name} cannot enter ${options.dataDir}; the database is in ${directory}`);
  return directory;
}

/** File that says where the data is when it is not here. It is stored here so that another data directory at this path cannot find it. */
function markerOf(own: string): string {
  return join(own, "elsewhere");
}

async function readMarker(own: string): Promise<string | null> {
  const text = await readFile(markerOf(own), "utf8").catch(() => "");
  return text.trim() || null;
}

/** The name shows people which data directory it belongs to. Linked into place, so that of two processes one wins. */
async function makeMarker(own: string, options: PlaceOptions): Promise<string> {
  const name = basename(options.dataDir).replace(/[^\w-]/g, "") || "data";
  const directory = join(options.reachableRoot, `${name}-${randomBytes(6).toString("hex")}`, basename(own));
  await mkdir(own, { recursive: true, mode: 0o711 });
  const part = `${markerOf(own)}.${process.pid}`;
  await writeFile(part, `${directory}\n`);
  await link(part, markerOf(own)).catch(() => {});
  await rm(part, { force: true });
  return (await readMarker(own)) ?? directory;
}

async function dataOwner(own: string): Promise<number | null> {
  return (await stat(join(own, "data")).catch(() => null))?.uid ?? null;
}

async function ownerOfData(own: string): Promise<SystemUser | null> {
  const facts = await stat(join(own, "data")).catch(() => null);
  if (facts === null || facts.uid === 0) return null;
  return (await findSystemUser(facts.uid)) ?? { name: String(facts.uid), uid: facts.uid, gid: facts.gid };
}

async function refuseForeignData(own: string): Promise<void> {
  const elsewhere = await readMarker(own);
  if (elsewhere !== null) {
    throw new Error(`The database of this data directory is in ${elsewhere} and was made by root. Start as root, or set SLUICE_DATA_DIR.`);
  }
  const owner = await dataOwner(own);
  if (owner === null || owner === process.getuid?.()) return;
  const name = (await findSystemUser(owner))?.name ?? String(owner);
  throw new Error(
    `The database in ${own} belongs to the user ${name}. Start as that user or as root, or set SLUICE_DATA_DIR to a directory of your own.`,
  );
}
