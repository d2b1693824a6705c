import type { Clock } from "@sluice/core/clock";
import type { InstanceState } from "@sluice/core/events";
import { defineScript } from "@sluice/db/redis-script";
import type { FigureSources, Frames, InstanceFacts, Instances } from "./contract.ts";
import type { LiveBus } from "./live-bus.ts";
import type { RedisLink } from "./redis-link.ts";

const TELL_MS = 5_000;
/** Longer than two reports, because one may be late. */
const WATCHED_S = 12;
const REMEMBERED_MS = 86_400_000;

/** How long an instance has the turn to query the stores for all: less than the time until its next report. */
const TURN_MS = 4_500;

/**
 * KEYS instances, watched, figures watched, whose turn. ARGV instance, its state as JSON, 1 if there are watchers here, seconds for
 * which this holds, 1 if figures are watched here, ms of a turn. → 1 each if there are watchers anywhere, if figures are watched
 * anywhere, and if it is this instance's turn.
 */
const tellScript = defineScript(`
local t = redis.call('TIME')
redis.call('HSET', KEYS[1], ARGV[1], (t[1] * 1000 + math.floor(t[2] / 1000)) .. ' ' .. ARGV[2])
redis.call('EXPIRE', KEYS[1], 86400)
if ARGV[3] == '1' then redis.call('SET', KEYS[2], '1', 'EX', ARGV[4]) end
if ARGV[5] == '1' then redis.call('SET', KEYS[3], '1', 'EX', ARGV[4]) end
local figures, turn = redis.call('EXISTS', KEYS[3]), 0
if figures == 1 and redis.call('SET', KEYS[4], ARGV[1], 'PX', ARGV[6], 'NX') then turn = 1 end
return { redis.call('EXISTS', KEYS[2]), figures, turn }`);

/** KEYS instances. → Redis' time, and the last report of each with its time. */
const listScript = defineScript(`
local t = redis.call('TIME')
return { t[1] * 1000 + math.floor(t[2] / 1000), redis.call('HGETALL', KEYS[1]) }`);

export interface InstancesOptions {
  bus: LiveBus;
  clock: Clock;
  frames: Pick<Frames, "admins" | "count" | "sent" | "watching">;
  instanceId: string;
  /** Null: a single process, which knows only itself. */
  link: RedisLink | null;
}

/**
 * A hash in Redis with an entry per process, written by its own timer. It is separate from presence, which tracks who owns
 * requests: this informs administrators, and covers processes that own none as well.
 */
export function createInstances({ bus, clock, frames, instanceId, link }: InstancesOptions): Instances {
  const keys = ["states", "watched", "figures:watched", "figures:turn"].map((name) => `${link?.prefix ?? ""}instances:${name}`);
  let figures: FigureSources | null = null;
  let read: (() => InstanceFacts) | null = null;
  let timer: NodeJS.Timeout | null = null;
  let closed = false;
  let last = { sent: 0, atMs: 0, perSecond: 0 };

  function rate(): number {
    const atMs = clock.monotonic();
    const sent = frames.sent();
    // If asked twice within a second, the first result is more accurate.
    if (atMs - last.atMs >= 1_000) last = { sent, atMs, perSecond: Math.round(((sent - last.sent) * 10_000) / (atMs - last.atMs)) / 10 };
    return last.perSecond;
  }

  function own(facts: InstanceFacts): InstanceState {
    return { ...facts, id: instanceId, seenAtMs: clock.now(), subscribers: frames.count(), framesPerSecond: rate() };
  }

  async function tell(): Promise<void> {
    if (!read || closed) return;
    const instance = own(read());
    let [watched, figuresWatched] = [frames.admins() > 0, frames.watching("figures") > 0];
    let isTurn = figuresWatched;
    if (link?.ready()) {
      const args = [instanceId, JSON.stringify(instance), watched ? 1 : 0, WATCHED_S, figuresWatched ? 1 : 0, TURN_MS];
      const answer = await link.run(tellScript, keys, args).catch(() => null);
      if (answer) [watched, figuresWatched, isTurn] = (answer as number[]).map((each) => each === 1) as [boolean, boolean, boolean];
    }
    if (watched && !closed) bus.publish({ type: "system.measured", instance });
    if (figures && figuresWatched && !closed) bus.publish({ type: "figures.measured", process: figures.process() });
    const stores = figures && isTurn ? await figures.stores() : null;
    if (stores && !closed) bus.publish({ type: "stores.measured", stores });
  }

  return {
    start(facts) {
      read = facts;
      last = { sent: frames.sent(), atMs: clock.monotonic(), perSecond: 0 };
      timer = setInterval(() => void tell(), TELL_MS);
      timer.unref();
      link?.onReady(() => void tell());
    },
    pushFigures(sources) {
      figures = sources;
    },
    tell: () => void tell(),
    async list() {
      const mine = read ? [own(read())] : [];
      if (!link) return mine;
      try {
        const [redisNowMs, lines] = (await link.run(listScript, [keys[0] ?? ""], [])) as [number, string[]];
        const others: InstanceState[] = [];
        const forgotten: string[] = [];
        for (let at = 0; at + 1 < lines.length; at += 2) {
          const line = lines[at + 1] ?? "";
          const space = line.indexOf(" ");
          const agoMs = redisNowMs - Number(line.slice(0, space));
          if (agoMs > REMEMBERED_MS) forgotten.push(lines[at] ?? "");
          if (lines[at] === instanceId || agoMs > REMEMBERED_MS) continue;
          // By this server's clock, which viewers count by.
          others.push({ ...(JSON.parse(line.slice(space + 1)) as InstanceState), seenAtMs: clock.now() - agoMs });
        }
        if (forgotten.length > 0) link.redis.hdel(keys[0] ?? "", ...forgotten).catch(() => undefined);
        return [...mine, ...others];
      } catch {
        return mine;
      }
    },
    async close() {
      if (timer) clearInterval(timer);
      timer = null;
      if (!read) return;
      const instance = { ...own(read()), stopped: true };
      closed = true;
      if (frames.admins() > 0 || link) bus.publish({ type: "system.measured", instance });
      if (link?.ready()) await link.redis.hdel(keys[0] ?? "", instanceId).catch(() => undefined);
    },
  };
}
