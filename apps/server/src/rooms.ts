import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Admission, LimitedOwner } from "@sluice/admission/admission";
import { createAdmission } from "@sluice/admission/create-admission";
import { type Credit, createCredit } from "@sluice/admission/credit";
import { createSpendReader } from "@sluice/admission/spend-reader";
import type { Cache } from "@sluice/cache/cache";
import { createCache } from "@sluice/cache/create-cache";
import { systemClock } from "@sluice/core/clock";
import type { BreakerState, InstanceState, LiveEvent } from "@sluice/core/events";
import { defaultSettings, type Settings } from "@sluice/core/inputs/settings";
import type { Log } from "@sluice/core/log";
import type { Egress } from "@sluice/egress/contract";
import { createEgress } from "@sluice/egress/egress";
import { readCommittedCredit } from "@sluice/ledger/committed-credit";
import { createLive, type Live } from "@sluice/live/live";
import type { Config, ProviderConfig, Snapshot } from "@sluice/snapshot/config";
import { createSnapshot } from "@sluice/snapshot/create-snapshot";
import type { Env } from "./env.ts";
import type { Storage } from "./storage.ts";

/** What every role needs. */
export interface Rooms {
  snapshot: Snapshot;
  cache: Cache;
  admission: Admission;
  credit: Credit;
  live: Live;
  egress: Egress;
  close(): Promise<void>;
}

/**
 * How long a start waits for live's connection to a Redis that answers. Without it everything works, but first lists lack the rows of
 * other instances.
 */
const liveDeadlineMs = 2_000;

/** Interval at which the gateways are counted that would share the limits if Redis failed. */
const countEveryMs = 10_000;
/** Instances report every five seconds; one silent for longer is gone. */
const silentMs = 15_000;

function isServing({ roles, stopped, seenAtMs }: InstanceState, nowMs: number): boolean {
  return roles.includes("gateway") && !stopped && nowMs - seenAtMs < silentMs;
}

/** Every owner who may have limits. */
function limitedOwners({ keysBySha256, users, groups, providers }: Config): LimitedOwner[] {
  return [
    ...[...keysBySha256.values()].map((values) => ({ owner: "key" as const, id: values.id, values })),
    ...[...users.values()].map((values) => ({ owner: "user" as const, id: values.id, values })),
    ...[...groups.values()].map((values) => ({ owner: "group" as const, id: values.name, values })),
    ...providers.map((values) => ({ owner: "provider" as const, id: values.id, values })),
  ];
}

const eventOfState = {
  open: "provider.opened",
  half_open: "provider.half-opened",
  closed: "provider.closed",
} as const satisfies Record<BreakerState["state"], LiveEvent["type"]>;

const toldSettings = ["ledger.mode", "ledger.durability", "ledger.batchSize", "ledger.intervalMs"] as const;

interface RoomParts {
  storage: Storage;
  secret: string;
  instanceId: string;
  version: string;
  log: Log;
}

/** Opens everything that does not depend on the role. The snapshot comes from disk when Postgres cannot be reached. */
export async function openRooms(env: Env, parts: RoomParts): Promise<Rooms> {
  const { storage, secret, instanceId, version, log } = parts;
  let snapshot: Snapshot | null = null;
  const defaults = defaultSettings();
  let gateways = 1;
  const settings = (): Settings => snapshot?.current().settings ?? defaults;
  let breakers: ReadonlyMap<string, ProviderConfig["breaker"]> = new Map();
  const live: Live = createLive({
    redisUrl: storage.redisUrl,
    instanceId,
    log,
    settings,
    breakers: () => admission.breakers.list(),
  });
  const admission: Admission = createAdmission({
    redis: storage.redis,
    settings,
    breakerOf: (providerId) => breakers.get(providerId),
    instanceId,
    log,
    spend: createSpendReader(storage.pool),
    instances: () => gateways,
    onCooled(coolDown) {
      void live.commands.send({ kind: "credential.cool", coolDown });
      live.bus.publish({ type: "credential.cooled", coolDown });
    },
    onTransition: (breaker) => live.bus.publish({ type: eventOfState[breaker.state], breaker, atMs: systemClock.now() }),
  });
  const credit = createCredit({
    redis: storage.redis,
    instanceId,
    log,
    load: (userIds, requestIds) => readCommittedCredit(storage.creditPool, userIds, requestIds),
    admits: env.roles.has("gateway"),
    onMoved: (userIds) => {
      for (const userId of userIds) live.bus.publish({ type: "credit.changed", id: userId, userId });
    },
  });
  await awaitLive(live, storage);
  snapshot = await createSnapshot({ pool: storage.pool, redis: storage.redis, secret, path: join(env.dataDir, "snapshot.json"), log });
  const opened = snapshot;
  const know = (config: Config): void => {
    admission.know(limitedOwners(config));
    breakers = new Map(config.providers.map(({ id, breaker }) => [id, breaker]));
  };
  know(opened.current());
  const stops = [
    opened.onChange(know),
    opened.onChange((config, previous) => tellChangedSettings(live, config.settings, previous.settings)),
    obeyCommands(live, admission),
    countGateways(live, (count) => {
      gateways = Math.max(1, count);
    }),
  ];
  const egress = createEgress({
    allowPrivateHosts: env.allowPrivateUpstreams,
    connectionsPerOrigin: () => settings()["upstream.connectionsPerOrigin"],
    clock: systemClock,
    log,
  });
  const cache = createCache({ redis: storage.redis, version, settings, configVersion: () => opened.current().version, log });
  return {
    snapshot: opened,
    cache,
    admission,
    credit,
    live,
    egress,
    async close() {
      for (const stop of stops) stop();
      cache.close();
      await egress.close();
      await admission.close();
      await credit.close();
      await live.close();
      await opened.close();
    },
  };
}

async function awaitLive(live: Live, { redis }: Storage): Promise<void> {
  const isLate = () => redis?.status === "ready" && live.redisReady() === false;
  for (const end = performance.now() + liveDeadlineMs; isLate() && performance.now() < end; ) await sleep(10);
}

function tellChangedSettings(live: Live, now: Settings, previous: Settings): void {
  const isChanged = (name: keyof Settings): boolean => now[name] !== previous[name];
  if (isChanged("sessions.activeWindowSeconds")) live.sessions.windowChanged();
  // An administrator who changes the ledger's settings sees the effect at once.
  if (toldSettings.some(isChanged)) live.instances.tell();
}

/** Commands from all instances to this one's admission. Returns a function that stops. */
function obeyCommands(live: Live, { breakers, coolDowns }: Admission): () => void {
  return live.commands.listen((command) => {
    if (command.kind === "breaker.reset") {
      breakers.reset(command.providerId);
      coolDowns.reset(command.providerId);
    }
    if (command.kind === "credential.cool") coolDowns.receive(command.coolDown);
  });
}

/** Tells how many gateways serve, every ten seconds. Returns a function that stops. */
function countGateways(live: Live, onCount: (count: number) => void): () => void {
  const counting = setInterval(async () => {
    const instances = await live.instances.list();
    onCount(instances.filter((instance) => isServing(instance, systemClock.now())).length);
  }, countEveryMs);
  counting.unref();
  return () => clearInterval(counting);
}
