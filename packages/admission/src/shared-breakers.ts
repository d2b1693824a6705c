import type { Breaker, BreakerPolicy } from "@sluice/core/breaker/breaker";
import { maxOpenMs, successesToClose } from "@sluice/core/breaker/breaker";
import { defineScript, runScript } from "@sluice/db/redis-script";
import type { Redis } from "ioredis";

/** HASH of `provider|model` → JSON, for as long as a breaker is remembered ({@link rememberedMs}). */
const breakersKey = "sluice:breakers";
/** Every change is published here for the mirrors of the other instances. */
export const breakersChannel = "sluice:breakers";

/** A breaker in transit: times are by Redis' clock, next to `now` of the same clock. */
export interface SharedBreaker extends Breaker {
  /** Increases with every change of this breaker: µs of Redis' clock, as text. */
  readonly rev: string;
}

/**
 * How long a breaker that does not change is remembered. A closed one without failures matters only until the last announcement of an
 * older state has arrived.
 */
export const rememberedMs = ({ state, failures }: Breaker): number => {
  if (state !== "closed") return notClosedMs;
  return failures > 0 ? closedMs : 60_000;
};
const closedMs = 3_600_000;
/** Nobody has asked for this model there for a day: it would be due for a probe forever. */
const notClosedMs = 86_400_000;

export interface BreakerReply {
  /** The change came too late: its sender had given up on it, and it was not made. */
  late: boolean;
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

/** Redis' clock, or the tests'. ARGV[1] is empty, or the time in ms. */
const clockLua = `
local time = redis.call('TIME')
local nowUs = tonumber(time[1]) * 1000000 + tonumber(time[2])
if ARGV[1] ~= '' then nowUs = tonumber(ARGV[1]) * 1000 end
local now = math.floor(nowUs / 1000)
`;

/**
 * core/breaker in Lua, so that instances change one breaker together; the model test runs both.
 * KEYS hash · ARGV test clock, op, id, origin, threshold, open ms, probe ms, probes, cause, retry-after ms, the sender's own state as JSON
 * (times are offsets from now) or '', deadline by Redis' clock or 0.
 *
 * The sender's state replaces an older one: Redis may have lost the breaker, or missed what happened to it during an outage.
 * A command may also wait in a frozen Redis until long after its sender has made the change on its own; then it is not made again.
 */
const changeScript = defineScript(`${clockLua}
local op, id, threshold, openMs, probeMs = ARGV[2], ARGV[3], tonumber(ARGV[5]), tonumber(ARGV[6]), tonumber(ARGV[7])
local probes, cause, retryAfterMs, deadline = tonumber(ARGV[8]), ARGV[9], tonumber(ARGV[10]), tonumber(ARGV[12])
local closed = function(rev)
  return { state = 'closed', failures = 0, opens = 0, successes = 0, probeAtMs = 0, probesUntilMs = {}, byRate = false, cause = '', rev = rev }
end
local raw = redis.call('HGET', KEYS[1], id)
local b = raw and cjson.decode(raw) or closed('0')
if deadline > 0 and now > deadline then
  return cjson.encode({ late = true, before = b.state, breaker = b, won = false, now = now })
end
-- Written by a version with one probe.
b.probesUntilMs = b.probesUntilMs or {}
local restored = false
local own = ARGV[11] ~= '' and cjson.decode(ARGV[11])
if own and tonumber(own.rev) > tonumber(b.rev) then
  if own.state == 'open' then own.probeAtMs = own.probeAtMs + now end
  for i, untilMs in ipairs(own.probesUntilMs) do own.probesUntilMs[i] = untilMs + now end
  b, restored = own, true
end
local before, changed, won = b.state, false, false
local open = function(baseMs)
  local forMs = math.min(${maxOpenMs}, math.max(retryAfterMs, baseMs * 2 ^ math.min(b.opens, 20)))
  b.state, b.opens, b.successes, b.probeAtMs, b.probesUntilMs, b.byRate = 'open', b.opens + 1, 0, now + forMs, {}, false
end
if (op == 'fail' or op == 'trip') and threshold == 0 then
  -- Disabled.
elseif op == 'fail' then
  if b.state == 'closed' then
    b.failures, b.cause, changed = b.failures + 1, cause, true
    if b.failures >= threshold then
      open(openMs)
    elseif retryAfterMs > 0 then
      open(0)
      b.opens = b.opens - 1
    end
  elseif b.state == 'half_open' and #b.probesUntilMs > 0 then
    b.cause, changed = cause, true
    open(openMs)
  end
elseif op == 'trip' then
  if b.state == 'closed' then
    b.cause, changed = cause, true
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
end
if changed then b.rev = string.format('%.0f', math.max(tonumber(b.rev) + 1, nowUs)) end
if changed or restored then
  redis.call('HSET', KEYS[1], id, cjson.encode(b))
  redis.call('PUBLISH', '${breakersChannel}', cjson.encode({ id = id, breaker = b, now = now, origin = ARGV[4] }))
end
return cjson.encode({ late = false, before = before, breaker = b, won = won, now = now })
`);

/** KEYS hash · ARGV test clock → JSON of all breakers; deletes those that are remembered no longer. */
const listScript = defineScript(`${clockLua}
local all, kept = redis.call('HGETALL', KEYS[1]), {}
for i = 1, #all, 2 do
  local b = cjson.decode(all[i + 1])
  if now - tonumber(b.rev) / 1000 > (b.state == 'closed' and ${closedMs} or ${notClosedMs}) then
    redis.call('HDEL', KEYS[1], all[i])
  else
    kept[#kept + 1] = { id = all[i], breaker = b }
  end
end
return cjson.encode({ now = now, breakers = kept })
`);

export interface BreakerChange {
  /** `put` only makes the sender's state known. */
  op: "fail" | "trip" | "succeed" | "reset" | "probe" | "put";
  id: string;
  origin: string;
  policy: BreakerPolicy;
  /** What the sender knows: times are offsets from now. null = nothing. */
  own: SharedBreaker | null;
  /** By Redis' clock; later, the change is not made. null = it always is. */
  deadlineMs: number | null;
  /** `fail` and `trip`: the cause. */
  cause?: string;
  /** `fail`: how long the provider asked to be left alone. */
  retryAfterMs?: number;
}

/** One operation on the shared breaker; changes are published to all instances. `testNow` replaces Redis' clock. */
export async function changeShared(redis: Redis, change: BreakerChange, testNow?: () => number): Promise<BreakerReply> {
  const { op, id, origin, policy, own, deadlineMs, cause = "", retryAfterMs = 0 } = change;
  const { failures, openMs, probeMs, probes } = policy;
  const sent = [op, id, origin, failures, openMs, probeMs, probes, cause, retryAfterMs, own ? JSON.stringify(own) : "", deadlineMs ?? 0];
  return JSON.parse(String(await runScript(redis, changeScript, [breakersKey], [testNow?.() ?? "", ...sent]))) as BreakerReply;
}

/** All breakers that any instance has reported. */
export async function listShared(
  redis: Redis,
  testNow?: () => number,
): Promise<{ now: number; breakers: { id: string; breaker: SharedBreaker }[] }> {
  const list = JSON.parse(String(await runScript(redis, listScript, [breakersKey], [testNow?.() ?? ""]))) as {
    now: number;
    breakers: { id: string; breaker: SharedBreaker }[] | Record<string, never>;
  };
  // Lua encodes an empty table as a JSON object.
  return { now: list.now, breakers: Array.isArray(list.breakers) ? list.breakers : [] };
}
