import { randomBytes } from "node:crypto";
import { defineScript, type RedisLink } from "./redis-link.ts";

/** Without a beat for this long an instance is dead and what it owned is ignored. */
const TTL_MS = 10_000;
const BEAT_MS = 3_000;

/**
 * KEYS instances. ARGV member, prefix of its earlier lives, TTL ms. → 1 when it was known and alive.
 * By Redis' own clock: those of instances need not agree.
 */
const beatScript = defineScript(`
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
local known = redis.call('ZSCORE', KEYS[1], ARGV[1])
redis.call('ZADD', KEYS[1], now, ARGV[1])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - 86400000)
if known then return 1 end
for _, member in ipairs(redis.call('ZRANGE', KEYS[1], 0, -1)) do
  if member ~= ARGV[1] and string.sub(member, 1, #ARGV[2]) == ARGV[2] then redis.call('ZREM', KEYS[1], member) end
end
return 0`);

/** Lua: `alive(key, ttl)` → the members with a recent beat. */
export const aliveLua = `
local function alive(key, ttl)
  local t = redis.call('TIME')
  local now = t[1] * 1000 + math.floor(t[2] / 1000)
  return redis.call('ZRANGEBYSCORE', key, now - ttl, '+inf')
end`;

const liveScript = defineScript(`${aliveLua}
return alive(KEYS[1], ARGV[1])`);

/** Which instances are alive: a heartbeat that beats only while this one owns something that others may read. */
export interface Presence {
  /** This life of the instance: `<instance>/<boot>`; counts kept under it die with it. */
  readonly life: string;
  readonly key: string;
  readonly ttlMs: number;
  /** `owner` has something to be seen, from now until `release`. */
  hold(owner: string): void;
  release(owner: string): void;
  /** Instance ids (not lives) with a recent beat. @throws when Redis does not answer. */
  instances(): Promise<string[]>;
  /** Redis forgot this instance (a flush): what it owns has to be written again. */
  onForgotten(listener: () => void): void;
  close(): Promise<void>;
}

/** Makes the heartbeat; instance ids must not contain `/`. */
export function createPresence(link: RedisLink, { instanceId }: { instanceId: string }): Presence {
  const key = `${link.prefix}instances`;
  const life = `${instanceId}/${randomBytes(6).toString("hex")}`;
  const owners = new Set<string>();
  const listeners: (() => void)[] = [];
  let timer: NodeJS.Timeout | null = null;
  let beaten = false;
  let lastBeatMs = Number.NEGATIVE_INFINITY;

  function beat(): void {
    if (!link.ready()) return;
    lastBeatMs = performance.now();
    link.run(beatScript, [key], [life, `${instanceId}/`, TTL_MS]).then(
      (known) => {
        if (beaten && known === 0) for (const listener of listeners) listener();
        beaten = true;
      },
      () => undefined,
    );
  }

  link.onReady(() => {
    if (owners.size > 0) beat();
  });

  return {
    life,
    key,
    ttlMs: TTL_MS,
    hold(owner) {
      owners.add(owner);
      if (timer) return;
      if (performance.now() - lastBeatMs > BEAT_MS) beat();
      timer = setInterval(beat, BEAT_MS);
    },
    release(owner) {
      owners.delete(owner);
      if (owners.size > 0 || !timer) return;
      clearInterval(timer);
      timer = null;
    },
    async instances() {
      const lives = (await link.run(liveScript, [key], [TTL_MS])) as string[];
      return [...new Set(lives.map((each) => each.slice(0, each.lastIndexOf("/"))))];
    },
    onForgotten: (listener) => void listeners.push(listener),
    async close() {
      if (timer) clearInterval(timer);
      timer = null;
      if (beaten && link.ready()) await link.redis.zrem(key, life).catch(() => undefined);
    },
  };
}
