/**
 * Limits on Redis. The books of an owner stand under `sluice:limit:<owner>:<id>`:
 *
 * - `:live` ZSET of request ids, score = expiry by Redis' own clock, so that a dead instance needs no sweeper; `:held` HASH
 *   of what each of them reserves, nano-USD
 * - `:book` HASH: `reserved`, the sum of those; `layout`, by which rules the rest was made (none: nothing is known of the
 *   past); per cost kind its sum and `<kind>:start`
 * - `:spend` HASH of five-minute buckets for windows that roll; `:recent` HASH of settled requests that the ledger did not
 *   show yet, `<nano-USD>|<start>`
 * - `:rpm`, `:tpm` HASH of second → count, `first` = oldest second kept, `total` = sum (core/limits/rate-window)
 * - `:queue` ZSET of request ids in line, score = arrival
 *
 * Every key has a TTL and is made again when it is gone: costs from the ledger, the rest by those who hold it. `now` is
 * Redis' time, or the fake clock's of a test. Key names are made here from the owners': Cluster is refused at boot.
 */
const prelude = `
local ask = cjson.decode(ARGV[1])
local time = redis.call('TIME')
local now = ask.now or (tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000))
local sec, bucket = math.floor(now / 1000), math.floor(now / 300000)
local bookMs = 7200000
local kinds = {'total', '5h', 'day', 'week', 'month'}
local function int(n) return string.format('%.0f', n) end

local function endHold(name, id)
  redis.call('ZREM', name .. ':live', id)
  local amount = redis.call('HGET', name .. ':held', id)
  if not amount then return end
  redis.call('HDEL', name .. ':held', id)
  redis.call('HINCRBY', name .. ':book', 'reserved', int(-tonumber(amount)))
end

local function expire(name)
  for _, id in ipairs(redis.call('ZRANGEBYSCORE', name .. ':live', '-inf', int(now), 'LIMIT', 0, 1000)) do endHold(name, id) end
end

-- What a minute's book holds, without what has aged out.
local function advance(key)
  local book = redis.call('HMGET', key, 'first', 'total')
  local first, total = tonumber(book[1]) or sec, tonumber(book[2]) or 0
  if sec - first > 122 then
    redis.call('DEL', key)
    return sec, 0
  end
  while first <= sec - 61 do
    local count = redis.call('HGET', key, int(first))
    if count then
      total = total - tonumber(count)
      redis.call('HDEL', key, int(first))
    end
    first = first + 1
  end
  return first, total
end

local function countIn(key, amount)
  local first, total = advance(key)
  redis.call('HINCRBY', key, int(sec), int(amount))
  redis.call('HSET', key, 'first', int(first), 'total', int(total + amount))
  redis.call('EXPIRE', key, 62)
end

local function countOut(key, second, amount)
  local first, total = advance(key)
  local count = tonumber(redis.call('HGET', key, int(second)) or 0)
  local returned = math.min(count, amount)
  if second < first or returned <= 0 then return end
  redis.call('HINCRBY', key, int(second), int(-returned))
  redis.call('HSET', key, 'first', int(first), 'total', int(total - returned))
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

/**
 * KEYS names of the owners' books, alternative by alternative · ARGV the ask. Takes all owners of the first alternative that
 * has room, or writes nothing that counts.
 * → {'taken', alternative, second, used per owner as JSON} | {'refused', owner, kind, used, only reserved, frees at ms, -1 =
 * by its window, -2 = not by the clock} | {'unknown', owner, …} | {'clock', ms}. Indexes are KEYS' from 1.
 */
export const takeLua = `${prelude}
if not ask.now and math.abs(now - ask.at) > 1000 then return {'clock', now} end

local unknown = {'unknown'}
for index, owner in ipairs(ask.owners) do
  if owner.costs and redis.call('HGET', KEYS[index] .. ':book', 'layout') ~= owner.layout then unknown[#unknown + 1] = index end
end
if #unknown > 1 then return unknown end

local function rotate(name)
  for kind, start in pairs(ask.starts) do
    local known = redis.call('HGET', name .. ':book', kind .. ':start')
    if not known or tonumber(known) < start then redis.call('HSET', name .. ':book', kind, 0, kind .. ':start', int(start)) end
  end
end

local function rateRefusal(key, limit, amount)
  if not limit then return end
  local first, total = advance(key)
  if total + amount <= limit then return end
  local left, frees = total, sec + 1
  for second = first, sec do
    left = left - tonumber(redis.call('HGET', key, int(second)) or 0)
    if left + amount <= limit then
      frees = second + 61
      break
    end
  end
  return {total, 0, math.max(frees, sec + 1) * 1000}
end

local function flightRefusal(name, limit)
  if not limit then return end
  local running = redis.call('ZCARD', name .. ':live')
  local ahead = 0
  if ask.queueMs > 0 then
    redis.call('ZREMRANGEBYSCORE', name .. ':queue', '-inf', int(now - ask.queueMs - 1000))
    ahead = redis.call('ZRANK', name .. ':queue', ask.id) or redis.call('ZCARD', name .. ':queue')
  end
  if ahead < limit - running then return end
  return {running, 1, -2}
end

local function costRefusal(name, owner, kind)
  local limit = owner.costs and owner.costs[kind]
  if not limit then return end
  local reserved = tonumber(redis.call('HGET', name .. ':book', 'reserved') or 0)
  local sum = spent(name, kind)
  owner.used[kind] = int(sum + reserved + owner.cost)
  if sum + reserved + owner.cost <= limit then return end
  local onlyReserved = sum + owner.cost <= limit and 1 or 0
  local length = ask.rolling[kind]
  if not length then return {sum + reserved, onlyReserved, kind == 'total' and -2 or -1} end
  local left, frees = sum, now + 1000
  for at = bucket - length, bucket do
    if left <= limit - owner.cost - reserved then break end
    local cost = tonumber(redis.call('HGET', name .. ':spend', int(at)) or 0)
    if cost > 0 then
      left = left - cost
      frees = (at + length + 1) * 300000
    end
  end
  return {sum + reserved, onlyReserved, frees}
end

local function refusalOf(name, owner, kind)
  if owner.again then return end
  if kind == 'in_flight' then return flightRefusal(name, owner.inFlight) end
  if kind == 'rpm' then return rateRefusal(name .. ':rpm', owner.rpm, 1) end
  if kind == 'tpm' then return rateRefusal(name .. ':tpm', owner.tpm, ask.tokens) end
  return costRefusal(name, owner, kind)
end

local function take(name, owner)
  if owner.again then return end
  redis.call('ZADD', name .. ':live', int(now + ask.leaseMs), ask.id)
  redis.call('PEXPIRE', name .. ':live', ask.leaseMs * 2)
  if owner.rpm then countIn(name .. ':rpm', 1) end
  if owner.tpm then countIn(name .. ':tpm', ask.tokens) end
  if ask.queueMs > 0 then redis.call('ZREM', name .. ':queue', ask.id) end
  if not owner.costs then return end
  redis.call('HSET', name .. ':held', ask.id, int(owner.cost))
  redis.call('HINCRBY', name .. ':book', 'reserved', int(owner.cost))
  for _, part in ipairs({':held', ':book', ':spend', ':recent'}) do redis.call('PEXPIRE', name .. part, bookMs) end
  redis.call('ZADD', 'sluice:limit:spenders', int(now), name)
  redis.call('PEXPIRE', 'sluice:limit:spenders', bookMs)
end

local from, refusal = 1, nil
for alternative, size in ipairs(ask.alternatives) do
  local upTo = from + size - 1
  local found = nil
  for index = from, upTo do
    local owner = ask.owners[index]
    owner.used = {}
    owner.again = redis.call('ZSCORE', KEYS[index] .. ':live', ask.id)
    expire(KEYS[index])
    if owner.costs then rotate(KEYS[index]) end
  end
  for _, kind in ipairs({'total', 'in_flight', 'rpm', 'tpm', '5h', 'day', 'week', 'month'}) do
    for index = from, upTo do
      local no = refusalOf(KEYS[index], ask.owners[index], kind)
      if no then
        found = {'refused', index, kind, no[1], no[2], no[3]}
        break
      end
    end
    if found then break end
  end
  if not found then
    local used = {}
    for index = from, upTo do
      take(KEYS[index], ask.owners[index])
      used[#used + 1] = ask.owners[index].used
    end
    return {'taken', alternative, sec, cjson.encode(used)}
  end
  refusal = refusal or found
  from = upTo + 1
end
return refusal
`;

/** KEYS names · ARGV {id, start, owners: {cost, costs, tokens, estimate, second}}. A request counts once. */
export const settleLua = `${prelude}
local function charge(name, cost)
  if redis.call('HEXISTS', name .. ':recent', ask.id) == 1 then return end
  if redis.call('HLEN', name .. ':recent') < 100000 then
    redis.call('HSET', name .. ':recent', ask.id, int(cost) .. '|' .. int(ask.start))
    redis.call('PEXPIRE', name .. ':recent', bookMs)
  end
  for _, kind in ipairs(kinds) do
    local start = redis.call('HGET', name .. ':book', kind .. ':start')
    if start and ask.start >= tonumber(start) then redis.call('HINCRBY', name .. ':book', kind, int(cost)) end
  end
  redis.call('HINCRBY', name .. ':spend', int(math.floor(ask.start / 300000)), int(cost))
  redis.call('PEXPIRE', name .. ':spend', bookMs)
end

for index, name in ipairs(KEYS) do
  local owner = ask.owners[index]
  endHold(name, ask.id)
  if owner.costs and owner.cost > 0 then charge(name, owner.cost) end
  if owner.tokens then
    local more = owner.tokens - owner.estimate
    if more > 0 then countIn(name .. ':tpm', more) elseif more < 0 then countOut(name .. ':tpm', owner.second, -more) end
  end
  if redis.call('EXISTS', name .. ':queue') == 1 then redis.call('PUBLISH', 'sluice:limit:freed', string.sub(name, 14)) end
end
return 1
`;

/** KEYS names, one per hold · ARGV {leaseMs, ids, costs (-1 = none)}. Adds what Redis lost: the holder knows best. */
export const renewLua = `${prelude}
for index, name in ipairs(KEYS) do
  local id, cost = ask.ids[index], ask.costs[index]
  redis.call('ZADD', name .. ':live', int(now + ask.leaseMs), id)
  redis.call('PEXPIRE', name .. ':live', ask.leaseMs * 2)
  if cost >= 0 and redis.call('HSETNX', name .. ':held', id, int(cost)) == 1 then
    redis.call('HINCRBY', name .. ':book', 'reserved', int(cost))
  end
  if cost >= 0 then
    redis.call('PEXPIRE', name .. ':held', bookMs)
    redis.call('PEXPIRE', name .. ':book', bookMs)
  end
end
return 1
`;

/**
 * KEYS name · ARGV {layout, starts, sums, buckets, visible}: what the ledger says of an owner, and which requests it has in
 * its sums. The others that were settled are added. → by how much a sum was off, nano-USD.
 */
export const rebuildLua = `${prelude}
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
local reserved = 0
for _, amount in ipairs(redis.call('HVALS', name .. ':held')) do reserved = reserved + tonumber(amount) end
redis.call('HSET', book, 'layout', ask.layout, 'reserved', int(reserved))
for _, part in ipairs({book, recent, name .. ':spend', name .. ':held'}) do redis.call('PEXPIRE', part, bookMs) end
return int(off)
`;

/** KEYS name · ARGV {rolling, starts}. Reads only. → JSON {inFlight, rpm, tpm, known, spent, reserved}; rates as {second, count, …}. */
export const usageLua = `${prelude}
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
`;

/** KEYS name · ARGV {id, size, waitMs} → 1 in line, 0 the line is full. */
export const joinLua = `${prelude}
local queue = KEYS[1] .. ':queue'
redis.call('ZREMRANGEBYSCORE', queue, '-inf', int(now - ask.waitMs - 1000))
if redis.call('ZSCORE', queue, ask.id) then return 1 end
if redis.call('ZCARD', queue) >= ask.size then return 0 end
local last = redis.call('ZRANGE', queue, -1, -1, 'WITHSCORES')
-- Arrivals of one millisecond keep their order.
redis.call('ZADD', queue, string.format('%.3f', math.max(now, (tonumber(last[2]) or 0) + 0.001)), ask.id)
redis.call('PEXPIRE', queue, ask.waitMs * 2 + 2000)
return 1
`;
