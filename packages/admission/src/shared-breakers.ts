import type { Breaker, BreakerPolicy } from "@sluice/core/breaker/breaker";
import { maxOpenMs, successesToClose } from "@sluice/core/breaker/breaker";
import { defineScript, runScript } from "@sluice/db/redis-script";
import type { Redis } from "ioredis";

/** HASH of `provider|model` → JSON. Closed ones stay for an hour, so that "closed" and "lost" can be told apart. */
const breakersKey = "sluice:breakers";
/** Every change is published here for the mirrors of the other instances. */
export const breakersChannel = "sluice:breakers";

/** A breaker in transit: times are by Redis' clock, next to `now` of the same clock. */
export interface SharedBreaker extends Breaker {
  /** Increases with every change of this breaker: µs of Redis' clock, as text. */
  readonly rev: string;
}

export interface BreakerReply {
  id: string;
  /** State before the operation. */
  before: Breaker["state"];
  breaker: SharedBreaker;
  /** Whether the caller has the probe, or needs none. */
  won: boolean;
  now: number;
}

export interface BreakerMessage {
  id: string;
  breaker: SharedBreaker;
  now: number;
  origin: string;
}

/**
 * core/breaker in Lua, so that instances change one breaker together; the contract test runs both.
 * KEYS hash · ARGV op, id, origin, threshold, open ms, probe ms, cause or (put) JSON of the breaker, probes, retry-after ms.
 */
const changeScript = defineScript(`
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local op, id = ARGV[1], ARGV[2]
local threshold, openMs, probeMs = tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6])
local closed = function(rev)
  return { state = 'closed', failures = 0, opens = 0, successes = 0, probeAtMs = 0, probesUntilMs = {}, byRate = false, cause = '', rev = rev }
end
local raw = redis.call('HGET', KEYS[1], id)
local b = raw and cjson.decode(raw) or closed('0')
-- Written by a version with one probe.
b.probesUntilMs = b.probesUntilMs or {}
local before, changed, won = b.state, false, false
local probes, retryAfterMs = tonumber(ARGV[8]), tonumber(ARGV[9])
local open = function(baseMs)
  local forMs = math.min(${maxOpenMs}, math.max(retryAfterMs, baseMs * 2 ^ math.min(b.opens, 20)))
  b.state, b.opens, b.successes, b.probeAtMs, b.probesUntilMs, b.byRate = 'open', b.opens + 1, 0, now + forMs, {}, false
end
if op == 'fail' then
  if b.state == 'closed' then
    b.failures, b.cause, changed = b.failures + 1, ARGV[7], true
    if b.failures >= threshold then
      open(openMs)
    elseif retryAfterMs > 0 then
      open(0)
      b.opens = b.opens - 1
    end
  elseif b.state == 'half_open' and #b.probesUntilMs > 0 then
    b.cause, changed = ARGV[7], true
    open(openMs)
  end
elseif op == 'trip' then
  if b.state == 'closed' then
    b.cause, changed = ARGV[7], true
    open(openMs)
    b.byRate = true
  end
elseif op == 'succeed' then
  if b.state == 'closed' then
    if b.failures > 0 then b, changed = closed(b.rev), true end
  elseif b.state == 'half_open' and #b.probesUntilMs > 0 then
    changed = true
    b.successes = b.successes + 1
    table.remove(b.probesUntilMs, 1)
    if b.successes >= ${successesToClose} then b = closed(b.rev) end
  end
elseif op == 'reset' then
  if b.state ~= 'closed' or b.failures > 0 then b, changed = closed(b.rev), true end
elseif op == 'probe' then
  local out = {}
  for _, untilMs in ipairs(b.probesUntilMs) do
    if untilMs > now then out[#out + 1] = untilMs end
  end
  if b.state == 'closed' then
    won = true
  elseif (b.state == 'open' and now >= b.probeAtMs) or (b.state == 'half_open' and #out < probes) then
    out[#out + 1] = now + probeMs
    b.state, b.probeAtMs, b.probesUntilMs, changed, won = 'half_open', 0, out, true, true
  end
elseif op == 'put' then
  local put = cjson.decode(ARGV[7])
  if tonumber(put.rev) > tonumber(b.rev) then
    if put.probeAtMs ~= 0 then put.probeAtMs = put.probeAtMs + now end
    for i, untilMs in ipairs(put.probesUntilMs) do put.probesUntilMs[i] = untilMs + now end
    b, changed = put, true
  end
end
if changed then
  b.rev = string.format('%.0f', math.max(tonumber(b.rev) + 1, tonumber(time[1]) * 1000000 + tonumber(time[2])))
  redis.call('HSET', KEYS[1], id, cjson.encode(b))
  redis.call('PUBLISH', '${breakersChannel}', cjson.encode({ id = id, breaker = b, now = now, origin = ARGV[3] }))
end
return cjson.encode({ id = id, before = before, breaker = b, won = won, now = now })
`);

/** KEYS hash → JSON of all breakers; deletes those that have been closed for an hour. */
const listScript = defineScript(`
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local stale = (now - 3600000) * 1000
local all, kept = redis.call('HGETALL', KEYS[1]), {}
for i = 1, #all, 2 do
  local b = cjson.decode(all[i + 1])
  if b.state == 'closed' and tonumber(b.rev) < stale then
    redis.call('HDEL', KEYS[1], all[i])
  else
    kept[#kept + 1] = { id = all[i], breaker = b }
  end
end
return cjson.encode({ now = now, breakers = kept })
`);

export interface BreakerChange {
  op: "fail" | "trip" | "succeed" | "reset" | "probe" | "put";
  id: string;
  origin: string;
  policy: BreakerPolicy;
  /** `fail` and `trip`: the cause; `put`: JSON of a SharedBreaker whose times are offsets from now. */
  text?: string;
  /** `fail`: how long the provider asked to be left alone. */
  retryAfterMs?: number;
}

/** One operation on the shared breaker; changes are published to all instances. */
export async function changeShared(redis: Redis, change: BreakerChange): Promise<BreakerReply> {
  const { op, id, origin, policy, text = "", retryAfterMs = 0 } = change;
  const { failures, openMs, probeMs, probes } = policy;
  const args = [op, id, origin, failures, openMs, probeMs, text, probes, retryAfterMs];
  return JSON.parse(String(await runScript(redis, changeScript, [breakersKey], args))) as BreakerReply;
}

/** All breakers that any instance has reported. */
export async function listShared(redis: Redis): Promise<{ now: number; breakers: { id: string; breaker: SharedBreaker }[] }> {
  const list = JSON.parse(String(await runScript(redis, listScript, [breakersKey], []))) as {
    now: number;
    breakers: { id: string; breaker: SharedBreaker }[] | Record<string, never>;
  };
  // Lua encodes an empty table as a JSON object.
  return { now: list.now, breakers: Array.isArray(list.breakers) ? list.breakers : [] };
}
