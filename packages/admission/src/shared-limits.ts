import type { Redis } from "ioredis";
import type { KeyUsage, Refusal } from "./admission.ts";
import type { AppliedLimits } from "./local-limits.ts";

/** Leases of a key: ZSET of request ids, score = expiry by Redis' own clock, so a dead instance needs no sweeper. */
const leaseKey = (keyId: string): string => `sluice:leases:${keyId}`;
/** Rate of a key: HASH of second → requests, `first` = oldest second kept, `total` = sum. See core/limits/rate-window. */
const rateKey = (keyId: string): string => `sluice:rate:${keyId}`;

/** KEYS leases, rate · ARGV request id, in-flight limit, rpm (0 = none), lease ms → {0} | {1 in flight | 2 rpm, retry s}. */
const admitLua = `
local time = redis.call('TIME')
local sec = tonumber(time[1])
local ms = sec * 1000 + math.floor(tonumber(time[2]) / 1000)
local inFlight, rpm, leaseMs = tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
if inFlight > 0 then
  redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', ms)
  if redis.call('ZCARD', KEYS[1]) >= inFlight then return {1, 1} end
end
if rpm > 0 then
  local book = redis.call('HMGET', KEYS[2], 'first', 'total')
  local first, total = tonumber(book[1]) or sec, tonumber(book[2]) or 0
  while first <= sec - 61 do
    local count = redis.call('HGET', KEYS[2], first)
    if count then
      total = total - tonumber(count)
      redis.call('HDEL', KEYS[2], first)
    end
    first = first + 1
  end
  if total >= rpm then
    local left, retry = total, 1
    for second = first, sec do
      left = left - (tonumber(redis.call('HGET', KEYS[2], second) or 0))
      if left < rpm then
        retry = math.max(1, second + 61 - sec)
        break
      end
    end
    redis.call('HSET', KEYS[2], 'first', first, 'total', total)
    return {2, retry}
  end
  redis.call('HINCRBY', KEYS[2], sec, 1)
  redis.call('HSET', KEYS[2], 'first', first, 'total', total + 1)
  redis.call('EXPIRE', KEYS[2], 62)
end
if inFlight > 0 then
  redis.call('ZADD', KEYS[1], ms + leaseMs, ARGV[1])
  redis.call('PEXPIRE', KEYS[1], leaseMs * 2)
end
return {0, 0}
`;

/** KEYS one per lease · ARGV lease ms, request id per lease. Adds what Redis lost: the holder knows best. */
const renewLua = `
local time = redis.call('TIME')
local expiry = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000) + tonumber(ARGV[1])
for i, key in ipairs(KEYS) do
  redis.call('ZADD', key, expiry, ARGV[i + 1])
  redis.call('PEXPIRE', key, tonumber(ARGV[1]) * 2)
end
return #KEYS
`;

/** KEYS leases, rate · → {in flight, second, count, second, count, …} of the last 61 seconds. Reads only. */
const usageLua = `
local time = redis.call('TIME')
local sec = tonumber(time[1])
local ms = sec * 1000 + math.floor(tonumber(time[2]) / 1000)
local usage = {redis.call('ZCOUNT', KEYS[1], '(' .. ms, '+inf')}
for second = sec - 60, sec do
  local count = redis.call('HGET', KEYS[2], second)
  if count then
    usage[#usage + 1] = second
    usage[#usage + 1] = tonumber(count)
  end
end
return usage
`;

interface LimitCommands {
  sluiceLimitUsage(leases: string, rate: string): Promise<number[]>;
  sluiceAdmit(
    leases: string,
    rate: string,
    requestId: string,
    inFlight: number,
    rpm: number,
    leaseMs: number,
  ): Promise<[code: number, retryAfterS: number]>;
  sluiceRenewLeases(count: number, ...args: (string | number)[]): Promise<number>;
}

/** Teaches a connection the scripts; they are sent once and called by hash. */
export function defineLimitCommands(redis: Redis): void {
  redis.defineCommand("sluiceAdmit", { numberOfKeys: 2, lua: admitLua });
  redis.defineCommand("sluiceLimitUsage", { numberOfKeys: 2, lua: usageLua, readOnly: true });
  redis.defineCommand("sluiceRenewLeases", { lua: renewLua });
}

/** Takes the key's limits over all instances together, or none. */
export async function admitShared(redis: Redis, requestId: string, limits: AppliedLimits, leaseMs: number): Promise<Refusal | null> {
  const [code, retryAfterS] = await commandsOf(redis).sluiceAdmit(
    leaseKey(limits.keyId),
    rateKey(limits.keyId),
    requestId,
    limits.inFlight ?? 0,
    limits.rpm ?? 0,
    leaseMs,
  );
  if (code === 0) return null;
  const owner = { owner: "key", ownerId: limits.keyId, retryAfterS } as const;
  return code === 1 ? { limit: "in_flight", value: limits.inFlight ?? 0, ...owner } : { limit: "rpm", value: limits.rpm ?? 0, ...owner };
}

/** What a key uses over all instances. */
export async function usageShared(redis: Redis, keyId: string): Promise<KeyUsage> {
  const [inFlight = 0, ...pairs] = await commandsOf(redis).sluiceLimitUsage(leaseKey(keyId), rateKey(keyId));
  const rate: KeyUsage["rate"] = [];
  for (let index = 0; index + 1 < pairs.length; index += 2) rate.push({ second: pairs[index] ?? 0, count: pairs[index + 1] ?? 0 });
  return { inFlight, rate };
}

/** Ends a lease. */
export function releaseShared(redis: Redis, requestId: string, keyId: string): Promise<number> {
  return redis.zrem(leaseKey(keyId), requestId);
}

/** Prolongs leases, and books them again where Redis has lost them. */
export async function renewShared(
  redis: Redis,
  leases: readonly (readonly [requestId: string, keyId: string])[],
  leaseMs: number,
): Promise<void> {
  await commandsOf(redis).sluiceRenewLeases(
    leases.length,
    ...leases.map(([, keyId]) => leaseKey(keyId)),
    leaseMs,
    ...leases.map(([requestId]) => requestId),
  );
}

/** The connection with the scripts of {@link defineLimitCommands}; ioredis cannot type what is defined at run time. */
function commandsOf(redis: Redis): LimitCommands {
  return redis as unknown as LimitCommands;
}
