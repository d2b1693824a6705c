import { randomBytes } from "node:crypto";
import type { CacheKind } from "@sluice/core/cache-kinds";
import type { Log } from "@sluice/core/log";
import { followChannel } from "@sluice/db/follow-channel";
import { createRedisGate } from "@sluice/db/redis-gate";
import { runScript, type Script } from "@sluice/db/redis-script";
import type { Redis } from "ioredis";
import type { CacheEntry, CacheTag } from "./cache.ts";
import { beginScript, forgetScript, invalidateScript, releaseScript, renewScript, storeScript } from "./redis-scripts.ts";

/** The right to compute an answer, and the generations it is computed for. */
export interface Lease {
  readonly generations: string;
  /** Value of the lock in Redis; empty when another instance has held it for too long to wait. */
  readonly lock: string;
}

export type Begun = { kind: "hit"; text: string; asOf: number; leftMs: number } | { kind: "compute"; lease: Lease };

/** Messages between instances. */
type Message =
  | { kind: "invalidated"; tags: readonly CacheTag[] | "all"; version: string }
  | { kind: "computed"; id: string }
  | { kind: "reset" };

export interface RedisTierOptions {
  redis: Redis;
  prefix: string;
  log: Log;
  /** Version of the configuration in this process. */
  configVersion: () => string;
  onInvalidated: (tags: readonly CacheTag[] | "all", version: string) => void;
  onReset: () => void;
  timing: { commandMs: number; lockMs: number; mostWaitMs: number };
  limits: { entries: number; bytes: number };
}

/** The tier shared by all instances. Operations that fail reject within `commandMs`, or at once while Redis is known to be away. */
export interface RedisTier {
  /** Whether it may be used: Redis is reachable and no invalidation is owed. */
  isOpen(): boolean;
  /** Whether invalidations by other instances arrive immediately. */
  hears(): boolean;
  /** Finds an answer or grants the right to compute it; waits while another instance computes. */
  begin(entry: CacheEntry): Promise<Begun>;
  /** Keeps the lock during a computation; never throws. Returns a function that releases it and wakes those who wait. */
  hold(entry: CacheEntry, lease: Lease): () => void;
  store(entry: CacheEntry, lease: Lease, answer: { text: string; asOf: number; version: string; ttlMs: number }): Promise<void>;
  /** Resolves when it applies to all instances, or is owed: then nothing is read before it was made up for. */
  invalidate(tags: readonly CacheTag[] | "all"): Promise<void>;
  clear(kind: CacheKind): Promise<number>;
  takeTurn(name: string, everyMs: number): Promise<boolean>;
  reset(): Promise<void>;
  /** How often another instance held the lock. */
  conflicts(): number;
  close(): void;
}

/** The longest lifetime that the settings allow for an answer, and the same again for computing it. */
const GENERATION_MS = 2 * 86_400_000;
/** After this time every snapshot has loaded a new configuration. */
const CONFIG_MS = 600_000;
const BATCH = 500;

export function createRedisTier(options: RedisTierOptions): RedisTier {
  const { redis, log, configVersion, timing, limits } = options;
  const root = `${options.prefix}cache:`;
  const channel = `${root}messages`;
  const sender = randomBytes(6).toString("hex");
  const waiters = new Map<string, Set<() => void>>();
  const gate = createRedisGate({
    ...{ redis, log, meanwhile: "every instance keeps its own answers for a while", timeoutMs: timing.commandMs, failuresToShut: 1 },
    onRecover: () => pay(),
  });
  /**
   * True when other instances may have missed an invalidation made here, or Redis may have come back with old data. Then no entry may be
   * trusted.
   */
  let owed = false;
  const owe = (): void => {
    owed = true;
  };
  let paying: Promise<void> | null = null;
  let conflicts = 0;

  const entryKeys = ({ id }: CacheEntry): [entry: string, lock: string] => [`${root}entry:${id}`, `${root}lock:${id}`];
  const generationKeys = (tags: readonly CacheTag[]): string[] => [`${root}gen:all`, ...tags.map((tag) => `${root}gen:${tag}`)];
  const text = (message: Message): string => `${sender} ${JSON.stringify(message)}`;

  function receive(message: string): void {
    const space = message.indexOf(" ");
    const told = JSON.parse(message.slice(space + 1)) as Message;
    if (told.kind === "computed") wake(told.id);
    else if (message.slice(0, space) === sender) return;
    else if (told.kind === "reset") options.onReset();
    else options.onInvalidated(told.tags, told.version);
  }

  function wake(id: string): void {
    for (const waken of waiters.get(id) ?? []) waken();
  }

  /** Resolves when another instance has computed it, or after a quarter of a lock's lifetime, to check again. */
  async function computedElsewhere(id: string): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const all = waiters.get(id) ?? new Set();
    waiters.set(id, all.add(resolve));
    const timer = setTimeout(resolve, timing.lockMs / 4);
    await promise;
    clearTimeout(timer);
    all.delete(resolve);
    if (all.size === 0) waiters.delete(id);
  }

  async function run(script: Script, keys: readonly string[], args: readonly (string | number)[]): Promise<unknown> {
    if (owed || paying) await payDebt();
    return gate.run((redis) => runScript(redis, script, keys, args));
  }

  function payDebt(): Promise<void> {
    paying ??= invalidateEverything().finally(() => {
      paying = null;
    });
    return paying;
  }

  async function invalidateEverything(): Promise<void> {
    // A failure from here on is owed again.
    owed = false;
    await gate
      .run((redis) => runScript(redis, invalidateScript, ...invalidation("all")))
      .catch((error: unknown) => {
        owed = true;
        throw error;
      });
    // Also in this process, which did not hear the others' invalidations meanwhile.
    options.onInvalidated("all", configVersion());
  }

  function invalidation(tags: readonly CacheTag[] | "all"): [keys: string[], args: (string | number)[]] {
    const version = configVersion();
    const keys = [`${root}config`, ...(tags === "all" ? [`${root}gen:all`] : tags.map((tag) => `${root}gen:${tag}`))];
    const message = text({ kind: "invalidated", tags, version });
    return [keys, [randomBytes(9).toString("base64url"), tags === "all" ? 0 : GENERATION_MS, version, CONFIG_MS, channel, message]];
  }

  async function begin(entry: CacheEntry): Promise<Begun> {
    const end = performance.now() + timing.mostWaitMs;
    const keys = [...entryKeys(entry), ...generationKeys(entry.tags)];
    for (let tries = 1; ; tries++) {
      const word = randomBytes(9).toString("base64url");
      const [kind, first, leftMs, answer] = (await run(beginScript, keys, [word, timing.lockMs])) as [string, string, number, string];
      if (kind === "hit") return { kind, text: answer, asOf: Number(first), leftMs };
      if (kind === "compute") return { kind, lease: { generations: first, lock: `${word} ${first}` } };
      if (tries === 1) conflicts += 1;
      if (performance.now() > end) return { kind: "compute", lease: { generations: first, lock: "" } };
      await computedElsewhere(entry.id);
    }
  }

  /** Walks the index in batches, so that limits, leases and sessions in the same Redis are not scanned. */
  async function clear(kind: CacheKind): Promise<number> {
    const [index, sizes] = [`${root}index`, `${root}sizes`];
    let [cursor, cleared] = ["0", 0];
    do {
      const [next, found] = await gate.run((redis) => redis.zscan(index, cursor, "MATCH", `${root}entry:${kind}:*`, "COUNT", BATCH));
      cursor = next;
      // ZSCAN returns each name followed by its score.
      const names = found.filter((_, at) => at % 2 === 0);
      if (names.length > 0) cleared += Number(await run(forgetScript, [index, sizes, ...names], []));
    } while (cursor !== "0");
    return cleared;
  }

  const pay = (): void => {
    if (owed) payDebt().catch(noop);
  };
  redis.on("close", owe);
  redis.on("ready", pay);
  let hears = false;
  const unfollow = followChannel(redis, channel, {
    onMessage: receive,
    onSubscribed() {
      // Messages sent before are lost.
      options.onInvalidated("all", "0");
      hears = true;
    },
    onLost() {
      hears = false;
    },
  });

  return {
    isOpen: () => !owed && !paying && gate.isOpen() && redis.status === "ready",
    hears: () => hears,
    begin,
    hold(entry, { lock }) {
      const [, key] = entryKeys(entry);
      if (lock === "") return noop;
      const timer = setInterval(() => void run(renewScript, [key], [lock, timing.lockMs]).catch(noop), timing.lockMs / 3);
      timer.unref();
      return () => {
        clearInterval(timer);
        run(releaseScript, [key], [lock, channel, text({ kind: "computed", id: entry.id })]).catch(noop);
      };
    },
    async store(entry, { generations }, { text: value, asOf, version, ttlMs }) {
      const [key] = entryKeys(entry);
      const keys = [key, `${root}index`, `${root}sizes`, `${root}config`, ...generationKeys(entry.tags)];
      await run(storeScript, keys, [value, asOf, generations, version, Math.ceil(ttlMs), limits.entries, limits.bytes]);
    },
    invalidate: (tags) => run(invalidateScript, ...invalidation(tags)).then(noop, owe),
    clear,
    async takeTurn(name, everyMs) {
      // Timers drift: an instance that comes slightly early must not be turned away for a whole round.
      const holdMs = Math.ceil(everyMs * 0.95);
      return (await gate.run((redis) => redis.set(`${root}turn:${name}`, sender, "PX", holdMs, "NX"))) === "OK";
    },
    reset: () => gate.run((redis) => redis.publish(channel, text({ kind: "reset" }))).then(noop, noop),
    conflicts: () => conflicts,
    close() {
      redis.off("close", owe);
      redis.off("ready", pay);
      unfollow();
      gate.close();
    },
  };
}

function noop(): void {}
