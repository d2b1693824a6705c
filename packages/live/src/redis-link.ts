import type { Log } from "@sluice/core/log";
import { createRedis } from "@sluice/db/redis";
import { runScript, type Script } from "@sluice/db/redis-script";
import type { Redis } from "ioredis";

/**
 * The only command connection of this package: commands are executed in the order in which they are written, which makes a row
 * readable before its event is published. Nothing queues behind a lost connection: commands fail at once or after
 * COMMAND_TIMEOUT_MS, and each part decides what to send again after `onReady`.
 */
export interface RedisLink {
  readonly redis: Redis;
  /** Prefix of all keys, `sluice:`. */
  readonly prefix: string;
  ready(): boolean;
  /** Called for every connection, including the first. */
  onReady(listener: () => void): void;
  run(script: Script, keys: readonly string[], args: readonly (string | number)[]): Promise<unknown>;
  /** Another connection to the same server, not connected yet. */
  duplicate(): Redis;
  close(): void;
}

const COMMAND_TIMEOUT_MS = 2_000;

export function openRedisLink(url: string, { log, prefix = "sluice:" }: { log: Log; prefix?: string }): RedisLink {
  let away = false;
  const redis = createRedis(url, {
    name: "sluice-live",
    commandTimeoutMs: COMMAND_TIMEOUT_MS,
    onStatus(status, reason) {
      if (status === "lost" && !away && !closed) log.warn({ reason }, "live: Redis is away; viewers wait until it is back");
      if (status === "ready" && away) log.info({}, "live: Redis is back");
      away = status === "lost";
    },
  });
  let closed = false;

  return {
    redis,
    prefix,
    ready: () => redis.status === "ready",
    onReady(listener) {
      redis.on("ready", listener);
      if (redis.status === "ready") queueMicrotask(listener);
    },
    run: (script, keys, args) => runScript(redis, script, keys, args),
    duplicate: () =>
      redis.duplicate({ lazyConnect: true, autoResubscribe: false, keepAlive: 10_000, connectionName: "sluice-live-follow" }),
    close() {
      closed = true;
      redis.disconnect();
    },
  };
}
