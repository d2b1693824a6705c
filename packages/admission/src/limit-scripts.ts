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
 * - `:queue` ZSET of waiting request ids, score = arrival
 *
 * Every key has a TTL and is recreated when it is gone: costs from the ledger, the rest by the processes that hold it. `now` is
 * Redis' time, or a test's fake clock. Scripts derive key names from owners, which is why Cluster is refused at boot.
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
 * Everything that begins and ends in one turn, as one script. KEYS names of owners' books · ARGV {at, leaseMs, starts, rolling,
 * owners: limits, one per key; ends: {id, start, owners: {key, cost, tokens, estimate, second}}; asks: {id, tokens, queueMs,
 * alternatives: lists of {key, cost}}}. The ends come first, and each counts once. Then each ask takes all owners of its first
 * alternative that has room, or writes nothing that counts.
 * → a reply per ask, or Redis' time in ms when the asks were made for a different time: {'taken', alternative, second, used per
 * owner as JSON, absent when no cost is limited} | {'refused', owner, kind, used, only reserved, frees at ms, -1 = with its window,
 * -2 = not by time} | {'unknown', owner, …}. An ask's owners are numbered from 1 across its alternatives.
 */
export const turnScript = defineScript(`${prelude}
local function charge(name, id, start, cost)
  if redis.call('HEXISTS', name .. ':recent', id) == 1 then return end
  if redis.call('HLEN', name .. ':recent') < 100000 then
    redis.call('HSET', name .. ':recent', id, int(cost) .. '|' .. int(start))
    redis.call('PEXPIRE', name .. ':recent', bookMs)
  end
  for _, kind in ipairs(kinds) do
    local from = redis.call('HGET', name .. ':book', kind .. ':start')
    if from and start >= tonumber(from) then redis.call('HINCRBY', name .. ':book', kind, int(cost)) end
  end
  redis.call('HINCRBY', name .. ':spend', int(math.floor(start / 300000)), int(cost))
  redis.call('PEXPIRE', name .. ':spend', bookMs)
end

for _, ended in ipairs(ask.ends) do
  for _, part in ipairs(ended.owners) do
    local name, owner = KEYS[part.key], ask.owners[part.key]
    endHold(name, ended.id)
    if owner.costs and part.cost > 0 then charge(name, ended.id, ended.start, part.cost) end
    if owner.tpm then
      local more = part.tokens - part.estimate
      if more > 0 then countIn(name .. ':tpm', more) elseif more < 0 then countOut(name .. ':tpm', part.second, -more) end
    end
    if redis.call('EXISTS', name .. ':queue') == 1 then redis.call('PUBLISH', 'sluice:limit:freed', string.sub(name, 14)) end
  end
end

if #ask.asks > 0 and not ask.now and math.abs(now - ask.at) > 1000 then return now end

-- Once a turn: nothing more can run out within it.
local refreshed = {}
local function refresh(key)
  if refreshed[key] then return end
  refreshed[key] = true
  local name = KEYS[key]
  expire(name)
  if not ask.owners[key].costs then return end
  for kind, start in pairs(ask.starts) do
    local known = redis.call('HGET', name .. ':book', kind .. ':start')
    if not known or tonumber(known) < start then redis.call('HSET', name .. ':book', kind, 0, kind .. ':start', int(start)) end
  end
end

local function rateRefusal(key, limit, amount)
  if not limit then return end
  local first, total = advance(key)
  if total + amount <= limit then return end
  -- More than a minute ever has.
  if amount > limit then return {total, 0, -2} end
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

local function flightRefusal(part, request)
  if not part.owner.inFlight then return end
  local running = redis.call('ZCARD', part.name .. ':live')
  local ahead = 0
  if request.queueMs > 0 then
    redis.call('ZREMRANGEBYSCORE', part.name .. ':queue', '-inf', int(now - request.queueMs - 1000))
    ahead = redis.call('ZRANK', part.name .. ':queue', request.id) or redis.call('ZCARD', part.name .. ':queue')
  end
  if ahead < part.owner.inFlight - running then return end
  return {running, 1, -2}
end

local function costRefusal(part, kind)
  local limit = part.owner.costs and part.owner.costs[kind]
  if not limit then return end
  local reserved = tonumber(redis.call('HGET', part.name .. ':book', 'reserved') or 0)
  local sum = spent(part.name, kind)
  part.used[kind] = int(sum + reserved + part.cost)
  if sum + reserved + part.cost <= limit then return end
  -- More than a window ever has.
  if part.cost > limit then return {sum + reserved, 0, -2} end
  local onlyReserved = sum + part.cost <= limit and 1 or 0
  local length = ask.rolling[kind]
  if not length then return {sum + reserved, onlyReserved, kind == 'total' and -2 or -1} end
  local left, frees = sum, now + 1000
  for at = bucket - length, bucket do
    if left <= limit - part.cost - reserved then break end
    local cost = tonumber(redis.call('HGET', part.name .. ':spend', int(at)) or 0)
    if cost > 0 then
      left = left - cost
      frees = (at + length + 1) * 300000
    end
  end
  return {sum + reserved, onlyReserved, frees}
end

local function refusalOf(part, request, kind)
  if part.again then return end
  if kind == 'in_flight' then return flightRefusal(part, request) end
  if kind == 'rpm' then return rateRefusal(part.name .. ':rpm', part.owner.rpm, 1) end
  if kind == 'tpm' then return rateRefusal(part.name .. ':tpm', part.owner.tpm, request.tokens) end
  return costRefusal(part, kind)
end

local function take(part, request)
  if part.again then return end
  local name, owner = part.name, part.owner
  redis.call('ZADD', name .. ':live', int(now + ask.leaseMs), request.id)
  redis.call('PEXPIRE', name .. ':live', ask.leaseMs * 2)
  if owner.rpm then countIn(name .. ':rpm', 1) end
  if owner.tpm then countIn(name .. ':tpm', request.tokens) end
  if request.queueMs > 0 then redis.call('ZREM', name .. ':queue', request.id) end
  if not owner.costs then return end
  redis.call('HSET', name .. ':held', request.id, int(part.cost))
  redis.call('HINCRBY', name .. ':book', 'reserved', int(part.cost))
  for _, of in ipairs({':held', ':book', ':spend', ':recent'}) do redis.call('PEXPIRE', name .. of, bookMs) end
  redis.call('ZADD', 'sluice:limit:spenders', int(now), name)
  redis.call('PEXPIRE', 'sluice:limit:spenders', bookMs)
end

local function firstRefusal(parts, request, before)
  for _, kind in ipairs({'total', 'in_flight', 'rpm', 'tpm', '5h', 'day', 'week', 'month'}) do
    for index, part in ipairs(parts) do
      local no = refusalOf(part, request, kind)
      if no then return {'refused', before + index, kind, no[1], no[2], no[3]} end
    end
  end
end

local function takeFirstWithRoom(request)
  local unknown, before = {'unknown'}, 0
  for _, parts in ipairs(request.alternatives) do
    for index, part in ipairs(parts) do
      part.name, part.owner = KEYS[part.key], ask.owners[part.key]
      local costs = part.owner.costs
      if costs and redis.call('HGET', part.name .. ':book', 'layout') ~= part.owner.layout then unknown[#unknown + 1] = before + index end
    end
    before = before + #parts
  end
  if #unknown > 1 then return unknown end
  local refusal = nil
  before = 0
  for alternative, parts in ipairs(request.alternatives) do
    for _, part in ipairs(parts) do
      part.used = {}
      part.again = redis.call('ZSCORE', part.name .. ':live', request.id)
      refresh(part.key)
    end
    local no = firstRefusal(parts, request, before)
    if not no then
      local used, costs = {}, false
      for index, part in ipairs(parts) do
        take(part, request)
        used[index] = part.used
        costs = costs or part.owner.costs
      end
      if not costs then return {'taken', alternative, sec} end
      return {'taken', alternative, sec, cjson.encode(used)}
    end
    refusal = refusal or no
    before = before + #parts
  end
  return refusal
end

local replies = {}
for index, request in ipairs(ask.asks) do replies[index] = takeFirstWithRoom(request) end
return replies
`);

/** KEYS names, one per hold · ARGV {leaseMs, ids, costs (-1 = none)}. Also restores what Redis lost: the holder knows best. */
export const renewScript = defineScript(`${prelude}
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
local reserved = 0
for _, amount in ipairs(redis.call('HVALS', name .. ':held')) do reserved = reserved + tonumber(amount) end
redis.call('HSET', book, 'layout', ask.layout, 'reserved', int(reserved))
for _, part in ipairs({book, recent, name .. ':spend', name .. ':held'}) do redis.call('PEXPIRE', part, bookMs) end
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

/** KEYS name · ARGV {id, size, waitMs} → 1 in line, 0 the line is full. */
export const joinScript = defineScript(`${prelude}
local queue = KEYS[1] .. ':queue'
redis.call('ZREMRANGEBYSCORE', queue, '-inf', int(now - ask.waitMs - 1000))
if redis.call('ZSCORE', queue, ask.id) then return 1 end
if redis.call('ZCARD', queue) >= ask.size then return 0 end
local last = redis.call('ZRANGE', queue, -1, -1, 'WITHSCORES')
-- Arrivals of one millisecond keep their order.
redis.call('ZADD', queue, string.format('%.3f', math.max(now, (tonumber(last[2]) or 0) + 0.001)), ask.id)
redis.call('PEXPIRE', queue, ask.waitMs * 2 + 2000)
return 1
`);
