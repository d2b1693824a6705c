import { setTimeout as sleep } from "node:timers/promises";
import { until } from "@sluice/testing/deadline";
import { createTestDatabase, type TestDatabase } from "@sluice/testing/postgres";
import { startTestRedis, type TestRedis } from "@sluice/testing/redis";
import { statementsDuring } from "@sluice/testing/statements";
import { afterAll, beforeAll, expect, it } from "vitest";
import { call, makePerson, openStream, signIn, startApi, type TestApi } from "./harness.ts";
import { makeThings } from "./sweep.ts";

const consoles = 20;
const lookMs = 4_000;
/** What the pages read when they are opened; after that they only listen. */
const lists = [
  ...["logins.current", "names.list", "logs.list", "logs.histogram", "logs.models", "sessions.list"],
  ...["providers.bootstrap", "overview.get", "keys.list", "users.list", "prices.list", "settings.get", "audit.list", "system.get"],
];
const topics = [undefined, ["logs"], ["sessions"], ["providers", "system"]];

let database: TestDatabase;
let redis: TestRedis;
let api: TestApi;

beforeAll(async () => {
  [database, redis] = await Promise.all([createTestDatabase(), startTestRedis()]);
  api = await startApi({ database, redisUrl: redis.url });
});
afterAll(async () => {
  await api?.close();
  await redis?.stop();
  await database?.drop();
});

/** Statements while nobody calls anything. This sleeps on purpose: the passing time itself is under test. */
const statementsWhileIdle = (): Promise<string[]> => statementsDuring(database.pool, () => sleep(lookMs));

it("20 idle consoles cause no statement, one subscription and no warning, and leave nothing behind", async () => {
  const warnings: Error[] = [];
  const onWarning = (warning: Error): void => void warnings.push(warning);
  process.on("warning", onWarning);
  const things = await makeThings(database, api, { user: await makePerson(database, "admin") });
  const cookie = await signIn(api.url, things.user.email);
  expect(await statementsWhileIdle(), "without viewers").toEqual([]);

  for (let i = 0; i < consoles; i++) {
    const answers = await Promise.all(lists.map((path) => call(api.url, "query", path, undefined, { cookie })));
    for (const [at, { code }] of answers.entries()) expect([lists[at], code]).toEqual([lists[at], ""]);
  }
  const position = await api.live.bus.position();
  const streams = await Promise.all(
    Array.from({ length: consoles }, (_, i) => openStream(api.url, { cookie, lastEventId: position, topics: topics[i % topics.length] })),
  );
  await until(() => streams.every(({ frames }) => frames.length > 0), { what: "everybody watches" });
  const subscribed = await api.services.redis?.call("PUBSUB", "NUMSUB", "sluice:live@0");
  expect(await statementsWhileIdle(), "with viewers").toEqual([]);
  expect(streams.flatMap(({ errors }) => errors)).toEqual([]);
  expect(subscribed).toEqual(["sluice:live@0", 1]);

  expect(api.live.frames.count()).toBe(consoles);
  for (const stream of streams) stream.close();
  await until(() => api.live.frames.count() === 0 && api.services.streams.size === 0, { what: "all are let go" });
  expect(warnings).toEqual([]);
  process.off("warning", onWarning);
});
