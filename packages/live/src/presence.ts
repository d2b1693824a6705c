import { randomBytes } from "node:crypto";
import { defineScript } from "@sluice/db/redis-script";
import type { RedisLink } from "./redis-link.ts";

/** An instance without a beat for this long is dead, and what it owned is ignored. */
const TTL_MS = 10_000;
const BEAT_MS = 3_000;
const TAKEN = ":taken";
/** Longer than lives are remembered. */
const LOST_EXPIRE_S = 2 * 86_400;
const DETAILS = ":details";
/** For the rows of an instance that never comes back. */
const ROWS_EXPIRE_S = 86_400;

/**
 * KEYS instances, lost, rows, details. ARGV member, prefix of its earlier lives, seconds for which the rows outlive this beat. → 0 when
 * it was unknown, 2 when it was known but others had taken it for dead, else 1. By Redis' own clock, because the instances' clocks may
 * differ.
 */
const beatScript = defineScript(`
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
local known = redis.call('ZSCORE', KEYS[1], ARGV[1])
redis.call('ZADD', KEYS[1], now, ARGV[1])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - 86400000)
redis.call('EXPIRE', KEYS[3], ARGV[3])
redis.call('EXPIRE', KEYS[4], ARGV[3])
if known then return 1 + redis.call('SREM', KEYS[2], ARGV[1]) end
for _, member in ipairs(redis.call('ZRANGE', KEYS[1], 0, -1)) do
  if member ~= ARGV[1] and string.sub(member, 1, #ARGV[2]) == ARGV[2] then
    redis.call('ZREM', KEYS[1], member)
    redis.call('SREM', KEYS[2], member)
  end
end
return 0`);

/** Lua: `alive(key, ttl)` → the members with a recent beat. */
export const aliveLua = `
local function alive(key, ttl)
  local t = redis.call('TIME')
  local now = t[1] * 1000 + math.floor(t[2] / 1000)
  return redis.call('ZRANGEBYSCORE', key, now - ttl, '+inf')
end`;

/**
 * KEYS instances, lost. ARGV TTL ms, prefix of the row hashes, suffix of the note that they were taken over. → lives with a recent
 * beat; lives without one whose rows or such a note still exist; those of the latter that have not been announced; ms until
 * the next beat is overdue (-1: none is expected).
 */
const censusScript = defineScript(`
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
local alive, dead, new, next = {}, {}, {}, -1
local all = redis.call('ZRANGE', KEYS[1], 0, -1, 'WITHSCORES')
for i = 1, #all, 2 do
  local left = tonumber(all[i + 1]) + tonumber(ARGV[1]) - now
  if left >= 0 then
    alive[#alive + 1] = all[i]
    if next < 0 or left < next then next = left end
  elseif redis.call('EXISTS', ARGV[2] .. string.match(all[i], '^[^/]*'), ARGV[2] .. string.match(all[i], '^[^/]*') .. ARGV[3]) > 0 then
    dead[#dead + 1] = all[i]
    if redis.call('SISMEMBER', KEYS[2], all[i]) == 0 then new[#new + 1] = all[i] end
  end
end
return { alive, dead, new, next }`);

export interface Census {
  /** Instance ids (not lives). */
  alive: string[];
  /** Instances without a recent beat, even of a later life, whose rows nobody has taken over. */
  dead: string[];
  /** Lives among the dead that have not been announced yet (see `mourned`). */
  newlyDead: string[];
  /** Milliseconds until the next beat is overdue; null when none is expected. */
  nextMs: number | null;
}

/** Which instances are alive: a heartbeat that runs only while this one owns something that others may read. */
export interface Presence {
  /** This life of the instance: `<instance>/<boot>`; counts kept under it end with it. */
  readonly life: string;
  readonly key: string;
  readonly ttlMs: number;
  /** Keys of the hashes in which an instance publishes its rows; a day after its last beat they expire. */
  rowsKey(instance: string): string;
  detailsKey(instance: string): string;
  /** Key of the note left by the process that takes over the rows of an instance. */
  takenKey(instance: string): string;
  /** `owner` has something visible to others, from now until `release`. */
  hold(owner: string): void;
  release(owner: string): void;
  /** Which instances exist. @throws when Redis does not answer. */
  census(): Promise<Census>;
  /** Records that the end of these lives has been announced. @throws when Redis does not answer. */
  mourned(lives: readonly string[]): Promise<void>;
  /** Redis lost this instance (a flush): what it owns has to be written again. */
  onForgotten(listener: () => void): void;
  /** This instance was silent for so long that it was taken for dead, and is back. */
  onReturned(listener: () => void): void;
  close(): Promise<void>;
}

/** Creates the heartbeat; instance ids must not contain `/`. */
export function createPresence(link: RedisLink, { instanceId }: { instanceId: string }): Presence {
  const key = `${link.prefix}instances`;
  const lostKey = `${link.prefix}instances:lost`;
  const rowsPrefix = `${link.prefix}registry:`;
  const rowsKey = (instance: string) => `${rowsPrefix}${instance}`;
  const detailsKey = (instance: string) => `${rowsPrefix}${instance}${DETAILS}`;
  const life = `${instanceId}/${randomBytes(6).toString("hex")}`;
  const owners = new Set<string>();
  const forgotten: (() => void)[] = [];
  const returned: (() => void)[] = [];
  let timer: NodeJS.Timeout | null = null;
  let beaten = false;
  let lastBeatMs = Number.NEGATIVE_INFINITY;

  function beat(): void {
    if (!link.ready()) return;
    lastBeatMs = performance.now();
    const keys = [key, lostKey, rowsKey(instanceId), detailsKey(instanceId)];
    link.run(beatScript, keys, [life, `${instanceId}/`, ROWS_EXPIRE_S]).then(
      (known) => {
        if (beaten && known === 0) for (const listener of forgotten) listener();
        if (known === 2) for (const listener of returned) listener();
        beaten = true;
      },
      () => undefined,
    );
  }

  link.onReady(() => {
    // Redis may have come back without the last beat.
    lastBeatMs = Number.NEGATIVE_INFINITY;
    if (owners.size > 0) beat();
  });

  return {
    life,
    key,
    ttlMs: TTL_MS,
    rowsKey,
    detailsKey,
    takenKey: (instance) => rowsPrefix + instance + TAKEN,
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
    async census() {
      const reply = (await link.run(censusScript, [key, lostKey], [TTL_MS, rowsPrefix, TAKEN])) as [string[], string[], string[], number];
      const [alive, dead] = [new Set(reply[0].map(instanceOf)), new Set(reply[1].map(instanceOf))];
      return {
        alive: [...alive],
        dead: [...dead].filter((each) => !alive.has(each)),
        newlyDead: reply[2].filter((each) => !alive.has(instanceOf(each))),
        nextMs: reply[3] < 0 ? null : reply[3],
      };
    },
    async mourned(lives) {
      await link.redis
        .multi()
        .sadd(lostKey, ...lives)
        .expire(lostKey, LOST_EXPIRE_S)
        .exec();
    },
    onForgotten: (listener) => void forgotten.push(listener),
    onReturned: (listener) => void returned.push(listener),
    async close() {
      if (timer) clearInterval(timer);
      timer = null;
      if (beaten && link.ready()) await link.redis.zrem(key, life).catch(() => undefined);
    },
  };
}

/** The instance of a life. */
export function instanceOf(life: string): string {
  return life.slice(0, life.lastIndexOf("/"));
}
