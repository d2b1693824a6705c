import type { RedisOptions } from "ioredis";
import { Redis } from "ioredis";
import { startAnswerDeadline } from "./answer-deadline.ts";
import { letCommandsGo } from "./redis-command.ts";

letCommandsGo();

export interface RedisClientOptions {
  /** Shown by CLIENT LIST. */
  name: string;
  /** A command without a reply fails after this; default 200, 0 = never (blocking reads, subscribers). */
  commandTimeoutMs?: number;
  /** Default 5,000. */
  connectTimeoutMs?: number;
  /** Called at each change of the connection; for logs and metrics. */
  onStatus?: (status: "ready" | "lost", reason: string) => void;
}

/**
 * A client that never gives up and never blocks callers: it reconnects forever (at most 2 s apart), and without a connection
 * commands fail at once instead of queueing. A command interrupted by a lost connection fails and is not sent again, because
 * only the caller knows whether that is safe.
 */
export function createRedis(url: string, options: RedisClientOptions): Redis {
  const commandTimeoutMs = options.commandTimeoutMs ?? 200;
  const settings: RedisOptions = {
    connectionName: options.name,
    connectTimeout: options.connectTimeoutMs ?? 5_000,
    retryStrategy: (tries) => Math.min(50 * 2 ** Math.min(tries, 6), 2_000),
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    ...(commandTimeoutMs > 0 ? { commandTimeout: commandTimeoutMs } : {}),
  };
  const redis = new Redis(url, settings);
  beFairAboutTime(redis);
  writeTogether(redis);
  let reason = "";
  // Without a listener an outage would end this process.
  redis.on("error", (error: Error) => {
    reason = error.message;
  });
  redis.on("ready", () => options.onStatus?.("ready", ""));
  redis.on("close", () => options.onStatus?.("lost", reason));
  return redis;
}

/** Does not count a command as late when this process was blocked, as the library's own timer would. */
function beFairAboutTime(redis: Redis): void {
  const send = redis.sendCommand.bind(redis);
  redis.sendCommand = (command, stream) => {
    // A named constant first: see letCommandsGo.
    const setFairTimeout = (ms: number): void => {
      const stop = startAnswerDeadline(ms, () => command.reject(new Error("Command timed out")));
      command.promise.then(stop, stop);
    };
    command.setTimeout = setFairTimeout;
    return send(command, stream);
  };
}

/** Sends all commands of one turn in a single write; each would be a system call that costs as much as the rest of sending it. */
function writeTogether(redis: Redis): void {
  const send = redis.sendCommand.bind(redis);
  redis.sendCommand = (command, stream) => {
    const socket = stream ?? redis.stream;
    if (socket && "cork" in socket && socket.writableCorked === 0) {
      socket.cork();
      process.nextTick(() => socket.uncork());
    }
    return send(command, stream);
  };
}

export interface RedisCheck {
  /** False when it did not answer in time; the caller decides whether that matters. */
  reachable: boolean;
  version: string;
  /** For the log; nothing that prevents a start. */
  warnings: string[];
}

/** At boot, checks that this Redis keeps its data. @throws for Redis Cluster (multi-key Lua), a replica, and one that evicts. */
export async function checkRedis(redis: Redis, options: { deadlineMs?: number } = {}): Promise<RedisCheck> {
  if (!(await waitForRedis(redis, options.deadlineMs ?? 5_000))) {
    return { reachable: false, version: "", warnings: ["Redis does not respond."] };
  }
  const facts = readInfo(await redis.info());
  const version = facts.get("valkey_version") ?? facts.get("redis_version") ?? "";
  const warnings: string[] = [];
  if (facts.get("cluster_enabled") === "1") {
    throw new Error("REDIS_URL is a Redis Cluster. Sluice runs Lua over several keys at once: use a single primary.");
  }
  if (facts.get("role") === "slave") throw new Error("REDIS_URL is a replica: use the primary.");
  const policy = facts.get("maxmemory_policy") ?? "noeviction";
  if (policy !== "noeviction") {
    const text = `Redis has maxmemory-policy ${policy}; leases and limits must not vanish: set it to noeviction.`;
    if (Number(facts.get("maxmemory") ?? "0") > 0) throw new Error(text);
    warnings.push(text);
  }
  return { reachable: true, version, warnings };
}

/** Resolves true when the client is ready, false on timeout. */
export async function waitForRedis(redis: Redis, deadlineMs: number): Promise<boolean> {
  if (redis.status === "ready") return true;
  return new Promise((resolve) => {
    const finish = (ready: boolean) => {
      clearTimeout(timer);
      redis.off("ready", onReady);
      resolve(ready);
    };
    const onReady = () => finish(true);
    const timer = setTimeout(() => finish(false), deadlineMs);
    redis.on("ready", onReady);
  });
}

/** Parses the reply of `INFO`. */
export function readInfo(text: string): Map<string, string> {
  const facts = new Map<string, string>();
  for (const line of text.split("\r\n")) {
    const colon = line.indexOf(":");
    if (colon > 0 && !line.startsWith("#")) facts.set(line.slice(0, colon), line.slice(colon + 1));
  }
  return facts;
}
