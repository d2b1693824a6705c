import type { LiveEvent, LiveFrame } from "@sluice/core/events";
import { newId } from "@sluice/core/ids";
import { until } from "@sluice/testing/deadline";
import { requestRow } from "@sluice/testing/factories";
import { describe, expect, it } from "vitest";
import { compareBusIds } from "../src/bus-id.ts";
import { arrived, connected, eachTwin, finishedEvent, openLive, requestIds, rowInFlight, useRedis, watch } from "./arrange.ts";

const redis = useRedis();
const admin = { kind: "admin", userId: "an-admin" } as const;

/** Events of user `mine`, of user `other`, and of no particular user. */
function mixedEvents(): { mine: LiveEvent[]; hidden: LiveEvent[] } {
  const session = {
    ...{ id: "s", userId: "mine", keyId: "k", providerId: "p", model: "m", client: "c", startedAtMs: 1, lastActivityAtMs: 1, inFlight: 0 },
    ...{ requests: 1, inputTokens: 1, cacheTokens: 0, outputTokens: 1, costNanoUsd: "1", rev: 1 },
    ...{ providerSinceMs: 1, chosenBy: "sticky" as const },
  };
  const breaker = { providerId: "p", model: "m", state: "open", failures: 5, probeAtMs: 1, cause: "502 from the provider" } as const;
  const health = { providerId: "p", inFlight: 0, requests: 1, errors: 0, costNanoUsd: "1", breakers: [] };
  return {
    mine: [
      finishedEvent({ userId: "mine", providerId: "p", upstreamModel: "secret-model", model: "asked-model" }),
      { type: "session.started", row: session },
      { type: "key.changed", id: "k", userId: "mine" },
      { type: "settings.changed", names: ["time.zone"] },
    ],
    hidden: [
      finishedEvent({ userId: "other" }),
      finishedEvent({ userId: "" }),
      { type: "session.started", row: { ...session, id: "s2", userId: "other" } },
      { type: "key.changed", id: "k2", userId: "other" },
      { type: "key.changed", id: "k3" },
      { type: "price.changed", id: "x" },
      { type: "provider.changed", id: "p" },
      { type: "provider.opened", breaker, atMs: 1 },
      { type: "provider.measured", health },
    ],
  };
}

eachTwin("frames", (stage) => {
  it("sends an admin everything and a user only what is theirs, live and on replay, without naming providers", async () => {
    const live = await connected(stage().open());
    const before = await live.bus.position();
    const [ofAdmin, ofUser] = [await arrived(watch(live, admin)), await arrived(watch(live, { kind: "user", userId: "mine" }))];
    const { mine, hidden } = mixedEvents();
    for (const event of [...hidden.slice(0, 4), ...mine, ...hidden.slice(4)]) live.bus.publish(event);
    await until(() => ofAdmin.events().length === 13 && ofUser.events().length === 4, { what: "both are served" });
    const replayed = [await arrived(watch(live, admin, before)), await arrived(watch(live, { kind: "user", userId: "mine" }, before))];
    const latecomer = await arrived(watch(live, { kind: "user", userId: "nobody" }, before));

    expect(ofUser.events().map(({ type }) => type)).toEqual(["request.finished", "session.started", "key.changed", "settings.changed"]);
    const shown = ofUser.events()[0];
    expect(shown).toMatchObject({ row: { model: "asked-model", providerId: "", upstreamModel: "", costNanoUsd: "140000" } });
    expect(JSON.stringify(ofUser.frames)).not.toMatch(/"p"|secret-model/);
    expect(ofAdmin.events()).toContainEqual(mine[0]);
    // The replay equals what was sent live.
    expect(replayed[0]?.events()).toEqual(ofAdmin.events());
    expect(replayed[1]?.events()).toEqual(ofUser.events());
    expect(latecomer.events()).toEqual([{ type: "settings.changed", names: ["time.zone"] }]);
  });

  it("shares one frame object between all viewers of an audience", async () => {
    const live = await connected(stage().open());
    const viewers = [await arrived(watch(live)), await arrived(watch(live)), await arrived(watch(live))];
    live.bus.publish(finishedEvent());
    await until(() => viewers.every((viewer) => viewer.events().length === 1), { what: "all are served" });
    const [first, ...rest] = viewers.map((viewer) => viewer.frames.at(-1));
    for (const frame of rest) expect(frame).toBe(first);
  });

  it("conflates the states of a request to the newest, keeps frames to 200 rows and loses no row", async () => {
    const live = await connected(stage().open());
    const viewer = await arrived(watch(live));
    const ids = Array.from({ length: 450 }, () => newId());
    for (const id of ids) live.bus.publish({ type: "request.started", rev: 0, row: rowInFlight({ id }) });
    for (const id of ids) live.bus.publish(finishedEvent({ id }));
    for (const id of ids) live.bus.publish({ type: "request.progressed", rev: 3, row: rowInFlight({ id }) });
    await until(() => new Set(requestIds(viewer.events())).size === 450, { what: "every row" });
    await until(() => viewer.events().filter(({ type }) => type === "request.finished").length === 450, { what: "every row is finished" });
    expect(Math.max(...viewer.frames.map((frame) => frame.events.length))).toBeLessThanOrEqual(200);
    expect(viewer.events().length).toBeLessThan(1_350);
    for (const frame of viewer.frames) expect(new Set(requestIds(frame.events)).size).toBe(frame.events.length);

    const back = await arrived(watch(live, admin, viewer.frames[0]?.id));
    await until(() => back.events().filter(({ type }) => type === "request.finished").length === 450, { what: "the replay" });
    expect(Math.max(...back.frames.map((frame) => frame.events.length))).toBeLessThanOrEqual(200);
  });

  it("registers when called: what happens before the first read is not missed", async () => {
    const live = await connected(stage().open());
    await arrived(watch(live));
    const abort = new AbortController();
    const stream = live.frames.subscribe(admin, "", abort.signal);
    expect(live.frames.count()).toBe(2);
    const event = finishedEvent();
    live.bus.publish(event);
    const other = watch(live);
    await until(() => live.bus.flush().then(() => other.events().length === 1), { what: "others were served" });
    const frames: LiveFrame[] = [];
    for await (const frame of stream) {
      frames.push(frame);
      if (frame.events.length > 0) abort.abort();
    }
    expect(requestIds(frames.flatMap((frame) => frame.events))).toEqual([event.row.id]);
    expect(live.frames.count()).toBe(2);
  });

  it("forgets a subscription that was never read, when its signal aborts or it is returned", async () => {
    const live = stage().open();
    const abort = new AbortController();
    const one = live.frames.subscribe(admin, "", abort.signal);
    const two = live.frames.subscribe(admin, "", new AbortController().signal);
    expect(live.frames.count()).toBe(2);
    abort.abort();
    await until(() => live.frames.count() === 1, { what: "the first left" });
    await two.return();
    expect(live.frames.count()).toBe(0);
    expect(await one.next()).toEqual({ done: true, value: undefined });
    expect(await live.frames.subscribe(admin, "", AbortSignal.abort()).next()).toEqual({ done: true, value: undefined });
  });

  it("returns when the signal aborts, in every state of waiting", async () => {
    const live = await connected(stage().open());
    const viewer = await arrived(watch(live));
    await viewer.leave();
    expect(viewer.end()).toBe("returned");
    expect(live.frames.count()).toBe(0);
  });

  it("throws AbortError to every viewer on shutdown, and to later ones", async () => {
    const live = await connected(stage().open());
    const viewers = [await arrived(watch(live)), watch(live, { kind: "user", userId: "mine" })];
    await live.frames.close();
    await until(() => viewers.every((viewer) => viewer.end() !== null), { what: "all are out" });
    for (const viewer of viewers) expect(viewer.end()).toMatchObject({ name: "AbortError" });
    expect(live.frames.count()).toBe(0);
    expect(() => live.frames.subscribe(admin, "", new AbortController().signal)).toThrow(expect.objectContaining({ name: "AbortError" }));
  });

  it("disconnects a user everywhere they watch, and nobody else", async () => {
    const live = await connected(stage().open());
    const asUser = await arrived(watch(live, { kind: "user", userId: "u1" }));
    const asAdmin = await arrived(watch(live, { kind: "admin", userId: "u1" }));
    const unnamed = await arrived(watch(live, { kind: "admin" }));
    const others = [await arrived(watch(live, { kind: "user", userId: "u2" })), await arrived(watch(live, admin))];
    live.frames.disconnect("u1");
    await until(() => [asUser, asAdmin, unnamed].every((viewer) => viewer.end() !== null), { what: "they are out" });
    expect(asAdmin.end()).toMatchObject({ name: "AbortError" });
    expect(others.map((viewer) => viewer.end())).toEqual([null, null]);
    expect(live.frames.count()).toBe(2);
  });

  it("makes a changed user's viewers reconnect for authorisation, and sends them what happened meanwhile", async () => {
    const live = await connected(stage().open());
    const viewer = await arrived(watch(live, { kind: "user", userId: "u1" }));
    live.bus.publish({ type: "user.changed", id: "u1" });
    await until(() => viewer.end() !== null, { what: "the stream ends" });
    expect(viewer.end()).toMatchObject({ name: "AbortError" });
    const back = await arrived(watch(live, { kind: "user", userId: "u1" }, viewer.lastId()));
    await until(() => back.events().length === 1, { what: "the change" });
    expect(back.end()).toBeNull();
  });

  it("does not wait for a reader that stopped: first a gap, then it is disconnected", async () => {
    const live = await connected(stage().open());
    const signal = new AbortController().signal;
    const slow = live.frames.subscribe(admin, "", signal);
    const first = await slow.next();
    const fast = await arrived(watch(live));
    // Small frames: 30 are more than are kept, but take little memory.
    for (let i = 0; i < 30; i += 1) {
      live.bus.publish(finishedEvent());
      await until(() => fast.events().length === i + 1, { what: `frame ${i}` });
    }
    const next = await slow.next();
    expect(next.value?.gap).toBe(10);
    expect(compareBusIds(next.value?.id ?? "", first.value?.id ?? "")).toBeGreaterThan(0);
    expect((await slow.next()).value?.gap).toBeUndefined();

    let published = 0;
    await until(
      async () => {
        for (let i = 0; i < 200; i += 1) live.bus.publish(finishedEvent());
        published += 200;
        await live.bus.flush();
        return live.frames.count() === 1;
      },
      { what: "the slow one is closed", everyMs: 100, deadlineMs: 20_000 },
    );
    await expect(slow.next()).rejects.toMatchObject({ name: "AbortError" });
    await until(() => fast.events().length === 30 + published, { what: "the fast one has all" });
  });

  it("begins an admin's stream with the figures of providers, a user's without", async () => {
    const live = await connected(stage().open());
    live.figures.attemptStarted("p1");
    await until(async () => (await live.figures.list()).length === 1, { what: "figures" });
    const viewer = watch(live);
    await until(() => viewer.events().some(({ type }) => type === "provider.measured"), { what: "figures are sent" });
    expect(viewer.events()).toContainEqual({
      type: "provider.measured",
      health: expect.objectContaining({ providerId: "p1", inFlight: 1 }),
    });
    const user = await arrived(watch(live, { kind: "user", userId: "mine" }));
    live.bus.publish(finishedEvent({ userId: "mine" }));
    await until(() => user.events().length === 1, { what: "the user's event" });
    expect(user.events()[0]?.type).toBe("request.finished");
  });

  it("answers a position of another history with one reset, and goes on from there", async () => {
    const live = await connected(stage().open());
    const viewer = await arrived(watch(live, admin, "feedfeed:12-0"));
    expect(viewer.frames[0]).toMatchObject({ reset: "epoch", events: [] });
    const event = finishedEvent();
    live.bus.publish(event);
    await until(() => viewer.events().length === 1, { what: "live goes on" });
    expect(viewer.frames.filter((frame) => frame.reset)).toHaveLength(1);
  });
});

eachTwin("H15 resume after a drop without loss or repeat", (stage) => {
  it.each([admin, { kind: "user", userId: "mine" } as const])("for %o, over many drops under load", async (audience) => {
    const live = await connected(stage().open());
    const position = await live.bus.position();
    const published: string[] = [];
    let publishing = true;
    const load = (async () => {
      while (publishing) {
        const event = finishedEvent({ userId: "mine" });
        published.push(event.row.id);
        live.bus.publish(event);
        live.bus.publish(finishedEvent({ userId: "other" }));
        await new Promise((resolve) => setTimeout(resolve, 2));
      }
    })();
    const seen: string[] = [];
    let after = position;
    for (let drop = 0; drop < 12; drop += 1) {
      const viewer = watch(live, audience, after);
      const enough = drop % 3 === 0 ? 1 : 3;
      await until(() => viewer.frames.length >= enough, { what: `frames of connection ${drop}` });
      await viewer.leave();
      expect(viewer.frames.filter((frame) => frame.reset || frame.gap)).toEqual([]);
      seen.push(...mine(viewer.events()));
      after = viewer.lastId();
    }
    publishing = false;
    await load;
    await live.bus.flush();
    const last = watch(live, audience, after);
    await until(() => seen.length + mine(last.events()).length >= published.length, { what: "the rest" });
    seen.push(...mine(last.events()));
    expect(seen).toEqual(published);
  });

  function mine(events: readonly LiveEvent[]): string[] {
    return events.flatMap((event) => ("rev" in event && event.row.userId === "mine" ? [event.row.id] : []));
  }
});

describe("frames over two processes", () => {
  it("lets viewers wait for a Redis that is not there, ends them by signal, and resets them when it comes", async () => {
    await redis().kill();
    const live = openLive({ redisUrl: redis().url, prefix: `away-${newId()}:` });
    const position = await live.bus.position();
    const [patient, fresh, leaving] = [watch(live, admin, position), watch(live), watch(live)];
    await leaving.leave();
    expect(leaving.end()).toBe("returned");
    expect([patient.frames, fresh.frames]).toEqual([[], []]);
    await redis().restart();
    await arrived(patient);
    await arrived(fresh);
    expect(patient.frames[0]?.reset).toBe("epoch");
    expect(fresh.frames[0]?.reset).toBeUndefined();
    live.bus.publish(finishedEvent());
    await until(() => patient.events().length === 1 && fresh.events().length === 1, { what: "both follow" });
    await live.close();
    await until(() => patient.end() !== null, { what: "shutdown" });
    expect(patient.end()).toMatchObject({ name: "AbortError" });
  });

  it("H15 resumes at another process than the one that was lost, without loss or repeat", async () => {
    const prefix = `h15-${newId()}:`;
    const lives = [openLive({ redisUrl: redis().url, prefix }), openLive({ redisUrl: redis().url, prefix })] as const;
    await Promise.all(lives.map(connected));
    const seen: string[] = [];
    const published: string[] = [];
    let after = await lives[0].bus.position();
    // The other instance's viewers keep its frames coming, at different times.
    const residents = [await arrived(watch(lives[0])), await arrived(watch(lives[1]))];
    for (let drop = 0; drop < 10; drop += 1) {
      const viewer = watch(lives[drop % 2 === 0 ? 0 : 1], admin, after);
      for (let i = 0; i < 60; i += 1) {
        const event = finishedEvent();
        published.push(event.row.id);
        lives[i % 2 === 0 ? 0 : 1].bus.publish(event);
        if (i % 20 === 0) await lives[0].bus.flush();
      }
      await until(() => requestIds(viewer.events()).length > 0, { what: "something" });
      await viewer.leave();
      seen.push(...requestIds(viewer.events()));
      after = viewer.lastId();
    }
    await Promise.all(lives.map((live) => live.bus.flush()));
    const last = watch(lives[0], admin, after);
    await until(() => seen.length + requestIds(last.events()).length >= published.length, { what: "the rest" });
    seen.push(...requestIds(last.events()));
    expect(seen).toHaveLength(published.length);
    expect(new Set(seen)).toEqual(new Set(published));
    for (const resident of residents) {
      await until(() => requestIds(resident.events()).length >= published.length, { what: "a resident has all" });
      expect(new Set(requestIds(resident.events()))).toEqual(new Set(published));
    }
    await Promise.all(lives.map((live) => live.close()));
  });

  it("H15 keeps a viewer whole while Redis drops its connections, and resets it once when Redis comes back empty", async () => {
    const prefix = `h15-${newId()}:`;
    const live = await connected(openLive({ redisUrl: redis().url, prefix }));
    const viewer = await arrived(watch(live));
    const killer = openLive({ redisUrl: redis().url, prefix });
    await connected(killer);
    const published: string[] = [];
    for (let round = 0; round < 5; round += 1) {
      for (let i = 0; i < 20; i += 1) {
        const event = finishedEvent();
        published.push(event.row.id);
        live.bus.publish(event);
      }
      redis().pause();
      const event = finishedEvent();
      published.push(event.row.id);
      live.bus.publish(event);
      redis().resume();
      await until(() => requestIds(viewer.events()).length === published.length, { what: `round ${round}` });
    }
    expect(requestIds(viewer.events())).toEqual(published);
    const lost = viewer.lastId();
    await redis().restart();
    await until(() => viewer.end() !== null, { what: "the reset stream ends to be authorised anew" });
    expect(viewer.frames.at(-1)?.reset).toBe("epoch");
    // A viewer that was away at that time is told too.
    const back = await arrived(watch(live, admin, lost));
    expect(back.frames[0]?.reset).toBe("epoch");
    live.bus.publish({ type: "request.refused", rev: 1, row: requestRow() });
    await until(() => back.events().length === 1, { what: "live goes on" });
    await Promise.all([live.close(), killer.close()]);
  });
});
