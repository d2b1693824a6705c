/**
 * The one deployable: composes the rooms into the roles asked for and serves them. It holds no rules of its own; what
 * it promises is the order of starting (nothing is served before it can be recorded) and of stopping (nothing that was
 * promised is dropped).
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Api, createApi } from "@sluice/api/create-api";
import { systemClock } from "@sluice/core/clock";
import type { Log } from "@sluice/core/log";
import type { Egress } from "@sluice/egress/contract";
import { createGateway, type Gateway } from "@sluice/gateway/gateway";
import { type FailpointHook, failpointFrom } from "@sluice/ledger/failpoints";
import { createLedger } from "@sluice/ledger/ledger";
import type { Ledger } from "@sluice/ledger/records";
import { createAlertDelivery } from "@sluice/services/alerts/deliver-alerts";
import { createAlertEvaluation } from "@sluice/services/alerts/evaluate-alerts";
import { WARM_EVERY_MS, warmCaches } from "@sluice/services/caches/warm-caches";
import { applyConfig } from "@sluice/services/config/apply-config";
import type { Services } from "@sluice/services/context";
import { createServices, systemContext } from "@sluice/services/create-services";
import { keepRecentTotals } from "@sluice/services/overview/keep-recent-totals";
import { startValidity } from "@sluice/services/policies/start-validity";
import { priceUnpriced } from "@sluice/services/prices/price-unpriced";
import { runRepricings } from "@sluice/services/prices/reprice";
import { prepareSetup } from "@sluice/services/setup/prepare-setup";
import { seedShippedPrices } from "@sluice/snapshot/seed-shipped-prices";
import { startWorker, type Worker } from "@sluice/worker/jobs";
import type { Job } from "@sluice/worker/scheduler";
import { makeDataDir, readOrMakeSecret } from "./data-dir.ts";
import { type Env, readVersion } from "./env.ts";
import { createHealth } from "./health.ts";
import { type Instance, takeInstance } from "./instance.ts";
import { createInstanceFacts } from "./instance-facts.ts";
import { listen } from "./listen.ts";
import { createMeters, type Meters } from "./meters.ts";
import { createMetrics, type Metrics } from "./metrics.ts";
import { createOperations } from "./operations.ts";
import { createProcessFigures } from "./process-figures.ts";
import { openRooms, type Rooms } from "./rooms.ts";
import { openStorage, prepareDatabase, type Storage } from "./storage.ts";
import type { Tracing } from "./tracing.ts";
import { createWatchedConfig, type WatchedConfig } from "./watched-config.ts";

const root = fileURLToPath(new URL("../../..", import.meta.url));

export interface RunningServer {
  /** Where the console (or the gateway, without one) answers. */
  url: string;
  /** null once an administrator exists, or when this process has no console. */
  setupToken: string | null;
  /** Finishes what is in flight, settles, lets go of everything. Rejects when records could not be flushed (they stay on disk). */
  stop(): Promise<void>;
}

interface Parts {
  env: Env;
  log: Log;
  version: string;
  secret: string;
  instance: Instance;
  storage: Storage;
  rooms: Rooms;
  services: Services;
  /** null without SLUICE_CONFIG. */
  config: WatchedConfig | null;
  meters: Meters;
  metrics: Metrics;
  /** null: nobody collects traces. */
  tracing: Tracing | null;
}

/** Starts the roles that the environment asks for; `cancel` ends a start that is under way. @throws with what to do. */
export async function startServer(env: Env, log: Log, cancel?: AbortSignal): Promise<RunningServer> {
  const version = readVersion(env, root);
  await makeDataDir(env.dataDir);
  const secret = await readOrMakeSecret(env.dataDir, env.secret);
  const instance = await takeInstance(env.dataDir, env.roles);
  const meters = createMeters();
  const storage = await openStorage(env, log, meters.queried);
  const opened: Opened = {
    instance,
    storage,
    rooms: null,
    config: null,
    tracing: null,
    roles: { ledger: null, gateway: null, api: null, worker: null },
  };
  const stopping = new AbortController();
  const signal = cancel ? AbortSignal.any([cancel, stopping.signal]) : stopping.signal;
  try {
    requireRedisForSplitRoles(env, storage);
    const composed = Promise.withResolvers<Parts>();
    let setupToken: string | null = null;
    const initialise = async (): Promise<void> => {
      setupToken = await initialiseInstallation(await composed.promise);
    };
    const canWait = env.roles.has("gateway") && existsSync(join(env.dataDir, "snapshot.json"));
    const waiting = { secret, log, canWait, deadlineMs: 30_000, signal, whenLate: initialise };
    const prepared = await prepareDatabase(storage, waiting);
    const rooms = await openRooms(env, { storage, secret, instanceId: instance.id, version, log });
    opened.rooms = rooms;
    const { roles } = opened;
    const counts = {
      gatewayStats: () => roles.gateway?.stats() ?? null,
      ledgerStats: () => roles.ledger?.stats() ?? null,
      lockConflicts: () => rooms.admission.breakers.probeConflicts(),
      eventsPublished: () => rooms.live.published(),
      framesSent: () => rooms.live.frames.sent(),
    };
    const processFigures = createProcessFigures({ ...counts, instanceId: instance.id, meters, pool: storage.pool });
    const measures = { called: meters.called, rendered: meters.rendered, process: processFigures };
    const services = composeServices({ env, log, version, secret, storage, rooms, measures });
    const config = watchedConfig({ env, log, instance, rooms, services });
    opened.config = config;
    const metrics = createMetrics({
      ...{ ...counts, version, meters, pool: storage.pool, stores: services.measures.stores },
      creditStats: () => rooms.credit.stats(),
      liveSubscriptions: () => rooms.live.frames.count(),
      limitDriftNanoUsd: () => rooms.admission.driftNanoUsd(),
      stickyStats: () => rooms.admission.sticky.stats(),
      cacheFigures: rooms.cache.figures,
      spanStats: () => opened.tracing?.stats() ?? null,
    });
    if (env.tracing) opened.tracing = (await import("./tracing.ts")).startTracing(env.tracing, { log, version });
    const { tracing } = opened;
    const parts: Parts = { env, log, version, secret, instance, storage, rooms, services, config, meters, metrics, tracing };
    composed.resolve(parts);
    if (prepared === "ready") await initialise();
    signal.throwIfAborted();
    await startRoles(parts, opened.roles);
    rooms.live.instances.pushFigures({ process: processFigures, stores: services.measures.stores });
    rooms.live.instances.start(
      createInstanceFacts({
        ...{ roles: env.roles, version, config },
        gateway: () => roles.gateway,
        ledger: () => roles.ledger,
        settings: () => rooms.snapshot.current().settings,
        sticky: () => rooms.admission.sticky.stats(),
        caches: rooms.cache.figures,
        calls: meters.apiCalls,
      }),
    );
    config?.watch();
    const { url, close } = await serve(parts, opened.roles);
    return {
      url,
      setupToken: env.roles.has("api") ? setupToken : null,
      stop: () => stopServer(parts, opened, close, stopping),
    };
  } catch (error) {
    stopping.abort();
    await letGo(opened).catch(() => undefined);
    throw error;
  }
}

function requireRedisForSplitRoles(env: Env, storage: Storage): void {
  if (env.roles.size === 3 || storage.redisUrl !== null) return;
  throw new Error(
    "SLUICE_ROLES names only some roles, and there is no Redis to join this process with the others. Set REDIS_URL, install redis-server, or leave SLUICE_ROLES unset.",
  );
}

interface ServiceParts extends Pick<Parts, "env" | "log" | "version" | "secret" | "storage" | "rooms"> {
  measures: Omit<Services["measures"], "stores">;
}

function composeServices({ env, log, version, secret, storage, rooms, measures }: ServiceParts): Services {
  return createServices({
    measures,
    prisma: storage.prisma,
    pool: storage.pool,
    redis: storage.redis,
    live: rooms.live,
    snapshot: rooms.snapshot,
    cache: rooms.cache,
    breakers: rooms.admission.breakers,
    coolDowns: rooms.admission.coolDowns,
    sticky: rooms.admission.sticky,
    loads: rooms.admission.loads,
    limits: rooms.admission,
    credit: rooms.credit,
    egress: rooms.egress,
    secret,
    log,
    version,
    publicUrl:
      env.publicUrl ?? `http://${env.host === "0.0.0.0" || env.host === "::" ? "127.0.0.1" : env.host}:${env.consolePort ?? env.port}`,
  });
}

function watchedConfig(parts: Pick<Parts, "env" | "log" | "instance" | "rooms" | "services">): WatchedConfig | null {
  const { env, log, instance, rooms, services } = parts;
  if (env.configPath === null) return null;
  return createWatchedConfig({
    path: env.configPath,
    log,
    apply: (text) => applyConfig(systemContext(services, "config"), text, env.variables),
    onAttempt(config) {
      const type = config.status === "failed" ? "config.failed" : "config.applied";
      rooms.live.bus.publish({ type, instanceId: instance.id, config });
      rooms.live.instances.tell();
    },
  });
}

/** Prices, the configuration file, the first administrator. Returns the setup token while there is none. */
async function initialiseInstallation({ env, storage, rooms, services, config }: Parts): Promise<string | null> {
  await seedShippedPrices(storage.pool);
  await rooms.snapshot.refresh();
  await config?.apply();
  if (!env.roles.has("api")) return null;
  const { token } = await prepareSetup(systemContext(services, "boot"), env.admin);
  await rooms.snapshot.refresh();
  return token;
}

interface Roles {
  ledger: Ledger | null;
  gateway: Gateway | null;
  api: Api | null;
  worker: Worker | null;
}

/** What has to be let go of, filled as it opens. */
interface Opened {
  instance: Instance;
  storage: Storage;
  rooms: Rooms | null;
  config: WatchedConfig | null;
  tracing: Tracing | null;
  roles: Roles;
}

async function startRoles(parts: Parts, roles: Roles): Promise<void> {
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
    roles.api = createApi({ services, consoleDir: join(root, "apps/console/dist"), trustedHops: env.trustedHops });
    await roles.api.ready();
  }
  if (env.roles.has("worker")) {
    roles.worker = startWorker({
      pool: storage.pool,
      log,
      clock: systemClock,
      sessions: rooms.live.sessions,
      retention: { settings: () => rooms.snapshot.current().settings, archiveDir: join(env.dataDir, "archive") },
      jobs: [
        warmCachesJob(services),
        ...correctCostsJobs(services),
        recentTotalsJob(services),
        validityJob(services),
        ...alertJobs(services),
      ],
      spool: {
        ...spool,
        ownInstanceId: instance.id,
        // Viewers still see the dead instance's requests in flight.
        onRecovered: (finish) => rooms.live.registry.restore([finish]),
        onSettled: settled,
      },
    });
  }
}

/** Only with a failpoint: the place between an upstream's head and its body. */
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

/** What prepaid users spent before this start and no balance holds yet. */
function restoreCredit({ credit, snapshot }: Rooms, ledger: Ledger): void {
  const { users } = snapshot.current();
  const ends = ledger.unsettled().filter(({ row }) => (users.get(row.userId)?.billing ?? "postpaid") !== "postpaid");
  credit.restore(ends.map(({ row }) => ({ id: row.id, userId: row.userId, costNanoUsd: Number(row.costNanoUsd ?? 0) })));
}

/** A price that appeared is waited for half a minute; who ordered a re-pricing waits for it. */
function correctCostsJobs(services: Parts["services"]): Job[] {
  const ctx = systemContext(services, "boot");
  return [
    { name: "price-unpriced", everyMs: 30_000, atStart: false, run: async (signal) => void (await priceUnpriced(ctx, signal)) },
    { name: "reprice", everyMs: 3_000, atStart: false, run: async (signal) => void (await runRepricings(ctx, signal)) },
  ];
}

function warmCachesJob(services: Parts["services"]): Job {
  const run = async (signal: AbortSignal): Promise<void> => void (await warmCaches(systemContext(services, "boot"), signal));
  return { name: "warm-caches", everyMs: WARM_EVERY_MS, atStart: true, run };
}

/** Days count from a request's own time: how soon they are noticed decides nothing. */
function validityJob(services: Parts["services"]): Job {
  return { name: "start-validity", everyMs: 5_000, atStart: true, run: () => startValidity(systemContext(services, "boot")) };
}

function alertJobs(services: Parts["services"]): Job[] {
  const ctx = systemContext(services, "boot");
  return [
    { name: "evaluate-alerts", everyMs: 5_000, atStart: true, run: createAlertEvaluation(ctx) },
    { name: "deliver-alerts", everyMs: 1_000, atStart: true, run: createAlertDelivery(ctx) },
  ];
}

/** Small steps: the fewer hours it is behind, the fewer the overview has to read. */
const RECENT_EVERY_MS = 300_000;

function recentTotalsJob({ pool, snapshot, clock }: Parts["services"]): Job {
  return {
    name: "keep-recent-totals",
    everyMs: RECENT_EVERY_MS,
    atStart: true,
    run: () => keepRecentTotals(pool, { nowMs: clock.now(), settings: snapshot.current().settings }),
  };
}

async function serve(parts: Parts, roles: Roles): Promise<{ url: string; close: () => Promise<void> }> {
  const { env, storage, version, meters, metrics } = parts;
  const draining = (): boolean => roles.gateway?.stats().draining ?? stopped.has(parts);
  const operations = createOperations({
    health: createHealth({ pool: storage.pool, redis: storage.redis, ledgerStats: () => roles.ledger?.stats() ?? null, version, draining }),
    ready: () => !draining() && !stopped.has(parts) && (roles.ledger?.stats().writable ?? true),
    metrics,
    version,
    metricsToken: env.metricsToken,
  });
  return listen(env, { operations, meters, gateway: roles.gateway, api: roles.api });
}

/** Servers that were told to stop. */
const stopped = new WeakSet<Parts>();

/** Refuse new work, finish what runs, end the viewers' streams, settle, let go: in this order. */
async function stopServer(parts: Parts, opened: Opened, closeListeners: () => Promise<void>, stopping: AbortController): Promise<void> {
  if (stopped.has(parts)) return;
  stopped.add(parts);
  stopping.abort();
  opened.config?.close();
  await opened.roles.gateway?.drain({ graceMs: parts.env.drainSeconds * 1_000 });
  await opened.roles.api?.close();
  await closeListeners();
  await letGo(opened);
}

async function letGo({ instance, storage, rooms, roles, config, tracing }: Opened): Promise<void> {
  config?.close();
  await roles.api?.close();
  await roles.gateway?.close();
  await roles.worker?.stop();
  await tracing?.close();
  try {
    await roles.ledger?.close({ graceMs: 10_000 });
  } finally {
    await rooms?.close();
    await storage.close();
    instance.release();
  }
}
