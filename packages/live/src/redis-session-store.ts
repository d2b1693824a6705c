import type { SessionRow } from "@sluice/core/events";
import { defineScript } from "@sluice/db/redis-script";
import { aliveLua, type Presence } from "./presence.ts";
import type { RedisLink } from "./redis-link.ts";
import { MAX_LISTED, MAX_SESSIONS, type SessionStore } from "./session-store.ts";

/*
 * `sessions` is a sorted set by last activity, with a hash `session:<id>` each. Requests in flight are a field per life of an
 * instance (f:<life>), summed over those alive, so the counts of a killed process end with its heartbeat. A terminated
 * session has the field `over`, and the score 0 whenever it is idle: then the next sweep removes it. The scripts that begin or
 * end sessions remember which ones, because their reply may be lost: repeated under the same number, they give it again.
 *
 * A session that ended and comes back must be newer than its end, although its next instance's clock may be behind, or both happen in
 * one millisecond: `sessions:rev` is the highest rev with which any session ended.
 */

/**
 * KEYS sessions, instances, sent, rev. ARGV prefix of hashes, life, TTL ms, number, changes as JSON, how long the number is known in s,
 * most sessions. → alive, [id, created, hash…], 1 if there are too many sessions. `sent` holds the number and the sessions that
 * the batch began. A repeated batch does not bring back what has ended since.
 */
const applyScript = defineScript(`${aliveLua}
local number, begun = string.match(redis.call('GET', KEYS[3]) or '', '^(%d+)(.*)$')
local count = not (number and tonumber(number) >= tonumber(ARGV[4]))
local new, out = {}, {}
if not count then
  for id in string.gmatch(begun, '[^ ]+') do new[id] = true end
end
local function begin(key, c)
  local rev = string.format('%.0f', math.max(tonumber(c.atMs), tonumber(redis.call('GET', KEYS[4]) or '0')))
  redis.call('HSET', key, 'userId', c.userId, 'keyId', c.keyId, 'startedAtMs', c.atMs, 'last', c.atMs, 'rev', rev,
    'providerId', c.providerId, 'model', c.model, 'client', c.client, 'providerSince', c.atMs)
  new[c.id] = true
end
local function change(key, c)
  if c.providerId ~= '' and redis.call('HGET', key, 'providerId') ~= c.providerId then
    redis.call('HSET', key, 'providerSince', c.atMs)
  end
  for _, name in ipairs({ 'providerId', 'model', 'client', 'chosenBy' }) do
    if c[name] ~= '' then redis.call('HSET', key, name, c[name]) end
  end
  if count then
    if c.requests ~= '0' then redis.call('HDEL', key, 'over') end
    for _, name in ipairs({ 'requests', 'inputTokens', 'cacheTokens', 'outputTokens', 'costNanoUsd' }) do
      redis.call('HINCRBY', key, name, c[name])
    end
  end
  if c.inFlight == '0' then redis.call('HDEL', key, 'f:' .. ARGV[2]) else redis.call('HSET', key, 'f:' .. ARGV[2], c.inFlight) end
  if tonumber(redis.call('HGET', key, 'last')) < tonumber(c.atMs) then redis.call('HSET', key, 'last', c.atMs) end
  redis.call('HINCRBY', key, 'rev', 1)
  redis.call('ZADD', KEYS[1], redis.call('HEXISTS', key, 'over') == 1 and 0 or redis.call('HGET', key, 'last'), c.id)
  out[#out + 1] = { c.id, new[c.id] and 1 or 0, redis.call('HGETALL', key) }
end
for _, c in ipairs(cjson.decode(ARGV[5])) do
  local key = ARGV[1] .. c.id
  local known = redis.call('EXISTS', key) == 1
  if not known and (count or c.inFlight ~= '0') then
    begin(key, c)
    known = true
  end
  if known then change(key, c) end
end
if count then
  local ids = {}
  for id in pairs(new) do ids[#ids + 1] = ' ' .. id end
  redis.call('SET', KEYS[3], ARGV[4] .. table.concat(ids), 'EX', ARGV[6])
end
return { alive(KEYS[2], ARGV[3]), out, redis.call('ZCARD', KEYS[1]) > tonumber(ARGV[7]) and 1 or 0 }`);

/**
 * KEYS sessions, instances, swept, rev. ARGV prefix of hashes, TTL ms, cutoff, now, most sessions, most per call, number, how long it is
 * known in s. → [id, hash…] of those ended as JSON, oldest score, go on. `swept` holds the number and the ended sessions.
 */
const sweepScript = defineScript(`${aliveLua}
local number, told = string.match(redis.call('GET', KEYS[3]) or '', '^(%d+) (.*)$')
if number == ARGV[7] then return { told, '', 1 } end
local living = {}
for _, life in ipairs(alive(KEYS[2], ARGV[2])) do living['f:' .. life] = true end
local ids = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', ARGV[3], 'LIMIT', 0, ARGV[6])
local excess = math.min(redis.call('ZCARD', KEYS[1]) - tonumber(ARGV[5]), tonumber(ARGV[6]))
if excess > #ids then ids = redis.call('ZRANGE', KEYS[1], 0, excess - 1) end
local ended, last = {}, tonumber(redis.call('GET', KEYS[4]) or '0')
for _, id in ipairs(ids) do
  local h = redis.call('HGETALL', ARGV[1] .. id)
  local busy, rev = 0, 0
  for i = 1, #h, 2 do
    if living[h[i]] then busy = busy + tonumber(h[i + 1]) elseif h[i] == 'rev' then rev = tonumber(h[i + 1]) + 1 end
  end
  if busy > 0 then
    redis.call('ZADD', KEYS[1], ARGV[4], id)
  else
    redis.call('ZREM', KEYS[1], id)
    redis.call('DEL', ARGV[1] .. id)
    if #h > 0 then ended[#ended + 1] = { id, h } end
    last = math.max(last, rev)
  end
end
local oldest = redis.call('ZRANGE', KEYS[1], 0, 0, 'WITHSCORES')
told = '[]'
if #ended > 0 then
  redis.call('SET', KEYS[4], string.format('%.0f', last))
  told = cjson.encode(ended)
  redis.call('SET', KEYS[3], ARGV[7] .. ' ' .. told, 'EX', ARGV[8])
end
return { told, oldest[2] or '', #ids == tonumber(ARGV[6]) and 1 or 0 }`);

/** KEYS instances. ARGV prefix of hashes, TTL ms, ids as JSON. → alive, [id, hash…]. */
const readScript = defineScript(`${aliveLua}
local out = {}
for i, id in ipairs(cjson.decode(ARGV[3])) do out[i] = { id, redis.call('HGETALL', ARGV[1] .. id) } end
return { alive(KEYS[1], ARGV[2]), out }`);

/** KEYS sessions. ARGV key of the hash, id. */
const terminateScript = defineScript(`
if redis.call('EXISTS', ARGV[1]) == 0 then return 0 end
redis.call('HSET', ARGV[1], 'over', '1')
redis.call('ZADD', KEYS[1], 0, ARGV[2])
return 1`);

/** KEYS sessions, instances. ARGV prefix of hashes, TTL ms, dead lives as JSON, ids as JSON. → alive, [id, hash…] of those changed. */
const buryScript = defineScript(`${aliveLua}
local out = {}
for _, id in ipairs(cjson.decode(ARGV[4])) do
  local key = ARGV[1] .. id
  local gone = 0
  for _, life in ipairs(cjson.decode(ARGV[3])) do gone = gone + redis.call('HDEL', key, 'f:' .. life) end
  if gone > 0 then
    redis.call('HINCRBY', key, 'rev', 1)
    redis.call('ZADD', KEYS[1], redis.call('HEXISTS', key, 'over') == 1 and 0 or redis.call('HGET', key, 'last'), id)
    out[#out + 1] = { id, redis.call('HGETALL', key) }
  end
end
return { alive(KEYS[2], ARGV[2]), out }`);

/** KEYS instances. ARGV key of the hash, TTL ms. → alive, hash. */
const findScript = defineScript(`${aliveLua}
return { alive(KEYS[1], ARGV[2]), redis.call('HGETALL', ARGV[1]) }`);

const PER_CALL = 200;
const MAX_CALLS = 100;
/** A script whose reply was lost is repeated when the connection is back; it must still be known then. */
const KNOWN_S = 86_400;

type Reply = [alive: string[], changed: [string, number, string[]][], tooMany: number];

/** Sessions in Redis, each change as one script. Times are those of the callers. */
export function createRedisSessionStore(link: RedisLink, presence: Presence): SessionStore {
  const sessions = `${link.prefix}sessions`;
  const hashes = `${link.prefix}session:`;
  const sent = `${link.prefix}sessions:sent:${presence.life}`;
  const swept = `${link.prefix}sessions:swept:${presence.life}`;
  const rev = `${link.prefix}sessions:rev`;
  /** Number of the next call that sweeps; it increases with each reply. */
  let sweep = 1;
  /** Ended by calls of a sweep of which a later one failed. */
  let ended: SessionRow[] = [];

  return {
    async apply(changes, number) {
      const wire = changes.map((change) => ({
        ...change,
        // As text: Lua's numbers are doubles, and HINCRBY does not accept 1e15.
        atMs: String(Math.floor(change.atMs)),
        requests: String(change.requests),
        inputTokens: String(change.inputTokens),
        cacheTokens: String(change.cacheTokens),
        outputTokens: String(change.outputTokens),
        inFlight: String(change.inFlight),
      }));
      const args = [hashes, presence.life, presence.ttlMs, number, JSON.stringify(wire), KNOWN_S, MAX_SESSIONS];
      const reply = (await link.run(applyScript, [sessions, presence.key, sent, rev], args)) as Reply;
      // This life is alive, whether or not its first beat has arrived.
      const alive = new Set([...reply[0], presence.life]);
      const results = reply[1].map(([id, created, hash]) => {
        const row = toRow(id, hash, alive);
        return { row, created: created === 1, due: row.inFlight === 0 && hash.some((each, at) => at % 2 === 0 && each === "over") };
      });
      return { results, tooMany: reply[2] === 1 };
    },

    async sweep(cutoffMs, nowMs) {
      // Bounded, because sessions that are all in flight can exceed the maximum.
      for (let calls = 1; ; calls += 1) {
        const args = [hashes, presence.ttlMs, Math.floor(cutoffMs), Math.floor(nowMs), MAX_SESSIONS, PER_CALL, sweep, KNOWN_S];
        const reply = (await link.run(sweepScript, [sessions, presence.key, swept, rev], args)) as [string, string, number];
        sweep += 1;
        for (const [id, hash] of JSON.parse(reply[0]) as [string, string[]][]) {
          const row = toRow(id, hash, new Set());
          ended.push({ ...row, rev: row.rev + 1 });
        }
        if (reply[2] === 1 && calls < MAX_CALLS) continue;
        const all = ended;
        ended = [];
        return { ended: all, oldestMs: reply[1] === "" ? null : Number(reply[1]) };
      }
    },

    async terminate(id) {
      await link.run(terminateScript, [sessions], [hashes + id, id]);
    },

    async bury(lives) {
      const ids = await link.redis.zrange(sessions, "0", "-1");
      const rows: SessionRow[] = [];
      for (let at = 0; at < ids.length; at += PER_CALL) {
        const args = [hashes, presence.ttlMs, JSON.stringify(lives), JSON.stringify(ids.slice(at, at + PER_CALL))];
        const [alive, changed] = (await link.run(buryScript, [sessions, presence.key], args)) as [string[], [string, string[]][]];
        for (const [id, hash] of changed) rows.push(toRow(id, hash, new Set(alive)));
      }
      return rows;
    },

    async find(id) {
      const [alive, hash] = (await link.run(findScript, [presence.key], [hashes + id, presence.ttlMs])) as [string[], string[]];
      return hash.length > 0 ? toRow(id, hash, new Set(alive)) : null;
    },

    async list(cutoffMs) {
      // All ids at once: ranks move between two pages.
      const ids = await link.redis.zrevrange(sessions, "0", String(MAX_LISTED - 1));
      const rows: SessionRow[] = [];
      for (let at = 0; at < ids.length; at += PER_CALL) {
        const args = [hashes, presence.ttlMs, JSON.stringify(ids.slice(at, at + PER_CALL))];
        const [lives, page] = (await link.run(readScript, [presence.key], args)) as [string[], [string, string[]][]];
        const alive = new Set(lives);
        for (const [id, hash] of page) if (hash.length > 0) rows.push(toRow(id, hash, alive));
      }
      return rows
        .filter((row) => row.lastActivityAtMs > cutoffMs || row.inFlight > 0)
        .sort((a, b) => b.lastActivityAtMs - a.lastActivityAtMs);
    },
  };
}

function toRow(id: string, hash: readonly string[], alive: ReadonlySet<string>): SessionRow {
  const fields = new Map<string, string>();
  let inFlight = 0;
  for (let at = 0; at + 1 < hash.length; at += 2) {
    const name = hash[at] ?? "";
    const value = hash[at + 1] ?? "";
    if (!name.startsWith("f:")) fields.set(name, value);
    else if (alive.has(name.slice(2))) inFlight += Number(value);
  }
  const text = (name: string) => fields.get(name) ?? "";
  const number = (name: string) => Number(fields.get(name) ?? 0);
  return {
    id,
    userId: text("userId"),
    keyId: text("keyId"),
    providerId: text("providerId"),
    model: text("model"),
    client: text("client"),
    startedAtMs: number("startedAtMs"),
    lastActivityAtMs: number("last"),
    inFlight,
    requests: number("requests"),
    inputTokens: number("inputTokens"),
    cacheTokens: number("cacheTokens"),
    outputTokens: number("outputTokens"),
    costNanoUsd: fields.get("costNanoUsd") ?? "0",
    providerSinceMs: number("providerSince"),
    chosenBy: text("chosenBy") as SessionRow["chosenBy"],
    rev: number("rev"),
  };
}
