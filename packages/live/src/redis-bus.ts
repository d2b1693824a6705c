import { randomBytes } from "node:crypto";
import { ChurningMap } from "@sluice/core/churning-map";
import type { BusId, LiveEvent } from "@sluice/core/events";
import type { Log } from "@sluice/core/log";
import type { RequestRow } from "@sluice/core/requests";
import { rowJson } from "@sluice/core/row-json";
import { NOWHERE } from "./bus-id.ts";
import { BATCH_MS, type LiveBus, MAX_BATCH_EVENTS } from "./live-bus.ts";
import { createRedisFollower } from "./redis-follower.ts";
import { createRedisHistory } from "./redis-history.ts";
import type { RedisLink } from "./redis-link.ts";
import { shareReplays } from "./shared-replays.ts";

/** Events kept while Redis is unavailable. Beyond that the oldest are dropped, and a new epoch reveals it. */
const MAX_QUEUED = 10_000;
const DROP_AT_ONCE = 1_000;
/** About two minutes at the full rate of one publisher. */
const MAX_ENTRIES = 5_000;
const CLOSE_GRACE_MS = 1_000;

interface PendingBatch {
  number: number;
  events: string;
  newEpoch: boolean;
}

type Texts = Map<RequestRow, string>;

/**
 * The bus over Redis. One batch is sent at a time, and repeated until Redis has taken it, so the order holds and a lost
 * connection loses or duplicates nothing. While Redis is unavailable no viewers receive events, not even those of this
 * process: once it is back they get everything in one order, or a reset.
 */
export function createRedisBus(link: RedisLink, options: { log: Log; maxEntries?: number; maxQueued?: number }): LiveBus {
  const { log, maxEntries = MAX_ENTRIES, maxQueued = MAX_QUEUED } = options;
  const history = createRedisHistory(link, { maxEntries });
  const follower = createRedisFollower(link, history, { log });
  const publisher = randomBytes(8).toString("hex");
  const hooks: Parameters<LiveBus["beforeSend"]>[0][] = [];
  let queue: LiveEvent[] = [];
  /** Events that have left the queue, so that a place in it can be told later. */
  let left = 0;
  /** Places of starts in the queue, by request. */
  const starts = new ChurningMap<string, number>();
  let dropped = false;
  let sent = 0;
  let pending: PendingBatch | null = null;
  let sending: Promise<void> | null = null;
  let timer: NodeJS.Timeout | null = null;
  let failures = 0;
  let known: BusId = NOWHERE;
  let closed = false;

  link.onReady(() => void send());

  function publish(event: LiveEvent): void {
    if (closed || tookPlaceOfStart(event)) return;
    if (event.type === "request.started") starts.set(event.row.id, left + queue.length);
    queue.push(event);
    if (queue.length > maxQueued) {
      leave(Math.min(DROP_AT_ONCE, Math.ceil(maxQueued / 2)));
      if (!dropped) log.warn({}, "live: Redis was away for too long, events are dropped and viewers will be reset");
      dropped = true;
    }
    timer ??= setTimeout(() => void send(), BATCH_MS);
  }

  /** Most requests under load end within the batch they began in: nobody would see the start, which is half of what is sent. */
  function tookPlaceOfStart(event: LiveEvent): boolean {
    if (event.type !== "request.progressed" && event.type !== "request.finished") return false;
    const place = starts.get(event.row.id);
    if (place === undefined) return false;
    starts.delete(event.row.id);
    if (event.type === "request.progressed") return false;
    queue[place - left] = { ...event, quick: true };
    return true;
  }

  /** Removes the oldest events from the queue. */
  function leave(count: number): LiveEvent[] {
    const events = queue.slice(0, count);
    queue = queue.slice(count);
    left += events.length;
    for (const event of events) if (event.type === "request.started") starts.delete(event.row.id);
    return events;
  }

  function take(texts: Texts): PendingBatch {
    const events = leave(MAX_BATCH_EVENTS);
    const batch = { number: ++sent, events: `[${events.map((event) => eventJson(event, texts)).join()}]`, newEpoch: dropped };
    dropped = false;
    return batch;
  }

  function send(): Promise<void> {
    if (timer) clearTimeout(timer);
    timer = null;
    sending ??= sendQueued().finally(() => {
      sending = null;
      if (queue.length > 0 && link.ready() && !closed) timer ??= setTimeout(() => void send(), BATCH_MS);
    });
    return sending;
  }

  /** Sends what is queued at the start; later events are batched again. */
  async function sendQueued(): Promise<void> {
    for (let left = queue.length; link.ready() && (pending || left > 0); ) {
      if (!pending) left -= MAX_BATCH_EVENTS;
      const texts: Texts = new Map();
      pending ??= take(texts);
      for (const hook of hooks) hook((row) => texts.get(row) ?? rowJson(row));
      try {
        await history.append({ publisher, ...pending });
        pending = null;
        failures = 0;
      } catch (error) {
        // Disconnected: the next connection sends. Connected but refusing or silent: retries soon.
        if (failures++ === 0) log.warn({ error: String(error) }, "live: events could not be published yet");
        if (!closed) timer ??= setTimeout(() => void send(), Math.min(2_000, 100 * 2 ** Math.min(failures, 5)));
        return;
      }
    }
  }

  async function flush(): Promise<void> {
    // A send in progress may have started before the newest event.
    if (sending) await sending;
    await send();
  }

  return {
    publish,
    flush,
    async position() {
      try {
        known = follower.cursor() ?? (await history.position());
      } catch {
        // An older id works too: the subscription replays more, or is reset.
      }
      return known;
    },
    listen: follower.listen,
    replay: shareReplays(history.replay),
    beforeSend(hook) {
      hooks.push(hook);
    },
    async close() {
      closed = true;
      follower.close();
      if (timer) clearTimeout(timer);
      let grace: NodeJS.Timeout | undefined;
      await Promise.race([
        flush(),
        new Promise<void>((resolve) => {
          grace = setTimeout(resolve, CLOSE_GRACE_MS);
        }),
      ]);
      clearTimeout(grace);
      if (timer) clearTimeout(timer);
    },
  };
}

/** Nearly all events are about rows, which have a faster encoder. What it writes is kept in `texts`. */
function eventJson(event: LiveEvent, texts: Texts): string {
  const isOfRow = "row" in event && "rev" in event && event.type.startsWith("request.") && event.type !== "request.corrected";
  if (!isOfRow) return JSON.stringify(event);
  const quick = event.quick ? `,"quick":true` : "";
  const row = rowJson(event.row);
  texts.set(event.row, row);
  return `{"type":"${event.type}","rev":${event.rev}${quick},"row":${row}}`;
}
