import { defineScript } from "@sluice/db/redis-script";
import { aliveLua, type Presence } from "./presence.ts";
import type { RedisLink } from "./redis-link.ts";

/** Counts of one provider. As a change: since the last one, except `inFlight`, which is absolute for this instance. */
export interface Figures {
  providerId: string;
  requests: number;
  errors: number;
  /** Decimal. */
  costNanoUsd: string;
  inFlight: number;
}

/** Figures of a day across all instances. */
export interface FigureStore {
  /** Adds the changes and returns all providers. `number` as in session-store.ts. @throws when Redis does not answer. */
  apply(day: string, changes: readonly Figures[], number: number): Promise<Figures[]>;
}

/** The in-process twin: figures since the process or the day started. */
export function createMemoryFigureStore(): FigureStore {
  const totals = new Map<string, Figures>();
  let today = "";
  return {
    async apply(day, changes) {
      if (day !== today) for (const [id, { inFlight }] of totals) totals.set(id, { ...nothing(id), inFlight });
      today = day;
      for (const change of changes) {
        const held = totals.get(change.providerId) ?? nothing(change.providerId);
        totals.set(change.providerId, {
          ...change,
          requests: held.requests + change.requests,
          errors: held.errors + change.errors,
          costNanoUsd: (BigInt(held.costNanoUsd) + BigInt(change.costNanoUsd)).toString(),
        });
      }
      return [...totals.values()];
    },
  };
}

/**
 * KEYS day, in flight, instances, sent. ARGV life, TTL ms, number ('' = only read), changes as JSON. → alive, day and in-flight hash.
 * Counts of lives that are no longer remembered are removed.
 */
const applyScript = defineScript(`${aliveLua}
if ARGV[3] ~= '' then
  local done = redis.call('GET', KEYS[4])
  local count = not (done and tonumber(done) >= tonumber(ARGV[3]))
  redis.call('SET', KEYS[4], ARGV[3], 'EX', 86400)
  for _, c in ipairs(cjson.decode(ARGV[4])) do
    if count then
      for _, name in ipairs({ 'requests', 'errors', 'costNanoUsd' }) do redis.call('HINCRBY', KEYS[1], c.providerId .. ' ' .. name, c[name]) end
    end
    local field = c.providerId .. ' ' .. ARGV[1]
    if c.inFlight == '0' then redis.call('HDEL', KEYS[2], field) else redis.call('HSET', KEYS[2], field, c.inFlight) end
  end
  for _, field in ipairs(redis.call('HKEYS', KEYS[2])) do
    local life = string.match(field, ' (.*)$')
    if life ~= ARGV[1] and not redis.call('ZSCORE', KEYS[3], life) then redis.call('HDEL', KEYS[2], field) end
  end
  redis.call('EXPIRE', KEYS[1], 172800)
  redis.call('EXPIRE', KEYS[2], 172800)
end
return { alive(KEYS[3], ARGV[2]), redis.call('HGETALL', KEYS[1]), redis.call('HGETALL', KEYS[2]) }`);

/** Figures in Redis: a hash per day, and one of requests in flight per provider and life of an instance. */
export function createRedisFigureStore(link: RedisLink, presence: Presence): FigureStore {
  const sent = `${link.prefix}figures:sent:${presence.life}`;
  return {
    async apply(day, changes, number) {
      const wire = changes.map((c) => ({ ...c, requests: `${c.requests}`, errors: `${c.errors}`, inFlight: `${c.inFlight}` }));
      const keys = [`${link.prefix}figures:${day}`, `${link.prefix}figures:in-flight`, presence.key, sent];
      const args = [presence.life, presence.ttlMs, changes.length > 0 ? number : "", JSON.stringify(wire)];
      const [lives, counts, inFlight] = (await link.run(applyScript, keys, args)) as [string[], string[], string[]];
      return toFigures(counts, inFlight, new Set([...lives, presence.life]));
    },
  };
}

function toFigures(counts: readonly string[], inFlight: readonly string[], alive: ReadonlySet<string>): Figures[] {
  const totals = new Map<string, Figures>();
  const of = (providerId: string): Figures => {
    const held = totals.get(providerId) ?? nothing(providerId);
    totals.set(providerId, held);
    return held;
  };
  for (let at = 0; at + 1 < counts.length; at += 2) {
    const [providerId = "", name] = (counts[at] ?? "").split(" ");
    const value = counts[at + 1] ?? "0";
    if (name === "requests") of(providerId).requests = Number(value);
    if (name === "errors") of(providerId).errors = Number(value);
    if (name === "costNanoUsd") of(providerId).costNanoUsd = value;
  }
  for (let at = 0; at + 1 < inFlight.length; at += 2) {
    const [providerId = "", life = ""] = (inFlight[at] ?? "").split(" ");
    if (alive.has(life)) of(providerId).inFlight += Number(inFlight[at + 1] ?? 0);
  }
  return [...totals.values()];
}

function nothing(providerId: string): Figures {
  return { providerId, requests: 0, errors: 0, costNanoUsd: "0", inFlight: 0 };
}
