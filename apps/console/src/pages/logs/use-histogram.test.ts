import type { LiveEvent } from "@sluice/core/events";
import type { RequestRow } from "@sluice/core/requests";
import { beforeEach, expect, it, vi } from "vitest";
import type { LiveListener } from "../../live/hub.ts";
import type { HistogramAnswer } from "../../live/log-histogram.ts";

/** The stream, controlled by the test, and the pending readings. */
const world = vi.hoisted(() => ({ hear: {} as LiveListener, readings: [] as PromiseWithResolvers<HistogramAnswer>[] }));
vi.mock("../../live/hub.ts", () => ({
  listen: () => () => {},
  listenTo(_topics: unknown, listener: LiveListener) {
    world.hear = listener;
    return () => {};
  },
}));
vi.mock("../../api/client.ts", () => ({
  client: {
    logs: {
      histogram: {
        query() {
          const reading = Promise.withResolvers<HistogramAnswer>();
          world.readings.push(reading);
          return reading.promise;
        },
      },
    },
  },
}));
const { startHistogram } = await import("./use-histogram.ts");

const STEP = 300_000;
const answer = (busId: string): HistogramAnswer => ({
  ...{
    fromMs: Math.floor(Date.now() / STEP) * STEP - STEP,
    toMs: Math.ceil(Date.now() / STEP) * STEP + STEP,
    stepMs: STEP,
    buckets: [],
    unanswered: [],
    countedIds: [],
  },
  ...{ busId, serverNowMs: Date.now() },
});
const ended = (id: string): LiveEvent => ({
  type: "request.finished",
  rev: 9,
  row: { id, state: "done", status: 200, startedAtMs: Date.now(), durationMs: 1, correctsId: null } as RequestRow,
});

beforeEach(() => {
  world.readings = [];
});

it("a reading that a gap overtook replaces neither the one that was started for the gap, nor what waits with it", async () => {
  const feed = startHistogram("{}");
  world.hear.reset?.();
  expect(world.readings).toHaveLength(2);
  world.readings[0]?.resolve(answer("e:1-0"));
  await Promise.resolve();
  world.hear.events?.([ended("r1")], "e:3-0", "e:2-0");
  world.readings[1]?.resolve(answer("e:2-0"));
  const total = (): number | null => {
    const state = feed.state();
    return state.phase === "ready" ? state.view.total : null;
  };
  await vi.waitFor(() => expect(feed.state().phase).toBe("ready"));
  await Promise.all(world.readings.map(({ promise }) => promise));
  expect(total()).toBe(1);
  feed.stop();
});

it("a failed reading is ignored once another one was started", async () => {
  const feed = startHistogram("{}");
  world.hear.reset?.();
  world.readings[0]?.reject(new TypeError("no answer"));
  await world.readings[0]?.promise.catch(() => {});
  await Promise.resolve();
  expect(feed.state().phase).toBe("loading");
  feed.stop();
});
