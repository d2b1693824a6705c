import { once } from "node:events";
import { request } from "node:http";
import { until } from "@sluice/testing/deadline";
import { makeProvider, requestRow } from "@sluice/testing/factories";
import { createTestDatabase, type TestDatabase } from "@sluice/testing/postgres";
import { startTestRedis, type TestRedis } from "@sluice/testing/redis";
import { statementsDuring } from "@sluice/testing/statements";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Answer, call, makePerson, openStream, signIn, startApi, type TestApi } from "./harness.ts";

let database: TestDatabase;
let redis: TestRedis;
let a: TestApi;
let b: TestApi;
let cookie: string;

beforeAll(async () => {
  [database, redis] = await Promise.all([createTestDatabase(), startTestRedis()]);
  const admin = await makePerson(database, "admin");
  a = await startApi({ database, redisUrl: redis.url, name: "a" });
  b = await startApi({ database, redisUrl: redis.url, name: "b" });
  cookie = await signIn(a.url, admin.email);
});
afterAll(async () => {
  await Promise.all([a?.close(), b?.close()]);
  await redis?.stop();
  await database?.drop();
});

describe("H06 watching the log costs Postgres nothing", () => {
  it("20 viewers cause no statement, neither idle nor per event", async () => {
    const streams = await Promise.all(Array.from({ length: 20 }, () => openStream(a.url, { cookie })));
    await until(() => streams.every(({ frames }) => frames.length > 0), { what: "everybody watches" });
    const rows = Array.from({ length: 50 }, () => requestRow({ state: "in_flight" }));
    const last = rows.at(-1)?.id ?? "";
    const statements = await statementsDuring(database.pool, async () => {
      // Another process has the traffic, so this database only sees what the viewers cause.
      for (const row of rows) {
        b.live.registry.started(row);
        b.live.registry.finished({ ...row, state: "done" }, { ...detail, id: row.id });
      }
      await until(
        () =>
          streams.every(({ frames }) =>
            frames.some(({ events }) => events.some((e) => e.type === "request.finished" && e.row.id === last)),
          ),
        { what: "everybody saw the last row finish" },
      );
    });
    expect(statements).toEqual([]);
    for (const stream of streams) stream.close();
    b.live.registry.settled(rows.map(({ id }) => id));
  });
});

const detail = {
  decision: { candidates: [], excluded: [], chosenBy: "only" as const },
  attempts: [],
  cost: null,
  priceId: null,
  error: null,
  userAgent: "",
  clientIp: "",
  path: "/",
  requestBytes: 0,
  responseBytes: 0,
  endReason: "done" as const,
};

describe("H08 one call for the providers page", () => {
  it("has providers, health and settings, and no secret", async () => {
    const { id } = await makeProvider(database.prisma, { secret: "sk-upstream-canary-0123456789" });
    await a.services.snapshot.refresh();
    let answer: Answer | undefined;
    const statements = await statementsDuring(database.pool, async () => {
      answer = await call(a.url, "query", "providers.bootstrap", undefined, { cookie });
    });
    const { status, data, text } = answer as Answer;
    expect(status).toBe(200);
    expect(data).toMatchObject({
      providers: expect.arrayContaining([expect.objectContaining({ id })]),
      health: expect.arrayContaining([expect.objectContaining({ providerId: id, breakers: [] })]),
      settings: { "sessions.activeWindowSeconds": 300 },
      busId: expect.stringMatching(/^\S+:\d+-\d+$/),
      serverNowMs: expect.any(Number),
    });
    expect(text).not.toContain("canary");
    // From memory, except for checking the login and its user, and the rollups of the last hours.
    expect(statements.length).toBeLessThanOrEqual(3);
  });

  it("shows on one instance what was changed on another, and pushes it to viewers", async () => {
    const { id } = await makeProvider(database.prisma);
    await a.services.snapshot.refresh();
    const stream = await openStream(b.url, { cookie });
    await until(() => stream.frames.length > 0, { what: "the stream is open" });
    const name = `renamed ${id}`;
    expect((await call(a.url, "mutation", "providers.update", { id, name }, { cookie })).status).toBe(200);
    await until(async () => (await call(b.url, "query", "providers.bootstrap", undefined, { cookie })).text.includes(name), {
      what: "B shows it",
      deadlineMs: 5_000,
    });
    await until(() => stream.frames.some(({ events }) => events.some((event) => event.type === "provider.changed" && event.id === id)), {
      what: "the watcher is told",
    });
    stream.close();
  });

  it("does the same for settings", async () => {
    expect((await call(a.url, "mutation", "settings.update", { "sessions.activeWindowSeconds": 77 }, { cookie })).data).toMatchObject({
      "sessions.activeWindowSeconds": 77,
    });
    await until(async () => b.services.snapshot.current().settings["sessions.activeWindowSeconds"] === 77, {
      what: "B works by it",
      deadlineMs: 5_000,
    });
    const version = a.services.snapshot.current().version;
    await call(a.url, "mutation", "settings.update", { "sessions.activeWindowSeconds": 77 }, { cookie });
    expect(a.services.snapshot.current().version).toBe(version);
    await call(a.url, "mutation", "settings.update", { "sessions.activeWindowSeconds": 300 }, { cookie });
    expect(await database.prisma.setting.count()).toBe(0);
  });

  it("lets two people who save at once neither undo each other's changes nor overwrite what they have not seen", async () => {
    const save = (url: string, settings: object) => call(url, "mutation", "settings.update", settings, { cookie });
    const both = await Promise.all([
      save(a.url, { "breaker.failures": 6, expected: { "breaker.failures": 5 } }),
      save(b.url, { "breaker.openSeconds": 77, expected: { "breaker.openSeconds": 60 } }),
    ]);
    expect(both.map(({ status }) => status)).toEqual([200, 200]);
    const read = await until(
      async () => {
        const { data } = await call(a.url, "query", "settings.get", undefined, { cookie });
        return (data as Record<string, unknown>)["breaker.openSeconds"] === 77 ? data : null;
      },
      { what: "A works by both", deadlineMs: 5_000 },
    );
    expect(read).toMatchObject({ "breaker.failures": 6, "breaker.openSeconds": 77 });
    const race = await Promise.all([7, 8].map((n) => save(a.url, { "breaker.failures": n, expected: { "breaker.failures": 6 } })));
    expect(race.map(({ status }) => status).sort()).toEqual([200, 409]);
    const late = race.find(({ status }) => status === 409);
    expect(late).toMatchObject({ code: "conflict", error: { field: "breaker.failures" } });
    await save(a.url, { "breaker.failures": 5, "breaker.openSeconds": 60 });
    expect(await database.prisma.setting.count()).toBe(0);
  });
});

describe("a stream", () => {
  it("resumes where it was, without loss or repeat", async () => {
    const first = await openStream(a.url, { cookie });
    await until(() => first.frames.length > 0, { what: "the stream is open" });
    const rows = [requestRow({ state: "in_flight" }), requestRow({ state: "in_flight" })];
    a.live.registry.started(rows[0] ?? requestRow());
    await until(() => JSON.stringify(first.frames).includes(rows[0]?.id ?? "-"), { what: "the first row" });
    first.close();
    await first.ended;
    a.live.registry.started(rows[1] ?? requestRow());
    const second = await openStream(b.url, { cookie, lastEventId: first.frames.at(-1)?.id ?? "" });
    await until(() => JSON.stringify(second.frames).includes(rows[1]?.id ?? "-"), { what: "the second row" });
    expect(JSON.stringify(second.frames)).not.toContain(rows[0]?.id);
    second.close();
    a.live.registry.settled(rows.map(({ id }) => id));
  });

  it("says that it pings and when to give up on it", async () => {
    const opened = request(`${a.url}/trpc/live.events`, { headers: { cookie, accept: "text/event-stream" } }).end();
    const [response] = await once(opened, "response");
    const [first] = await once(response.setEncoding("utf8"), "data");
    expect(response.headers["content-type"]).toContain("text/event-stream");
    expect(response.headers["cache-control"]).toContain("no-cache");
    expect(first).toContain("event: connected");
    opened.destroy();
  });

  it("does not delay closing, and its client returns", async () => {
    const instance = await startApi({ database, redisUrl: redis.url, name: "closing" });
    const stream = await openStream(instance.url, { cookie });
    await until(() => stream.frames.length > 0, { what: "the stream is open" });
    await instance.close();
    await stream.ended;
    expect(stream.returned).toBe(false);
  });
});
