import type { RedisGate } from "@sluice/db/redis-gate";
import { defineScript, runScript, type Script } from "@sluice/db/redis-script";
import type { CreditRefusal, LoadCredit } from "./credit.ts";

/*
 * A user's credit across all instances: a HASH of `available` (committed), `open` (sum), `rev` (how often rows were committed or
 * the balance read since it was created) and, for each reservation, its amount and instance; next to it a ZSET of when each one expires.
 */
const creditKey = (userId: string): string => `sluice:credit:${userId}`;
const lapseKey = (userId: string): string => `sluice:credit:${userId}:lapse`;
/** Since when (ms) the reservations in this Redis are complete. Lost with everything else when Redis is emptied. */
const EPOCH_KEY = "sluice:credit:epoch";
/** ZSET of the instances that admit requests, scored by their last sign of life. */
const INSTANCES_KEY = "sluice:credit:instances";
/** Users without a request for this long are forgotten. */
const FORGET_MS = 3_600_000;
/** A balance that no rebuild has read for this long may have missed an entry, so it is read first. */
const STALE_MS = 150_000;
const REBUILD_TRIES = 4;

const lua = `
local clock = redis.call('TIME')
local now = tonumber(clock[1]) * 1000 + math.floor(tonumber(clock[2]) / 1000)
local function whole(n) return string.format('%.0f', n) end
local function drop(credit, lapse, id)
  local held = redis.call('HGET', credit, 'r:' .. id)
  redis.call('ZREM', lapse, id)
  if not held then return nil end
  local amount = string.match(held, '^%d+')
  redis.call('HDEL', credit, 'r:' .. id)
  if amount ~= '0' then redis.call('HINCRBY', credit, 'open', '-' .. amount) end
  return amount
end
local function put(credit, lapse, id, amount, instance, holdMs)
  drop(credit, lapse, id)
  redis.call('HSET', credit, 'r:' .. id, amount .. ' ' .. instance)
  redis.call('HINCRBY', credit, 'open', amount)
  redis.call('ZADD', lapse, now + tonumber(holdMs), id)
end
local function keep(credit, lapse)
  redis.call('PEXPIRE', credit, ${FORGET_MS})
  redis.call('PEXPIRE', lapse, ${FORGET_MS})
end
`;

/** KEYS epoch, credit, lapse · ARGV id, amount, instance, hold ms, grace ms, stale ms → {ok|no|wait|unknown|stale, left}. */
const reserveScript = defineScript(`${lua}
local epoch = tonumber(redis.call('GET', KEYS[1]))
if not epoch then
  epoch = now + tonumber(ARGV[5])
  redis.call('SET', KEYS[1], whole(epoch))
end
if now < epoch then return {'wait', 0} end
for _, id in ipairs(redis.call('ZRANGEBYSCORE', KEYS[3], '-inf', now)) do drop(KEYS[2], KEYS[3], id) end
local available = redis.call('HGET', KEYS[2], 'available')
if not available then return {'unknown', 0} end
if now - tonumber(redis.call('HGET', KEYS[2], 'readAt')) > tonumber(ARGV[6]) then return {'stale', 0} end
keep(KEYS[2], KEYS[3])
if redis.call('HEXISTS', KEYS[2], 'r:' .. ARGV[1]) == 1 then return {'ok', 0} end
local left = tonumber(available) - (tonumber(redis.call('HGET', KEYS[2], 'open')) or 0)
if left < tonumber(ARGV[2]) then return {'no', whole(left)} end
put(KEYS[2], KEYS[3], ARGV[1], ARGV[2], ARGV[3], ARGV[4])
keep(KEYS[2], KEYS[3])
return {'ok', 0}
`);

/** KEYS credit, lapse · ARGV instance, hold ms, then id and amount of each reservation. */
const putScript = defineScript(`${lua}
for i = 3, #ARGV, 2 do put(KEYS[1], KEYS[2], ARGV[i], ARGV[i + 1], ARGV[1], ARGV[2]) end
keep(KEYS[1], KEYS[2])
`);

/** KEYS credit, lapse · ARGV id. */
const dropScript = defineScript(`${lua} drop(KEYS[1], KEYS[2], ARGV[1])`);

/** KEYS credit, lapse · ARGV id, … : from reserved to committed in one step. */
const settleScript = defineScript(`${lua}
for _, id in ipairs(ARGV) do
  local amount = drop(KEYS[1], KEYS[2], id)
  if amount and amount ~= '0' and redis.call('HEXISTS', KEYS[1], 'available') == 1 then redis.call('HINCRBY', KEYS[1], 'available', '-' .. amount) end
end
redis.call('HINCRBY', KEYS[1], 'rev', 1)
keep(KEYS[1], KEYS[2])
`);

/**
 * KEYS credit, lapse · ARGV instance, hold ms, then id and amount of each of its reservations → {rev, all ids, those of the instance
 * that it no longer has}. '?' = requested a moment ago: kept if it was granted, not added if it was not. What the instance no longer has
 * may be committed, so it counts until the balance that includes it is applied.
 */
const beginScript = defineScript(`${lua}
local own = {}
for i = 3, #ARGV, 2 do own[ARGV[i]] = ARGV[i + 1] end
local ids, over = {}, {}
local fields = redis.call('HGETALL', KEYS[1])
for i = 1, #fields, 2 do
  local id = string.match(fields[i], '^r:(.*)$')
  if id then
    local instance = string.match(fields[i + 1], '^%d+ (.*)$')
    ids[#ids + 1] = id
    if instance == ARGV[1] and not own[id] then over[#over + 1] = id end
  end
end
for id, amount in pairs(own) do
  if amount ~= '?' and redis.call('HEXISTS', KEYS[1], 'r:' .. id) == 0 then ids[#ids + 1] = id end
  if amount ~= '?' then put(KEYS[1], KEYS[2], id, amount, ARGV[1], ARGV[2]) end
end
keep(KEYS[1], KEYS[2])
return {tonumber(redis.call('HGET', KEYS[1], 'rev')) or 0, ids, over}
`);

/** KEYS credit, lapse · ARGV rev, available, n, n committed ids, ids that are over … → {1, by how much it was wrong} | {0, 0}. */
const applyScript = defineScript(`${lua}
if (tonumber(redis.call('HGET', KEYS[1], 'rev')) or 0) ~= tonumber(ARGV[1]) then return {0, 0} end
local believed = redis.call('HGET', KEYS[1], 'available')
local left = tonumber(believed)
for i = 4, #ARGV do
  local amount = drop(KEYS[1], KEYS[2], ARGV[i])
  if amount and left and i < 4 + tonumber(ARGV[3]) then left = left - tonumber(amount) end
end
redis.call('HSET', KEYS[1], 'available', ARGV[2], 'readAt', whole(now))
redis.call('HINCRBY', KEYS[1], 'rev', 1)
keep(KEYS[1], KEYS[2])
return {1, whole(left and math.abs(tonumber(ARGV[2]) - left) or 0)}
`);

/** KEYS epoch, instances · ARGV instance, grace ms, silence allowed ms, 1 if it admits → {epoch, others}. */
const beatScript = defineScript(`${lua}
if ARGV[4] == '1' then redis.call('ZADD', KEYS[2], now, ARGV[1]) end
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', now - tonumber(ARGV[3]))
redis.call('SET', KEYS[1], whole(now + tonumber(ARGV[2])), 'NX')
local others = redis.call('ZCARD', KEYS[2])
if redis.call('ZSCORE', KEYS[2], ARGV[1]) then others = others - 1 end
return {redis.call('GET', KEYS[1]), others}
`);

type ReserveReply = [answer: "ok" | "no" | "wait" | "unknown" | "stale", left: string];

export interface SharedCreditOptions {
  gate: RedisGate;
  load: LoadCredit;
  instanceId: string;
  admits: boolean;
  beatMs: number;
  holdMs: number;
  /** This process's reservations of a user. */
  ownOf: (userId: string) => [id: string, amount: number][];
}

interface Asked {
  id: string;
  userId: string;
  amount: number;
  /** Called as soon as it is granted: from then on it is one of this process's own reservations. */
  onGranted: () => void;
}

/** The credit of all instances together, on Redis. */
export function createSharedCredit({ gate, load, instanceId, admits, beatMs, holdMs, ownOf }: SharedCreditOptions) {
  const run = (script: Script, keys: readonly string[], ...args: (string | number)[]): Promise<unknown> =>
    gate.run((redis) => runScript(redis, script, keys, args));
  const send = (script: Script, userId: string, ...args: (string | number)[]): void =>
    gate.send((redis) => runScript(redis, script, [creditKey(userId), lapseKey(userId)], args));
  /** null: not reported yet. */
  let others: number | null = null;
  let knownEpoch = "";
  /** By user, what Redis was asked for but has not answered: it may already have granted it. */
  const asking = new Map<string, Set<string>>();

  /** How long other instances may take to put back what an emptied Redis has lost. */
  const graceMs = (): number => (others ? beatMs + 2_000 : 0);

  async function ask({ id, userId, amount }: Asked, staleMs = STALE_MS): Promise<ReserveReply> {
    const keys = [EPOCH_KEY, creditKey(userId), lapseKey(userId)];
    return (await run(reserveScript, keys, id, amount, instanceId, holdMs, graceMs(), staleMs)) as ReserveReply;
  }

  /** Returns by how much Redis' figure was wrong. */
  async function rebuild(userId: string): Promise<number> {
    const keys = [creditKey(userId), lapseKey(userId)];
    for (let tries = 0; tries < REBUILD_TRIES; tries++) {
      const own = [...[...(asking.get(userId) ?? [])].map((id) => [id, "?"]), ...ownOf(userId)].flat();
      const [rev, ids, over] = (await run(beginScript, keys, instanceId, holdMs, ...own)) as [rev: number, ids: string[], over: string[]];
      const { availableNanoUsd, settled } = await load([userId], ids);
      const args = [rev, availableNanoUsd.get(userId) ?? 0, settled.size, ...settled, ...over];
      const [applied, drift] = (await run(applyScript, keys, ...args)) as [applied: number, drift: string];
      if (applied === 1) return Number(drift);
      // Meanwhile a row was committed, which the read may or may not have seen, or another read, perhaps a later one, was applied first.
    }
    return 0;
  }

  async function answerTo(asked: Asked): Promise<CreditRefusal | null | "wait"> {
    let [answer, left] = await ask(asked);
    if (answer === "unknown") {
      await rebuild(asked.userId);
      [answer, left] = await ask(asked);
    } else if (answer === "stale") {
      // While Postgres is unavailable nothing is committed and no credit is added, so the last balance still holds.
      await rebuild(asked.userId).catch(() => undefined);
      [answer, left] = await ask(asked, Number.MAX_SAFE_INTEGER);
    }
    if (answer === "no") return { availableNanoUsd: Number(left), neededNanoUsd: asked.amount };
    return answer === "ok" ? null : "wait";
  }

  return {
    rebuild,
    /** Other instances that admit requests, as of Redis' last answer. */
    others: (): number | null => others,
    /** @throws when Redis or, for a user it does not know, Postgres does not answer. */
    async reserve(asked: Asked): Promise<CreditRefusal | null | "wait"> {
      const { id, userId } = asked;
      const mine = asking.get(userId) ?? new Set();
      asking.set(userId, mine.add(id));
      try {
        const refusal = await answerTo(asked);
        if (refusal === null) asked.onGranted();
        return refusal;
      } finally {
        mine.delete(id);
        if (mine.size === 0) asking.delete(userId);
      }
    },
    put(userId: string, reservations: readonly [id: string, amount: number][]): void {
      if (reservations.length > 0) send(putScript, userId, instanceId, holdMs, ...reservations.flat());
    },
    drop(userId: string, id: string): void {
      send(dropScript, userId, id);
    },
    settle(userId: string, ids: readonly string[]): void {
      send(settleScript, userId, ...ids);
    },
    /** Reports that this instance is alive. Returns true if Redis has been emptied since the last time. */
    async beat(): Promise<boolean> {
      const args = [instanceId, graceMs(), beatMs * 3, admits ? 1 : 0];
      const [epoch, count] = (await run(beatScript, [EPOCH_KEY, INSTANCES_KEY], ...args)) as [epoch: string, others: number];
      others = count;
      const emptied = knownEpoch !== "" && epoch !== knownEpoch;
      knownEpoch = epoch;
      return emptied;
    },
    async close(): Promise<void> {
      if (admits) await gate.run((redis) => redis.zrem(INSTANCES_KEY, instanceId)).catch(() => undefined);
    },
  };
}
