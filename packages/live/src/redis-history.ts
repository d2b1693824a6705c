import type { BusId, LiveEvent } from "@sluice/core/events";
import { defineScript } from "@sluice/db/redis-script";
import { compareBusIds, newEpoch, parseBusId } from "./bus-id.ts";
import { type Batch, MAX_REPLAY_EVENTS, type Replay, type ResetReason } from "./live-bus.ts";
import type { RedisLink } from "./redis-link.ts";

/*
 * Storage of the bus in Redis. `live` is the stream; `live:head` a hash of the epoch and the id of the newest entry. Each
 * entry has the epoch it was written in (e), its predecessor (p) and the events (d). The chain of predecessors reveals a
 * hole wherever it comes from: trimming, a flush, an older dump that was loaded, a lost message.
 */

/** Creates a head where there is none; a stream without a head is not a history. */
const ensureHead = `
local function head(fresh)
  local h = redis.call('HMGET', KEYS[1], 'epoch', 'last')
  if h[1] and h[2] then return h[1], h[2] end
  redis.call('DEL', KEYS[2])
  redis.call('HSET', KEYS[1], 'epoch', fresh, 'last', '0-0')
  return fresh, '0-0'
end`;

/**
 * KEYS head, stream, sent. ARGV number of the batch, candidate epoch, '1' to begin that epoch, events, maximum length of the
 * stream, channel. A batch that was already taken (its reply was lost) is not added again.
 */
const publishScript = defineScript(`${ensureHead}
local done = redis.call('GET', KEYS[3])
if done and tonumber(done) >= tonumber(ARGV[1]) then return 0 end
local epoch, prev = head(ARGV[2])
if ARGV[3] == '1' then epoch = ARGV[2] end
local id = redis.call('XADD', KEYS[2], 'MAXLEN', '~', ARGV[5], '*', 'e', epoch, 'p', prev, 'd', ARGV[4])
redis.call('HSET', KEYS[1], 'epoch', epoch, 'last', id)
redis.call('SET', KEYS[3], ARGV[1], 'EX', 86400)
redis.call('PUBLISH', ARGV[6], epoch .. ' ' .. id .. ' ' .. prev .. ' ' .. ARGV[4])
return 1`);

/** KEYS head, stream. ARGV candidate epoch, after ('' = no entries), how many. → epoch, last, entries. */
const readScript = defineScript(`${ensureHead}
local epoch, last = head(ARGV[1])
local entries = {}
if ARGV[2] ~= '' then entries = redis.call('XRANGE', KEYS[2], '(' .. ARGV[2], '+', 'COUNT', ARGV[3]) end
return { epoch, last, entries }`);

/** Entries fetched in one command. */
const PAGE = 200;

interface Entry {
  epoch: string;
  id: string;
  prev: string;
  data: string;
}

interface Page {
  epoch: string;
  last: string;
  entries: Entry[];
}

export interface RedisHistory {
  channel: string;
  /** Appends and publishes; resolves when Redis has it, even if it had it already. @throws when Redis does not answer. */
  append(batch: { publisher: string; number: number; events: string; newEpoch: boolean }): Promise<void>;
  /** @throws when Redis does not answer. */
  position(): Promise<BusId>;
  /** @throws when Redis does not answer. */
  replay(after: BusId): Promise<Replay>;
}

export function createRedisHistory(link: RedisLink, { maxEntries }: { maxEntries: number }): RedisHistory {
  const stream = `${link.prefix}live`;
  const head = `${link.prefix}live:head`;
  // Channels span all databases of a server, keys do not.
  const channel = `${link.prefix}live@${link.redis.options.db ?? 0}`;

  async function read(after: string): Promise<Page> {
    return toPage(await link.run(readScript, [head, stream], [newEpoch(), after, PAGE]));
  }

  return {
    channel,
    async append({ publisher, number, events, newEpoch: begin }) {
      const keys = [head, stream, `${link.prefix}live:sent:${publisher}`];
      await link.run(publishScript, keys, [number, newEpoch(), begin ? "1" : "0", events, maxEntries, channel]);
    },
    async position() {
      const { epoch, last } = await read("");
      return `${epoch}:${last}`;
    },
    async replay(after) {
      const batches: Batch[] = [];
      for (let at = after; ; at = batches.at(-1)?.id ?? at) {
        const parsed = parseBusId(at);
        const page = await read(parsed ? `${parsed.ms}-${parsed.seq}` : "");
        const position = `${page.epoch}:${page.last}`;
        const reset = addPage(batches, page, at);
        const events = batches.reduce((sum, batch) => sum + batch.events.length, 0);
        if (reset) return { reset, position };
        if (events > MAX_REPLAY_EVENTS) return { reset: "too_old", position };
        if (page.entries.length < PAGE) return { batches, position: batches.at(-1)?.id ?? after };
      }
    },
  };
}

/** Appends the page's entries if they follow `after` without a hole; otherwise returns why they do not. */
function addPage(batches: Batch[], page: Page, after: BusId): ResetReason | null {
  const parsed = parseBusId(after);
  if (parsed?.epoch !== page.epoch) return "epoch";
  const behind = compareBusIds(after, `${page.epoch}:${page.last}`);
  if (behind > 0) return "ahead";
  if (page.entries.length === 0) return behind === 0 ? null : "too_old";
  let prev = `${parsed.ms}-${parsed.seq}`;
  for (const entry of page.entries) {
    if (entry.epoch !== page.epoch) return "epoch";
    if (entry.prev !== prev) return "too_old";
    batches.push({ id: `${entry.epoch}:${entry.id}`, events: parseEvents(entry.data) });
    prev = entry.id;
  }
  return null;
}

/** Parses a message of the channel; null when it is not ours. */
export function parseMessage(message: string): { id: BusId; prev: BusId; events: () => LiveEvent[] } | null {
  const one = message.indexOf(" ");
  const two = message.indexOf(" ", one + 1);
  const three = message.indexOf(" ", two + 1);
  if (one < 0 || two < 0 || three < 0) return null;
  const epoch = message.slice(0, one);
  return {
    id: `${epoch}:${message.slice(one + 1, two)}`,
    prev: `${epoch}:${message.slice(two + 1, three)}`,
    events: () => parseEvents(message.slice(three + 1)),
  };
}

function parseEvents(json: string): LiveEvent[] {
  return JSON.parse(json) as LiveEvent[];
}

function toPage(reply: unknown): Page {
  const [epoch, last, raw] = reply as [string, string, [string, string[]][]];
  const entries = raw.map(([id, [, entryEpoch = "", , prev = "", , data = "[]"]]) => ({ id, epoch: entryEpoch, prev, data }));
  return { epoch, last, entries };
}
