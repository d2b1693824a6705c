import { mkdir, realpath } from "node:fs/promises";
import type { Log } from "@sluice/core/log";
import { attachService, type ServiceControl } from "./attached-service.ts";
import type { Cluster, RunningPostgres } from "./postgres-cluster.ts";
import { ensureDatabase, findRunningPostgres, initCluster, startCluster, stopCluster } from "./postgres-cluster.ts";
import { choosePostgresPlace } from "./postgres-place.ts";

/**
 * PostgreSQL without an installation: a real server from npm that belongs to the data directory (`<dataDir>/pg18`) and outlives
 * the process that started it. It listens on 127.0.0.1 only, with a random password in a file of mode 600.
 */
export interface EmbeddedPostgres {
  /** URL of the database `sluice`, including the password: never log it. */
  url: string;
  pid: number;
  port: number;
  /** Where the data actually is; outside the data directory when the system user cannot reach that. */
  directory: string;
  /** Whether the server was already running. */
  attached: boolean;
  /** Detaches from the server; the last process to do so stops it. Idempotent. */
  stop(): Promise<void>;
}

export interface EmbeddedPostgresOptions {
  dataDir: string;
  log: Log;
  /** False only in tests: no fsync, so a machine crash may lose everything. Default true. */
  durable?: boolean;
  /** Starts it again when it ends while this process is attached. */
  keepRunning?: boolean;
  /** Where data and binaries go when the system user cannot enter root's checkout. */
  reachableRoot?: string;
}

/** Starts the data directory's PostgreSQL or attaches to it. @throws errors that say what to do. */
export async function startEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const { log, reachableRoot = "/var/lib/sluice" } = options;
  await mkdir(options.dataDir, { recursive: true, mode: 0o711 });
  const place = await choosePostgresPlace({ dataDir: await realpath(options.dataDir), log, reachableRoot });
  const cluster: Cluster = { ...place, durable: options.durable ?? true, log };
  const control: ServiceControl<RunningPostgres> = {
    async find() {
      const running = await findRunningPostgres(cluster);
      // Whoever started it may have been killed before it had the database.
      if (running !== null) await ensureDatabase(running);
      return running;
    },
    async start() {
      await initCluster(cluster);
      const running = await startCluster(cluster);
      await ensureDatabase(running);
      return running;
    },
    stop: (running) => stopCluster(cluster, running),
  };
  const attached = await attachService(cluster.directory, control, options.keepRunning ? { name: "PostgreSQL", log } : undefined);
  const { pid, port, url } = attached.running;
  log.info({ pid, port }, `PostgreSQL ${attached.found ? "found running" : "started"} on 127.0.0.1:${port}`);
  return { url, pid, port, directory: cluster.directory, attached: attached.found, stop: attached.leave };
}
