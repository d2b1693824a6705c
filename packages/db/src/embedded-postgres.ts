import { createHash } from "node:crypto";
import { mkdir, realpath, stat } from "node:fs/promises";
import { basename, join } from "node:path";
import type { Log } from "@sluice/core/log";
import { attachService } from "./attached-service.ts";
import type { PostgresBinaries } from "./postgres-binaries.ts";
import { copyPostgresBinaries, findPostgresBinaries } from "./postgres-binaries.ts";
import type { Cluster } from "./postgres-cluster.ts";
import { findRunningPostgres, initCluster, startCluster, stopCluster } from "./postgres-cluster.ts";
import type { SystemUser } from "./system-user.ts";
import { findOrCreateDatabaseUser, findSystemUser, isReachable, isRoot } from "./system-user.ts";

/**
 * PostgreSQL with nothing installed: a real server from npm that belongs to the data directory (`<dataDir>/pg18`) and
 * outlives the process that started it. Listens on 127.0.0.1 only, with a random password in a file of mode 600.
 */
export interface EmbeddedPostgres {
  /** Of the database `sluice`, with the password: never log it. */
  url: string;
  pid: number;
  port: number;
  /** Where the data really is; differs from the data directory when the system user could not reach that. */
  directory: string;
  /** Whether the server ran already. */
  attached: boolean;
  /** Lets go of the server; the last process to do so stops it. Idempotent. */
  stop(): Promise<void>;
}

export interface EmbeddedPostgresOptions {
  dataDir: string;
  log: Log;
  /** False only for tests: no fsync, so a crash of the machine may lose everything. Default true. */
  durable?: boolean;
  /** Where data and binaries go when root's checkout cannot be entered by the system user. */
  reachableRoot?: string;
}

const majorVersion = 18;

/** Starts the data directory's PostgreSQL or attaches to it. @throws errors that say what to do. */
export async function startEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  await mkdir(options.dataDir, { recursive: true, mode: 0o711 });
  const dataDir = await realpath(options.dataDir);
  const place = await choosePlace(dataDir, options);
  const cluster: Cluster = {
    ...place,
    durable: options.durable ?? true,
    log: options.log,
  };
  const attached = await attachService(cluster.directory, {
    find: () => findRunningPostgres(cluster),
    async start() {
      await initCluster(cluster);
      return startCluster(cluster);
    },
    stop: (running) => stopCluster(cluster, running),
  });
  const { pid, port, url } = attached.running;
  options.log.info({ pid, port }, `PostgreSQL ${attached.found ? "found running" : "started"} on 127.0.0.1:${port}`);
  return { url, pid, port, directory: cluster.directory, attached: attached.found, stop: attached.leave };
}

interface Place {
  directory: string;
  binaries: PostgresBinaries;
  user: SystemUser | null;
}

/** Which directory, which binaries and which user: trivial unless this process is root. */
async function choosePlace(dataDir: string, options: EmbeddedPostgresOptions): Promise<Place> {
  const directory = join(dataDir, `pg${majorVersion}`);
  const binaries = await findPostgresBinaries();
  if (!isRoot()) {
    await refuseForeignData(directory);
    return { directory, binaries, user: null };
  }

  const user = (await ownerOfData(directory)) ?? (await findOrCreateDatabaseUser(options.log));
  const root = options.reachableRoot ?? "/var/lib/sluice";
  const place: Place = { directory, binaries, user };
  if (!(await isReachable(join(binaries.native, "bin"), user))) {
    place.binaries = await copyPostgresBinaries(binaries, root);
    options.log.warn({ copy: place.binaries.native }, `The user ${user.name} cannot enter ${binaries.native}; PostgreSQL runs from a copy`);
  }
  if (!(await isReachable(dataDir, user, "enter"))) {
    const name = `${basename(dataDir).replace(/[^\w-]/g, "") || "data"}-${createHash("sha256").update(dataDir).digest("hex").slice(0, 12)}`;
    place.directory = join(root, name, `pg${majorVersion}`);
    options.log.warn({ directory: place.directory }, `The user ${user.name} cannot enter ${dataDir}; the database is elsewhere`);
  }
  return place;
}

/** Data made by an ordinary user stays with that user when root starts it later. */
async function ownerOfData(directory: string): Promise<SystemUser | null> {
  const facts = await stat(join(directory, "data")).catch(() => null);
  return facts === null || facts.uid === 0
    ? null
    : ((await findSystemUser(facts.uid)) ?? { name: String(facts.uid), uid: facts.uid, gid: facts.gid });
}

async function refuseForeignData(directory: string): Promise<void> {
  const facts = await stat(join(directory, "data")).catch(() => null);
  if (facts === null || facts.uid === process.getuid?.()) return;
  const owner = (await findSystemUser(facts.uid))?.name ?? String(facts.uid);
  throw new Error(
    `The database in ${directory} belongs to the user ${owner}. Start as that user or as root, or set SLUICE_DATA_DIR to a directory of your own.`,
  );
}
