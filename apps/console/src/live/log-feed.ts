import type { LogFilter } from "@sluice/core/inputs/log";
import type { Page } from "@sluice/core/inputs/page";
import type { RequestRow } from "@sluice/core/requests";
import { type Failure, readFailure } from "../api/failure.ts";
import { SCROLLBACK_MAX } from "./log-limits.ts";
import { anchorOf } from "./log-order.ts";
import { LogTail } from "./log-tail.ts";
import { createStore } from "./store.ts";

/** What the feed reads from the server and receives from the stream; tests pass their own. */
export interface LogSource {
  list(input: { filter: LogFilter; cursor?: string; limit: number }): Promise<LogPage>;
  byIds(ids: string[]): Promise<RequestRow[]>;
  listen(listener: { events(events: Parameters<LogTail["push"]>[0]): void; reset(): void }): () => void;
  /** Whether the stream connects without a gap to a list read at this position. */
  covered(busId: string): Promise<boolean>;
  /** Calls `run` once when the stream is live, now or later. Returns a function that cancels it. */
  whenLive(run: () => void): () => void;
  schedule(flush: () => void): void;
}

interface LogPage extends Page<RequestRow> {
  searchedToMs: number | null;
  kept: { fromMs: number; days: number } | null;
  partial: boolean;
  busId: string;
}

interface FeedStatus {
  phase: "loading" | "ready" | "error";
  failure: Failure | null;
  older: "idle" | "loading" | "error";
  /** Continues reading automatically until something is found. */
  searching: boolean;
  catchingUp: boolean;
  /** Postgres could not be read: only requests in flight or unsettled are shown. */
  partial: boolean;
  /** Where a bounded search ended, in ms; null = the rows are complete down to the last one. */
  searchedToMs: number | null;
  /** Known at the end of the log: since when rows are kept; null = there were never older ones. */
  kept: LogPage["kept"];
}

const PAGE = 100;
const CATCH_UP = 200;
/** Delay before a failed catch-up is retried; it doubles with each failure, up to five minutes. */
const RETRY_MS = 5_000;
const LONGEST_RETRY_MS = 300_000;

/** The log of one reader for one filter: the tail of rows, and the pages read into it. Stop it when the reader leaves. */
export interface LogFeed {
  tail: LogTail;
  status: ReturnType<typeof createStore<FeedStatus>>;
  /** Reads the first page again after an error. */
  retry(): void;
  /** Reads the next older page; ignored while one is being read. */
  older(): Promise<void>;
  /** Searches further back, page by page, until something is found, nothing is left, or it is stopped. */
  searchOn(): Promise<void>;
  stopSearch(): void;
  /** Reads what is missing at a gap. */
  fill(gap: string): Promise<void>;
  /** Reads the newest rows and the state of those in flight. */
  catchUp(): Promise<void>;
  stop(): void;
}

export function startLogFeed(filter: LogFilter, source: LogSource): LogFeed {
  const tail = new LogTail({ filter, schedule: (flush) => source.schedule(flush) });
  const status = createStore<FeedStatus>({
    phase: "loading",
    failure: null,
    older: "idle",
    searching: false,
    catchingUp: false,
    partial: false,
    searchedToMs: null,
    kept: null,
  });
  const set = (change: Partial<FeedStatus>): void => status.set({ ...status.get(), ...change });
  let stopped = false;
  let again = false;
  let failed = 0;
  let forgetRetry = (): void => {};
  /** The first page was read without Postgres, so it is unknown whether there are older rows. */
  let endUnknown = false;
  /**
   * While missed rows must still be read (or were read without Postgres): the newest row before them, '' = none. Newer rows arrive
   * meanwhile.
   */
  let joint: string | null = null;
  const off = source.listen({
    events(events) {
      // Without a first page nothing is shown, and the page read next includes what happened until then.
      if (status.get().phase !== "error") tail.push(events);
      if (events.some(({ type }) => type === "database.returned")) whenReturned();
    },
    reset: () => void catchUp(),
  });

  async function first(): Promise<void> {
    set({ phase: "loading", failure: null });
    try {
      const page = await readFirst();
      if (!page || (await source.covered(page.busId))) return;
      joint = page.items[0]?.id ?? "";
      await catchUp();
    } catch (error) {
      if (!stopped) set({ phase: "error", failure: readFailure(error) });
    }
  }

  async function readFirst(): Promise<LogPage | null> {
    const page = await source.list({ filter, limit: PAGE });
    if (stopped) return null;
    endUnknown = page.partial;
    tail.load(page.items, { floor: page.nextCursor ?? "" });
    set({ phase: "ready", partial: page.partial, searchedToMs: page.searchedToMs, kept: page.kept });
    return page;
  }

  function whenReturned(): void {
    const { phase, partial, older: olderState } = status.get();
    if (phase === "error") void first();
    else if (partial || failed > 0) void catchUp();
    if (olderState === "error") set({ older: "idle" });
  }

  async function catchUp(): Promise<void> {
    if (status.get().phase === "error") return first();
    if (status.get().phase !== "ready") return;
    joint ??= tail.view().order[0] ?? "";
    if (status.get().catchingUp) {
      again = true;
      return;
    }
    forgetRetry();
    set({ catchingUp: true });
    try {
      do {
        again = false;
        const page = await (endUnknown ? readFirst() : readNewest());
        if (page && !page.partial) joint = again ? (page.items[0]?.id ?? joint) : null;
      } while (again && !stopped);
      failed = 0;
    } catch {
      if (!stopped) retryLater();
    }
    set({ catchingUp: false });
  }

  /**
   * Retries a failed catch-up; the rows on the page stay. Without a retry the gap would go unnoticed, because a stream that has lost
   * nothing reports nothing. While the stream is down, so is the server, and no request is made.
   */
  function retryLater(): void {
    const delayMs = Math.min(LONGEST_RETRY_MS, RETRY_MS * 2 ** failed);
    failed += 1;
    const timer = setTimeout(() => {
      forgetRetry = source.whenLive(() => void catchUp());
    }, delayMs);
    forgetRetry = () => clearTimeout(timer);
  }

  async function readNewest(): Promise<LogPage | null> {
    const flying = tail.inFlight();
    const [page, rows] = await Promise.all([
      source.list({ filter, limit: CATCH_UP }),
      flying.length > 0 ? source.byIds(flying) : Promise.resolve([]),
    ]);
    if (stopped) return null;
    const { nextCursor, searchedToMs, partial } = page;
    if (!joint) {
      endUnknown = partial;
      tail.load(page.items, { floor: nextCursor ?? "" });
      set({ searchedToMs });
    } else {
      const meets = nextCursor === null || nextCursor <= anchorOf(joint);
      tail.load(page.items, meets ? { floor: tail.floor } : { gap: nextCursor });
    }
    tail.refresh(rows);
    set({ partial });
    return page;
  }

  async function older(): Promise<void> {
    const cursor = tail.floor;
    if (cursor === "" || status.get().older === "loading" || status.get().phase !== "ready") return;
    if (tail.view().order.length >= SCROLLBACK_MAX) return;
    set({ older: "loading" });
    try {
      const page = await source.list({ filter, cursor, limit: PAGE });
      if (stopped) return;
      if (page.partial) {
        set({ older: "error", partial: true });
        return;
      }
      tail.load(page.items, { floor: page.nextCursor ?? "" });
      set({ older: "idle", searchedToMs: page.searchedToMs, kept: page.kept });
    } catch {
      if (!stopped) set({ older: "error" });
    }
  }

  async function searchOn(): Promise<void> {
    if (status.get().searching) return;
    set({ searching: true });
    const had = tail.view().order.length;
    do await older();
    while (status.get().searching && !stopped && status.get().older === "idle" && tail.floor !== "" && tail.view().order.length === had);
    set({ searching: false });
  }

  async function fill(gap: string): Promise<void> {
    const page = await source.list({ filter, cursor: anchorOf(gap), limit: CATCH_UP });
    if (stopped) return;
    // A gap that Postgres was not asked about remains.
    if (page.partial) set({ partial: true });
    else tail.fill(gap, page.items, page.nextCursor);
  }

  void first();
  return {
    tail,
    status,
    retry: () => void first(),
    older,
    searchOn,
    stopSearch: () => set({ searching: false }),
    fill,
    catchUp,
    stop() {
      stopped = true;
      forgetRetry();
      off();
    },
  };
}
