import { mkdir, realpath } from "node:fs/promises";
import type { Log } from "@sluice/core/log";
import { attachService } from "./attached-service.ts";
import type { Cluster } from "./postgres-cluster.ts";
import { findRunningPostgres, initCluster, startCluster, stopCluster } from "./postgres-cluster.ts";
import { choosePostgresPlace } from "./postgres-place.ts";

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

/** Starts the data directory's PostgreSQL or attaches to it. @throws errors that say what to do. */
export async function startEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const { log, reachableRoot = "/var/lib/sluice" } = options;
  await mkdir(options.dataDir, { recursive: true, mode: 0o711 });
  const place = await choosePostgresPlace({ dataDir: await realpath(options.dataDir), log, reachableRoot });
  const cluster: Cluster = { ...place, durable: options.durable ?? true, log };
  const attached = await attachService(cluster.directory, {
    find: () => findRunningPostgres(cluster),
    async start() {
      await initCluster(cluster);
      return startCluster(cluster);
    },
    stop: (running) => stopCluster(cluster, running),
  });
  const { pid, port, url } = attached.running;
  log.info({ pid, port }, `PostgreSQL ${attached.found ? "found running" : "started"} on 127.0.0.1:${port}`);
  return { url, pid, port, directory: cluster.directory, attached: attached.found, stop: attached.leave };
}
