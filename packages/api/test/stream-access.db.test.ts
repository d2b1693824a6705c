import type { User } from "@sluice/db/generated/client";
import { until } from "@sluice/testing/deadline";
import { requestRow } from "@sluice/testing/factories";
import { createTestDatabase, type TestDatabase } from "@sluice/testing/postgres";
import { startTestRedis, type TestRedis } from "@sluice/testing/redis";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Answer, call, makePerson, openStream, post, signIn, startApi, type TestApi } from "./harness.ts";

/** Five times the promised 5 s. The usual ten times would make a failing test too slow. */
const deadlineMs = 25_000;

let database: TestDatabase;
let redis: TestRedis;
let api: TestApi;
/** Another instance, connected only by Redis and Postgres. */
let other: TestApi;
let administrator: User;

beforeAll(async () => {
  [database, redis] = await Promise.all([createTestDatabase(), startTestRedis()]);
  api = await startApi({ database, redisUrl: redis.url, name: "a" });
  other = await startApi({ database, redisUrl: redis.url, name: "b" });
  administrator = await makePerson(database, "admin");
});
afterAll(async () => {
  await Promise.all([api?.close(), other?.close()]);
  await redis?.stop();
  await database?.drop();
});

describe("rights taken away while a stream is open", () => {
  const cases: [what: string, change: (victim: User, admin: string, cookie: string) => Promise<Answer>, then: "user" | "nobody"][] = [
    [
      "demotion",
      (victim, admin) => call(api.url, "mutation", "users.update", { id: victim.id, role: "user" }, { cookie: admin }),
      "nobody",
    ],
    [
      "disabling",
      (victim, admin) => call(api.url, "mutation", "users.update", { id: victim.id, enabled: false }, { cookie: admin }),
      "nobody",
    ],
    [
      "a new password",
      (victim, admin) => call(api.url, "mutation", "users.update", { id: victim.id, password: "quite another one" }, { cookie: admin }),
      "nobody",
    ],
    ["signing out", (_victim, _admin, cookie) => post(api.url, "/auth/logout", {}, { cookie }), "nobody"],
  ];

  it.each(cases)("%s ends it on every instance, and it does not come back", async (_, change) => {
    const victim = await makePerson(database, "admin");
    const cookie = await signIn(api.url, victim.email);
    const admin = await signIn(api.url, administrator.email);
    const streams = [
      await openStream(api.url, { cookie }),
      await openStream(other.url, { cookie }),
      await openStream(api.url, { cookie, topics: ["providers"] }),
      await openStream(other.url, { cookie, topics: [] }),
    ];
    await until(() => streams.every(({ frames }) => frames.length > 0), { what: "both streams are open" });
    const bystander = await openStream(other.url, { cookie: admin });
    await until(() => bystander.frames.length > 0, { what: "the bystander's stream is open" });

    expect((await change(victim, admin, cookie)).status).toBe(200);
    await Promise.all(streams.map(({ ended }) => within(ended, deadlineMs)));
    expect(streams.map(({ returned }) => returned)).toEqual(streams.map(() => false));
    for (const instance of [api, other]) {
      await until(
        async () => (await call(instance.url, "query", "providers.bootstrap", undefined, { cookie })).code === "unauthenticated",
        { what: "calls are refused", deadlineMs },
      );
      const again = await openStream(instance.url, { cookie, lastEventId: streams[0]?.frames.at(-1)?.id ?? "" });
      await until(() => again.errors.length > 0, { what: "the new stream is refused", deadlineMs });
      expect(again.errors).toEqual(["unauthenticated"]);
      expect(again.frames).toEqual([]);
    }
    bystander.close();
  });
});

describe("what is pushed", () => {
  it("is each user's own, live and in replay", async () => {
    const [mine, theirs] = [await makePerson(database), await makePerson(database)];
    const [own, foreign] = [await signIn(api.url, mine.email), await signIn(api.url, theirs.email)];
    const position = await api.live.bus.position();
    const streams = [await openStream(other.url, { cookie: own }), await openStream(other.url, { cookie: foreign })];
    await until(() => streams.every(({ frames }) => frames.length > 0), { what: "both streams are open" });
    const row = requestRow({ userId: mine.id, providerId: "p-secret", state: "in_flight" });
    api.live.registry.started(row);
    await until(() => JSON.stringify(streams[0]?.frames).includes(row.id), { what: "the owner sees the row" });
    expect(JSON.stringify(streams[0]?.frames)).not.toContain("p-secret");

    const replays = [
      await openStream(other.url, { cookie: own, lastEventId: position }),
      await openStream(other.url, { cookie: foreign, lastEventId: position }),
    ];
    await until(() => replays.every(({ frames }) => frames.length > 0), { what: "both replays arrived" });
    expect(JSON.stringify(replays[0]?.frames)).toContain(row.id);
    expect(JSON.stringify([streams[1]?.frames, replays[1]?.frames])).not.toContain(row.id);
    for (const stream of [...streams, ...replays]) stream.close();
    api.live.registry.settled([row.id]);
  });
});

async function within(work: Promise<void>, ms: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not within ${ms} ms`)), ms);
  });
  await Promise.race([work, late]).finally(() => clearTimeout(timer));
}
