import { defineScript } from "@sluice/db/redis-script";

/*
 * The tier in Redis, under `sluice:cache:`:
 *
 * - `entry:<kind>:<hash>` HASH of an answer: `v` as text, `a` when it was computed, `g` the generations of its tags by then
 * - `lock:<kind>:<hash>` who computes it, and for which generations; ends by itself when its holder dies
 * - `gen:<tag>` a random word since the last invalidation; it outlives whatever was kept before it. `gen:all` is everything's
 * - `config` the newest version of the configuration that an invalidation was made after
 * - `index` ZSET of entries by when they run out, `sizes` HASH of their bytes and, as `total`, of the sum: they keep the tier bounded,
 *   because limits and leases live in the same Redis and must not vanish
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
 * KEYS entry, lock, generations… ARGV word of who asks, ms that a lock holds. → 'hit', asOf, ms left, text; or 'compute' or 'wait', and
 * the generations as they are. A lock from before an invalidation is nobody's: what its holder computes will not count.
 */
export const beginScript = defineScript(`${generations}
local now = generations(3)
local entry = redis.call('HMGET', KEYS[1], 'g', 'a', 'v')
if entry[3] and entry[1] == now then return { 'hit', entry[2], redis.call('PTTL', KEYS[1]), entry[3] } end
local holder = redis.call('GET', KEYS[2])
if holder and string.sub(holder, -#now - 1) == ' ' .. now then return { 'wait', now } end
redis.call('SET', KEYS[2], ARGV[1] .. ' ' .. now, 'PX', ARGV[2])
return { 'compute', now }`);

/** KEYS lock. ARGV its value, ms that it holds on. */
export const renewScript = defineScript(`
if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('PEXPIRE', KEYS[1], ARGV[2]) end
return 0`);

/** KEYS lock. ARGV its value, channel, message to those who wait. */
export const releaseScript = defineScript(`
if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('UNLINK', KEYS[1]) end
redis.call('PUBLISH', ARGV[2], ARGV[3])`);

/**
 * KEYS entry, index, sizes, config, generations… ARGV text, asOf, generations and version of the configuration when it was begun, ms to
 * keep it, most entries, most bytes. → 1 if it was kept. Room is made by taking what runs out first.
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

/** KEYS config, generations of tags… ARGV new word, ms that a generation is remembered (0: for good), version, ms that it counts, channel, message. */
export const invalidateScript = defineScript(`
for i = 2, #KEYS do
  redis.call('SET', KEYS[i], ARGV[1])
  if ARGV[2] ~= '0' then redis.call('PEXPIRE', KEYS[i], ARGV[2]) end
end
if tonumber(ARGV[3]) > tonumber(redis.call('GET', KEYS[1]) or '0') then redis.call('SET', KEYS[1], ARGV[3], 'PX', ARGV[4]) end
redis.call('PUBLISH', ARGV[5], ARGV[6])`);

/** KEYS index, sizes, entries… → how many of them there were. */
export const forgetScript = defineScript(`${forget}
local found = 0
for i = 3, #KEYS do
  found = found + redis.call('EXISTS', KEYS[i])
  forget(KEYS[1], KEYS[2], KEYS[i])
end
return found`);
