import type { Clock } from "@sluice/core/clock";
import { type Audience, type BusId, isWanted, type LiveEvent, type LiveFrame } from "@sluice/core/events";
import { type AudienceHub, createAudienceHub, takeFrame } from "./audience-hub.ts";
import { compareBusIds } from "./bus-id.ts";
import type { Frames } from "./contract.ts";
import type { Batch, LiveBus, Replay } from "./live-bus.ts";
import type { LossWatch } from "./loss-watch.ts";
import { ownerOf, shapeEvent } from "./shaping.ts";
import { abortError, createSubscriber, frameAfter, type Subscriber } from "./subscriber.ts";

/** While the bus moves, readers without events learn this often where to resume. */
const ADVANCE_MS = 15_000;
const RETRY_MS = 250;
const ADMINS = "";

export interface FramesOptions {
  bus: LiveBus;
  clock: Clock;
  /** Events that a new subscription begins with, after the replay: state that no list holds. */
  snapshot?: (audience: Audience) => Promise<LiveEvent[]>;
  /** Informed while there are viewers. */
  lossWatch?: LossWatch | null;
}

/**
 * Frames for all viewers, from a single listener on the bus while there are any. One frame per audience and tick is built and
 * shared; a reader differs only where it joins (its first frame is cut at its position) and where it lost something (the
 * gap is its own).
 */
export function createFrames({ bus, clock, snapshot, lossWatch }: FramesOptions): Frames {
  const hubs = new Map<string, AudienceHub>();
  /** The hubs of each user, and of all administrators: one for each choice of topics. */
  const hubsOf = new Map<string, Set<AudienceHub>>();
  let scanned: BusId = "";
  /** Resolves with the position from which batches follow. */
  let following = Promise.withResolvers<BusId>();
  let unlisten: (() => void) | null = null;
  let advanceTimer: NodeJS.Timeout | null = null;
  let closed = false;
  let sent = 0;

  function onBatch(batch: Batch): void {
    scanned = batch.id;
    lossWatch?.heard();
    const wanted = new Map<AudienceHub, LiveEvent[]>();
    const changedUsers = new Set<string>();
    for (const event of batch.events) {
      const owner = ownerOf(event);
      if (event.type === "user.changed") changedUsers.add(event.id).add(event.userId ?? event.id);
      const users = owner === "" ? hubs.values() : owner === null ? [] : (hubsOf.get(owner) ?? []);
      for (const hub of [...users].filter(({ audience }) => audience.kind === "user")) collect(wanted, hub, event);
      for (const hub of hubsOf.get(ADMINS) ?? []) if (hub.audience.topics) collect(wanted, hub, event);
    }
    hubs.get(ADMINS)?.accept(batch);
    for (const [hub, events] of wanted) hub.accept({ id: batch.id, events });
    for (const userId of changedUsers) disconnect(userId);
    if (hubs.size > 0) advanceTimer ??= setTimeout(advance, ADVANCE_MS);
  }

  function advance(): void {
    advanceTimer = null;
    for (const hub of hubs.values()) hub.advance();
  }

  function join(audience: Audience): { hub: AudienceHub; subscriber: Subscriber } {
    const key = keyOfHub(audience);
    const known = hubs.get(key);
    const hub = known ?? createAudienceHub(audience, { clock, scanned: () => scanned });
    const subscriber = createSubscriber(audience.userId ?? "");
    hub.subscribers.add(subscriber);
    if (hubs.size === 0) lossWatch?.begin();
    if (!known) {
      hubs.set(key, hub);
      hubsOf.set(ownerOfHub(audience), (hubsOf.get(ownerOfHub(audience)) ?? new Set()).add(hub));
    }
    unlisten ??= bus.listen({
      started(position) {
        scanned = position;
        for (const each of hubs.values()) each.started(position);
        following.resolve(position);
      },
      batch: onBatch,
      reset(reason, position) {
        scanned = position;
        for (const each of hubs.values()) {
          each.reset(reason, position);
          // A demotion may be among what was lost.
          for (const subscriber of each.subscribers) subscriber.failAfterQueue(abortError("to be authorised anew"));
        }
      },
    });
    return { hub, subscriber };
  }

  function leave(hub: AudienceHub, subscriber: Subscriber): void {
    subscriber.end();
    if (!hub.subscribers.delete(subscriber) || hub.subscribers.size > 0) return;
    hub.close();
    hubs.delete(keyOfHub(hub.audience));
    const owner = ownerOfHub(hub.audience);
    hubsOf.get(owner)?.delete(hub);
    if (hubsOf.get(owner)?.size === 0) hubsOf.delete(owner);
    if (hubs.size > 0) return;
    lossWatch?.end();
    unlisten?.();
    unlisten = null;
    scanned = "";
    following = Promise.withResolvers();
    if (advanceTimer) clearTimeout(advanceTimer);
    advanceTimer = null;
  }

  /** Frames of a replay, for each audience that shares it. */
  const framesOfReplay = new WeakMap<Replay, Map<AudienceHub, LiveFrame[]>>();

  /**
   * What the reader missed: the frames that others got, as far as they are still here, or else a replay of the bus in frames
   * of its own. Live frames continue from the last one's id. Retries until Redis answers.
   */
  async function missed(hub: AudienceHub, after: BusId, subscriber: Subscriber): Promise<LiveFrame[]> {
    const sent = hub.since(after)?.flatMap((tick) => frameAfter(tick, after, compareBusIds, rebuilt) ?? []);
    if (sent) return sent.length > 0 ? sent : [{ id: after, events: [], serverNowMs: clock.now() }];
    while (!subscriber.stopped) {
      try {
        const replay = await bus.replay(after);
        const known = framesOfReplay.get(replay)?.get(hub);
        if (known) return known;
        const frames = framesOf(hub, replay, clock.now());
        framesOfReplay.set(replay, (framesOfReplay.get(replay) ?? new Map()).set(hub, frames));
        return frames;
      } catch {
        await pause(RETRY_MS, subscriber);
      }
    }
    return [];
  }

  async function* follow(
    hub: AudienceHub,
    after: BusId,
    subscriber: Subscriber,
    joinedAt: Promise<BusId>,
  ): AsyncGenerator<LiveFrame, void, void> {
    let last: BusId = (await Promise.race([joinedAt, subscriber.whenStopped])) ?? "";
    const begun = snapshot ? snapshot(hub.audience).catch(() => []) : [];
    if (after === "") {
      if (!subscriber.stopped) yield { id: last, events: [], serverNowMs: clock.now() };
    } else {
      for (const frame of await missed(hub, after, subscriber)) {
        if (subscriber.stopped) break;
        last = frame.id;
        yield frame;
      }
    }
    const events = subscriber.stopped ? [] : (await begun).filter(({ type }) => isWanted(type, hub.audience.topics));
    if (events.length > 0 && !subscriber.stopped) yield { id: last, events, serverNowMs: clock.now() };
    for (;;) {
      const tick = await subscriber.take(() => clock.monotonic());
      if (!tick) return;
      const frame = frameAfter(tick, last, compareBusIds, rebuilt);
      if (!frame) continue;
      sent += 1;
      last = frame.id;
      yield frame;
    }
  }

  function disconnect(userId: string): void {
    for (const hub of hubs.values()) {
      for (const subscriber of hub.subscribers) {
        // An administrator's stream without a name could be anyone's: better to reconnect once too often.
        if (subscriber.userId === userId || subscriber.userId === "") subscriber.fail(abortError("to be authorised anew"));
      }
    }
  }

  return {
    subscribe(audience, after, signal) {
      if (closed) throw abortError("shutting down");
      const { hub, subscriber } = join(audience);
      const joinedAt = scanned === "" ? following.promise : Promise.resolve(scanned);
      const onAbort = () => leave(hub, subscriber);
      const settle = () => {
        signal.removeEventListener("abort", onAbort);
        leave(hub, subscriber);
      };
      signal.addEventListener("abort", onAbort, { once: true });
      if (signal.aborted) settle();
      // A generator that is ended before its first `next` runs no `finally`, so cleanup is done here.
      void subscriber.whenStopped.then(settle);
      return endable(follow(hub, after, subscriber, joinedAt), settle);
    },
    disconnect,
    count: () => [...hubs.values()].reduce((sum, hub) => sum + hub.subscribers.size, 0),
    admins: () =>
      [...(hubsOf.get(ADMINS) ?? [])].reduce(
        (sum, { audience, subscribers }) => sum + (isWanted("system.measured", audience.topics) ? subscribers.size : 0),
        0,
      ),
    watching: (topic) =>
      [...(hubsOf.get(ADMINS) ?? [])].reduce(
        (sum, { audience, subscribers }) => sum + (audience.topics?.includes(topic) ? subscribers.size : 0),
        0,
      ),
    sent: () => sent,
    async close() {
      closed = true;
      for (const hub of [...hubs.values()]) for (const subscriber of hub.subscribers) subscriber.fail(abortError("shutting down"));
      // Lets the readers notice before this resolves.
      await Promise.resolve();
    },
  };
}

function ownerOfHub(audience: Audience): string {
  return audience.kind === "admin" ? ADMINS : audience.userId;
}

/** One key per audience and choice of topics; administrators with all topics are ADMINS. */
function keyOfHub(audience: Audience): string {
  const who = audience.kind === "user" && audience.keyId !== undefined ? `${audience.userId}/${audience.keyId}` : ownerOfHub(audience);
  return audience.topics ? `${who} ${[...new Set(audience.topics)].sort().join(",")}` : who;
}

function collect(wanted: Map<AudienceHub, LiveEvent[]>, hub: AudienceHub, event: LiveEvent): void {
  const shaped = shapeEvent(hub.audience, event);
  if (!shaped) return;
  const events = wanted.get(hub);
  if (events) events.push(shaped);
  else wanted.set(hub, [shaped]);
}

/** A replay, shaped and conflated like live events. Always at least one frame, the last with the id `position`. */
function framesOf({ audience, sampled }: AudienceHub, replay: Replay, serverNowMs: number): LiveFrame[] {
  const { position } = replay;
  if ("reset" in replay) return [{ id: position, events: [], reset: replay.reset, serverNowMs }];
  let rest = replay.batches.map(({ id, events }) => ({
    id,
    events: sampled(events.flatMap((event) => shapeEvent(audience, event) ?? [])),
  }));
  const frames: LiveFrame[] = [];
  do {
    const { batches: taken, events } = takeFrame(rest);
    rest = rest.slice(taken.length);
    frames.push({ id: rest.length > 0 ? (taken.at(-1)?.id ?? position) : position, events, serverNowMs });
  } while (rest.length > 0);
  return frames;
}

/** The events of a frame that is cut. */
function rebuilt(batches: Batch[]): LiveEvent[] {
  return takeFrame(batches).events;
}

function endable(frames: AsyncGenerator<LiveFrame, void, void>, end: () => void): AsyncGenerator<LiveFrame, void, void> {
  return {
    next: () => frames.next(),
    return: (value) => {
      end();
      return frames.return(value);
    },
    throw: (error) => {
      end();
      return frames.throw(error);
    },
    [Symbol.asyncIterator]() {
      return this;
    },
    async [Symbol.asyncDispose]() {
      end();
      await frames.return();
    },
  };
}

/** Waits, but returns early when the reader leaves. */
async function pause(ms: number, subscriber: Subscriber): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  await Promise.race([
    subscriber.whenStopped,
    new Promise<void>((resolve) => {
      timer = setTimeout(resolve, ms);
    }),
  ]);
  clearTimeout(timer);
}
