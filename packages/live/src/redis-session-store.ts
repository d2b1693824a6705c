import type { SessionRow } from "@sluice/core/events";
import { defineScript } from "@sluice/db/redis-script";
import { aliveLua, type Presence } from "./presence.ts";
import type { RedisLink } from "./redis-link.ts";
import { MAX_LISTED, MAX_SESSIONS, type SessionStore } from "./session-store.ts";

/*
 * `sessions` is a sorted set by last activity, with a hash `session:<id>` each. Requests in flight are a field per life of an
 * instance (f:<life>), summed over those alive, so the counts of a killed process end with its heartbeat. A terminated
 * session has the field `over`, and the score 0 whenever it is idle: then the next sweep removes it.
 */

/** KEYS sessions, instances, sent. ARGV prefix of hashes, life, TTL ms, number, changes as JSON. → alive, count, [id, created, hash…]. */
const applyScript = defineScript(`${aliveLua}
local done = redis.call('GET', KEYS[3])
local count = not (done and tonumber(done) >= tonumber(ARGV[4]))
redis.call('SET', KEYS[3], ARGV[4], 'EX', 3600)
local out = {}
for i, c in ipairs(cjson.decode(ARGV[5])) do
  local key = ARGV[1] .. c.id
  local created = redis.call('EXISTS', key) == 0
  if created then
    redis.call('HSET', key, 'userId', c.userId, 'keyId', c.keyId, 'startedAtMs', c.atMs, 'last', c.atMs, 'rev', c.atMs,
      'providerId', c.providerId, 'model', c.model, 'client', c.client)
  end
  if c.providerId ~= '' and (created or redis.call('HGET', key, 'providerId') ~= c.providerId) then
    redis.call('HSET', key, 'providerSince', c.atMs)
  end
  if c.requests ~= '0' then redis.call('HDEL', key, 'over') end
  for _, name in ipairs({ 'providerId', 'model', 'client', 'chosenBy' }) do
    if c[name] ~= '' then redis.call('HSET', key, name, c[name]) end
  end
  if count then
    for _, name in ipairs({ 'requests', 'inputTokens', 'cacheTokens', 'outputTokens', 'costNanoUsd' }) do
      redis.call('HINCRBY', key, name, c[name])
    end
  end
  if c.inFlight == '0' then redis.call('HDEL', key, 'f:' .. ARGV[2]) else redis.call('HSET', key, 'f:' .. ARGV[2], c.inFlight) end
  if tonumber(redis.call('HGET', key, 'last')) < tonumber(c.atMs) then redis.call('HSET', key, 'last', c.atMs) end
  redis.call('HINCRBY', key, 'rev', 1)
  redis.call('ZADD', KEYS[1], redis.call('HEXISTS', key, 'over') == 1 and 0 or redis.call('HGET', key, 'last'), c.id)
  out[i] = { c.id, created and 1 or 0, redis.call('HGETALL', key) }
end
return { alive(KEYS[2], ARGV[3]), out }`);

/** KEYS sessions, instances. ARGV prefix of hashes, TTL ms, cutoff, now, most sessions, most per call. → ended, oldest score, go on. */
const sweepScript = defineScript(`${aliveLua}
local living = {}
for _, life in ipairs(alive(KEYS[2], ARGV[2])) do living['f:' .. life] = true end
local ids = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', ARGV[3], 'LIMIT', 0, ARGV[6])
local excess = math.min(redis.call('ZCARD', KEYS[1]) - tonumber(ARGV[5]), tonumber(ARGV[6]))
if excess > #ids then ids = redis.call('ZRANGE', KEYS[1], 0, excess - 1) end
local ended = {}
for _, id in ipairs(ids) do
  local h = redis.call('HGETALL', ARGV[1] .. id)
  local busy = 0
  for i = 1, #h, 2 do if living[h[i]] then busy = busy + tonumber(h[i + 1]) end end
  if busy > 0 then
    redis.call('ZADD', KEYS[1], ARGV[4], id)
  else
    redis.call('ZREM', KEYS[1], id)
    redis.call('DEL', ARGV[1] .. id)
    if #h > 0 then ended[#ended + 1] = { id, h } end
  end
end
local oldest = redis.call('ZRANGE', KEYS[1], 0, 0, 'WITHSCORES')
return { ended, oldest[2] or '', #ids == tonumber(ARGV[6]) and 1 or 0 }`);

/** KEYS sessions, instances. ARGV prefix of hashes, TTL ms, first, last rank. → alive, [id, hash…]. */
const listScript = defineScript(`${aliveLua}
local out = {}
for i, id in ipairs(redis.call('ZREVRANGE', KEYS[1], ARGV[3], ARGV[4])) do out[i] = { id, redis.call('HGETALL', ARGV[1] .. id) } end
return { alive(KEYS[2], ARGV[2]), out }`);

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

/** Sessions in Redis, each change as one script. Times are those of the callers. */
export function createRedisSessionStore(link: RedisLink, presence: Presence): SessionStore {
  const sessions = `${link.prefix}sessions`;
  const hashes = `${link.prefix}session:`;
  const sent = `${link.prefix}sessions:sent:${presence.life}`;

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
      const args = [hashes, presence.life, presence.ttlMs, number, JSON.stringify(wire)];
      const reply = (await link.run(applyScript, [sessions, presence.key, sent], args)) as [string[], [string, number, string[]][]];
      // This life is alive, whether or not its first beat has arrived.
      const alive = new Set([...reply[0], presence.life]);
      return reply[1].map(([id, created, hash]) => {
        const row = toRow(id, hash, alive);
        return { row, created: created === 1, due: row.inFlight === 0 && hash.some((each, at) => at % 2 === 0 && each === "over") };
      });
    },

    async sweep(cutoffMs, nowMs) {
      const ended: SessionRow[] = [];
      // Bounded, because sessions that are all in flight can exceed the maximum.
      for (let calls = 1; ; calls += 1) {
        const args = [hashes, presence.ttlMs, Math.floor(cutoffMs), Math.floor(nowMs), MAX_SESSIONS, PER_CALL];
        const reply = (await link.run(sweepScript, [sessions, presence.key], args)) as [[string, string[]][], string, number];
        for (const [id, hash] of reply[0]) {
          const row = toRow(id, hash, new Set());
          ended.push({ ...row, rev: row.rev + 1 });
        }
        if (reply[2] === 0 || calls === MAX_CALLS) return { ended, oldestMs: reply[1] === "" ? null : Number(reply[1]) };
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
      const rows: SessionRow[] = [];
      for (let first = 0; first < MAX_LISTED; first += PER_CALL) {
        const args = [hashes, presence.ttlMs, first, first + PER_CALL - 1];
        const [lives, page] = (await link.run(listScript, [sessions, presence.key], args)) as [string[], [string, string[]][]];
        const alive = new Set(lives);
        for (const [id, hash] of page) if (hash.length > 0) rows.push(toRow(id, hash, alive));
        if (page.length < PER_CALL) break;
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
