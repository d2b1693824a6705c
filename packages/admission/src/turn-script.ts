import { defineScript } from "@sluice/db/redis-script";
import { prelude } from "./limit-scripts.ts";

/**
 * Everything that begins and ends in one turn, as one script. KEYS names of owners' books · ARGV {at, leaseMs, starts, rolling,
 * owners: limits, one per key; ends: {id, start, owners: {key, cost, tokens, estimate, second}}; asks: {id, tokens, queueMs,
 * alternatives: lists of {key, cost}}}. The ends come first, and each counts once. Then each ask takes all owners of its first
 * alternative that has room, or writes nothing that counts.
 * → Redis' time in ms when the asks were made for a different time; or the second as text when each has taken its first alternative
 * without limited cost, which nearly all do; or else a reply per ask: {'taken', alternative, second, used per
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

-- What an owner has while the script runs, because most requests of a turn share their owners; written by writeBegun. All of Redis, and
-- every request of the turn, waits for the script: what is the same for each of them is made once.
local owners = {}
local function ownerOf(part)
  local name = KEYS[part.key]
  local owner = owners[name]
  if owner then return owner end
  owner = {name = name, live = name .. ':live', rpm = name .. ':rpm', tpm = name .. ':tpm', gone = {}, begun = {}, held = {}, sums = {}}
  owner.queued = redis.call('EXISTS', name .. ':queue') == 1
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
      if more > 0 then countIn(owner.tpm, more) elseif more < 0 then countOut(owner.tpm, part.second, -more) end
    end
    if owner.queued then redis.call('PUBLISH', 'sluice:limit:freed', string.sub(name, 14)) end
  end
end
for _, owner in pairs(owners) do
  if #owner.gone > 0 then redis.call('ZREM', owner.live, unpack(owner.gone)) end
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
    owner.running = redis.call('ZCARD', owner.live)
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
    ahead = redis.call('ZRANK', queue, request.id)
      or redis.call('ZCOUNT', queue, '-inf', request.since and string.format('(%.3f', request.since) or '+inf')
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
  if kind == 'rpm' then return rateRefusal(owner.rpm, limits.rpm, 1) end
  if kind == 'tpm' then return rateRefusal(owner.tpm, limits.tpm, request.tokens) end
  return costRefusal(part, kind)
end

local function take(part, request)
  if part.again then return end
  local owner, limits = part.owner, part.limits
  owner.begun[request.id] = true
  owner.running = owner.running + 1
  if limits.rpm then countIn(owner.rpm, 1) end
  if limits.tpm then countIn(owner.tpm, request.tokens) end
  if owner.queued and request.queueMs > 0 then redis.call('ZREM', owner.name .. ':queue', request.id) end
  if not limits.costs then return end
  owner.held[#owner.held + 1] = request.id
  owner.held[#owner.held + 1] = int(part.cost)
  owner.reserved = owner.reserved + part.cost
end

local leaseEnds = int(now + ask.leaseMs)
local function writeBegun(owner)
  local name, begun = owner.name, {}
  for id in pairs(owner.begun) do
    begun[#begun + 1] = leaseEnds
    begun[#begun + 1] = id
  end
  if #begun == 0 then return end
  redis.call('ZADD', owner.live, unpack(begun))
  redis.call('PEXPIRE', owner.live, bookMs)
  if #owner.held == 0 then return end
  redis.call('HSET', name .. ':held', unpack(owner.held))
  redis.call('HSET', name .. ':book', 'reserved', int(owner.reserved))
  keepBook(name)
  redis.call('ZADD', 'sluice:limit:spenders', int(now), name)
  redis.call('PEXPIRE', 'sluice:limit:spenders', bookMs)
end

local function isLimited(kind)
  for _, limits in ipairs(ask.owners) do
    if kind == 'in_flight' and limits.inFlight or limits[kind] or limits.costs and limits.costs[kind] then return true end
  end
  return false
end

-- The kinds that anybody here has a limit of, in the order in which they are checked.
local limited = {}
for _, kind in ipairs({'total', 'in_flight', 'rpm', 'tpm', '5h', 'day', 'week', 'month'}) do
  if isLimited(kind) then limited[#limited + 1] = kind end
end

local function firstRefusal(parts, request, before)
  for _, kind in ipairs(limited) do
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

-- The reply to nearly all.
local taken = {'taken', 1, sec}

local function takeFirstWithRoom(request)
  local unknown, before = nil, 0
  for _, parts in ipairs(request.alternatives) do
    for index, part in ipairs(parts) do
      part.owner, part.limits = ownerOf(part), ask.owners[part.key]
      if isUnknown(part.owner, part.limits) then
        unknown = unknown or {'unknown'}
        unknown[#unknown + 1] = before + index
      end
    end
    before = before + #parts
  end
  if unknown then return unknown end
  local refusal = nil
  before = 0
  for alternative, parts in ipairs(request.alternatives) do
    for _, part in ipairs(parts) do
      part.used = {}
      refresh(part.owner, part.limits)
      part.again = part.owner.begun[request.id] or redis.call('ZSCORE', part.owner.live, request.id)
    end
    local no = firstRefusal(parts, request, before)
    if not no then
      local costs = false
      for _, part in ipairs(parts) do
        take(part, request)
        costs = costs or part.limits.costs
      end
      if not costs then return alternative == 1 and taken or {'taken', alternative, sec} end
      local used = {}
      for index, part in ipairs(parts) do used[index] = part.used end
      return {'taken', alternative, sec, cjson.encode(used)}
    end
    refusal = refusal or no
    before = before + #parts
  end
  return refusal
end

local replies, isPlain = {}, #ask.asks > 0
for index, request in ipairs(ask.asks) do
  local reply = takeFirstWithRoom(request)
  replies[index] = reply
  isPlain = isPlain and reply == taken
end
for _, owner in pairs(owners) do writeBegun(owner) end
writeMinutes()
if isPlain then return int(sec) end
return replies
`);
