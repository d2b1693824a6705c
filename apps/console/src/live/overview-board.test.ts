import { FINAL_REV, type LiveEvent, type SessionRow } from "@sluice/core/events";
import { noSums, type Overview, zeroColumns } from "@sluice/core/overview";
import { noUsage, type RequestRow } from "@sluice/core/requests";
import { describe, expect, it } from "vitest";
import { createOverviewBoard } from "./overview-board.ts";

const MINUTE = 60_000;
const DAY_START = Date.UTC(2026, 10, 21);
const NOON = DAY_START + 12 * 60 * MINUTE;

function overviewAt(busId: string, fields: Partial<Overview> = {}): Overview {
  const endMs = NOON + 5 * MINUTE;
  const times = Array.from({ length: 288 }, (_, at) => endMs - (288 - at) * 5 * MINUTE);
  const yesterday = { startMs: DAY_START - 1_440 * MINUTE, sessions: yesterdaySessions(), ...zeroColumns(288) };
  yesterday.requests = yesterday.requests.map(() => 10);
  return {
    ...{ range: "24h", by: "model", zone: "UTC", yesterday, times, endMs, series: [] },
    ...{ day: { startMs: DAY_START, endMs: DAY_START + 1_440 * MINUTE, today: { ...noSums } } },
    ...{
      top: { model: [], provider: [], user: [], key: [] },
      inFlight: [],
      sessions: [],
      counted: [],
      used: true,
      busId,
      serverNowMs: NOON,
    },
    ...fields,
  };
}

/** One more active session every five minutes, and no sample at 12:05. */
function yesterdaySessions(): (number | null)[] {
  return Array.from({ length: 288 }, (_, at) => (at === 145 ? null : at));
}

function rowOf(id: string, fields: Partial<RequestRow> = {}): RequestRow {
  const usage = { ...noUsage, input: 100, output: 20 };
  return {
    ...{ id, tenantId: "default", userId: "u", keyId: "k", sessionId: "", providerId: "p", group: "default", dialect: "openai" },
    ...{ endpoint: "chat", stream: true, model: "m", upstreamModel: "m", state: "done", status: 200, errorCode: "", attempts: 1, usage },
    ...{ flags: [], costNanoUsd: "1000", billable: true, startedAtMs: NOON, ttftMs: 50, durationMs: 500, client: "", correctsId: null },
    ...fields,
  } as RequestRow;
}

const started = (id: string): LiveEvent => ({
  type: "request.started",
  rev: 0,
  row: rowOf(id, { state: "in_flight", costNanoUsd: null, usage: noUsage }),
});
const finished = (id: string, fields: Partial<RequestRow> = {}): LiveEvent => ({
  type: "request.finished",
  rev: FINAL_REV,
  row: rowOf(id, fields),
});

/** A board whose clock, timers and frames the test controls. */
function arrange() {
  let nowMs = NOON + 1_000;
  let flushes: (() => void)[] = [];
  let timers: { dueMs: number; run: () => void }[] = [];
  const counts = { views: 0, readings: 0 };
  const board = createOverviewBoard({
    now: () => nowMs,
    after(ms, run) {
      const timer = { dueMs: nowMs + ms, run };
      timers.push(timer);
      return () => {
        timers = timers.filter((one) => one !== timer);
      };
    },
    schedule: (flush) => flushes.push(flush),
    readAgain: () => {
      counts.readings += 1;
    },
  });
  board.subscribe(() => {
    counts.views += 1;
  });
  return {
    board,
    counts,
    pending: () => flushes.length,
    flush() {
      for (const flush of flushes.splice(0)) flush();
    },
    pass(ms: number) {
      const untilMs = nowMs + ms;
      for (;;) {
        const next = timers.filter(({ dueMs }) => dueMs <= untilMs).sort((a, b) => a.dueMs - b.dueMs)[0];
        if (!next) break;
        timers = timers.filter((one) => one !== next);
        nowMs = Math.max(nowMs, next.dueMs);
        next.run();
      }
      nowMs = untilMs;
      flushes = [...flushes];
    },
  };
}

describe("what is pushed", () => {
  it("a burst of any size is one change of the page", () => {
    const { board, counts, flush, pending } = arrange();
    board.load(overviewAt("e:10-0"));
    const before = counts.views;
    for (let at = 0; at < 500; at++) board.push([started(`r${at}`), finished(`r${at}`)], `e:${11 + at}-0`, `e:${10 + at}-0`);
    board.push([started("open")], "e:600-0", "e:599-0");
    expect([counts.views - before, pending()]).toEqual([0, 1]);
    flush();
    expect(counts.views - before).toBe(1);
    const view = board.get();
    expect(view?.overview.day.today).toMatchObject({ requests: 500, input: 50_000, costNanoUsd: "500000", ttftCount: 500 });
    expect(view?.overview.series).toMatchObject([{ id: "m" }]);
    expect(view?.overview.series[0]?.requests.at(-1)).toBe(500);
    expect(view?.overview.top.model).toEqual([{ id: "m", requests: 500, errors: 0, tokens: 60_000, costNanoUsd: "500000" }]);
    expect(view?.inFlight).toBe(1);
    board.push([finished("open", { state: "error", status: 502 })], "e:601-0", "e:600-0");
    flush();
    expect(board.get()).toMatchObject({ inFlight: 0, overview: { day: { today: { requests: 501, errors: 1 } } } });
  });

  it("counts nothing twice: neither what the reading includes, nor what it lists, nor repeated events", () => {
    const { board, flush } = arrange();
    const end = board.expect();
    board.push([finished("before")], "e:9-0", "e:8-0");
    board.push([started("long"), finished("during"), finished("named")], "e:11-0", "e:10-0");
    end();
    board.load(overviewAt("e:10-0", { counted: ["named"], inFlight: ["long"] }));
    expect(board.get()?.overview.day.today.requests).toBe(1);
    board.push([finished("during"), finished("long")], "e:12-0", "e:11-0");
    board.push([finished("long")], "e:13-0", "e:12-0");
    flush();
    expect(board.get()).toMatchObject({ inFlight: 0, overview: { day: { today: { requests: 2 } } } });
  });

  it("a frame that is replayed across the reading: requests that ended long before it are included without being listed", () => {
    const { board, flush } = arrange();
    board.load(overviewAt("e:10-0", { counted: ["named"], inFlight: ["long"] }));
    const before = { startedAtMs: NOON - 12_000 };
    const events = [finished("old", before), finished("long", before), finished("named", { startedAtMs: NOON - 2_000 }), finished("new")];
    board.push(events, "e:11-0", "e:2-0");
    flush();
    expect(board.get()).toMatchObject({ inFlight: 0, overview: { day: { today: { requests: 2 } } } });
    // Requests that a dead process left behind are reported late, after the reading: it does not include them.
    board.push([finished("recovered", before)], "e:12-0", "e:11-0");
    flush();
    expect(board.get()?.overview.day.today.requests).toBe(3);
  });

  it("compares active sessions with those of yesterday at the same time, as the clock advances", () => {
    const { board, pass } = arrange();
    board.load(overviewAt("e:10-0"));
    const off = board.subscribe(() => {});
    expect(board.get()?.then.sessions).toBe(144);
    pass(6 * MINUTE);
    expect(board.get()?.then.sessions).toBeNull();
    pass(5 * MINUTE);
    expect(board.get()?.then.sessions).toBe(146);
    off();
  });

  it("follows sessions and what an instance lost", () => {
    const { board, flush } = arrange();
    board.load(overviewAt("e:10-0", { sessions: ["s1"], inFlight: ["r1"] }));
    const session = (id: string, type: "session.started" | "session.updated" | "session.ended"): LiveEvent => ({
      type,
      row: { id } as SessionRow,
    });
    board.push([session("s2", "session.started"), session("s1", "session.updated")], "e:11-0", "e:10-0");
    board.push([{ type: "request.lost", rev: 1, row: rowOf("r1", { state: "lost" }) }], "e:12-0", "e:11-0");
    flush();
    expect(board.get()).toMatchObject({ sessions: 2, inFlight: 0 });
    board.push([session("s1", "session.ended"), finished("r1")], "e:13-0", "e:12-0");
    flush();
    expect(board.get()).toMatchObject({ sessions: 1, inFlight: 0, overview: { day: { today: { requests: 1 } } } });
  });

  it("tells how fast it goes, and that it stopped, without another event", () => {
    const { board, flush, pass } = arrange();
    board.load(overviewAt("e:10-0"));
    board.push([started("a"), finished("a")], "e:11-0", "e:10-0");
    pass(10_000);
    flush();
    expect(board.get()?.rates).toEqual({ requestsPerSecond: 0.1, tokensPerSecond: 12, costPerHourNanoUsd: "360000" });
    pass(60_000);
    expect(board.get()?.rates).toEqual({ requestsPerSecond: 0, tokensPerSecond: 0, costPerHourNanoUsd: "0" });
  });
});

describe("rates", () => {
  /** The board of a document that was opened ten seconds ago. */
  function open() {
    const arranged = arrange();
    arranged.board.load(overviewAt("e:10-0"));
    arranged.board.push([], "e:11-0", "e:10-0");
    arranged.pass(10_000);
    return arranged;
  }

  it("a request that starts and ends within one frame is reported by its end alone and counts as one; one that started before counts as none", () => {
    const { board, flush } = open();
    const quick = finished("quick", { startedAtMs: NOON + 10_900 });
    board.push([quick, finished("before", { startedAtMs: NOON - 1_000 })], "e:12-0", "e:11-0");
    flush();
    expect(board.get()?.rates).toMatchObject({ requestsPerSecond: 0.1, tokensPerSecond: 24 });
  });

  it("a correction does not count as traffic", () => {
    const { board, flush } = open();
    const correction = rowOf("c", { correctsId: "r", usage: noUsage, costNanoUsd: "500" });
    board.push([{ type: "request.corrected", rev: FINAL_REV + 1, row: rowOf("r"), correction }], "e:12-0", "e:11-0");
    flush();
    expect(board.get()).toMatchObject({
      rates: { requestsPerSecond: 0, tokensPerSecond: 0, costPerHourNanoUsd: "0" },
      overview: { day: { today: { costNanoUsd: "500" } } },
    });
  });
});

describe("as time passes", () => {
  it("yesterday is compared until the same time, and the range moves, without a reading", () => {
    const { board, pass, counts } = arrange();
    board.load(overviewAt("e:10-0"));
    expect(board.get()?.then.requests).toBeCloseTo(1_440, -1);
    pass(61 * MINUTE);
    expect(board.get()?.then.requests).toBeGreaterThan(1_555);
    const { times = [], endMs = 0 } = board.get()?.overview ?? {};
    expect([times.length, (times[0] ?? 0) - NOON, endMs - NOON]).toEqual([288, (65 - 1_440) * MINUTE, 65 * MINUTE]);
    board.push([finished("late", { startedAtMs: NOON + 61 * MINUTE })], "e:11-0", "e:10-0");
    expect(board.get()?.overview.series[0]?.requests.at(-1)).toBe(1);
    expect(counts.readings).toBe(0);
  });

  it("midnight asks once; what starts then does not count to the day that is over", () => {
    const { board, pass, counts, flush } = arrange();
    board.load(overviewAt("e:10-0"));
    pass(12 * 60 * MINUTE + 20_000);
    expect(counts.readings).toBe(1);
    board.push([finished("new", { startedAtMs: DAY_START + 1_440 * MINUTE + 1 })], "e:11-0", "e:10-0");
    flush();
    expect(board.get()?.overview.day.today.requests).toBe(0);
    pass(60 * MINUTE);
    expect(counts.readings).toBe(1);
  });

  it("without a viewer, no timer runs", () => {
    let timers = 0;
    const board = createOverviewBoard({
      now: () => NOON,
      after: () => {
        timers += 1;
        return () => {};
      },
      schedule: () => {
        timers += 1;
      },
      readAgain: () => {},
    });
    board.load(overviewAt("e:10-0"));
    board.push([started("a")], "e:11-0", "e:10-0");
    expect(timers).toBe(0);
    expect(board.get()).not.toBeNull();
  });
});
