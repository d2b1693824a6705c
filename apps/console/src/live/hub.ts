import type { BusId, LiveEvent, LiveFrame, Topic } from "@sluice/core/events";
import { useEffect } from "react";
import type { CurrentLogin } from "../api/current-login.ts";
import { covers } from "./bus-id.ts";
import { type Connection, connection } from "./connection.ts";
import { Followed } from "./followed.ts";
import { observeServerTime } from "./server-clock.ts";
import { openStream, type Stream } from "./stream.ts";
import { createTopicNeeds } from "./topic-needs.ts";

/**
 * The single live subscription of this browser. The tab that holds the Web Lock reads the stream and repeats every frame on a
 * BroadcastChannel; the other tabs listen. When the leader closes, the next tab takes the lock and resumes from the last frame that it
 * has seen; each message names the frame before it, so that no tab misses one unnoticed. Six streams would use up all HTTP/1.1
 * connections to the server; this is one, however many tabs are open.
 *
 * It carries the topics that the open pages of all tabs need (topic-needs), and rare events. When a page needs another topic,
 * the leader reopens the stream from its current position: that costs one request, misses nothing and repeats nothing. A topic that
 * is dropped leaves a gap for lists that it kept current: they are marked stale, and reloaded when somebody looks at them.
 */
export interface LiveListener {
  /** Topics that keep it current, if it outlives the pages that need them. */
  of?: readonly Topic[];
  /**
   * `at` is the position after the events: a list read there or later includes them. `after` is the position before them. Between the two
   * lie a hundred ms or, when events are replayed, everything that was missed.
   */
  events?(events: readonly LiveEvent[], at: BusId, after: BusId): void;
  /** The stream has a gap, or one of the listener's topics lapsed: reload your lists, once. */
  reset?(): void;
}

type Message =
  /** `topics` are those of the stream that delivered it. */
  | { kind: "frame"; frame: LiveFrame; after: BusId; topics: Topic[] }
  | { kind: "state"; state: Connection; lastId: BusId; topics: Topic[] }
  /** Topics needed by the pages of one tab. */
  | { kind: "needs"; tab: string; topics: Topic[] }
  /** A tab opened or woke up and asks for the current state. */
  | { kind: "hello" };

/**
 * The stream waits at most this long for the first list: by then the page has stated its needs, and a slow network has delivered its
 * content.
 */
const FIRST_LIST_MS = 1_000;

/** A hidden tab stops listening after this time, and catches up when it becomes visible. */
const SLEEP_AFTER_MS = 60_000;

/** A page that opens states several needs in a row; one reopened stream serves all. */
const GATHER_MS = 20;

const listeners = new Set<LiveListener>();
const followed = new Followed();
const needs = createTopicNeeds({ onOwn: tellNeeds, onWanted: askAnew });
/** Id of this document; not from `crypto.randomUUID`, which exists only in secure origins. */
const tab = Math.random().toString(36).slice(2);
let channel: BroadcastChannel | null = null;
let stream: Stream | null = null;
let release: (() => void) | null = null;
let userId = "";
let asleep = false;
let sleepTimer: ReturnType<typeof setTimeout> | undefined;
let stillAllowed: (login: CurrentLogin) => boolean = () => true;
/** Topics of the stream that is open here. */
let asked: Topic[] = [];
let askTimer: ReturnType<typeof setTimeout> | undefined;
/** Position when the login was determined, before anything else was read. */
let origin: BusId = "";
let listRead: () => void = () => {};
let lastId: BusId = "";

/** Calls the listener for every event from now on. */
export function listen(listener: LiveListener): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** As {@link listen}, and requests the topics while it listens. */
export function listenTo(topics: readonly Topic[], listener: LiveListener): () => void {
  const offs = [listen(listener), needs.need(topics)];
  return () => {
    for (const off of offs) off();
  };
}

/** Requests these topics while the calling page is mounted. Pass the same list each time. */
export function useTopics(topics: readonly Topic[]): void {
  useEffect(() => needs.need(topics), [topics]);
}

/**
 * Whether a list read at `position` connects without a gap to the events received of these topics. Waits until they are received; false
 * means: read the list again.
 */
export async function covered(position: BusId, topics: readonly Topic[]): Promise<boolean> {
  if (position === "") return true;
  listRead();
  return followed.covers(position, topics);
}

/**
 * Starts listening for a signed-in user to everything since `position`; `allowed` checks the login after each connection loss. Repeated
 * calls for the same user do nothing.
 */
export function startLive(user: string, position: BusId, allowed: (login: CurrentLogin) => boolean): void {
  stillAllowed = allowed;
  if (userId === user) return;
  stopLive();
  userId = user;
  origin = position;
  channel = new BroadcastChannel(`sluice.live.${user}`);
  channel.onmessage = ({ data }: MessageEvent<Message>) => receive(data);
  document.addEventListener("visibilitychange", visibility);
  window.addEventListener("pagehide", farewell);
  window.addEventListener("pageshow", tellNeeds);
  post({ kind: "hello" });
  tellNeeds();
  lead();
}

/** Stops and forgets the position: another user may sign in next. */
export function stopLive(): void {
  if (!userId) return;
  farewell();
  userId = "";
  followed.clear();
  needs.forgetOthers();
  lastId = "";
  asleep = false;
  clearTimeout(sleepTimer);
  document.removeEventListener("visibilitychange", visibility);
  window.removeEventListener("pagehide", farewell);
  window.removeEventListener("pageshow", tellNeeds);
  resign();
  channel?.close();
  channel = null;
  connection.set({ phase: "connecting", retryAtMs: 0, lastFrameAtMs: 0 });
}

/** Waits for the lock in the background, and reads the stream while this tab holds it. */
function lead(): void {
  if (release) return;
  const user = userId;
  const wish = new AbortController();
  release = () => wish.abort();
  const held = async (): Promise<void> => {
    if (userId !== user || wish.signal.aborted) return;
    needs.forgetOthers();
    post({ kind: "hello" });
    if (lastId === "") await firstList();
    if (userId !== user || wish.signal.aborted) return;
    await new Promise<void>((resolve) => {
      release = () => {
        stream?.close();
        stream = null;
        resolve();
      };
      stream = openStream({
        position: () => lastId || origin,
        topics: () => {
          asked = needs.wanted();
          return asked;
        },
        frame: (frame) => {
          // An older API version does not send its position: its stream begins with its first frame.
          const after = lastId || origin || frame.id;
          post({ kind: "frame", frame, after, topics: asked });
          take(frame, after, asked);
        },
        state: (state) => {
          connection.set(state);
          if (state.phase !== "live") post({ kind: "state", state, lastId, topics: asked });
        },
        stillAllowed: (login) => stillAllowed(login),
      });
    });
  };
  if (!("locks" in navigator)) void held();
  else navigator.locks.request(`sluice.live.${user}`, { signal: wish.signal }, held).catch(() => {});
}

/** Resolves when the first list was read, or after a time limit. */
function firstList(): Promise<void> {
  return new Promise((resolve) => {
    listRead = resolve;
    setTimeout(resolve, FIRST_LIST_MS);
  });
}

function resign(): void {
  release?.();
  release = null;
}

/** Tells other tabs what this tab's pages need; nothing while it sleeps. */
function tellNeeds(): void {
  if (userId && !asleep) post({ kind: "needs", tab, topics: needs.own() });
}

function farewell(): void {
  post({ kind: "needs", tab, topics: [] });
}

/** Reopens the stream if its topics have changed. */
function askAnew(): void {
  clearTimeout(askTimer);
  askTimer = setTimeout(() => {
    if (stream && needs.wanted().join() !== asked.join()) stream.reopen();
  }, GATHER_MS);
}

function post(message: Message): void {
  channel?.postMessage(message);
}

function receive(message: Message): void {
  if (message.kind === "needs") needs.heard(message.tab, message.topics);
  if (asleep || message.kind === "needs") return;
  if (message.kind === "hello") {
    // Somebody looks at the page again, or the system is back online: retry without delay.
    stream?.hurry();
    if (stream) post({ kind: "state", state: connection.get(), lastId, topics: asked });
    tellNeeds();
    return;
  }
  if (stream) return;
  if (message.kind === "state") {
    connection.set(message.state);
    if (message.lastId !== "") meet(message.lastId, message.topics);
    return;
  }
  const { frame, after, topics } = message;
  connection.set({ phase: "live", retryAtMs: 0, lastFrameAtMs: Date.now(), sample: frame.sample });
  // A new leader starts at its own position, which may be behind ours. A frame that advances nothing is the start of a stream.
  if (lastId !== "" && covers(frame.id, lastId) && !frame.reset && frame.id !== after) return;
  meet(after, topics);
  take(frame, after, topics);
}

/** Handles the leader's position: whatever lies between our last event and it was missed. */
function meet(position: BusId, topics: readonly Topic[]): void {
  const missed = lastId !== "" && !covers(position, lastId);
  if (missed) followed.clear();
  // A leader behind us first repeats what we have already seen.
  else if (lastId !== "" && !covers(lastId, position)) return;
  lastId = position;
  lapse(followed.follow(topics, position));
  if (missed) for (const listener of [...listeners]) listener.reset?.();
}

/** `after` is where the frame begins: the frame before it, or the start of the stream. */
function take(frame: LiveFrame, after: BusId, topics: readonly Topic[]): void {
  observeServerTime(frame.serverNowMs);
  lastId = frame.id;
  const hole = frame.reset !== undefined || (frame.gap ?? 0) > 0;
  if (hole) followed.clear();
  const lapsed = followed.follow(topics, hole ? frame.id : after);
  if (frame.events.length > 0) for (const listener of [...listeners]) listener.events?.(frame.events, frame.id, after);
  if (hole) for (const listener of [...listeners]) listener.reset?.();
  else lapse(lapsed);
}

/** Topics that nobody needed for a while have lapsed: what they kept current is now stale. */
function lapse(topics: readonly Topic[]): void {
  if (topics.length === 0) return;
  for (const listener of [...listeners]) if (listener.of?.some((topic) => topics.includes(topic))) listener.reset?.();
}

function visibility(): void {
  clearTimeout(sleepTimer);
  if (document.hidden) {
    sleepTimer = setTimeout(sleep, SLEEP_AFTER_MS);
    return;
  }
  if (asleep) wake();
  else if (stream) stream.hurry();
  else post({ kind: "hello" });
}

/**
 * Resumes from the last frame seen here: the server replays what came since, or reports that it cannot. If there is another leader, it
 * states its position.
 */
function wake(): void {
  asleep = false;
  connection.set({ ...connection.get(), phase: "catchingUp", retryAtMs: 0 });
  tellNeeds();
  post({ kind: "hello" });
  lead();
}

function sleep(): void {
  farewell();
  asleep = true;
  resign();
  connection.set({ ...connection.get(), phase: "asleep", retryAtMs: 0 });
}
