import { defaultSettings } from "@sluice/core/inputs/settings";
import { silentLog } from "@sluice/core/log";
import { createLive } from "@sluice/live/live";
import { fakeClock } from "@sluice/testing/clock";
import { until } from "@sluice/testing/deadline";
import type { TestDatabase } from "@sluice/testing/postgres";
import { createTestDatabase } from "@sluice/testing/postgres";
import { afterAll, beforeAll, expect, it } from "vitest";
import { sampleSessionsJob } from "./sample-sessions.ts";

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

async function samples(): Promise<unknown[]> {
  const rows = await database.prisma.sessionSample.findMany({ orderBy: [{ bucket: "asc" }, { userId: "asc" }] });
  return rows.map(({ bucket, userId, active }) => [bucket.toISOString(), userId, active]);
}

it("one of several workers records the active sessions every five minutes, none guesses, and samples older than eight days are deleted", async () => {
  const live = createLive({ redisUrl: null, instanceId: "i", log: silentLog, settings: defaultSettings });
  const begin = (id: string, userId: string): void =>
    live.sessions.began({ id, userId, keyId: "k", providerId: "", model: "m", client: "", dialect: "openai" });
  for (const [id, userId] of [
    ["one", "user-a"],
    ["two", "user-a"],
    ["three", "user-b"],
  ] as const)
    begin(id, userId);
  await until(async () => (await live.sessions.list()).length === 3, { what: "three sessions" });

  const clock = fakeClock(Date.parse("2026-11-10T11:46:00Z"));
  const options = { pool: database.pool, clock, sessions: live.sessions };
  const { signal } = new AbortController();
  await sampleSessionsJob({ ...options, sessions: { countByUser: async () => null } }).run(signal);
  expect(await samples()).toEqual([]);

  const [first, second] = [sampleSessionsJob(options), sampleSessionsJob(options)];
  await Promise.all([first.run(signal), second.run(signal)]);
  begin("four", "user-c");
  await until(async () => (await live.sessions.list()).length === 4, { what: "four sessions" });
  // Later in the same five minutes, by a worker that has just started.
  await first.run(signal);
  await sampleSessionsJob(options).run(signal);
  const noted = ["2026-11-10T11:45:00.000Z"];
  expect(await samples()).toEqual([
    [...noted, "", 3],
    [...noted, "user-a", 2],
    [...noted, "user-b", 1],
  ]);

  clock.advance(8 * 86_400_000 + 300_000);
  await first.run(signal);
  const next = ["2026-11-18T11:50:00.000Z"];
  expect(await samples()).toEqual([
    [...next, "", 4],
    [...next, "user-a", 2],
    [...next, "user-b", 1],
    [...next, "user-c", 1],
  ]);
  await live.close();
});
