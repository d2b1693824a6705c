/*
 * live pushes what happens to the people who watch. A viewer who reconnects misses nothing and gets nothing twice, or is told
 * to start over; a request is never slowed down by being watched; and what Postgres does not have yet can be read here,
 * across all instances. It is a package of its own because both the gateway, which produces events, and the api, which
 * streams them, need it, and neither may know the other. Redis connects processes; without it the same contracts hold
 * within one.
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
  /** Stable across restarts with one data directory, different for each process that owns requests; without `/`. */
  instanceId: string;
  log: Log;
  clock?: Clock;
  /** Read on each use. */
  settings: () => Pick<Settings, "sessions.activeWindowSeconds" | "time.zone">;
  /** The breakers known to admission, for the figures of providers. Read on each use. */
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
  /** Events published since the start. */
  published(): number;
  /** Whether Redis can be reached; null without one. */
  redisReady(): boolean | null;
  /** Ends every stream with AbortError, sends what is queued, leaves no timer and no connection. */
  close(): Promise<void>;
}

/** Composes the package. Nothing is awaited: until Redis is available, everything waits for it or works without it. */
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

  /** Shows their requests as lost, and stops counting them as in flight. */
  async function onLost(lives: readonly string[]): Promise<void> {
    log.warn({ instances: lives.map(instanceOf) }, "live: an instance fell silent; its requests are shown as lost");
    await registry.lost(lives.map(instanceOf));
    await sessions.bury(lives);
    for (const health of await figures.list()) bus.publish({ type: "provider.measured", health });
  }

  const instances = createInstances({ bus, clock, frames, instanceId, link });

  /** No list holds the figures of providers and processes, so a viewer starts with them. */
  async function snapshot(audience: Audience): Promise<LiveEvent[]> {
    if (audience.kind !== "admin") return [];
    const [healths, processes] = await Promise.all([figures.list(), instances.list()]);
    return [
      ...healths.map((health) => ({ type: "provider.measured" as const, health })),
      ...processes.map((instance) => ({ type: "system.measured" as const, instance })),
      // Not tied to a topic, because it is shown above every page.
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
