/**
 * The one deployable: composes the packages into the requested roles and serves them. It has no rules of its own; what it guarantees is
 * the order of starting (nothing is served before it can be recorded) and of stopping (nothing that was promised is dropped).
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Log } from "@sluice/core/log";
import { systemContext } from "@sluice/services/create-services";
import { seedShippedPrices } from "@sluice/snapshot/seed-shipped-prices";
import { composeServices } from "./compose-services.ts";
import { makeDataDir, readOrMakeSecret } from "./data-dir.ts";
import { type Env, readVersion } from "./env.ts";
import { createHealth } from "./health.ts";
import { type Instance, takeInstance } from "./instance.ts";
import { createInstanceFacts } from "./instance-facts.ts";
import { listen } from "./listen.ts";
import { createMeters, type Meters } from "./meters.ts";
import { createMetrics } from "./metrics.ts";
import { createOperations } from "./operations.ts";
import { createProcessFigures, type ProcessCounts } from "./process-figures.ts";
import { type RoleParts, type Roles, startRoles } from "./roles.ts";
import { openRooms, type Rooms } from "./rooms.ts";
import { serverUrl } from "./server-url.ts";
import { openStorage, prepareDatabase, type Storage } from "./storage.ts";
import type { Tracing } from "./tracing.ts";
import { createWatchedConfig, type WatchedConfig } from "./watched-config.ts";

const root = fileURLToPath(new URL("../../..", import.meta.url));
const consoleDir = join(root, "apps/console/dist");

export interface RunningServer {
  /** Address of the console, or of the gateway without one. */
  url: string;
  /** null when an administrator exists, or when this process has no console. */
  setupToken: string | null;
  /** Finishes requests in flight, settles, and releases everything. Rejects when records could not be flushed (they stay on disk). */
  stop(): Promise<void>;
  /** Ends the requests that a stop is waiting for. They are billed as far as they came. */
  hurry(): Promise<void>;
}

interface Parts extends RoleParts {
  version: string;
  secret: string;
  /** null without SLUICE_CONFIG. */
  config: WatchedConfig | null;
  meters: Meters;
}

/** Starts the roles that the environment asks for; `cancel` aborts a start. @throws with advice for the operator. */
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
    const counts: ProcessCounts = {
      ...{ meters, pool: storage.pool },
      gatewayStats: () => roles.gateway?.stats() ?? null,
      ledgerStats: () => roles.ledger?.stats() ?? null,
      lockConflicts: () => rooms.admission.breakers.probeConflicts() + rooms.cache.lockConflicts(),
      eventsPublished: () => rooms.live.published(),
      framesSent: () => rooms.live.frames.sent(),
    };
    const processFigures = createProcessFigures({ ...counts, instanceId: instance.id });
    const measures = { called: meters.called, rendered: meters.rendered, process: processFigures };
    const services = composeServices({ log, version, secret, storage, rooms, measures, publicUrl: env.publicUrl ?? serverUrl(env) });
    const config = watchedConfig({ env, log, instance, rooms, services });
    opened.config = config;
    const metrics = createMetrics({
      ...{ ...counts, version, stores: services.measures.stores },
      creditStats: () => rooms.credit.stats(),
      liveSubscriptions: () => rooms.live.frames.count(),
      limitDriftNanoUsd: () => rooms.admission.driftNanoUsd(),
      stickyStats: () => rooms.admission.sticky.stats(),
      cacheFigures: rooms.cache.figures,
      spanStats: () => opened.tracing?.stats() ?? null,
    });
    if (env.tracing) opened.tracing = (await import("./tracing.ts")).startTracing(env.tracing, { log, version });
    const { tracing } = opened;
    const parts: Parts = { env, log, version, secret, instance, storage, rooms, services, config, meters, metrics, tracing, consoleDir };
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
      hurry: async () => opened.roles.gateway?.drain({ graceMs: 0 }),
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
    "SLUICE_ROLES names only some roles, but there is no Redis to connect this process to the others. Set REDIS_URL, install redis-server, or leave SLUICE_ROLES unset.",
  );
}

function watchedConfig(parts: Pick<Parts, "env" | "log" | "instance" | "rooms" | "services">): WatchedConfig | null {
  const { env, log, instance, rooms, services } = parts;
  if (env.configPath === null) return null;
  return createWatchedConfig({
    path: env.configPath,
    log,
    async apply(text) {
      const { applyConfig } = await import("@sluice/services/config/apply-config");
      return applyConfig(systemContext(services, "config"), text, env.variables);
    },
    onAttempt(config) {
      const type = config.status === "failed" ? "config.failed" : "config.applied";
      rooms.live.bus.publish({ type, instanceId: instance.id, config });
      rooms.live.instances.tell();
    },
  });
}

/** Seeds prices, applies the configuration file and prepares the first administrator. Returns the setup token while there is none. */
async function initialiseInstallation({ env, storage, rooms, services, config }: Parts): Promise<string | null> {
  // A price list cached in Redis is from before the seeding.
  if ((await seedShippedPrices(storage.pool)) > 0) await rooms.cache.invalidate("namespace:modelList");
  await rooms.snapshot.refresh();
  await config?.apply();
  if (!env.roles.has("api")) return null;
  const { prepareSetup } = await import("@sluice/services/setup/prepare-setup");
  const { token } = await prepareSetup(systemContext(services, "boot"), env.admin);
  await rooms.snapshot.refresh();
  return token;
}

/** Everything that must be released, filled as it opens. */
interface Opened {
  instance: Instance;
  storage: Storage;
  rooms: Rooms | null;
  config: WatchedConfig | null;
  tracing: Tracing | null;
  roles: Roles;
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

/** Servers that were asked to stop. */
const stopped = new WeakSet<Parts>();

/** In this order: refuse new work, finish running requests, end the viewers' streams, settle, release. */
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
