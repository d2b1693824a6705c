import { defineScript } from "@sluice/db/redis-script";

/*
 * The tier in Redis, under `sluice:cache:`:
 *
 * - `entry:<kind>:<hash>` HASH of an answer: `v` the text, `a` when it was computed, `g` the generations of its tags at that time
 * - `lock:<kind>:<hash>` who computes it, and for which generations; expires when its holder dies
 * - `gen:<tag>` a random word since the last invalidation; outlives every entry written before it. `gen:all` is for everything
 * - `config` the newest configuration version that an invalidation followed
 * - `index` ZSET of entries by expiry, `sizes` HASH of their bytes and, as `total`, the sum: they keep the tier bounded,
 *   because limits and leases live in the same Redis and must not be evicted
 */

const generations = `
local function generations(first)
  local gens = redis.call('MGET', unpack(KEYS, first))
  for i = 1, #KEYS - first + 1 do gens[i] = gens[i] or '-' end
  return table.concat(gens, ' ', 1, #KEYS - first + 1)
end`;

const forget = `
local function forget(index, sizes, name)
  redis.call('UNLINK', name)
  redis.call('ZREM', index, name)
  local bytes = redis.call('HGET', sizes, name)
  if not bytes then return end
  redis.call('HDEL', sizes, name)
  redis.call('HINCRBY', sizes, 'total', -tonumber(bytes))
end`;

/**
 * KEYS entry, lock, generations… ARGV word of the caller, lifetime of a lock in ms. → 'hit', asOf, ms left, text; or 'compute' or 'wait',
 * and the current generations. A lock from before an invalidation is ignored: its holder's result will not be stored.
 */
export const beginScript = defineScript(`${generations}
local now = generations(3)
local entry = redis.call('HMGET', KEYS[1], 'g', 'a', 'v')
if entry[3] and entry[1] == now then return { 'hit', entry[2], redis.call('PTTL', KEYS[1]), entry[3] } end
local holder = redis.call('GET', KEYS[2])
if holder and string.sub(holder, -#now - 1) == ' ' .. now then return { 'wait', now } end
redis.call('SET', KEYS[2], ARGV[1] .. ' ' .. now, 'PX', ARGV[2])
return { 'compute', now }`);

/** KEYS lock. ARGV its value, its new lifetime in ms. */
export const renewScript = defineScript(`
if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('PEXPIRE', KEYS[1], ARGV[2]) end
return 0`);

/** KEYS lock. ARGV its value, channel, message for those who wait. */
export const releaseScript = defineScript(`
if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('UNLINK', KEYS[1]) end
redis.call('PUBLISH', ARGV[2], ARGV[3])`);

/**
 * KEYS entry, index, sizes, config, generations… ARGV text, asOf, generations and configuration version at the start, lifetime in ms,
 * most entries, most bytes. → 1 if stored. Makes room by evicting what expires first.
 */
export const storeScript = defineScript(`${generations}${forget}
local entry, index, sizes = KEYS[1], KEYS[2], KEYS[3]
if generations(5) ~= ARGV[3] then return 0 end
if tonumber(ARGV[4]) < tonumber(redis.call('GET', KEYS[4]) or '0') then return 0 end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
for _, name in ipairs(redis.call('ZRANGE', index, '-inf', string.format('%.0f', now), 'BYSCORE', 'LIMIT', 0, 100)) do forget(index, sizes, name) end
forget(index, sizes, entry)
local bytes = #ARGV[1]
while redis.call('ZCARD', index) >= tonumber(ARGV[6]) or tonumber(redis.call('HGET', sizes, 'total') or '0') + bytes > tonumber(ARGV[7]) do
  local first = redis.call('ZRANGE', index, 0, 0)[1]
  if not first then
    redis.call('DEL', sizes)
    break
  end
  forget(index, sizes, first)
end
redis.call('HSET', entry, 'v', ARGV[1], 'a', ARGV[2], 'g', ARGV[3])
redis.call('PEXPIRE', entry, ARGV[5])
redis.call('ZADD', index, string.format('%.0f', now + tonumber(ARGV[5])), entry)
redis.call('HSET', sizes, entry, bytes)
redis.call('HINCRBY', sizes, 'total', bytes)
return 1`);

/**
 * KEYS config, generations of tags… ARGV new word, lifetime of a generation in ms (0: forever), version, lifetime of the version in ms,
 * channel, message.
 */
export const invalidateScript = defineScript(`
for i = 2, #KEYS do
  redis.call('SET', KEYS[i], ARGV[1])
  if ARGV[2] ~= '0' then redis.call('PEXPIRE', KEYS[i], ARGV[2]) end
end
if tonumber(ARGV[3]) > tonumber(redis.call('GET', KEYS[1]) or '0') then redis.call('SET', KEYS[1], ARGV[3], 'PX', ARGV[4]) end
redis.call('PUBLISH', ARGV[5], ARGV[6])`);

/** KEYS index, sizes, entries… → how many of them existed. */
export const forgetScript = defineScript(`${forget}
local found = 0
for i = 3, #KEYS do
  found = found + redis.call('EXISTS', KEYS[i])
  forget(KEYS[1], KEYS[2], KEYS[i])
end
return found`);
