import type { BusId, LiveEvent, LiveFrame } from "@sluice/core/events";
import type { CurrentLogin } from "../api/current-login.ts";
import { covers } from "./bus-id.ts";
import { type Connection, connection } from "./connection.ts";
import { observeServerTime } from "./server-clock.ts";
import { openStream, type Stream } from "./stream.ts";

/**
 * The one live subscription of this browser. The tab that holds the Web Lock reads the stream and repeats every frame
 * on a BroadcastChannel; the others listen. When the leader goes, the next tab takes the lock and resumes from the last
 * frame that it saw itself; each message says which frame it follows, so that nobody misses one without knowing. Six
 * streams would use up all HTTP/1.1 connections to the server; this is one, however many tabs are open.
 */
export interface LiveListener {
  /** `at` is the position after them: what a list read there or later has already. */
  events?(events: readonly LiveEvent[], at: BusId): void;
  /** The stream has a hole: read your lists again, once. */
  reset?(): void;
}

type Message = { kind: "frame"; frame: LiveFrame; after: BusId } | { kind: "state"; state: Connection; lastId: BusId } | { kind: "hello" };

/** The stream waits this long for the first list, to begin where that was read; pages without lists do not mind. */
const FIRST_LIST_MS = 1_000;

/** A hidden tab stops listening after this long; it catches up when it is seen again. */
const SLEEP_AFTER_MS = 60_000;

const listeners = new Set<LiveListener>();
const waiters = new Set<() => void>();
let channel: BroadcastChannel | null = null;
let stream: Stream | null = null;
let release: (() => void) | null = null;
let userId = "";
let asleep = false;
let sleepTimer: ReturnType<typeof setTimeout> | undefined;
let stillAllowed: (login: CurrentLogin) => boolean = () => true;
/** Frames from this position on have been seen here. '' until the first. */
let since: BusId = "";
/** Where the first list was read; '' = there was none in time. */
let origin: BusId = "";
let offered: (position: BusId) => void = () => {};
let lastId: BusId = "";

/** Hears everything that happens from now on. */
export function listen(listener: LiveListener): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/**
 * Whether a list read at `position` and the frames seen here leave no hole between them. Waits for the first frame;
 * false means: read the list again.
 */
export async function covered(position: BusId): Promise<boolean> {
  if (position === "") return true;
  offered(position);
  while (since === "") await new Promise<void>((resolve) => waiters.add(resolve));
  return covers(since, position);
}

/** Starts listening for a user who has signed in; `allowed` judges the login after each loss. Again for the same user: nothing. */
export function startLive(user: string, allowed: (login: CurrentLogin) => boolean): void {
  stillAllowed = allowed;
  if (userId === user) return;
  stopLive();
  userId = user;
  channel = new BroadcastChannel(`sluice.live.${user}`);
  channel.onmessage = ({ data }: MessageEvent<Message>) => receive(data);
  document.addEventListener("visibilitychange", visibility);
  post({ kind: "hello" });
  lead();
}

/** Stops, and forgets where it was: another user may sign in next. */
export function stopLive(): void {
  if (!userId) return;
  userId = "";
  since = "";
  lastId = "";
  asleep = false;
  clearTimeout(sleepTimer);
  document.removeEventListener("visibilitychange", visibility);
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
    if (lastId === "") origin = await firstPosition();
    if (userId !== user || wish.signal.aborted) return;
    await new Promise<void>((resolve) => {
      release = () => {
        stream?.close();
        stream = null;
        resolve();
      };
      stream = openStream({
        position: () => lastId || origin,
        frame: (frame) => {
          post({ kind: "frame", frame, after: lastId });
          take(frame);
        },
        state: (state) => {
          connection.set(state);
          if (state.phase !== "live") post({ kind: "state", state, lastId });
        },
        stillAllowed: (login) => stillAllowed(login),
      });
    });
  };
  if (!("locks" in navigator)) void held();
  else navigator.locks.request(`sluice.live.${user}`, { signal: wish.signal }, held).catch(() => {});
}

/** The position of the first list to be read, or '' when none is in time. */
function firstPosition(): Promise<BusId> {
  return new Promise((resolve) => {
    offered = resolve;
    setTimeout(() => resolve(""), FIRST_LIST_MS);
  });
}

function resign(): void {
  release?.();
  release = null;
}

function post(message: Message): void {
  channel?.postMessage(message);
}

function receive(message: Message): void {
  if (asleep) return;
  if (message.kind === "hello") {
    // Somebody looks at the page again, or the system is back online: a wait is over.
    stream?.hurry();
    if (stream) post({ kind: "state", state: connection.get(), lastId });
    return;
  }
  if (stream) return;
  if (message.kind === "state") {
    connection.set(message.state);
    if (message.lastId !== "") follow(message.lastId);
    return;
  }
  connection.set({ phase: "live", retryAtMs: 0, lastFrameAtMs: Date.now() });
  // A new leader begins where it was itself, and that may be behind us.
  if (lastId !== "" && covers(message.frame.id, lastId) && !message.frame.reset) return;
  if (message.after !== "") follow(message.after);
  take(message.frame);
}

/** The leader is at `position`; whatever lies between that and what was seen here went by unheard. */
function follow(position: BusId): void {
  const missed = lastId !== "" && !covers(position, lastId);
  if (missed) since = "";
  if (since === "") begin(position);
  if (!missed) return;
  lastId = position;
  for (const listener of [...listeners]) listener.reset?.();
}

function begin(position: BusId): void {
  since = position;
  lastId ||= position;
  for (const wake of [...waiters]) wake();
  waiters.clear();
}

function take(frame: LiveFrame): void {
  observeServerTime(frame.serverNowMs);
  lastId = frame.id;
  const hole = frame.reset !== undefined || (frame.gap ?? 0) > 0;
  if (hole) since = "";
  if (since === "") begin(hole || origin === "" ? frame.id : origin);
  origin = "";
  if (frame.events.length > 0) for (const listener of [...listeners]) listener.events?.(frame.events, frame.id);
  if (hole) for (const listener of [...listeners]) listener.reset?.();
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
  post({ kind: "hello" });
  lead();
}

function sleep(): void {
  asleep = true;
  resign();
  connection.set({ ...connection.get(), phase: "asleep", retryAtMs: 0 });
}
