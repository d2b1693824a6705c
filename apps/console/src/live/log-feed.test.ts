import { FINAL_REV } from "@sluice/core/events";
import { newId, timeOfId } from "@sluice/core/ids";
import { noUsage, type RequestRow } from "@sluice/core/requests";
import { expect, it, vi } from "vitest";
import { type Connection, connection, whenLive } from "./connection.ts";
import { type LogSource, startLogFeed } from "./log-feed.ts";
import { gapAfter, isGap } from "./log-order.ts";

function row(state: RequestRow["state"] = "done"): RequestRow {
  return {
    id: newId(),
    tenantId: "default",
    userId: "u",
    keyId: "k",
    sessionId: "",
    providerId: "p",
    group: "default",
    dialect: "openai",
    endpoint: "chat",
    stream: false,
    model: "gpt-5-mini",
    upstreamModel: "",
    state,
    status: state === "done" ? 200 : 0,
    errorCode: "",
    attempts: 1,
    usage: noUsage,
    flags: [],
    costNanoUsd: null,
    billable: true,
    startedAtMs: 0,
    ttftMs: null,
    durationMs: null,
    client: "",
    correctsId: null,
  };
}

/** A server that holds rows, newest first, and a stream controlled by the test; `connection` says whether it is up. */
function server(rows: RequestRow[]) {
  streamIs("live");
  const state = { rows, covered: true, fails: 0, calls: 0, away: false };
  let hear: Parameters<LogSource["listen"]>[0] = { events: () => {}, reset: () => {} };
  const source: LogSource = {
    async list({ cursor, limit }) {
      state.calls += 1;
      if (state.fails-- > 0) throw new TypeError("no answer");
      const known = state.rows.filter((each) => !state.away || each.state === "in_flight");
      const all = known.sort((a, b) => (a.id < b.id ? 1 : -1)).filter(({ id }) => !cursor || id < cursor);
      const page = all.slice(0, limit);
      return {
        items: page,
        nextCursor: all.length > limit ? (page.at(-1)?.id ?? null) : null,
        hasMore: all.length > limit,
        searchedToMs: null,
        kept: null,
        partial: state.away,
        busId: "e:1-0",
      };
    },
    byIds: async (ids) => state.rows.filter(({ id }) => ids.includes(id)),
    listen(listener) {
      hear = listener;
      return () => {};
    },
    covered: async () => state.covered,
    whenLive,
    schedule: (flush) => queueMicrotask(flush),
  };
  return { source, state, say: () => hear };
}

function streamIs(phase: Connection["phase"]): void {
  connection.set({ phase, retryAtMs: 0, lastFrameAtMs: 0 });
}

const many = (count: number): RequestRow[] => Array.from({ length: count }, () => row());

it("reads the newest page, then older ones until the end", async () => {
  const { source, state } = server(many(150));
  const feed = startLogFeed({}, source);
  await vi.waitFor(() => expect(feed.status.get().phase).toBe("ready"));
  expect(feed.tail.view().order).toHaveLength(100);
  await feed.older();
  expect(feed.tail.view().order).toHaveLength(150);
  expect(feed.tail.floor).toBe("");
  const before = state.calls;
  await feed.older();
  expect(state.calls).toBe(before);
});

it("says what failed, and reads again when asked", async () => {
  const { source, state } = server(many(3));
  state.fails = 1;
  const feed = startLogFeed({}, source);
  await vi.waitFor(() => expect(feed.status.get()).toMatchObject({ phase: "error", failure: { code: "network" } }));
  feed.retry();
  await vi.waitFor(() => expect(feed.tail.view().order).toHaveLength(3));
});

const returned = [{ type: "database.returned" }] as const;

it("reads by itself what failed, once the database is back, and nothing when nothing did", async () => {
  const { source, state, say } = server(many(3));
  state.fails = 1;
  const feed = startLogFeed({}, source);
  await vi.waitFor(() => expect(feed.status.get().phase).toBe("error"));
  say().events([...returned]);
  await vi.waitFor(() => expect(feed.tail.view().order).toHaveLength(3));
  const before = state.calls;
  say().events([...returned]);
  await Promise.resolve();
  expect(state.calls).toBe(before);
});

it("read without the database: shows what is in flight, then all of it, and how to go on", async () => {
  const { source, state, say } = server([...many(150), row("in_flight")]);
  state.away = true;
  const feed = startLogFeed({}, source);
  await vi.waitFor(() => expect(feed.status.get()).toMatchObject({ phase: "ready", partial: true }));
  expect(feed.tail.view().order).toHaveLength(1);
  state.away = false;
  say().events([...returned]);
  await vi.waitFor(() => expect(feed.status.get().partial).toBe(false));
  expect(feed.tail.view().order).toHaveLength(100);
  await feed.older();
  expect(feed.tail.view().order).toHaveLength(151);
});

it("requests missed while the database was away are not a gap: older rows, gaps and the newest wait for it", async () => {
  const { source, state, say } = server(many(150));
  const feed = startLogFeed({}, source);
  await vi.waitFor(() => expect(feed.status.get().phase).toBe("ready"));
  state.away = true;
  await feed.older();
  expect(feed.status.get()).toMatchObject({ older: "error", partial: true });
  state.rows = [...state.rows, ...many(450), row("in_flight")];
  say().reset();
  await vi.waitFor(() => expect(feed.tail.view().order).toHaveLength(101));
  state.away = false;
  say().events([...returned]);
  await vi.waitFor(() => expect(feed.tail.view().order).toHaveLength(301));
  const gap = gapAfter(feed.tail.view().order[199] ?? "");
  expect(feed.tail.view().order[200]).toBe(gap);
  expect(feed.status.get()).toMatchObject({ older: "idle", partial: false });
  await feed.older();
  expect(feed.tail.view().order).toHaveLength(351);
});

it("reads the list again when the stream began after it was read", async () => {
  const { source, state } = server(many(2));
  state.covered = false;
  const feed = startLogFeed({}, source);
  state.rows = [...state.rows, row()];
  await vi.waitFor(() => expect(state.calls).toBe(2));
  await vi.waitFor(() => expect(feed.tail.view().order).toHaveLength(3));
});

it("after a reset: reads once, finishes what it showed in flight, and joins what it had", async () => {
  const flying = row("in_flight");
  const { source, state, say } = server([...many(5), flying]);
  const feed = startLogFeed({}, source);
  await vi.waitFor(() => expect(feed.status.get().phase).toBe("ready"));
  state.rows = [...state.rows.filter(({ id }) => id !== flying.id), { ...flying, state: "done", status: 200 }, ...many(4)];
  const before = state.calls;
  say().reset();
  await vi.waitFor(() => expect(feed.tail.view().order).toHaveLength(10));
  await vi.waitFor(() => expect(feed.tail.row(flying.id)?.row.state).toBe("done"));
  expect(state.calls).toBe(before + 1);
});

it("after a long absence: shows the newest, leaves a gap, and fills it on demand", async () => {
  const { source, state, say } = server(many(5));
  const feed = startLogFeed({}, source);
  await vi.waitFor(() => expect(feed.status.get().phase).toBe("ready"));
  state.rows = [...state.rows, ...many(450)];
  say().reset();
  await vi.waitFor(() => expect(feed.tail.view().order).toHaveLength(206));
  const gap = feed.tail.view().order[200] ?? "";
  expect(gap).toBe(gapAfter(feed.tail.view().order[199] ?? ""));
  await feed.fill(gap);
  const second = feed.tail.view().order[400] ?? "";
  expect(second).toBe(gapAfter(feed.tail.view().order[399] ?? ""));
  await feed.fill(second);
  expect(feed.tail.view().order).toHaveLength(455);
});

it("what was missed is a gap also when the stream goes on before it is read", async () => {
  const { source, state, say } = server(many(5));
  const feed = startLogFeed({}, source);
  await vi.waitFor(() => expect(feed.status.get().phase).toBe("ready"));
  state.rows = [...state.rows, ...many(450)];
  const { list } = source;
  const answer = Promise.withResolvers<void>();
  source.list = async (input) => {
    const page = await list(input);
    await answer.promise;
    return page;
  };
  say().reset();
  const live = row();
  say().events([{ type: "request.finished", rev: FINAL_REV, row: live }]);
  await vi.waitFor(() => expect(feed.tail.view().order[0]).toBe(live.id));
  // Another gap, and a row after it, while the first gap is still being read.
  say().reset();
  const later = row();
  say().events([{ type: "request.finished", rev: FINAL_REV, row: later }]);
  await vi.waitFor(() => expect(feed.tail.view().order[0]).toBe(later.id));
  state.rows = [...state.rows, live, ...many(450), later];
  answer.resolve();
  await vi.waitFor(() => expect(feed.status.get().catchingUp).toBe(false));
  expect(feed.tail.view().order.filter(isGap)).toHaveLength(2);
});

it("hears the stream between two reads", async () => {
  const { source, say } = server(many(1));
  const feed = startLogFeed({}, source);
  const live = row();
  say().events([{ type: "request.finished", rev: FINAL_REV, row: live }]);
  await vi.waitFor(() => expect(feed.tail.view().order).toContain(live.id));
  expect(feed.tail.view().order).toHaveLength(2);
});

/** A server that searches at most `look` rows per page. */
function searching(rows: RequestRow[], matches: (row: RequestRow) => boolean, look: number) {
  const served = server(rows);
  served.source.list = async ({ cursor, limit }) => {
    served.state.calls += 1;
    const all = [...served.state.rows].sort((a, b) => (a.id < b.id ? 1 : -1)).filter(({ id }) => !cursor || id < cursor);
    const looked = all.slice(0, look);
    const items = looked.filter(matches).slice(0, limit);
    const edge = all.length > look ? (looked.at(-1)?.id ?? null) : null;
    return {
      items,
      nextCursor: edge,
      hasMore: edge !== null,
      searchedToMs: edge === null ? null : timeOfId(edge),
      kept: null,
      partial: false,
      busId: "e:1-0",
    };
  };
  return served;
}

it("searches on, page by page, until something is found, and says how far it has come", async () => {
  const rows = many(50);
  const { source, state } = searching(rows, (row) => row.id === rows[0]?.id, 10);
  const feed = startLogFeed({}, source);
  await vi.waitFor(() => expect(feed.status.get().phase).toBe("ready"));
  expect(feed.tail.view().order).toEqual([]);
  expect(feed.status.get().searchedToMs).toBe(timeOfId(rows[40]?.id ?? ""));
  await feed.searchOn();
  expect(feed.tail.view().order).toEqual([rows[0]?.id]);
  expect(feed.status.get()).toMatchObject({ searching: false, searchedToMs: null });
  expect(state.calls).toBe(5);
});

it("stops searching when told to, and goes on from there", async () => {
  const { source, state } = searching(many(50), () => false, 10);
  const feed = startLogFeed({}, source);
  await vi.waitFor(() => expect(feed.status.get().phase).toBe("ready"));
  const searched = feed.searchOn();
  feed.stopSearch();
  await searched;
  expect(state.calls).toBe(2);
  expect(feed.tail.floor).not.toBe("");
  await feed.searchOn();
  expect(feed.tail.floor).toBe("");
  expect(state.calls).toBe(5);
});

it("a search ended by a failure says so and can be asked again", async () => {
  const { source } = searching(many(50), () => false, 10);
  const feed = startLogFeed({}, source);
  await vi.waitFor(() => expect(feed.status.get().phase).toBe("ready"));
  const { list } = source;
  source.list = () => Promise.reject(new TypeError("no answer"));
  await feed.searchOn();
  expect(feed.status.get()).toMatchObject({ searching: false, older: "error" });
  source.list = list;
  await feed.searchOn();
  expect(feed.tail.floor).toBe("");
});

it("what a search did not reach after a reconnect is a gap, also when it found nothing", async () => {
  const old = many(5);
  const wanted = new Set([old[0]?.id]);
  const { source, state, say } = searching(old, ({ id }) => wanted.has(id), 10);
  const feed = startLogFeed({}, source);
  await vi.waitFor(() => expect(feed.status.get().phase).toBe("ready"));
  const missed = many(25);
  wanted.add(missed[2]?.id);
  state.rows = [...old, ...missed];
  say().reset();
  await vi.waitFor(() => expect(feed.tail.view().order).toEqual([gapAfter(missed[15]?.id ?? ""), old[0]?.id]));
  await feed.fill(gapAfter(missed[15]?.id ?? ""));
  expect(feed.tail.view().order).toEqual([gapAfter(missed[5]?.id ?? ""), old[0]?.id]);
  await feed.fill(gapAfter(missed[5]?.id ?? ""));
  expect(feed.tail.view().order).toEqual([missed[2]?.id, old[0]?.id]);
});

it("reads missed requests again after a failure, even if the stream continues", async () => {
  const { source, state, say } = server(many(3));
  const feed = startLogFeed({}, source);
  await vi.waitFor(() => expect(feed.status.get().phase).toBe("ready"));
  vi.useFakeTimers();
  try {
    state.rows = [row(), ...state.rows];
    state.fails = 2;
    say().reset();
    await vi.advanceTimersByTimeAsync(1_000);
    expect(feed.tail.view().order).toHaveLength(3);
    await vi.advanceTimersByTimeAsync(15_000);
    expect(feed.tail.view().order).toHaveLength(4);
    const { calls } = state;
    await vi.advanceTimersByTimeAsync(60_000);
    expect(state.calls).toBe(calls);
    state.fails = 9;
    say().reset();
    await vi.advanceTimersByTimeAsync(1_000);
    feed.stop();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(state.calls).toBe(calls + 1);
  } finally {
    vi.useRealTimers();
  }
});

it("retries a failed read less and less often, not at all while the stream is down, and once when it is back", async () => {
  const { source, state, say } = server(many(3));
  const feed = startLogFeed({}, source);
  await vi.waitFor(() => expect(feed.status.get().phase).toBe("ready"));
  vi.useFakeTimers();
  try {
    state.rows = [row(), ...state.rows];
    state.fails = 1_000;
    const before = state.calls;
    say().reset();
    await vi.advanceTimersByTimeAsync(3_600_000);
    expect(state.calls - before).toBeLessThan(20);

    streamIs("reconnecting");
    await vi.advanceTimersByTimeAsync(600_000);
    const { calls } = state;
    await vi.advanceTimersByTimeAsync(3_600_000);
    expect(state.calls).toBe(calls);
    state.fails = 0;
    streamIs("live");
    await vi.advanceTimersByTimeAsync(1);
    expect(feed.tail.view().order).toHaveLength(4);
    expect(state.calls).toBe(calls + 1);

    state.fails = 1;
    say().reset();
    await vi.advanceTimersByTimeAsync(1);
    streamIs("offline");
    await vi.advanceTimersByTimeAsync(60_000);
    feed.stop();
    streamIs("live");
    await vi.advanceTimersByTimeAsync(60_000);
    expect(state.calls).toBe(calls + 2);
  } finally {
    vi.useRealTimers();
  }
});

it("keeps nothing of what it hears while it has no first page", async () => {
  const { source, state, say } = server(many(3));
  state.fails = 1;
  const feed = startLogFeed({}, source);
  await vi.waitFor(() => expect(feed.status.get().phase).toBe("error"));
  const push = vi.spyOn(feed.tail, "push");
  const next = row();
  say().events([{ type: "request.finished", rev: FINAL_REV, row: next }]);
  expect(push).not.toHaveBeenCalled();
  state.rows = [next, ...state.rows];
  feed.retry();
  await vi.waitFor(() => expect(feed.tail.view().order).toHaveLength(4));
  say().events([{ type: "request.finished", rev: FINAL_REV, row: row() }]);
  await vi.waitFor(() => expect(feed.tail.view().order).toHaveLength(5));
});
