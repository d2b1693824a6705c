import type { LiveEvent, SessionRow } from "@sluice/core/events";
import { expect, it } from "vitest";
import { createSessionBoard, SHOWN_AFTER_END_MS } from "./session-board.ts";

function session(change: Partial<SessionRow> = {}): SessionRow {
  return {
    id: "s1",
    userId: "u",
    keyId: "k",
    providerId: "p",
    model: "m",
    client: "",
    startedAtMs: 0,
    lastActivityAtMs: 0,
    inFlight: 0,
    requests: 1,
    inputTokens: 0,
    cacheTokens: 0,
    outputTokens: 0,
    costNanoUsd: "0",
    providerSinceMs: 0,
    chosenBy: "",
    rev: 1,
    ...change,
  };
}

const updated = (row: SessionRow): LiveEvent => ({ type: "session.updated", row });

/** A board with a clock that the test controls; `pass` advances it and runs what is due. */
function open() {
  let now = 0;
  let due: { at: number; run: () => void } | null = null;
  const made = createSessionBoard({
    now: () => now,
    after(ms, run) {
      due = { at: now + ms, run };
      return () => {
        due = null;
      };
    },
  });
  // Where the order does not matter, a list is newer than the events pushed before it.
  const board = {
    ...made,
    push: (events: readonly LiveEvent[], at = "e:1-0") => made.push(events, at),
    load: (rows: readonly SessionRow[], windowSeconds: number, busId = "e:2-0") => made.load(rows, windowSeconds, busId),
  };
  board.load([], 5);
  return {
    board,
    ids: () => board.get().map(({ row }) => row.id),
    active: () => board.get().flatMap(({ row, endedAtMs }) => (endedAtMs === null ? [row.id] : [])),
    timers: () => due !== null,
    pass(ms: number) {
      now += ms;
      while (due !== null && due.at <= now) {
        const { run } = due;
        due = null;
        run();
      }
    },
  };
}

it("shows a session with its first event and moves its counters", () => {
  const { board } = open();
  board.push([{ type: "session.started", row: session({ inFlight: 1 }) }]);
  board.push([updated(session({ inFlight: 0, requests: 2, rev: 2 }))]);
  expect(board.get()).toMatchObject([{ row: { id: "s1", requests: 2, inFlight: 0 }, endedAtMs: null }]);
});

it("ignores an older rev", () => {
  const { board } = open();
  board.push([updated(session({ rev: 4, requests: 4 })), updated(session({ rev: 3, requests: 3 }))]);
  expect(board.get()[0]?.row.requests).toBe(4);
});

it("ends it within a second of its window, by the local clock alone, and lets it leave ten seconds later", () => {
  const { board, ids, active, pass } = open();
  board.push([updated(session({ lastActivityAtMs: 0 }))]);
  pass(4_900);
  expect(active()).toEqual(["s1"]);
  pass(200);
  expect(active()).toEqual([]);
  expect(ids()).toEqual(["s1"]);
  pass(SHOWN_AFTER_END_MS - 200);
  expect(ids()).toEqual(["s1"]);
  pass(300);
  expect(ids()).toEqual([]);
});

it("keeps an ended one ended, whatever older news says, until it is active again", () => {
  const { board, active, pass } = open();
  board.push([updated(session({ rev: 3 }))]);
  pass(5_100);
  board.push([updated(session({ rev: 3 }))]);
  expect(active()).toEqual([]);
  board.push([updated(session({ rev: 4, lastActivityAtMs: 5_000, inFlight: 1 }))]);
  expect(active()).toEqual(["s1"]);
});

it("keeps it while something of it is in flight, however long", () => {
  const { board, active, pass } = open();
  board.push([updated(session({ inFlight: 1 }))]);
  pass(60_000);
  expect(active()).toEqual(["s1"]);
  board.push([updated(session({ inFlight: 0, lastActivityAtMs: 60_000, rev: 2 }))]);
  pass(5_100);
  expect(active()).toEqual([]);
});

it("lets new activity prolong it", () => {
  const { board, active, pass } = open();
  board.push([updated(session())]);
  pass(3_000);
  board.push([updated(session({ lastActivityAtMs: 3_000, rev: 2 }))]);
  pass(3_000);
  expect(active()).toEqual(["s1"]);
  pass(2_100);
  expect(active()).toEqual([]);
});

it("ends at once when the server says so, and may come back as a new session", () => {
  const { board, active } = open();
  board.push([updated(session({ rev: 9 }))]);
  board.push([{ type: "session.ended", row: session({ rev: 10 }) }]);
  expect(active()).toEqual([]);
  board.push([{ type: "session.started", row: session({ startedAtMs: 100, lastActivityAtMs: 100, rev: 1 }) }]);
  expect(active()).toEqual(["s1"]);
});

it("keeps its order by start whatever happens to the sessions", () => {
  const { board, ids } = open();
  board.push([
    updated(session({ id: "a", startedAtMs: 1 })),
    updated(session({ id: "b", startedAtMs: 2 })),
    updated(session({ id: "c", startedAtMs: 3 })),
  ]);
  board.push([updated(session({ id: "a", startedAtMs: 1, lastActivityAtMs: 900, rev: 2 }))]);
  expect(ids()).toEqual(["c", "b", "a"]);
});

it("takes a list as the truth about who is there, but keeps newer counters", () => {
  const { board, active } = open();
  board.push([updated(session({ id: "gone" })), updated(session({ id: "s1", rev: 5, requests: 5 }))]);
  board.load([session({ id: "s1", rev: 4, requests: 4 })], 5);
  expect(active()).toEqual(["s1"]);
  expect(board.get().find(({ row }) => row.id === "s1")?.row.requests).toBe(5);
});

it("keeps one that began after the list was read, until a later list lacks it, or the bus began anew", () => {
  const { board, active } = open();
  board.push([{ type: "session.started", row: session({ id: "a", inFlight: 1 }) }], "e:5-0");
  board.load([], 5, "e:4-0");
  expect(active()).toEqual(["a"]);
  board.load([], 5, "e:5-0");
  expect(active()).toEqual([]);
  board.push([{ type: "session.started", row: session({ id: "b", inFlight: 1 }) }], "e:6-0");
  board.load([], 5, "f:1-0");
  expect(active()).toEqual([]);
});

it("runs no timer while nobody is there", () => {
  const { board, timers } = open();
  expect(timers()).toBe(false);
  board.push([updated(session())]);
  expect(timers()).toBe(true);
  board.stop();
  expect(timers()).toBe(false);
});
