import { join } from "node:path";
import type { Api } from "@sluice/api/create-api";
import { systemClock } from "@sluice/core/clock";
import type { Log } from "@sluice/core/log";
import type { Egress } from "@sluice/egress/contract";
import { createGateway, type Gateway } from "@sluice/gateway/gateway";
import { type FailpointHook, failpointFrom } from "@sluice/ledger/failpoints";
import { createLedger } from "@sluice/ledger/ledger";
import type { Ledger } from "@sluice/ledger/records";
import type { Services } from "@sluice/services/context";
import type { Worker } from "@sluice/worker/jobs";
import type { Env } from "./env.ts";
import type { Instance } from "./instance.ts";
import type { Metrics } from "./metrics.ts";
import type { Rooms } from "./rooms.ts";
import type { Storage } from "./storage.ts";
import type { Tracing } from "./tracing.ts";

/** What this process serves; null: another process does, or it has not been started yet. */
export interface Roles {
  ledger: Ledger | null;
  gateway: Gateway | null;
  api: Api | null;
  worker: Worker | null;
}

export interface RoleParts {
  env: Env;
  log: Log;
  instance: Instance;
  storage: Storage;
  rooms: Rooms;
  services: Services;
  metrics: Metrics;
  /** null = no tracing. */
  tracing: Tracing | null;
  /** Directory of the console's build. */
  consoleDir: string;
}

/**
 * Starts the roles that the environment asks for and stores them in `roles` as they start, so that a failed start can release them. The
 * console's code is half of the program: a process without that role does not load it.
 */
export async function startRoles(parts: RoleParts, roles: Roles): Promise<void> {
  const { env, log, instance, storage, rooms, services } = parts;
  const spool = {
    dir: join(env.dataDir, "spool"),
    pool: storage.ledgerPool,
    settings: () => rooms.snapshot.current().settings,
    clock: systemClock,
    log,
    onQuarantined: (id: string) => rooms.live.bus.publish({ type: "quarantine.changed", id }),
    ...(env.segmentBytes === null ? {} : { tuning: { segmentBytes: env.segmentBytes } }),
  };
  const settled = (ids: readonly string[]): void => {
    rooms.live.registry.settled(ids);
    rooms.credit.settled(ids);
  };
  if (env.roles.has("gateway")) {
    const failpoint = failpointFrom(env.failpoint ?? "");
    roles.ledger = await createLedger({ ...spool, ...parts.metrics.ledger, instanceId: instance.id, failpoint });
    rooms.live.registry.restore(roles.ledger.unsettled());
    restoreCredit(rooms, roles.ledger);
    roles.ledger.onSettled(settled);
    roles.gateway = createGateway({
      snapshot: rooms.snapshot,
      admission: rooms.admission,
      credit: rooms.credit,
      ledger: roles.ledger,
      registry: rooms.live.registry,
      sessions: rooms.live.sessions,
      figures: rooms.live.figures,
      commands: rooms.live.commands,
      egress: env.failpoint === null ? rooms.egress : failingAfterHeaders(rooms.egress, failpoint),
      clock: systemClock,
      log,
      trustedHops: env.trustedHops,
      tracer: parts.tracing?.tracer,
    });
  }
  if (env.roles.has("api")) {
    const { createApi } = await import("@sluice/api/create-api");
    roles.api = createApi({ services, consoleDir: parts.consoleDir, trustedHops: env.trustedHops });
    await roles.api.ready();
  }
  if (env.roles.has("worker")) {
    const [{ startWorker }, { workerJobs }] = await Promise.all([import("@sluice/worker/jobs"), import("./worker-jobs.ts")]);
    roles.worker = startWorker({
      pool: storage.pool,
      log,
      clock: systemClock,
      sessions: rooms.live.sessions,
      retention: { settings: () => rooms.snapshot.current().settings, archiveDir: join(env.dataDir, "archive") },
      jobs: workerJobs(services),
      spool: {
        ...spool,
        ownInstanceId: instance.id,
        // Viewers still see the dead instance's requests as in flight.
        onRecovered: (finish) => rooms.live.registry.restore([finish]),
        onSettled: settled,
      },
    });
  }
}

/** Only with a failpoint: strikes between an upstream's head and its body. */
function failingAfterHeaders(egress: Egress, failpoint: FailpointHook): Egress {
  return {
    ...egress,
    async request(request) {
      const response = await egress.request(request);
      failpoint("after_headers");
      return response;
    },
  };
}

/** Restores what prepaid users spent before this start and no balance includes yet. */
function restoreCredit({ credit, snapshot }: Rooms, ledger: Ledger): void {
  const { users } = snapshot.current();
  const ends = ledger.unsettled().filter(({ row }) => (users.get(row.userId)?.billing ?? "postpaid") !== "postpaid");
  credit.restore(ends.map(({ row }) => ({ id: row.id, userId: row.userId, costNanoUsd: Number(row.costNanoUsd ?? 0) })));
}
