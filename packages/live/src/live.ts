/*
 * live pushes what happens to the people who watch. It promises that a viewer who reconnects misses nothing and gets
 * nothing twice, or is told to start over; that a request is never slowed down by being watched; and that what Postgres
 * does not have yet can be read here, over all instances. It is apart because both sides need it, the gateway that
 * makes events and the api that streams them, and neither may know the other. With Redis it joins processes, without
 * it the same contracts hold within one.
 */
import type { Clock } from "@sluice/core/clock";
import { systemClock } from "@sluice/core/clock";
import type { Audience, BreakerState, LiveEvent } from "@sluice/core/events";
import type { Settings } from "@sluice/core/inputs/settings";
import type { Log } from "@sluice/core/log";
import { createCommands } from "./commands.ts";
import type { Bus, Commands, Frames, Instances, ProviderFigures, Registry, Sessions } from "./contract.ts";
import { createFrames } from "./frames.ts";
import { createProviderFigures } from "./health.ts";
import { createInstances } from "./instances.ts";
import type { LiveBus } from "./live-bus.ts";
import { createLossWatch } from "./loss-watch.ts";
import { createMemoryBus } from "./memory-bus.ts";
import { createPresence, instanceOf } from "./presence.ts";
import { createRedisBus } from "./redis-bus.ts";
import { openRedisLink } from "./redis-link.ts";
import { createRegistry } from "./registry.ts";
import { createSessions } from "./sessions.ts";

export interface LiveOptions {
  /** Null keeps everything in this process. */
  redisUrl: string | null;
  /** Prefix of all keys; `sluice:` by default. */
  prefix?: string;
  /** Stable over restarts of one data directory, different for each process that owns requests; without `/`. */
  instanceId: string;
  log: Log;
  clock?: Clock;
  /** Read at each use. */
  settings: () => Pick<Settings, "sessions.activeWindowSeconds" | "time.zone">;
  /** What admission knows of breakers; part of the figures of providers. Read at each use. */
  breakers?: () => BreakerState[];
}

export interface Live {
  bus: Bus;
  frames: Frames;
  registry: Registry;
  sessions: Sessions;
  figures: ProviderFigures;
  commands: Commands;
  instances: Instances;
  /** Events given to the bus since the start. */
  published(): number;
  /** Whether Redis can be reached; null without one. */
  redisReady(): boolean | null;
  /** Ends every stream with AbortError, sends what is queued, leaves no timer and no connection. */
  close(): Promise<void>;
}

/** Composes the room. Nothing is awaited: while Redis is not there yet, everything waits for it or does without. */
export function createLive(options: LiveOptions): Live {
  const { instanceId, log, clock = systemClock, settings, breakers = () => [] } = options;
  const link = options.redisUrl === null ? null : openRedisLink(options.redisUrl, { log, prefix: options.prefix });
  let published = 0;
  const uncounted = link ? createRedisBus(link, { log }) : createMemoryBus({ clock });
  const bus: LiveBus = {
    ...uncounted,
    publish(event) {
      published += 1;
      uncounted.publish(event);
    },
  };
  const redis = link && { link, presence: createPresence(link, { instanceId }) };
  const registry = createRegistry({ bus, clock, instanceId, redis });
  const windowSeconds = () => settings()["sessions.activeWindowSeconds"];
  const sessions = createSessions({ bus, clock, windowSeconds, redis });
  const figures = createProviderFigures({ bus, clock, zone: () => settings()["time.zone"], breakers, redis });
  const commands = createCommands({ link, log });
  const lossWatch = redis && createLossWatch(redis.presence, onLost);
  const frames = createFrames({ bus, clock, snapshot, lossWatch });

  /** Their requests are shown as lost, and what counts requests in flight no longer counts theirs. */
  async function onLost(lives: readonly string[]): Promise<void> {
    log.warn({ instances: lives.map(instanceOf) }, "live: an instance fell silent; its requests are shown as lost");
    await registry.lost(lives.map(instanceOf));
    await sessions.bury(lives);
    for (const health of await figures.list()) bus.publish({ type: "provider.measured", health });
  }

  const instances = createInstances({ bus, clock, frames, instanceId, link });

  /** No list holds the figures of providers and processes: a viewer begins with them. */
  async function snapshot(audience: Audience): Promise<LiveEvent[]> {
    if (audience.kind !== "admin") return [];
    const [healths, processes] = await Promise.all([figures.list(), instances.list()]);
    return [
      ...healths.map((health) => ({ type: "provider.measured" as const, health })),
      ...processes.map((instance) => ({ type: "system.measured" as const, instance })),
      // Of any topic: it is told above every page.
      ...processes.flatMap(({ id, config }) =>
        config?.status === "failed" ? [{ type: "config.failed" as const, instanceId: id, config }] : [],
      ),
    ];
  }

  async function close(): Promise<void> {
    commands.close();
    await instances.close();
    await frames.close();
    await sessions.close();
    await figures.close();
    await registry.close();
    await bus.close();
    await redis?.presence.close();
    link?.close();
  }

  return {
    bus,
    frames,
    registry,
    sessions,
    figures,
    commands,
    instances,
    published: () => published,
    redisReady: () => link?.ready() ?? null,
    close,
  };
}
