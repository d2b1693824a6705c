import type { BusId, LiveFrame, Topic } from "@sluice/core/events";
import { client } from "../api/client.ts";
import type { CurrentLogin } from "../api/current-login.ts";
import { readFailure } from "../api/failure.ts";
import { type Connection, connection, retryDelayMs, waiting } from "./connection.ts";

/**
 * The server-sent event stream of this browser's leading tab. It reconnects from the last frame it has seen: at once when the system
 * comes back online or somebody looks at the page again, otherwise with capped backoff. Not done by tRPC's retryLink, because that never
 * resets its count of attempts: a stream that lived for hours would wait half a minute after one lost packet.
 */
export interface StreamHandlers {
  /** Position to resume from. */
  position(): BusId;
  /** Topics to request. */
  topics(): Topic[];
  frame(frame: LiveFrame): void;
  state(state: Connection): void;
  /** Called after a loss, because changed rights may be the cause. False: give up, the page is about to change. */
  stillAllowed(login: CurrentLogin): boolean;
}

export interface Stream {
  /** Ends a wait between two attempts. */
  hurry(): void;
  /** Reopens the stream with other topics at the current position; reports nothing unless it fails. */
  reopen(): void;
  close(): void;
}

/** If a timer fires this much late, the machine was asleep and the connection is dead, whatever its state says. */
const LOOK_MS = 5_000;
const SLEPT_MS = 15_000;

export function openStream(handlers: StreamHandlers): Stream {
  let attempts = 0;
  let closed = false;
  let subscription: { unsubscribe(): void } | null = null;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let lookedAtMs = Date.now();
  const looking = setInterval(look, LOOK_MS);

  function look(): void {
    const slept = Date.now() - lookedAtMs > LOOK_MS + SLEPT_MS;
    lookedAtMs = Date.now();
    // Timers of a hidden tab are throttled on purpose.
    if (!slept || document.hidden) return;
    end();
    handlers.state({ ...connection.get(), phase: "catchingUp", retryAtMs: 0 });
    hurry();
  }

  function connect(): void {
    clearTimeout(timer);
    if (closed) return;
    const mine = client.live.events.subscribe(
      { after: handlers.position(), topics: handlers.topics() },
      {
        onData({ data }) {
          if (subscription !== mine) return;
          attempts = 0;
          handlers.state({ phase: "live", retryAtMs: 0, lastFrameAtMs: Date.now(), sample: data.sample });
          handlers.frame(data);
        },
        onConnectionStateChange(state) {
          // EventSource would wait three seconds before it retries; we know better when to.
          if (state.state === "connecting" && state.error) down(mine, state.error);
        },
        onError: (error) => down(mine, error),
        onComplete: () => down(mine, null),
      },
    );
    subscription = mine;
  }

  function down(from: unknown, error: unknown): void {
    if (closed || from !== subscription) return;
    end();
    attempts += 1;
    const delay = retryDelayMs(attempts);
    handlers.state(waiting(attempts, delay));
    timer = setTimeout(() => void retry(), delay);
    const { status } = readFailure(error);
    if (status === 401 || status === 403) void checkLogin();
  }

  /** An EventSource cannot tell a refusal from a broken connection, so check the login before retrying. */
  async function retry(): Promise<void> {
    // `hurry` may have run meanwhile; opening a second stream would leak it.
    if (await checkLogin()) hurry();
  }

  async function checkLogin(): Promise<boolean> {
    try {
      const login = await client.logins.current.query();
      if (closed) return false;
      if (handlers.stillAllowed(login)) return true;
      close();
      return false;
    } catch {
      return !closed;
    }
  }

  function hurry(): void {
    if (!subscription && !closed) connect();
  }

  /** If a retry is planned, that will request them. */
  function reopen(): void {
    if (!subscription) return;
    end();
    connect();
  }

  function close(): void {
    closed = true;
    clearTimeout(timer);
    clearInterval(looking);
    window.removeEventListener("online", hurry);
    end();
  }

  function end(): void {
    const last = subscription;
    subscription = null;
    last?.unsubscribe();
  }

  window.addEventListener("online", hurry);
  const before = connection.get();
  if (before.phase !== "catchingUp")
    handlers.state({ ...before, phase: before.lastFrameAtMs > 0 ? "reconnecting" : "connecting", retryAtMs: 0 });
  connect();
  return { hurry, reopen, close };
}
