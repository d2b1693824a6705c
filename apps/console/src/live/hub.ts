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
 * The one live subscription of this browser. The tab that holds the Web Lock reads the stream and repeats every frame
 * on a BroadcastChannel; the others listen. When the leader goes, the next tab takes the lock and resumes from the last
 * frame that it saw itself; each message says which frame it follows, so that nobody misses one without knowing. Six
 * streams would use up all HTTP/1.1 connections to the server; this is one, however many tabs are open.
 *
 * It carries the topics that open pages of all tabs need (topic-needs), and what is rare. A page that opens and needs another one
 * makes the leader open the stream anew from where it is: that takes one request, misses nothing and repeats nothing. One that
 * is dropped is a hole for whoever still shows what it read: its lists are marked, and read again when somebody looks.
 */
export interface LiveListener {
  /** Topics that it is kept current by, when it outlives the pages that need them. */
  of?: readonly Topic[];
  /**
   * `at` is the position after them: what a list read there or later has already. `after` is the one before: between the two lie a
   * hundred ms, or, when they are replayed, all that was missed.
   */
  events?(events: readonly LiveEvent[], at: BusId, after: BusId): void;
  /** The stream has a hole, or one of its topics lapsed: read your lists again, once. */
  reset?(): void;
}

type Message =
  /** The topics are those of the stream that it came by. */
  | { kind: "frame"; frame: LiveFrame; after: BusId; topics: Topic[] }
  | { kind: "state"; state: Connection; lastId: BusId; topics: Topic[] }
  /** Needed by the pages of one tab. */
  | { kind: "needs"; tab: string; topics: Topic[] }
  /** Somebody opened, or is back: say how things are. */
  | { kind: "hello" };

/** The stream waits this long for the first list: by then the page has said what it needs, and a slow line has brought what it shows. */
const FIRST_LIST_MS = 1_000;

/** A hidden tab stops listening after this long; it catches up when it is seen again. */
const SLEEP_AFTER_MS = 60_000;

/** A page that opens needs this and then that; one new stream is enough. */
const GATHER_MS = 20;

const listeners = new Set<LiveListener>();
const followed = new Followed();
const needs = createTopicNeeds({ onOwn: tellNeeds, onWanted: askAnew });
/** Of this document; not crypto's, which is there for secure origins alone. */
const tab = Math.random().toString(36).slice(2);
let channel: BroadcastChannel | null = null;
let stream: Stream | null = null;
let release: (() => void) | null = null;
let userId = "";
let asleep = false;
let sleepTimer: ReturnType<typeof setTimeout> | undefined;
let stillAllowed: (login: CurrentLogin) => boolean = () => true;
/** Of the stream that is open here. */
let asked: Topic[] = [];
let askTimer: ReturnType<typeof setTimeout> | undefined;
/** Where it was found out who is signed in: before anything else was read. */
let origin: BusId = "";
let listRead: () => void = () => {};
let lastId: BusId = "";

/** Hears everything that happens from now on. */
export function listen(listener: LiveListener): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** As {@link listen}, and what it hears of is asked for as long as it listens. */
export function listenTo(topics: readonly Topic[], listener: LiveListener): () => void {
  const offs = [listen(listener), needs.need(topics)];
  return () => {
    for (const off of offs) off();
  };
}

/** The page that uses this needs these topics while it is open. Give it the same list each time. */
export function useTopics(topics: readonly Topic[]): void {
  useEffect(() => needs.need(topics), [topics]);
}

/**
 * Whether a list read at `position` and what was heard here of these topics leave no hole between them. Waits until they are
 * heard; false means: read the list again.
 */
export async function covered(position: BusId, topics: readonly Topic[]): Promise<boolean> {
  if (position === "") return true;
  listRead();
  return followed.covers(position, topics);
}

/**
 * Starts listening for a user who has signed in, to all that happened since `position`; `allowed` judges the login after each
 * loss. Again for the same user: nothing.
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

/** Stops, and forgets where it was: another user may sign in next. */
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

/** Waits for the lock in the background and reads the stream for as long as this tab holds it. */
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
          // An older API beside this one does not tell where it was: its stream begins with its first frame.
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

/** Until the first list was read, or long enough. */
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

/** What this tab's pages need, for the others; nothing while it sleeps. */
function tellNeeds(): void {
  if (userId && !asleep) post({ kind: "needs", tab, topics: needs.own() });
}

function farewell(): void {
  post({ kind: "needs", tab, topics: [] });
}

/** The stream carries other topics from now on. */
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
    // Somebody looks at the page again, or the system is back online: a wait is over.
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
  // A new leader begins where it was itself, and that may be behind us. A frame that moves nothing on is what a stream begins with.
  if (lastId !== "" && covers(frame.id, lastId) && !frame.reset && frame.id !== after) return;
  meet(after, topics);
  take(frame, after, topics);
}

/** The leader is at `position`; whatever lies between that and what was seen here went by unheard. */
function meet(position: BusId, topics: readonly Topic[]): void {
  const missed = lastId !== "" && !covers(position, lastId);
  if (missed) followed.clear();
  // A leader behind us has to come by here first.
  else if (lastId !== "" && !covers(lastId, position)) return;
  lastId = position;
  lapse(followed.follow(topics, position));
  if (missed) for (const listener of [...listeners]) listener.reset?.();
}

/** `after` is where the frame begins: the one before it, or where the stream did. */
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

/** Nobody needed them for a while: what was kept current by them is not any more. */
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

/** From the last frame seen here: the server repeats what came since, or says that it cannot. A leader there may be says where it is. */
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
