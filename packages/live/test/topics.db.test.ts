import type { LiveEvent } from "@sluice/core/events";
import { until } from "@sluice/testing/deadline";
import { expect, it } from "vitest";
import { arrived, connected, eachTwin, finishedEvent, requestIds, useRedis, watch } from "./arrange.ts";

useRedis();

const measured = (requests: number): LiveEvent => ({
  type: "provider.measured",
  health: { providerId: "p", inFlight: 0, requests, errors: 0, costNanoUsd: "0", breakers: [] },
});
const types = (events: readonly LiveEvent[]): string[] => events.map(({ type }) => type);

eachTwin("topics", (stage) => {
  it("viewers of providers are sent no requests, and rare events go to everybody", async () => {
    const live = await connected(stage().open());
    const before = await live.bus.position();
    const all = await arrived(watch(live));
    const providers = await arrived(watch(live, { kind: "admin", userId: "an-admin", topics: ["providers"] }));
    const nothing = await arrived(watch(live, { kind: "user", userId: "mine", topics: [] }));
    live.bus.publish(finishedEvent({ userId: "mine" }));
    live.bus.publish(measured(1));
    live.bus.publish({ type: "settings.changed", names: ["time.zone"] });
    await until(() => all.events().length === 3 && providers.events().length === 2 && nothing.events().length === 1, {
      what: "all are served",
    });
    expect(types(providers.events())).toEqual(["provider.measured", "settings.changed"]);
    expect(types(nothing.events())).toEqual(["settings.changed"]);
    // The replay equals what was sent live.
    const replayed = await arrived(watch(live, { kind: "admin", userId: "another", topics: ["providers"] }, before));
    expect(types(replayed.events())).toEqual(["provider.measured", "settings.changed"]);
  });

  it("other topics from the last id: nothing of them is missed or repeated from there on", async () => {
    const live = await connected(stage().open());
    const first = await arrived(watch(live, { kind: "admin", userId: "an-admin", topics: ["providers"] }));
    live.bus.publish(measured(1));
    await until(() => first.events().length === 1, { what: "the figures" });
    await first.leave();
    const meanwhile = finishedEvent();
    live.bus.publish(meanwhile);
    live.bus.publish(measured(2));
    await live.bus.flush();
    const second = await arrived(watch(live, { kind: "admin", userId: "an-admin", topics: ["logs"] }, first.lastId()));
    await until(() => second.events().length === 1, { what: "the request in between" });
    const later = finishedEvent();
    live.bus.publish(later);
    await until(() => second.events().length === 2, { what: "the request after it" });
    expect(requestIds(second.events())).toEqual([meanwhile.row.id, later.row.id]);
  });

  it("rights taken away end the stream whatever its topics", async () => {
    const live = await connected(stage().open());
    const streams = [
      await arrived(watch(live, { kind: "admin", userId: "an-admin", topics: ["logs"] })),
      await arrived(watch(live, { kind: "user", userId: "an-admin", topics: [] })),
    ];
    const other = await arrived(watch(live, { kind: "admin", userId: "another", topics: ["logs"] }));
    live.bus.publish({ type: "user.changed", id: "an-admin" });
    await until(() => streams.every((stream) => stream.end() !== null), { what: "both ended" });
    expect(streams.map((stream) => stream.end())).toEqual([0, 1].map(() => expect.objectContaining({ name: "AbortError" })));
    expect(other.end()).toBeNull();
  });
});

eachTwin("a returning viewer", (stage) => {
  it("gets exactly the frames that the others got, from a frame's end or from within it, and continues live", async () => {
    const live = await connected(stage().open());
    const before = await live.bus.position();
    const stayed = await arrived(watch(live));
    const left = await arrived(watch(live));
    live.bus.publish(finishedEvent());
    await until(() => left.events().length === 1, { what: "the first request" });
    await left.leave();
    for (let times = 0; times < 3; times++) {
      live.bus.publish(finishedEvent());
      await until(() => stayed.events().length === 2 + times, { what: "one more" });
    }
    const back = await arrived(watch(live, { kind: "admin", userId: "back" }, left.lastId()));
    const fromBefore = await arrived(watch(live, { kind: "admin", userId: "from before" }, before));
    live.bus.publish(finishedEvent());
    const everybody = [stayed, fromBefore];
    await until(() => back.events().length === 4 && everybody.every((viewer) => viewer.events().length === 5), { what: "the last one" });
    const ids = requestIds(stayed.events());
    expect(requestIds(fromBefore.events())).toEqual(ids);
    expect(requestIds(back.events())).toEqual(ids.slice(1));
    const frames = (viewer: typeof stayed) => viewer.frames.filter(({ events }) => events.length > 0);
    for (const [i, frame] of frames(back).entries()) expect(frame).toBe(frames(stayed)[i + 1]);
  });
});
