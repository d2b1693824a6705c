import type { LiveEvent } from "@sluice/core/events";
import { FINAL_REV } from "@sluice/core/events";
import { fakeClock } from "@sluice/testing/clock";
import { until } from "@sluice/testing/deadline";
import { requestRow } from "@sluice/testing/factories";
import { expect, it } from "vitest";
import type { Live } from "../src/live.ts";
import { arrived, connected, eachTwin, rowInFlight, useRedis, type Viewer, watch } from "./arrange.ts";

useRedis();

type RequestEvent = Extract<LiveEvent, { rev: number }>;
const ofRequests = (viewer: Viewer): RequestEvent[] => viewer.events().filter((event): event is RequestEvent => "rev" in event);
const ends = (viewer: Viewer): RequestEvent[] => ofRequests(viewer).filter(({ type }) => type === "request.finished");

/** Requests that start, progress and end as fast as the viewer receives them, while the clock stands still; every tenth one fails. */
async function busy(live: Live, viewer: Viewer, count: number): Promise<string[]> {
  const ids: string[] = [];
  for (let done = 0; done < count; done += 200) {
    const rows = Array.from({ length: 200 }, () => rowInFlight({ userId: "mine" }));
    ids.push(...rows.map(({ id }) => id));
    for (const row of rows) live.bus.publish({ type: "request.started", rev: 0, row });
    await live.bus.flush();
    for (const row of rows) live.bus.publish({ type: "request.progressed", rev: 1, row });
    for (const [at, { id }] of rows.entries()) {
      const outcome = at % 10 === 0 ? ({ state: "error", status: 502 } as const) : ({ state: "done", status: 200 } as const);
      live.bus.publish({ type: "request.finished", rev: FINAL_REV, row: requestRow({ id, userId: "mine", ...outcome }) });
    }
    await until(() => ends(viewer).length === ids.length, { what: "every request so far has ended" });
  }
  return ids;
}

eachTwin("a busy audience", (stage) => {
  it("sees a sample of the rows and is told so; every end arrives, so that figures are exact, and every error is shown", async () => {
    const clock = fakeClock();
    const live = await connected(stage().open({ clock }));
    const first = await arrived(watch(live));
    const viewers = [first, await arrived(watch(live, { kind: "user", userId: "mine", topics: ["logs"] }))];
    const ids = await busy(live, first, 4_000);
    for (const viewer of viewers) {
      await until(() => ends(viewer).length === ids.length, { what: "every request has ended" });
      expect(
        ends(viewer)
          .map(({ row }) => row.id)
          .sort(),
      ).toEqual(ids.toSorted());
      expect(viewer.frames.some(({ gap, reset }) => gap || reset)).toBe(false);
      expect(viewer.frames.at(-1)?.sample).toBe(4);
      const failed = ends(viewer).filter(({ row }) => row.state === "error");
      expect([failed.length, failed.filter(({ aside }) => aside)]).toEqual([400, []]);
      // All of the first thousand, half of the second, and a quarter of the rest.
      const shown = new Set(ends(viewer).flatMap(({ aside, row }) => (aside || row.state === "error" ? [] : row.id)));
      const shareOf = (part: string[]): number => part.filter((id) => shown.has(id)).length / (0.9 * part.length);
      expect(shareOf(ids.slice(0, 1_000))).toBe(1);
      expect(Math.abs(shareOf(ids.slice(1_000, 2_000)) - 0.5)).toBeLessThan(0.1);
      expect(Math.abs(shareOf(ids.slice(2_000)) - 0.25)).toBeLessThan(0.06);
      // Requests outside the sample send no progress; those that started inside it end inside it.
      expect(ofRequests(viewer).filter(({ aside, type }) => aside && type === "request.progressed")).toEqual([]);
      const begun = ofRequests(viewer).filter(
        ({ aside, type, row }) => !aside && type === "request.started" && ids.indexOf(row.id) >= 2_000,
      );
      expect(begun.filter(({ row }) => !shown.has(row.id) && !failed.some((one) => one.row.id === row.id))).toEqual([]);
    }
  });

  it("sees a sample also of requests so short that only their end is sent", async () => {
    const clock = fakeClock();
    const live = await connected(stage().open({ clock }));
    const viewer = await arrived(watch(live));
    for (let sent = 200; sent <= 2_400; sent += 200) {
      for (const row of Array.from({ length: 200 }, () => requestRow())) {
        live.bus.publish({ type: "request.started", rev: 0, row: { ...row, state: "in_flight" } });
        live.bus.publish({ type: "request.finished", rev: FINAL_REV, row });
      }
      await until(() => ends(viewer).length === sent, { what: "every request so far has ended" });
    }
    expect(viewer.frames.at(-1)?.sample).toBe(4);
  });

  it("sees every row again when it is calm, and the sample of a row is the same for reconnecting viewers", async () => {
    const clock = fakeClock();
    const live = await connected(stage().open({ clock }));
    const viewer = await arrived(watch(live));
    const before = viewer.lastId();
    const ids = await busy(live, viewer, 2_000);
    const back = watch(live, { kind: "admin", userId: "back" }, before);
    await until(() => ends(back).length === ids.length, { what: "every request has ended for who comes back" });
    expect(ofRequests(back).map(({ row, aside }) => [row.id, aside])).toEqual(ofRequests(viewer).map(({ row, aside }) => [row.id, aside]));

    clock.advance(4_000);
    const soon = requestRow({ id: ids.find((id) => Number.parseInt(id.slice(-8), 16) % 2 === 1) ?? "" });
    live.bus.publish({ type: "request.finished", rev: FINAL_REV, row: soon });
    await until(() => ends(viewer).length === ids.length + 1, { what: "one more" });
    expect(ends(viewer).at(-1)?.aside).toBe(true);
    clock.advance(6_000);
    live.bus.publish({ type: "request.finished", rev: FINAL_REV, row: soon });
    await until(() => ends(viewer).length === ids.length + 2, { what: "and one more" });
    expect(ends(viewer).at(-1)?.aside).toBeUndefined();
    expect(viewer.frames.at(-1)).not.toHaveProperty("sample");
  });
});
