import type { BusId } from "@sluice/core/events";
import type { Log } from "@sluice/core/log";
import { compareBusIds } from "./bus-id.ts";
import type { BusListener } from "./live-bus.ts";
import { parseMessage, type RedisHistory } from "./redis-history.ts";
import type { RedisLink } from "./redis-link.ts";

/** Detects a dead peer that never closed its connection. */
const PING_MS = 10_000;
const RETRY_MS = 250;
const MAX_BUFFERED = 1_000;

/**
 * The single SUBSCRIBE of a process: created for the first listener, ended with the last. Each message names its predecessor.
 * Whenever that is not the last one delivered (a reconnection, a lost message, another epoch), what is missing is read from
 * the stream before anything later is passed on, or the listeners are reset.
 */
export function createRedisFollower(link: RedisLink, history: RedisHistory, { log }: { log: Log }) {
  const listeners = new Set<BusListener>();
  const subscriber = link.duplicate();
  let subscribed = false;
  /** The last id delivered; null until following has begun. */
  let cursor: BusId | null = null;
  let inOrder = false;
  /** Increases when following ends, so that results still pending from before are ignored. */
  let generation = 0;
  let held: string[] = [];
  let syncing: Promise<void> | null = null;
  let again = false;
  let retry: NodeJS.Timeout | null = null;
  let ping: NodeJS.Timeout | null = null;
  let closed = false;

  // Errors are followed by "close" and a new attempt; the command connection logs once that Redis is unavailable.
  subscriber.on("error", () => undefined);
  subscriber.on("close", () => {
    subscribed = false;
    inOrder = false;
  });
  subscriber.on("ready", () => void sync());
  subscriber.on("message", (channel: string, message: string) => {
    if (channel === history.channel && listeners.size > 0) receive(message);
  });
  link.onReady(() => void sync());

  function receive(message: string): void {
    if (!inOrder) {
      held.push(message);
      // Too far behind: the stream has everything, and is read again before the next message counts.
      if (held.length > MAX_BUFFERED) {
        held = [];
        again = true;
      }
      return;
    }
    const parsed = parseMessage(message);
    if (!parsed || cursor === null) return;
    if (parsed.prev === cursor) {
      cursor = parsed.id;
      const batch = { id: parsed.id, events: parsed.events() };
      for (const listener of listeners) listener.batch(batch);
    } else if (!(compareBusIds(parsed.id, cursor) <= 0)) {
      inOrder = false;
      held = [message];
      void sync();
    }
  }

  /** Subscribes if necessary, then reads what was missed. One run at a time; if requested meanwhile, it runs again. */
  function sync(): Promise<void> {
    if (retry) clearTimeout(retry);
    retry = null;
    again = true;
    syncing ??= run().finally(() => {
      syncing = null;
      if (again && !retry && !closed && listeners.size > 0) void sync();
    });
    return syncing;
  }

  async function run(): Promise<void> {
    try {
      while (again && !closed && listeners.size > 0) {
        again = false;
        // From here until the read is finished, messages are held; otherwise they would be passed on twice.
        inOrder = false;
        if (!subscribed) await subscribe();
        if (!subscribed) return;
        await catchUp();
        if (subscribed && cursor !== null && !again) drain();
      }
    } catch (error) {
      log.debug({ error: String(error) }, "live: catching up failed, trying again");
      if (!closed && listeners.size > 0) retry ??= setTimeout(() => void sync(), RETRY_MS);
    }
  }

  async function subscribe(): Promise<void> {
    if (subscriber.status === "wait") subscriber.connect().catch(() => undefined);
    // "ready" calls sync again.
    if (subscriber.status !== "ready") return;
    await subscriber.subscribe(history.channel);
    subscribed = subscriber.status === "ready";
    if (listeners.size === 0) stop();
  }

  async function catchUp(): Promise<void> {
    const began = generation;
    if (cursor === null) {
      const position = await history.position();
      if (began !== generation) return;
      cursor = position;
      for (const listener of listeners) listener.started(position);
      return;
    }
    const replay = await history.replay(cursor);
    if (began !== generation) return;
    cursor = replay.position;
    if ("reset" in replay) for (const listener of listeners) listener.reset(replay.reset, replay.position);
    else for (const batch of replay.batches) for (const listener of listeners) listener.batch(batch);
  }

  function drain(): void {
    const messages = held;
    held = [];
    inOrder = true;
    for (const message of messages) receive(message);
  }

  function stop(): void {
    if (ping) clearInterval(ping);
    if (retry) clearTimeout(retry);
    ping = null;
    retry = null;
    generation += 1;
    cursor = null;
    inOrder = false;
    held = [];
    if (subscribed) subscriber.unsubscribe(history.channel).catch(() => subscriber.disconnect(true));
    subscribed = false;
  }

  return {
    listen(listener: BusListener): () => void {
      listeners.add(listener);
      if (cursor !== null) listener.started(cursor);
      if (listeners.size === 1) {
        ping = setInterval(() => {
          if (subscribed) subscriber.ping().catch(() => subscriber.disconnect(true));
        }, PING_MS);
        void sync();
      }
      return () => {
        if (listeners.delete(listener) && listeners.size === 0) stop();
      };
    },
    /** The last id delivered; null when not following. */
    cursor: () => cursor,
    close(): void {
      closed = true;
      listeners.clear();
      stop();
      subscriber.disconnect();
    },
  };
}
