import { defineScript } from "@sluice/db/redis-script";

/**
 * Limits on Redis. The books of an owner are stored under `sluice:limit:<owner>:<id>`:
 *
 * - `:live` ZSET of request ids, score = expiry by Redis' own clock, so that a dead instance needs no sweeper; `:held` HASH
 *   of what each of them reserves, nano-USD
 * - `:book` HASH: `reserved`, the sum of those; `layout`, the rules with which the rest was made (missing: the past is
 *   unknown); per cost kind its sum and `<kind>:start`
 * - `:spend` HASH of five-minute buckets for rolling windows; `:recent` HASH of settled requests that the ledger has not
 *   shown yet, `<nano-USD>|<start>`
 * - `:rpm`, `:tpm` HASH of second → count, `first` = oldest second kept, `total` = sum (core/limits/rate-window)
 * - `:queue` ZSET of waiting request ids, score = arrival; `:waits` ZSET of the same, score = expiry like `:live`
 *
 * Every key has a TTL and is recreated when it is gone: costs from the ledger, the rest by the processes that hold it. `now` is
 * Redis' time, or a test's fake clock. Scripts derive key names from owners, which is why Cluster is refused at boot.
 */
export const prelude = `
local ask = cjson.decode(ARGV[1])
local time = redis.call('TIME')
local now = ask.now or (tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000))
local sec, bucket = math.floor(now / 1000), math.floor(now / 300000)
local bookMs = 7200000
local kinds = {'total', '5h', 'day', 'week', 'month'}
-- Adding 0 turns a negative zero, which Redis does not take for an integer, into 0.
local function int(n) return string.format('%.0f', n + 0) end

-- Returns whether it was held.
local function endHold(name, id)
  local wasHeld = redis.call('ZREM', name .. ':live', id) == 1
  local amount = redis.call('HGET', name .. ':held', id)
  if not amount then return wasHeld end
  redis.call('HDEL', name .. ':held', id)
  redis.call('HINCRBY', name .. ':book', 'reserved', int(-tonumber(amount)))
  return wasHeld
end

-- All parts live as long: a reservation whose lease is forgotten would never end, and a book without its buckets shows too little.
local function keepBook(name)
  for _, of in ipairs({':live', ':held', ':book', ':spend', ':recent'}) do redis.call('PEXPIRE', name .. of, bookMs) end
end

local function expire(name)
  for _, id in ipairs(redis.call('ZRANGEBYSCORE', name .. ':live', '-inf', int(now), 'LIMIT', 0, 1000)) do endHold(name, id) end
end

-- Places in line whose process has died.
local function expirePlaces(name)
  for _, id in ipairs(redis.call('ZRANGEBYSCORE', name .. ':waits', '-inf', int(now), 'LIMIT', 0, 1000)) do
    redis.call('ZREM', name .. ':queue', id)
    redis.call('ZREM', name .. ':waits', id)
  end
end

-- A minute's book as of now, read once and written by writeMinutes.
local minutes = {}
local function minuteOf(key)
  local minute = minutes[key]
  if minute then return minute end
  local book = redis.call('HMGET', key, 'first', 'total')
  minute = {first = tonumber(book[1]) or sec, total = tonumber(book[2]) or 0, added = 0, changed = false}
  minutes[key] = minute
  if minute.first > sec - 61 then return minute end
  minute.first, minute.total, minute.changed = sec - 60, 0, true
  local fields = redis.call('HGETALL', key)
  for at = 1, #fields, 2 do
    local second = tonumber(fields[at])
    if second and second < minute.first then
      redis.call('HDEL', key, fields[at])
    elseif second then
      minute.total = minute.total + tonumber(fields[at + 1])
    end
  end
  return minute
end

local function countOf(key, second)
  return tonumber(redis.call('HGET', key, int(second)) or 0) + (second == sec and minuteOf(key).added or 0)
end

local function countIn(key, amount)
  local minute = minuteOf(key)
  minute.added, minute.total, minute.changed = minute.added + amount, minute.total + amount, true
end

local function countOut(key, second, amount)
  local minute = minuteOf(key)
  local returned = math.min(countOf(key, second), amount)
  if second < minute.first or returned <= 0 then return end
  redis.call('HINCRBY', key, int(second), int(-returned))
  minute.total, minute.changed = minute.total - returned, true
end

local function writeMinutes()
  for key, minute in pairs(minutes) do
    if minute.added > 0 then redis.call('HINCRBY', key, int(sec), int(minute.added)) end
    if minute.changed then redis.call('HSET', key, 'first', int(minute.first), 'total', int(minute.total)) end
    if minute.added > 0 then redis.call('EXPIRE', key, 62) end
  end
end

local function spent(name, kind)
  local length = ask.rolling[kind]
  if not length then return tonumber(redis.call('HGET', name .. ':book', kind) or 0) end
  local fields = {}
  for at = bucket - length, bucket do fields[#fields + 1] = int(at) end
  local sum = 0
  for _, cost in ipairs(redis.call('HMGET', name .. ':spend', unpack(fields))) do sum = sum + (tonumber(cost or 0) or 0) end
  return sum
end
`;

/** KEYS names, one per hold · ARGV {leaseMs, ids, costs (-1 = none)}. Also restores what Redis lost: the holder knows best. */
export const renewScript = defineScript(`${prelude}
for index, name in ipairs(KEYS) do
  local id, cost = ask.ids[index], ask.costs[index]
  redis.call('ZADD', name .. ':live', int(now + ask.leaseMs), id)
  redis.call('PEXPIRE', name .. ':live', bookMs)
  if cost >= 0 and redis.call('HSETNX', name .. ':held', id, int(cost)) == 1 then
    redis.call('HINCRBY', name .. ':book', 'reserved', int(cost))
  end
  if cost >= 0 then keepBook(name) end
end
return 1
`);

/**
 * KEYS name · ARGV {layout, starts, sums, buckets, visible}: the ledger's figures for an owner, and the requests that its sums
 * include. Other settled requests are added. → the largest error of a sum, nano-USD.
 */
export const rebuildScript = defineScript(`${prelude}
local name = KEYS[1]
local book, recent = name .. ':book', name .. ':recent'
for _, id in ipairs(ask.visible) do
  if redis.call('HDEL', recent, id) == 0 and redis.call('HEXISTS', name .. ':held', id) == 1 then
    -- Over and charged: its own settlement, still on the way, must not count once more.
    endHold(name, id)
    redis.call('HSET', recent, id, '0|0')
  end
end
local sums, buckets = ask.sums, ask.buckets
local settled = redis.call('HGETALL', recent)
for index = 2, #settled, 2 do
  local cost, start = string.match(settled[index], '^(%d+)|(%d+)$')
  cost, start = tonumber(cost), tonumber(start)
  for kind, from in pairs(ask.starts) do
    if start >= from then sums[kind] = (sums[kind] or 0) + cost end
  end
  local at = int(math.floor(start / 300000))
  buckets[at] = (buckets[at] or 0) + cost
end
local off = 0
local isKnown = redis.call('HGET', book, 'layout') == ask.layout
for kind, from in pairs(ask.starts) do
  local before = redis.call('HMGET', book, kind, kind .. ':start')
  if isKnown and tonumber(before[2]) == from then off = math.max(off, math.abs((tonumber(before[1]) or 0) - (sums[kind] or 0))) end
  redis.call('HSET', book, kind, int(sums[kind] or 0), kind .. ':start', int(from))
end
redis.call('DEL', name .. ':spend')
for at, cost in pairs(buckets) do redis.call('HSET', name .. ':spend', at, int(cost)) end
local reserved, held = 0, redis.call('HGETALL', name .. ':held')
for at = 1, #held, 2 do
  if redis.call('ZSCORE', name .. ':live', held[at]) then
    reserved = reserved + tonumber(held[at + 1])
  else
    redis.call('HDEL', name .. ':held', held[at])
  end
end
redis.call('HSET', book, 'layout', ask.layout, 'reserved', int(reserved))
keepBook(name)
return int(off)
`);

/** KEYS name · ARGV {rolling, starts}. Reads only. → JSON {inFlight, rpm, tpm, known, spent, reserved}; rates as {second, count, …}. */
export const usageScript = defineScript(`${prelude}
local name = KEYS[1]
local function minute(key)
  local seconds = {}
  for second = sec - 60, sec do
    local count = tonumber(redis.call('HGET', key, int(second)) or 0)
    if count > 0 then
      seconds[#seconds + 1] = second
      seconds[#seconds + 1] = count
    end
  end
  return seconds
end
local sums = {}
for _, kind in ipairs(kinds) do
  local start, known = ask.starts[kind], redis.call('HGET', name .. ':book', kind .. ':start')
  if start and (not known or tonumber(known) < start) then sums[kind] = '0' else sums[kind] = int(spent(name, kind)) end
end
return cjson.encode({
  inFlight = redis.call('ZCOUNT', name .. ':live', '(' .. int(now), '+inf'),
  rpm = minute(name .. ':rpm'),
  tpm = minute(name .. ':tpm'),
  known = redis.call('HEXISTS', name .. ':book', 'layout'),
  spent = sums,
  reserved = redis.call('HGET', name .. ':book', 'reserved') or '0',
})
`);

/**
 * KEYS name · ARGV {id, size, waitMs, leaseMs, since} → since when it waits, 0 = the line is full. Who is in line keeps its place for
 * another lease; who waited in another line before is never sent away, and has its place among those who came when it did.
 */
export const joinScript = defineScript(`${prelude}
local queue, waits = KEYS[1] .. ':queue', KEYS[1] .. ':waits'
redis.call('ZREMRANGEBYSCORE', queue, '-inf', int(now - ask.waitMs - 1000))
expirePlaces(KEYS[1])
local since = redis.call('ZSCORE', queue, ask.id)
if not since then
  if not ask.since and redis.call('ZCARD', queue) >= ask.size then return 0 end
  local last = redis.call('ZRANGE', queue, -1, -1, 'WITHSCORES')
  -- Arrivals of one millisecond keep their order.
  since = string.format('%.3f', ask.since or math.max(now, (tonumber(last[2]) or 0) + 0.001))
  redis.call('ZADD', queue, since, ask.id)
end
redis.call('ZADD', waits, int(now + ask.leaseMs), ask.id)
for _, key in ipairs({queue, waits}) do redis.call('PEXPIRE', key, ask.leaseMs * 2 + ask.waitMs) end
return since
`);
