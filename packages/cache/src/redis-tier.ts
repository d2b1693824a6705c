import { randomBytes } from "node:crypto";
import type { CacheKind } from "@sluice/core/cache-kinds";
import type { Log } from "@sluice/core/log";
import { followChannel } from "@sluice/db/follow-channel";
import { createRedisGate } from "@sluice/db/redis-gate";
import { runScript, type Script } from "@sluice/db/redis-script";
import type { Redis } from "ioredis";
import type { CacheEntry, CacheTag } from "./cache.ts";
import { beginScript, forgetScript, invalidateScript, releaseScript, renewScript, storeScript } from "./redis-scripts.ts";

/** The right to compute an answer, and the generations that it will be of. */
export interface Lease {
  readonly generations: string;
  /** Of the lock in Redis; '' when somebody else holds it, and was waited for too long. */
  readonly lock: string;
}

export type Begun = { kind: "hit"; text: string; asOf: number; leftMs: number } | { kind: "compute"; lease: Lease };

/** What instances tell each other. */
type Message =
  | { kind: "invalidated"; tags: readonly CacheTag[] | "all"; version: string }
  | { kind: "computed"; id: string }
  | { kind: "reset" };

export interface RedisTierOptions {
  redis: Redis;
  prefix: string;
  log: Log;
  /** Of the configuration in this process. */
  configVersion: () => string;
  onInvalidated: (tags: readonly CacheTag[] | "all", version: string) => void;
  onReset: () => void;
  timing: { commandMs: number; lockMs: number; mostWaitMs: number };
  limits: { entries: number; bytes: number };
}

/** The tier that all instances share. What cannot be done rejects within `commandMs`, at once while Redis is known to be away. */
export interface RedisTier {
  /** Whether it is asked at all: it is there, and nothing is owed to it. */
  isOpen(): boolean;
  /** Whether invalidations of others are heard the moment they are made. */
  hears(): boolean;
  /** Finds an answer, or gives the right to compute it; waits while another instance does. */
  begin(entry: CacheEntry): Promise<Begun>;
  /** Goes on holding what is being computed; never throws. Returns what ends that and tells those who wait. */
  hold(entry: CacheEntry, lease: Lease): () => void;
  store(entry: CacheEntry, lease: Lease, answer: { text: string; asOf: number; version: string; ttlMs: number }): Promise<void>;
  /** Resolves when it holds for all, or is owed: then nothing is read before it was made good. */
  invalidate(tags: readonly CacheTag[] | "all"): Promise<void>;
  clear(kind: CacheKind): Promise<number>;
  takeTurn(name: string, everyMs: number): Promise<boolean>;
  reset(): Promise<void>;
  /** How often another instance had the lock. */
  conflicts(): number;
  close(): void;
}

/** How long an answer may be kept at most by the settings, and as long again for computing it. */
const GENERATION_MS = 2 * 86_400_000;
/** By then every snapshot has found a new configuration. */
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
   * Whether the others may not have heard of everything that was invalidated here, or Redis may have come back as it was before. Then
   * nothing that is kept counts any more.
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

  /** Resolves when somebody has computed it, or after as long as a lock holds without being renewed. */
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
    // What is lost from here on is owed anew.
    owed = false;
    await gate
      .run((redis) => runScript(redis, invalidateScript, ...invalidation("all")))
      .catch((error: unknown) => {
        owed = true;
        throw error;
      });
    // Of this process too: others have invalidated while it did not hear them.
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

  /** By the list of entries, in batches: limits, leases and sessions in the same Redis are not looked at. */
  async function clear(kind: CacheKind): Promise<number> {
    const [index, sizes] = [`${root}index`, `${root}sizes`];
    let [cursor, cleared] = ["0", 0];
    do {
      const [next, found] = await gate.run((redis) => redis.zscan(index, cursor, "MATCH", `${root}entry:${kind}:*`, "COUNT", BATCH));
      cursor = next;
      // Each with its score.
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
      // Whatever was said before is lost.
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
      // Everybody's timer runs a little differently: who comes a little early is not turned away for a whole round.
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
