import { SluiceError } from "@sluice/core/errors";
import type { Log } from "@sluice/core/log";
import type { Redis } from "ioredis";
import { startAnswerDeadline } from "./answer-deadline.ts";

/** Shields requests from a Redis that is gone, slow or frozen. */
export interface RedisGate {
  /** For subscriptions, which need connections of their own. */
  readonly redis: Redis;
  /** Whether commands are sent at all. */
  isOpen(): boolean;
  /**
   * Runs one command with the timeout. Rejects at once while the gate is shut or the connection is down: nothing is queued for
   * later.
   */
  run<T>(command: (redis: Redis) => Promise<T>): Promise<T>;
  /** Runs a command whose result nobody awaits; never throws. */
  send(command: (redis: Redis) => Promise<unknown>): void;
  close(): void;
}

export interface RedisGateOptions {
  redis: Redis;
  log: Log;
  /** For the log: what happens without Redis. */
  meanwhile: string;
  /** Called when Redis answers again, before anything else is sent. */
  onRecover: () => void;
  timeoutMs?: number;
  failuresToShut?: number;
  probeEveryMs?: number;
}

/**
 * A timeout per command, and a gate that shuts after a few consecutive failures: from then on a frozen Redis costs a request
 * nothing. A single background PING, independent of requests, opens it again.
 */
export function createRedisGate(options: RedisGateOptions): RedisGate {
  const { redis, log, meanwhile, onRecover, timeoutMs = 200, failuresToShut = 3, probeEveryMs = 500 } = options;
  let failures = 0;
  let probing: NodeJS.Timeout | null = null;
  let pinged = false;
  let closed = false;

  const shut = (reason: string): void => {
    if (probing || closed) return;
    log.warn({ reason }, `Redis does not answer: ${meanwhile}`);
    probing = setInterval(probe, probeEveryMs);
    probing.unref();
    // Queued behind the late answer, so a Redis that is only slow is back as soon as that arrives.
    probe();
  };
  const probe = (): void => {
    // A frozen server answers its pending PING when it wakes up; more of them would only pile up.
    if (pinged || redis.status !== "ready") return;
    pinged = true;
    redis.ping().then(reopen, () => {
      pinged = false;
    });
  };
  const reopen = (): void => {
    pinged = false;
    if (!probing) return;
    clearInterval(probing);
    probing = null;
    failures = 0;
    log.info({}, "Redis answers again");
    onRecover();
  };
  const failed = (reason: string): void => {
    failures++;
    if (failures >= failuresToShut) shut(reason);
  };

  async function run<T>(command: (redis: Redis) => Promise<T>): Promise<T> {
    if (probing || closed) throw new SluiceError("unavailable", { detail: "Redis: gate shut" });
    if (redis.status !== "ready") {
      shut(`connection ${redis.status}`);
      throw new SluiceError("unavailable", { detail: `Redis: ${redis.status}` });
    }
    try {
      const result = await withinMs(command(redis), timeoutMs);
      failures = 0;
      return result;
    } catch (error) {
      failed(error instanceof Error ? error.message : String(error));
      throw error;
    }
  }

  return {
    redis,
    isOpen: () => probing === null && !closed,
    run,
    send: (command) => void run(command).catch(() => undefined),
    close: () => {
      closed = true;
      if (probing) clearInterval(probing);
      probing = null;
    },
  };
}

function withinMs<T>(promise: Promise<T>, ms: number): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const stop = startAnswerDeadline(ms, () => reject(new Error(`no answer within ${ms} ms`)));
    promise.then(resolve, reject).finally(stop);
  });
}
