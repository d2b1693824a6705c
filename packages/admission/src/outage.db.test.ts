import type { BreakerState } from "@sluice/core/events";
import { defaultSettings } from "@sluice/core/inputs/settings";
import { layoutOf } from "@sluice/core/limits/spend-book";
import { until } from "@sluice/testing/deadline";
import { startTestRedis, type TestRedis } from "@sluice/testing/redis";
import { Redis } from "ioredis";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { keyAsk } from "../test/ask.ts";
import type { Admission } from "./admission.ts";
import { type AdmissionOptions, createAdmission } from "./create-admission.ts";
import type { SpendReader } from "./spend-reader.ts";

let server: TestRedis;
let open: (() => Promise<void> | void)[] = [];
const transitions: BreakerState[] = [];

beforeEach(async () => {
  server = await startTestRedis();
  transitions.length = 0;
});
afterEach(async () => {
  for (const close of open.reverse()) await close();
  open = [];
  await server.stop();
});

async function start(instanceId: string, options: Partial<AdmissionOptions> = {}): Promise<{ admission: Admission; redis: Redis }> {
  const redis = new Redis(server.url, { retryStrategy: () => 50, maxRetriesPerRequest: 0 });
  redis.on("error", () => undefined);
  await until(() => redis.status === "ready", { what: "the connection is ready" });
  const admission = createAdmission({
    redis,
    settings: defaultSettings,
    onTransition: (breaker) => transitions.push(breaker),
    instanceId,
    ...options,
  });
  open.push(() => redis.disconnect());
  open.push(() => admission.close());
  return { admission, redis };
}

/** Uses Redis until it is given up; from then on sessions unknown to this instance are no longer looked up there. */
async function untilLocal(admission: Admission): Promise<void> {
  let serial = 0;
  await until(
    async () => {
      const answer = admission.sticky.find(`unknown-${serial++}`);
      await answer;
      return answer === null;
    },
    { what: "Redis is given up" },
  );
}

async function untilShared(admission: Admission): Promise<void> {
  let serial = 0;
  await until(
    async () => {
      const answer = admission.sticky.find(`unknown-${serial++}`);
      await answer;
      return answer !== null;
    },
    { what: "Redis is used again" },
  );
}

describe.each(["killed", "paused"])("Redis %s", (how) => {
  const stop = async (): Promise<void> => (how === "killed" ? server.kill() : server.pause());
  const heal = async (): Promise<void> => (how === "killed" ? server.restart() : server.resume());

  test("limits hold in this process, without awaiting anything, and across instances again afterwards", async () => {
    const { admission } = await start("a");
    const other = (await start("b")).admission;
    const limits = { keyId: "k", rpm: null, inFlight: 5 };
    for (const id of ["r1", "r2", "r3"]) expect(await admission.admit(keyAsk(id, limits))).toBeNull();

    await stop();
    await untilLocal(admission);
    // The three requests from before the outage count.
    expect(await admission.admit(keyAsk("r4", limits))).toBeNull();
    expect(await admission.admit(keyAsk("r5", limits))).toBeNull();
    for (let i = 0; i < 45; i++) expect(await admission.admit(keyAsk(`x${i}`, limits))).toMatchObject({ limit: "in_flight", value: 5 });
    admission.release("r5");
    expect(await admission.admit(keyAsk("r6", limits))).toBeNull();

    await heal();
    await untilShared(admission);
    await untilShared(other);
    // Redis again knows what this instance holds, including what it admitted alone; what ended meanwhile is free.
    expect(await other.admit(keyAsk("y", limits))).not.toBeNull();
    admission.release("r6");
    await until(async () => (await other.admit(keyAsk("y", limits))) === null, { what: "one place is free" });
    expect(await other.admit(keyAsk("z", limits))).toMatchObject({ limit: "in_flight" });
  });

  test("rates of before the outage count", async () => {
    const { admission } = await start("a");
    const limits = { keyId: "k", rpm: 3, inFlight: null };
    expect(await admission.admit(keyAsk("r1", limits))).toBeNull();
    await stop();
    await untilLocal(admission);
    expect(await admission.admit(keyAsk("r2", limits))).toBeNull();
    expect(await admission.admit(keyAsk("r3", limits))).toBeNull();
    expect(await admission.admit(keyAsk("r4", limits))).toMatchObject({ limit: "rpm" });
    await heal();
    await untilShared(admission);
    expect(await admission.admit(keyAsk("r5", limits))).toMatchObject({ limit: "rpm" });
  });

  const usd = 1_000_000_000;
  const spentSoFar =
    (total: () => number): SpendReader =>
    async ({ questions, windows }) =>
      questions.map(({ totalSinceMs, ...ref }) => {
        const sums = { starts: { total: totalSinceMs }, sums: { total: total() }, buckets: new Map() };
        return { ref, facts: { layout: layoutOf(windows, totalSinceMs), ...sums }, visible: [] };
      });

  test("a limit of cost that was set just before counts what the ledger has", async () => {
    const spend = spentSoFar(() => 10 * usd);
    const { admission } = await start("a", { spend });
    expect(await admission.admit(keyAsk("r1", { keyId: "k", rpm: 100, inFlight: null }))).toBeNull();
    admission.settle("r1", { costNanoUsd: usd, tokens: 0 });
    await stop();
    await untilLocal(admission);
    const limited = { keyId: "k", rpm: 100, inFlight: null, costTotalUsd: "10" };
    expect(await admission.admit(keyAsk("r2", limited, { costNanoUsd: usd }))).toMatchObject({ limit: "total", used: 10 * usd });
    await heal();
    await untilShared(admission);
    expect(await admission.admit(keyAsk("r3", limited, { costNanoUsd: usd }))).toMatchObject({ limit: "total" });
  });

  test("so does one that was removed and is set again", async () => {
    let total = 0;
    const { admission } = await start("a", { spend: spentSoFar(() => total) });
    const free = { keyId: "k", rpm: null, inFlight: null };
    const limited = { ...free, costTotalUsd: "10" };
    const { owners } = keyAsk("", limited);
    admission.know(owners);
    expect(await admission.admit(keyAsk("r1", limited, { costNanoUsd: usd }))).toBeNull();
    admission.settle("r1", { costNanoUsd: usd, tokens: 0 });
    admission.know([]);
    expect(await admission.admit(keyAsk("r2", free, { costNanoUsd: 9 * usd }))).toBeNull();
    total = 10 * usd;
    admission.know(owners);
    await stop();
    await untilLocal(admission);
    expect(await admission.admit(keyAsk("r3", limited, { costNanoUsd: usd }))).toMatchObject({ limit: "total", used: 10 * usd });
    await heal();
  });

  test("breakers work alone, report once, and share afterwards what happened", async () => {
    const { admission } = await start("a");
    const other = (await start("b")).admission;
    await stop();
    await untilLocal(admission);
    for (let i = 0; i < 5; i++) admission.breakers.failed("p", "m", { cause: "500" });
    expect(admission.breakers.stateOf("p", "m")).toBe("open");
    expect(transitions.map(({ state }) => state)).toEqual(["open"]);
    expect(await admission.breakers.takeProbe("p", "m")).toBe(false);
    await heal();
    await until(() => other.breakers.stateOf("p", "m") === "open", { what: "the other instance knows", deadlineMs: 20_000 });
    expect(admission.breakers.stateOf("p", "m")).toBe("open");
    expect(transitions).toHaveLength(1);
  });

  test("sessions are found in process; a miss is no error", async () => {
    const { admission } = await start("a");
    admission.sticky.bind("s", "p");
    await stop();
    expect(admission.sticky.find("s")).toBe("p");
    expect(await admission.sticky.find("unknown")).toBeNull();
    await untilLocal(admission);
    expect(admission.sticky.find("unknown")).toBeNull();
    admission.sticky.bind("t", "p2");
    expect(admission.sticky.find("t")).toBe("p2");
  });
});

test("what waited in a frozen Redis until this process had gone on alone changes nothing afterwards", async () => {
  const { admission, redis } = await start("a");
  const other = (await start("b")).admission;
  // It has heard from Redis before: that is how it knows Redis' clock.
  admission.breakers.failed("other", "m", { cause: "500" });
  await until(() => admission.breakers.list().length === 1, { what: "Redis has answered" });
  server.pause();
  // These wait in Redis …
  for (let i = 0; i < 3; i++) admission.breakers.failed("p", "m", { cause: "500" });
  await untilLocal(admission);
  await until(() => admission.breakers.list().some(({ failures }) => failures === 3), { what: "they are counted alone" });
  // … and these never get there.
  for (let i = 0; i < 2; i++) admission.breakers.failed("p", "m", { cause: "500" });
  expect(admission.breakers.stateOf("p", "m")).toBe("open");
  server.resume();
  await untilShared(admission);
  await until(() => other.breakers.stateOf("p", "m") === "open", { what: "the other instance knows", deadlineMs: 20_000 });
  await redis.ping();
  expect(admission.breakers.stateOf("p", "m")).toBe("open");
  expect(transitions.map(({ state }) => state)).toEqual(["open"]);
});

test("a binding that Redis did not take is written with the session's next one", async () => {
  const { admission, redis } = await start("a");
  const other = (await start("b")).admission;
  await server.kill();
  await until(() => redis.status !== "ready", { what: "the connection is gone" });
  admission.sticky.bind("s", "p");
  await untilLocal(admission);
  await server.restart();
  await untilShared(admission);
  admission.sticky.bind("s", "p");
  await until(async () => (await other.sticky.find("s")) === "p", { what: "the other instance finds it" });
});

test("Redis restarted empty within a moment: leases in use are booked again", async () => {
  const { admission } = await start("a", { timing: { leaseMs: 900 } });
  const limits = { keyId: "k", rpm: null, inFlight: 1 };
  expect(await admission.admit(keyAsk("r1", limits))).toBeNull();
  await server.restart();
  const other = (await start("b")).admission;
  await until(
    async () => {
      const refusal = await other.admit(keyAsk("r2", limits));
      other.release("r2");
      return refusal?.limit === "in_flight";
    },
    { what: "the lease is known again" },
  );
});

test("a Redis that is down when the process starts is used once it is available", async () => {
  await server.kill();
  const redis = new Redis(server.url, { retryStrategy: () => 50, maxRetriesPerRequest: 0 });
  redis.on("error", () => undefined);
  const admission = createAdmission({ redis, settings: defaultSettings, onTransition: () => undefined, instanceId: "a" });
  open.push(() => redis.disconnect());
  open.push(() => admission.close());
  await untilLocal(admission);
  await server.restart();
  await untilShared(admission);
});
