import type { BusId, LiveFrame, Topic } from "@sluice/core/events";
import { client } from "../api/client.ts";
import type { CurrentLogin } from "../api/current-login.ts";
import { readFailure } from "../api/failure.ts";
import { type Connection, connection, retryDelayMs, waiting } from "./connection.ts";

/**
 * The server-sent stream of this browser's leading tab. It reconnects by itself from the last frame it saw: at once
 * when the system comes back online or somebody looks at the page again, else with capped backoff. Done here and not by tRPC's retryLink, whose count of
 * attempts never falls again, so that a stream which lived for hours would wait half a minute after one lost packet.
 */
export interface StreamHandlers {
  /** Where to go on from. */
  position(): BusId;
  /** What to ask for. */
  topics(): Topic[];
  frame(frame: LiveFrame): void;
  state(state: Connection): void;
  /** Asked anew after a loss, because rights may have been the cause. False: give up, the page is about to change. */
  stillAllowed(login: CurrentLogin): boolean;
}

export interface Stream {
  /** Ends a wait between two tries. */
  hurry(): void;
  /** Asks for other topics, from where it is; nobody is told, unless it fails. */
  reopen(): void;
  close(): void;
}

/** A machine that slept looks at its clock this much later than it meant to; the line it had is dead, whatever it says. */
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
    // A hidden tab's timers are slowed on purpose.
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
          // EventSource would wait three seconds before it tries again; we know better when to.
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

  /** An EventSource does not tell a refusal from a broken line, so ask before trying again. */
  async function retry(): Promise<void> {
    // It may have been hurried meanwhile: a second stream would never be closed.
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

  /** While a try is planned, that one will ask for them. */
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
