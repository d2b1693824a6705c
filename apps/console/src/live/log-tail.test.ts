import { FINAL_REV, type LiveEvent } from "@sluice/core/events";
import { newId } from "@sluice/core/ids";
import type { LogFilter } from "@sluice/core/inputs/log";
import { noUsage, type RequestRow } from "@sluice/core/requests";
import { describe, expect, it } from "vitest";
import { CROWD_MAX, CROWDED_MS, HELD_MAX, LEAVE_MS, WINDOW_MAX } from "./log-limits.ts";
import { gapAfter } from "./log-order.ts";
import { LogTail } from "./log-tail.ts";

function row(change: Partial<RequestRow> = {}): RequestRow {
  const id = change.id ?? newId();
  return {
    tenantId: "default",
    userId: "user-1",
    keyId: "key-1",
    sessionId: "",
    providerId: "provider-1",
    group: "default",
    dialect: "anthropic",
    endpoint: "messages",
    stream: true,
    model: "claude-sonnet-4-5",
    upstreamModel: "",
    state: "in_flight",
    status: 0,
    errorCode: "",
    attempts: 1,
    usage: noUsage,
    flags: [],
    costNanoUsd: null,
    billable: true,
    startedAtMs: 1_000,
    ttftMs: null,
    durationMs: null,
    client: "",
    correctsId: null,
    ...change,
    id,
  };
}

const started = (one: RequestRow): LiveEvent => ({ type: "request.started", rev: 0, row: one });
const progressed = (one: RequestRow, rev: number): LiveEvent => ({ type: "request.progressed", rev, row: one });
const finished = (one: RequestRow, change: Partial<RequestRow> = {}): LiveEvent => ({
  type: "request.finished",
  rev: FINAL_REV,
  row: { ...one, state: "done", status: 200, ...change },
});

function open(filter: LogFilter = {}) {
  let now = 0;
  const tail = new LogTail({ filter, schedule: () => {}, now: () => now });
  tail.load([]);
  const send = (...events: LiveEvent[]): void => {
    tail.push(events);
    tail.flush();
  };
  const pass = (ms: number): void => {
    now += ms;
    tail.flush();
  };
  return { tail, send, pass, ids: () => tail.view().order };
}

describe("the rev rule", () => {
  it("applies a higher rev and ignores an equal or lower one", () => {
    const { tail, send } = open();
    const one = row();
    send(progressed({ ...one, ttftMs: 90 }, 3));
    send(progressed({ ...one, ttftMs: 10 }, 2), started(one));
    expect(tail.row(one.id)?.row.ttftMs).toBe(90);
    send(finished(one));
    send(progressed({ ...one, ttftMs: 5 }, 4));
    expect(tail.row(one.id)?.row.state).toBe("done");
  });

  it("keeps the last state when several arrive between two flushes, in any order", () => {
    const { tail, send } = open();
    const one = row();
    send(finished(one), started(one), progressed(one, 1));
    expect(tail.row(one.id)?.row.state).toBe("done");
  });

  it("lets a correction replace a finished row", () => {
    const { tail, send } = open();
    const one = row();
    send(finished(one), { type: "request.finished", rev: FINAL_REV + 1, row: { ...one, state: "done", costNanoUsd: "5" } });
    expect(tail.row(one.id)?.row.costNanoUsd).toBe("5");
  });

  it("merges with a page that was read while events arrived: the newer state wins, and nothing appears twice", () => {
    const tail = new LogTail({ filter: {}, schedule: () => {} });
    const one = row();
    const two = row();
    tail.push([finished(one), started(two)]);
    tail.load([two, one]);
    expect(tail.view().order).toEqual([two.id, one.id]);
    expect(tail.row(one.id)?.row.state).toBe("done");
  });

  it("never lets a page put a finished row back in flight", () => {
    const { tail, send } = open();
    const one = row();
    send(finished(one));
    tail.load([one]);
    expect(tail.row(one.id)?.row.state).toBe("done");
  });
});

describe("order", () => {
  it("is by arrival, newest first, also when events come out of order; a late finish moves nothing", () => {
    const { send, ids } = open();
    const [a, b, c] = [row(), row(), row()];
    send(started(b));
    send(started(c), started(a));
    expect(ids()).toEqual([c.id, b.id, a.id]);
    send(finished(a));
    expect(ids()).toEqual([c.id, b.id, a.id]);
  });

  it("drops an unknown row below the loaded window: it will come with its page", () => {
    const { tail, send, ids } = open();
    const [old, edge, fresh] = [row(), row(), row()];
    tail.load([edge], { floor: edge.id });
    send(finished(old), started(fresh));
    expect(ids()).toEqual([fresh.id, edge.id]);
  });

  it("keeps at most the window while live, and reads the rest again from its floor", () => {
    const { tail, send, ids } = open();
    send(...Array.from({ length: WINDOW_MAX + 10 }, () => started(row())));
    expect(ids()).toHaveLength(WINDOW_MAX);
    expect(tail.floor).toBe(ids().at(-1));
  });
});

describe("holding", () => {
  it("lets new rows wait, counts them and their errors, and still changes rows in view", () => {
    const { tail, send, ids } = open();
    const seen = row();
    send(started(seen));
    tail.setHolding(true);
    const [good, bad] = [row(), row()];
    send(started(good), finished(bad, { state: "error", status: 502 }), finished(seen));
    expect(ids()).toEqual([seen.id]);
    expect(tail.row(seen.id)?.row.state).toBe("done");
    expect(tail.view()).toMatchObject({ mode: "holding", held: 2, heldErrors: 1 });
  });

  it("merges what waited, in its latest state, when the reader is back at the top", () => {
    const { tail, send, ids } = open();
    tail.setHolding(true);
    const one = row();
    send(started(one));
    send(finished(one));
    tail.setHolding(false);
    expect(ids()).toEqual([one.id]);
    expect(tail.row(one.id)?.row.state).toBe("done");
    expect(tail.view()).toMatchObject({ mode: "live", held: 0 });
  });

  it("does not end a pause by scrolling", () => {
    const { tail, send } = open();
    tail.setPaused(true);
    tail.setHolding(true);
    tail.setHolding(false);
    send(started(row()));
    expect(tail.view()).toMatchObject({ mode: "paused", held: 1 });
    tail.setPaused(false);
    expect(tail.view()).toMatchObject({ mode: "live", held: 0 });
  });

  it("holds a bounded number and marks the rest as a gap", () => {
    const { tail, send, ids } = open();
    const known = row();
    send(started(known));
    tail.setPaused(true);
    const waiting = Array.from({ length: HELD_MAX + 5 }, () => row());
    send(...waiting.map(started));
    expect(tail.view()).toMatchObject({ held: HELD_MAX, heldOverflow: true });
    tail.merge();
    const oldest = waiting[5]?.id ?? "";
    expect(ids().slice(-3)).toEqual([oldest, gapAfter(oldest), known.id]);
    tail.fill(gapAfter(oldest), [...waiting.slice(0, 5).reverse(), known], null);
    expect(ids()).toEqual([...waiting.map(({ id }) => id).reverse(), known.id]);
  });
});

describe("filters", () => {
  it("admits only rows that match, also when they come to match later", () => {
    const { send, ids } = open({ state: "done" });
    const [one, other] = [row(), row()];
    send(started(one), started(other));
    expect(ids()).toEqual([]);
    send(finished(one));
    expect(ids()).toEqual([one.id]);
  });

  it("lets a row that stops matching leave after a moment", () => {
    const { tail, send, pass, ids } = open({ state: "in_flight" });
    const one = row();
    send(started(one));
    send(finished(one));
    expect(ids()).toEqual([one.id]);
    expect(tail.row(one.id)?.leftAtMs).toBeDefined();
    pass(LEAVE_MS + 1);
    expect(ids()).toEqual([]);
  });

  it("never takes a row away from a reader who holds", () => {
    const { tail, send, pass, ids } = open({ state: "in_flight" });
    const one = row();
    send(started(one));
    tail.setHolding(true);
    send(finished(one));
    pass(LEAVE_MS * 10);
    expect(ids()).toEqual([one.id]);
    tail.setHolding(false);
    pass(1);
    expect(ids()).toEqual([]);
  });

  it("forgets a waiting row that stops matching before it was shown", () => {
    const { tail, send } = open({ state: "in_flight" });
    tail.setHolding(true);
    const one = row();
    send(started(one));
    send(finished(one));
    expect(tail.view().held).toBe(0);
  });

  it("matches by every field the server filters by", () => {
    const one = row({ sessionId: "s", state: "error", status: 503 });
    const matching: LogFilter[] = [
      { userId: one.userId },
      { keyId: one.keyId },
      { providerId: one.providerId },
      { model: one.model },
      { sessionId: "s" },
      { dialect: "anthropic" },
      { state: "error" },
      { statusClass: "5xx" },
      { requestId: one.id },
      { fromMs: 1_000, toMs: 1_001 },
    ];
    const other: LogFilter[] = [
      { userId: "x" },
      { keyId: "x" },
      { model: "x" },
      { statusClass: "2xx" },
      { dialect: "gemini" },
      { fromMs: 1_001 },
      { toMs: 1_000 },
    ];
    for (const filter of matching) {
      const { send, ids } = open(filter);
      send({ type: "request.finished", rev: FINAL_REV, row: one });
      expect(ids(), JSON.stringify(filter)).toEqual([one.id]);
    }
    for (const filter of other) {
      const { send, ids } = open(filter);
      send({ type: "request.finished", rev: FINAL_REV, row: one });
      expect(ids(), JSON.stringify(filter)).toEqual([]);
    }
  });
});

it("wakes only the listeners of the row that changed", () => {
  const { tail, send } = open();
  const [a, b] = [row(), row()];
  send(started(a), started(b));
  const woken: string[] = [];
  const off = tail.onRow(a.id, () => woken.push("a"));
  tail.onRow(b.id, () => woken.push("b"));
  send(finished(b));
  expect(woken).toEqual(["b"]);
  off();
  send(finished(a));
  expect(woken).toEqual(["b"]);
});

it("names what is in flight, and counts arrivals for spoken summaries", () => {
  const { tail, send } = open();
  const [a, b] = [row(), row()];
  send(started(a), started(b));
  send(finished(a, { state: "error", status: 500 }));
  expect(tail.inFlight()).toEqual([b.id]);
  expect(tail.arrived()).toEqual({ rows: 2, errors: 1 });
});

describe("a busy log", () => {
  const aside = (event: LiveEvent): LiveEvent => ({ ...event, aside: true }) as LiveEvent;
  const crowd = () => Array.from({ length: CROWD_MAX + 1 }, () => started(row({ keyId: "busy" })));

  it("shows only its sample; a row from a page still learns of its end, and a row already shown continues", () => {
    const { tail, send, ids } = open();
    send(...crowd());
    expect(tail.crowded()).toBe(true);
    const before = ids().length;
    const [hidden, paged, shown] = [row(), row(), row()];
    tail.load([paged], { floor: "" });
    send(started(shown), aside(started(hidden)));
    expect(ids().slice(0, 2)).toEqual([shown.id, paged.id]);
    send(aside(finished(hidden)), aside(finished(paged)), aside(finished(shown)));
    expect(ids().length).toBe(before + 2);
    expect([paged, shown].map(({ id }) => tail.row(id)?.row.state)).toEqual(["done", "done"]);
    // Started in the sample and finished outside it before it was shown.
    const short = row();
    send(started(short), aside(finished(short)));
    expect(ids()[0]).toBe(short.id);
  });

  it("shows every row for a filter that few rows match, and again when it is calm", () => {
    const narrow = open({ keyId: "mine" });
    const mine = row({ keyId: "mine" });
    narrow.send(...crowd().map(aside), aside(started(mine)));
    expect([narrow.ids(), narrow.tail.crowded()]).toEqual([[mine.id], false]);
    narrow.send(aside(finished(mine)));
    expect(narrow.tail.row(mine.id)?.row.state).toBe("done");

    const { tail, send, ids, pass } = open();
    send(...crowd());
    const late = row();
    send(aside(started(row())));
    pass(CROWDED_MS + 1);
    send(aside(started(late)));
    expect([ids()[0], tail.crowded()]).toEqual([late.id, false]);
  });

  it("counts requests that start and end within one frame once each", () => {
    const { send, tail, pass } = open();
    const rows = (count: number) => Array.from({ length: count }, () => row());
    send(...rows(CROWD_MAX + 1).map((one) => finished(one)));
    expect(tail.crowded()).toBe(true);
    pass(CROWDED_MS - 1_000);
    const hidden = rows(CROWD_MAX - 400);
    send(...hidden.map((one) => aside(started(one))));
    send(...hidden.map((one) => aside(finished(one))));
    pass(1_001);
    expect(tail.crowded()).toBe(false);
  });
});
