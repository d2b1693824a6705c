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
const prelude = `
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

-- What an owner has while the script runs, because most requests of a turn share their owners; written by writeBegun.
local owners = {}
local function ownerOf(part)
  local name = KEYS[part.key]
  local owner = owners[name]
  if owner then return owner end
  owner = {name = name, queued = redis.call('EXISTS', name .. ':queue') == 1, gone = {}, begun = {}, held = {}, sums = {}}
  owners[name] = owner
  return owner
end

for _, ended in ipairs(ask.ends) do
  for _, part in ipairs(ended.owners) do
    local owner, limits = ownerOf(part), ask.owners[part.key]
    local name = owner.name
    local wasHeld = false
    if limits.costs or limits.tpm then wasHeld = endHold(name, ended.id) else owner.gone[#owner.gone + 1] = ended.id end
    if limits.costs and part.cost > 0 then charge(name, ended.id, ended.start, part.cost) end
    -- Told twice, or admitted without Redis: its tokens are not counted here any more, or never were.
    if limits.tpm and wasHeld then
      local more = part.tokens - part.estimate
      if more > 0 then countIn(name .. ':tpm', more) elseif more < 0 then countOut(name .. ':tpm', part.second, -more) end
    end
    if owner.queued then redis.call('PUBLISH', 'sluice:limit:freed', string.sub(name, 14)) end
  end
end
for _, owner in pairs(owners) do
  if #owner.gone > 0 then redis.call('ZREM', owner.name .. ':live', unpack(owner.gone)) end
end

if #ask.asks > 0 and not ask.now and math.abs(now - ask.at) > 1000 then
  writeMinutes()
  return now
end

-- Once a turn: nothing more can run out within it.
local function refresh(owner, limits)
  local name = owner.name
  if not owner.running then
    expire(name)
    owner.running = redis.call('ZCARD', name .. ':live')
  end
  if not limits.costs or owner.reserved then return end
  for kind, start in pairs(ask.starts) do
    local known = redis.call('HGET', name .. ':book', kind .. ':start')
    if not known or tonumber(known) < start then redis.call('HSET', name .. ':book', kind, 0, kind .. ':start', int(start)) end
  end
  owner.reserved = tonumber(redis.call('HGET', name .. ':book', 'reserved') or 0)
end

local function spentOf(owner, kind)
  owner.sums[kind] = owner.sums[kind] or spent(owner.name, kind)
  return owner.sums[kind]
end

local function rateRefusal(key, limit, amount)
  if not limit then return end
  local minute = minuteOf(key)
  if minute.total + amount <= limit then return end
  -- More than a minute ever has.
  if amount > limit then return {minute.total, 0, -2} end
  local left, frees = minute.total, sec + 1
  for second = minute.first, sec do
    left = left - countOf(key, second)
    if left + amount <= limit then
      frees = second + 61
      break
    end
  end
  return {minute.total, 0, math.max(frees, sec + 1) * 1000}
end

local function flightRefusal(owner, limit, request)
  if not limit then return end
  local queue, ahead = owner.name .. ':queue', 0
  if request.queueMs > 0 and owner.queued then
    redis.call('ZREMRANGEBYSCORE', queue, '-inf', int(now - request.queueMs - 1000))
    expirePlaces(owner.name)
    ahead = redis.call('ZRANK', queue, request.id) or redis.call('ZCARD', queue)
  end
  if ahead < limit - owner.running then return end
  return {owner.running, 1, -2}
end

local function costRefusal(part, kind)
  local owner, costs = part.owner, part.limits.costs
  local limit = costs and costs[kind]
  if not limit then return end
  local reserved, sum = owner.reserved, spentOf(owner, kind)
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
    local cost = tonumber(redis.call('HGET', owner.name .. ':spend', int(at)) or 0)
    if cost > 0 then
      left = left - cost
      frees = (at + length + 1) * 300000
    end
  end
  return {sum + reserved, onlyReserved, frees}
end

local function refusalOf(part, request, kind)
  if part.again then return end
  local owner, limits = part.owner, part.limits
  if kind == 'in_flight' then return flightRefusal(owner, limits.inFlight, request) end
  if kind == 'rpm' then return rateRefusal(owner.name .. ':rpm', limits.rpm, 1) end
  if kind == 'tpm' then return rateRefusal(owner.name .. ':tpm', limits.tpm, request.tokens) end
  return costRefusal(part, kind)
end

local function take(part, request)
  if part.again then return end
  local owner, limits = part.owner, part.limits
  local name = owner.name
  owner.begun[request.id] = true
  owner.running = owner.running + 1
  if limits.rpm then countIn(name .. ':rpm', 1) end
  if limits.tpm then countIn(name .. ':tpm', request.tokens) end
  if owner.queued and request.queueMs > 0 then redis.call('ZREM', name .. ':queue', request.id) end
  if not limits.costs then return end
  owner.held[#owner.held + 1] = request.id
  owner.held[#owner.held + 1] = int(part.cost)
  owner.reserved = owner.reserved + part.cost
end

local function writeBegun(owner)
  local name, begun = owner.name, {}
  for id in pairs(owner.begun) do
    begun[#begun + 1] = int(now + ask.leaseMs)
    begun[#begun + 1] = id
  end
  if #begun == 0 then return end
  redis.call('ZADD', name .. ':live', unpack(begun))
  redis.call('PEXPIRE', name .. ':live', bookMs)
  if #owner.held == 0 then return end
  redis.call('HSET', name .. ':held', unpack(owner.held))
  redis.call('HSET', name .. ':book', 'reserved', int(owner.reserved))
  keepBook(name)
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

local function isUnknown(owner, limits)
  if not limits.costs then return false end
  owner.layout = owner.layout or redis.call('HGET', owner.name .. ':book', 'layout')
  return owner.layout ~= limits.layout
end

local function takeFirstWithRoom(request)
  local unknown, before = {'unknown'}, 0
  for _, parts in ipairs(request.alternatives) do
    for index, part in ipairs(parts) do
      part.owner, part.limits = ownerOf(part), ask.owners[part.key]
      if isUnknown(part.owner, part.limits) then unknown[#unknown + 1] = before + index end
    end
    before = before + #parts
  end
  if #unknown > 1 then return unknown end
  local refusal = nil
  before = 0
  for alternative, parts in ipairs(request.alternatives) do
    for _, part in ipairs(parts) do
      part.used = {}
      refresh(part.owner, part.limits)
      part.again = part.owner.begun[request.id] or redis.call('ZSCORE', part.owner.name .. ':live', request.id)
    end
    local no = firstRefusal(parts, request, before)
    if not no then
      local used, costs = {}, false
      for index, part in ipairs(parts) do
        take(part, request)
        used[index] = part.used
        costs = costs or part.limits.costs
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
for _, owner in pairs(owners) do writeBegun(owner) end
writeMinutes()
return replies
`);

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

/** KEYS name · ARGV {id, size, waitMs, leaseMs} → 1 in line, 0 the line is full. Who is in line keeps its place for another lease. */
export const joinScript = defineScript(`${prelude}
local queue, waits = KEYS[1] .. ':queue', KEYS[1] .. ':waits'
redis.call('ZREMRANGEBYSCORE', queue, '-inf', int(now - ask.waitMs - 1000))
expirePlaces(KEYS[1])
if not redis.call('ZSCORE', queue, ask.id) then
  if redis.call('ZCARD', queue) >= ask.size then return 0 end
  local last = redis.call('ZRANGE', queue, -1, -1, 'WITHSCORES')
  -- Arrivals of one millisecond keep their order.
  redis.call('ZADD', queue, string.format('%.3f', math.max(now, (tonumber(last[2]) or 0) + 0.001)), ask.id)
end
redis.call('ZADD', waits, int(now + ask.leaseMs), ask.id)
for _, key in ipairs({queue, waits}) do redis.call('PEXPIRE', key, ask.leaseMs * 2 + ask.waitMs) end
return 1
`);
