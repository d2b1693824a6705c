import type { SessionRow } from "@sluice/core/events";
import { defaultSettings } from "@sluice/core/inputs/settings";
import { silentLog } from "@sluice/core/log";
import { fakeClock } from "@sluice/testing/clock";
import { until } from "@sluice/testing/deadline";
import { requestRow, uniqueName } from "@sluice/testing/factories";
import { Redis } from "ioredis";
import { describe, expect, it } from "vitest";
import type { Live } from "../src/live.ts";
import { createPresence } from "../src/presence.ts";
import { openRedisLink } from "../src/redis-link.ts";
import { createRedisSessionStore } from "../src/redis-session-store.ts";
import { createMemorySessionStore, MAX_SESSIONS, type SessionChange, type SessionStore } from "../src/session-store.ts";
import { arrived, connected, eachTwin, useRedis, useStage, type Viewer, watch } from "./arrange.ts";

const redis = useRedis();

function begin(live: Live, hint = "conversation", fields: { userId?: string; keyId?: string; model?: string } = {}): string {
  const { userId = "mine", keyId = "key", model = "m" } = fields;
  const id = live.sessions.idOf(keyId, hint);
  live.sessions.began({ id, userId, keyId, providerId: "p1", model, client: "c 1", dialect: "openai" });
  return id;
}

function end(live: Live, sessionId: string, fields: Parameters<typeof requestRow>[0] = {}): void {
  live.sessions.ended(requestRow({ sessionId, userId: "mine", keyId: "key", providerId: "p1", model: "m", client: "c 1", ...fields }));
}

function change(at: number): SessionChange {
  return {
    ...{ id: uniqueName("s"), userId: "u", keyId: "k", providerId: "p", model: "m", client: "c", atMs: at },
    ...{ requests: 1, inputTokens: 0, cacheTokens: 0, outputTokens: 0, costNanoUsd: "0", chosenBy: "only" as const, inFlight: 0 },
  };
}

function steps(viewer: Viewer): string[] {
  return viewer.events().map(({ type }) => type);
}

function lastRow(viewer: Viewer): SessionRow | undefined {
  return viewer
    .events()
    .flatMap((event) => (event.type.startsWith("session.") && "row" in event && !("rev" in event) ? [event.row] : []))
    .at(-1);
}

/** The session's row once it has the expected fields. */
async function listed(live: Live, expected: Partial<SessionRow>): Promise<SessionRow> {
  return until(
    async () => {
      const rows = await live.sessions.list();
      expect(rows[0]).toMatchObject(expected);
      return rows[0];
    },
    { what: JSON.stringify(expected) },
  );
}

eachTwin("sessions", (stage) => {
  it("appear with their first request, count, and end once when their window passed", async () => {
    const clock = fakeClock();
    const live = await connected(stage().open({ clock }));
    const viewer = await arrived(watch(live));
    const id = begin(live);
    await until(() => lastRow(viewer)?.inFlight === 1, { what: "the session" });
    expect(steps(viewer)).toEqual(["session.started"]);
    begin(live);
    await until(() => lastRow(viewer)?.inFlight === 2, { what: "two in flight" });
    clock.advance(1_000);
    end(live, id, { usage: { input: 10, output: 5, cacheRead: 3, cacheWrite5m: 2, cacheWrite1h: 1 }, costNanoUsd: "9007199254740993" });
    end(live, id, { costNanoUsd: null, providerId: "p2" });
    const row = await listed(live, { inFlight: 0 });
    expect(row).toMatchObject({ id, userId: "mine", keyId: "key", model: "m", providerId: "p2", requests: 2 });
    expect(row).toMatchObject({
      inputTokens: 116,
      cacheTokens: 6,
      outputTokens: 25,
      costNanoUsd: "9007199254740993",
      lastActivityAtMs: clock.now(),
    });
    expect(row.startedAtMs).toBe(clock.now() - 1_000);
    await until(() => lastRow(viewer)?.inFlight === 0, { what: "none in flight" });

    clock.advance(299_999);
    live.sessions.windowChanged();
    expect(await live.sessions.list()).toHaveLength(1);
    clock.advance(1);
    live.sessions.windowChanged();
    await until(() => steps(viewer).at(-1) === "session.ended", { what: "the end" });
    expect(await live.sessions.list()).toEqual([]);

    // The same conversation, continued later, is a session again, with a newer revision than its end.
    const ended = lastRow(viewer)?.rev ?? 0;
    begin(live);
    await until(() => steps(viewer).at(-1) === "session.started", { what: "it starts again" });
    expect(lastRow(viewer)?.rev).toBeGreaterThan(ended);
    expect(lastRow(viewer)?.requests).toBe(1);
  });

  it("do not end while a request is in flight, however long it takes", async () => {
    const clock = fakeClock();
    const live = await connected(stage().open({ clock }));
    const viewer = await arrived(watch(live));
    const id = begin(live);
    await until(() => steps(viewer).length === 1, { what: "the session" });
    clock.advance(3_600_000);
    live.sessions.windowChanged();
    await listed(live, { id, inFlight: 1 });
    end(live, id);
    await until(() => lastRow(viewer)?.inFlight === 0, { what: "the request ends" });
    expect(steps(viewer)).not.toContain("session.ended");
    clock.advance(300_000);
    live.sessions.windowChanged();
    await until(() => steps(viewer).at(-1) === "session.ended", { what: "the end" });
  });

  it("end by the timer, and at once when the window is made shorter", async () => {
    const settings = { ...defaultSettings(), "sessions.activeWindowSeconds": 1 };
    const live = await connected(stage().open({ settings: () => settings }));
    const viewer = await arrived(watch(live));
    end(live, begin(live, "short"));
    await until(() => steps(viewer).at(-1) === "session.ended", { what: "the first ends" });
    settings["sessions.activeWindowSeconds"] = 3_600;
    end(live, begin(live, "long"));
    await until(() => steps(viewer).filter((step) => step === "session.started").length === 2, { what: "the second" });
    settings["sessions.activeWindowSeconds"] = 1;
    live.sessions.windowChanged();
    await until(() => steps(viewer).filter((step) => step === "session.ended").length === 2, { what: "the second ends" });
  });

  it("of two keys never merge, whatever their clients call them", async () => {
    const live = stage().open();
    const ids = [live.sessions.idOf("key1", "x"), live.sessions.idOf("key2", "x"), live.sessions.idOf("key", "1x")];
    expect(new Set(ids).size).toBe(3);
    expect(live.sessions.idOf("key1", "x")).toBe(ids[0]);
    expect(ids[0]).toMatch(/^[\w-]{22}$/);
  });

  it("are announced together: many requests at once make few events", async () => {
    const live = await connected(stage().open());
    const viewer = await arrived(watch(live));
    for (let i = 0; i < 500; i += 1) end(live, begin(live));
    live.sessions.ended(requestRow({ sessionId: "" }));
    await listed(live, { requests: 500, inFlight: 0 });
    expect(steps(viewer).length).toBeLessThan(20);
  });
});

describe("sessions over processes", () => {
  const stage = useStage(true);

  it("sum what all instances report, and end once for all", async () => {
    const clock = fakeClock();
    const [one, two] = [await connected(stage().open({ clock })), await connected(stage().open({ clock }))];
    const viewer = await arrived(watch(one));
    const id = begin(one);
    begin(two);
    begin(two);
    await listed(one, { id, inFlight: 3, requests: 3 });
    await listed(two, { id, inFlight: 3, requests: 3 });
    end(one, id);
    end(two, id);
    end(two, id);
    await listed(one, { inFlight: 0, requests: 3, outputTokens: 60 });
    clock.advance(300_000);
    for (const live of [one, two, one, two]) live.sessions.windowChanged();
    await until(() => steps(viewer).includes("session.ended"), { what: "the end" });
    begin(two, "next");
    await until(() => steps(viewer).at(-1) === "session.started", { what: "a later event" });
    expect(steps(viewer).filter((step) => step === "session.ended")).toHaveLength(1);
  });

  it("count nothing twice and lose nothing when Redis is frozen or cut off", async () => {
    const live = await connected(stage().open());
    const id = begin(live);
    await listed(live, { requests: 1 });
    redis().pause();
    for (let i = 0; i < 5; i += 1) end(live, begin(live));
    const frozen = performance.now();
    await until(() => performance.now() - frozen > 2_600, { what: "a timeout" });
    for (let i = 0; i < 5; i += 1) end(live, begin(live));
    redis().resume();
    await listed(live, { id, requests: 11, inFlight: 1, outputTokens: 200 });
  });

  it("in flight come back when Redis lost everything", async () => {
    const live = await connected(stage().open());
    begin(live);
    await listed(live, { inFlight: 1 });
    await redis().restart();
    await listed(live, { inFlight: 1 });
  });

  it("in flight come back when their instance was taken for dead and is not", async () => {
    const [live, other] = [await connected(stage().open({ instanceId: "slow" })), await connected(stage().open())];
    begin(live);
    await listed(other, { inFlight: 1 });
    const [key, client] = [`${stage().prefix}instances`, new Redis(redis().url)];
    const lives = await until(async () => (await client.zrange(key, "0", "-1")).filter((life) => life.startsWith("slow/")), {
      what: "its beat",
    });
    // As the loss watch of the other does.
    await other.sessions.bury(lives);
    await client.sadd(`${key}:lost`, ...lives);
    client.disconnect();
    await listed(other, { inFlight: 0 });
    await listed(other, { inFlight: 1 });
  });

  it("are listed once each, although their order changes between two pages", async () => {
    const link = openRedisLink(redis().url, { log: silentLog, prefix: stage().prefix });
    await until(() => link.ready(), { what: "the connection is ready" });
    const presence = createPresence(link, { instanceId: "lists" });
    const store = createRedisSessionStore(link, presence);
    const changes = Array.from({ length: 450 }, (_, at) => change(at + 1));
    await store.apply(changes, 1);
    let pages = 0;
    const moving: typeof link.run = async (...call) => {
      const page = await link.run(...call);
      pages += 1;
      await store.apply([{ ...(changes[pages] as SessionChange), atMs: 1_000 + pages }], 1 + pages);
      return page;
    };
    const rows = await createRedisSessionStore({ ...link, run: moving }, presence).list(0);
    link.close();
    expect(pages).toBe(3);
    expect(new Set(rows.map(({ id }) => id)).size).toBe(450);
    expect(rows).toHaveLength(450);
  });

  it("beyond the maximum end before their time, whoever invents one per request", async () => {
    const live = await connected(stage().open());
    const [key, client] = [`${stage().prefix}sessions`, new Redis(redis().url)];
    for (let at = 0; at < MAX_SESSIONS; at++) end(live, begin(live, `${at}`));
    await until(async () => (await client.zcard(key)) === MAX_SESSIONS, { what: "as many as there may be" });
    for (let at = 0; at < 500; at++) end(live, begin(live, `more ${at}`));
    await until(async () => (await client.zscore(key, live.sessions.idOf("key", "more 499"))) !== null, { what: "the last one" });
    await until(async () => (await client.zcard(key)) === MAX_SESSIONS, { what: "the oldest were ended" });
    client.disconnect();
  });

  it("list nothing while Redis is away, without throwing", async () => {
    const live = await connected(stage().open());
    begin(live);
    await listed(live, { inFlight: 1 });
    await redis().kill();
    expect(await live.sessions.list()).toEqual([]);
    expect(await live.figures.list()).toEqual([]);
    await redis().restart();
    await listed(live, { inFlight: 1 });
  });

  it("end even if another process than the one that started them remains", async () => {
    const clock = fakeClock();
    const gone = await connected(stage().open({ clock }));
    end(gone, begin(gone));
    await listed(gone, { requests: 1 });
    await gone.close();
    clock.advance(300_000);
    const reader = stage().open({ clock });
    const viewer = await arrived(watch(reader));
    const client = new Redis(redis().url);
    await until(async () => (await client.exists(`${stage().prefix}sessions`)) === 0, { what: "it was swept" });
    client.disconnect();
    await viewer.leave();
  });
});

eachTwin("a session", (stage) => {
  it("tells since when it is with its provider, and how its newest request got there", async () => {
    const clock = fakeClock();
    const live = await connected(stage().open({ clock }));
    const viewer = await arrived(watch(live, { kind: "user", userId: "mine" }));
    const id = live.sessions.idOf("key", "conversation");
    const request = { id, userId: "mine", keyId: "key", model: "m", client: "c", dialect: "openai" } as const;
    const sinceMs = clock.now();
    live.sessions.began({ ...request, providerId: "p1", chosenBy: "weighted" });
    expect(await listed(live, { chosenBy: "weighted" })).toMatchObject({ providerId: "p1", providerSinceMs: sinceMs });
    clock.advance(5_000);
    live.sessions.began({ ...request, providerId: "p1", chosenBy: "sticky" });
    expect(await listed(live, { chosenBy: "sticky" })).toMatchObject({ providerSinceMs: sinceMs });
    clock.advance(5_000);
    live.sessions.began({ ...request, providerId: "p2", chosenBy: "weighted" });
    expect(await listed(live, { providerId: "p2" })).toMatchObject({ providerSinceMs: clock.now(), chosenBy: "weighted" });
    await until(() => lastRow(viewer)?.requests === 3, { what: "its user hears of it" });
    expect(lastRow(viewer)).toMatchObject({ providerId: "", providerSinceMs: 0, chosenBy: "" });
  });

  it("is found by its id while it is active", async () => {
    const clock = fakeClock();
    const live = await connected(stage().open({ clock }));
    expect(await live.sessions.find("nobody")).toBeNull();
    const id = begin(live);
    await listed(live, { inFlight: 1 });
    clock.advance(301_000);
    expect(await live.sessions.find(id)).toMatchObject({ id, inFlight: 1 });
    end(live, id);
    await listed(live, { inFlight: 0 });
    clock.advance(301_000);
    expect(await live.sessions.find(id)).toBeNull();
  });

  it("that is terminated ends at once when idle, otherwise with its last request, and a new one follows it", async () => {
    const live = await connected(stage().open());
    const viewer = await arrived(watch(live));
    const id = begin(live);
    await listed(live, { inFlight: 1 });
    await live.sessions.terminate(id);
    expect(await live.sessions.list()).toMatchObject([{ id, inFlight: 1 }]);
    end(live, id);
    await until(() => steps(viewer).at(-1) === "session.ended", { what: "its end" });
    expect(await live.sessions.list()).toEqual([]);

    begin(live);
    end(live, id);
    await listed(live, { inFlight: 0 });
    await live.sessions.terminate(id);
    await until(() => steps(viewer).filter((step) => step === "session.ended").length === 2, { what: "its second end" });

    begin(live);
    await listed(live, { inFlight: 1 });
    await live.sessions.terminate(id);
    begin(live);
    end(live, id);
    end(live, id);
    await listed(live, { inFlight: 0, requests: 2 });
    await live.sessions.terminate("nobody");
    expect(await live.sessions.list()).toHaveLength(1);
  });
});

describe("a client that invents a session per request", () => {
  it("fills no memory: the sessions with the oldest activity are ended", async () => {
    const store: SessionStore = createMemorySessionStore();
    const changes = Array.from({ length: MAX_SESSIONS + 50 }, (_, at) => change(at + 1));
    await store.apply(changes, 1);
    const { ended } = await store.sweep(0, 1);
    expect(ended.map(({ id }) => id)).toEqual(changes.slice(0, 50).map(({ id }) => id));
    expect((await store.sweep(0, 1)).ended).toEqual([]);
  });
});

/** One ends, and comes back at once where the clock is behind. */
async function comeBack(store: SessionStore): Promise<{ endedRev: number; back: number[] }> {
  const [one, other] = [change(10_000), change(12_000)];
  await store.apply([one, other], 1);
  const { ended } = await store.sweep(11_000, 11_000);
  const { results } = await store.apply([{ ...one, atMs: 5_000 }, change(5_000)], 2);
  expect(ended.map(({ id }) => id)).toEqual([one.id]);
  expect(results.map(({ created }) => created)).toEqual([true, true]);
  return { endedRev: ended[0]?.rev ?? 0, back: results.map(({ row }) => row.rev) };
}

describe("a session that ended and comes back is newer than its end, also where the clock is behind", () => {
  it("in memory", async () => {
    const { endedRev, back } = await comeBack(createMemorySessionStore());
    expect(Math.min(...back)).toBeGreaterThan(endedRev);
  });

  it("on Redis", async () => {
    const link = openRedisLink(redis().url, { log: silentLog, prefix: `${uniqueName("back")}:` });
    await until(() => link.ready(), { what: "the connection is ready" });
    const { endedRev, back } = await comeBack(createRedisSessionStore(link, createPresence(link, { instanceId: "back" })));
    link.close();
    expect(Math.min(...back)).toBeGreaterThan(endedRev);
  });
});
