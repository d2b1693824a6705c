import { defaultSettings } from "@sluice/core/inputs/settings";
import { fakeClock } from "@sluice/testing/clock";
import { until } from "@sluice/testing/deadline";
import { startTestRedis } from "@sluice/testing/redis";
import { describe, expect, test } from "vitest";
import { keyAsk } from "../test/ask.ts";
import { connect, type Instance, start, unique, useRedis } from "../test/instances.ts";
import { createAdmission } from "./create-admission.ts";

useRedis();

/** Nothing more is heard of it, as after a SIGKILL. */
const kill = ({ redis }: Instance): void => redis?.disconnect();

describe("what a process held when it died", () => {
  test.each([
    { heard: "soon", lifetimes: 0 },
    { heard: "long after", lifetimes: 3 },
  ])("its reservations end with their leases when the owner's next request comes $heard", async ({ lifetimes }) => {
    const leaseMs = 300;
    const [killed, living] = [await start(true, { timing: { leaseMs } }), await start(true, { timing: { leaseMs } })];
    const limits = { keyId: unique("k"), rpm: null, inFlight: null, costDayUsd: "1" };
    const ask = () => keyAsk(unique("r"), limits, { costNanoUsd: 600_000_000 });
    expect(await killed.admission.admit(ask())).toBeNull();
    kill(killed);
    const killedAtMs = performance.now();
    await until(() => performance.now() - killedAtMs > leaseMs * lifetimes, { what: "its leases are over" });
    await until(async () => (await living.admission.admit(ask())) === null, { what: "its reservation has ended", deadlineMs: 3_000 });
    expect(await living.admission.usage({ owner: "key", id: limits.keyId, values: limits })).toMatchObject({ reserved: 600_000_000 });
  });

  test("its slots and its places in line: those who wait behind it are served", async () => {
    const timing = { leaseMs: 600 };
    const [killed, living] = [await start(true, { timing }), await start(true, { timing })];
    for (const { settings } of [killed, living]) Object.assign(settings, { "limits.queuePerSlot": 5, "limits.queueSeconds": 60 });
    const limits = { keyId: unique("k"), rpm: null, inFlight: 1 };
    expect(await killed.admission.admit(keyAsk(unique("r"), limits))).toBeNull();
    const lost = Promise.resolve(killed.admission.admit(keyAsk(unique("r"), limits))).catch(() => undefined);
    const queue = `sluice:limit:key:${limits.keyId}:queue`;
    await until(async () => (await living.redis?.zcard(queue)) === 1, { what: "the dead one's request is first in line" });
    let served = false;
    const waiting = living.admission.admit(keyAsk(unique("r"), limits))?.then((refusal) => {
      served = refusal === null;
    });
    await until(async () => (await living.redis?.zcard(queue)) === 2, { what: "the living one's request is second" });
    kill(killed);
    await until(() => served, { what: "the second is served" });
    await waiting;
    await killed.admission.close();
    void lost;
  });
});

test("a request that is taken again after its lease counts", async () => {
  const clock = fakeClock();
  const timing = { leaseMs: 600_000 };
  const [a, b] = [
    await start(true, { clock, timing, testNow: () => clock.now() }),
    await start(true, { clock, timing, testNow: () => clock.now() }),
  ];
  const limits = { keyId: unique("k"), rpm: null, inFlight: 1 };
  const again = keyAsk(unique("r"), limits, { startedAtMs: clock.now() });
  expect(await a.admission.admit(again)).toBeNull();
  clock.advance(timing.leaseMs + 1);
  expect(await a.admission.admit(again)).toBeNull();
  expect(await b.admission.admit(keyAsk(unique("r"), limits))).toMatchObject({ limit: "in_flight" });
});

test("what an owner has spent is remembered as long as one of its requests runs", async () => {
  const { admission, redis } = await start(true, { timing: { leaseMs: 300 } });
  const limits = { keyId: unique("k"), rpm: null, inFlight: null, cost5hUsd: "1" };
  const first = unique("r");
  await admission.admit(keyAsk(first, limits, { costNanoUsd: 1e9 }));
  admission.settle(first, { costNanoUsd: 1e6, tokens: 0 });
  await admission.admit(keyAsk(unique("r"), limits, { costNanoUsd: 1e6 }));
  const parts = ["live", "held", "book", "spend", "recent"].map((part) => `sluice:limit:key:${limits.keyId}:${part}`);
  const left = () => Promise.all(parts.map((part) => redis?.pttl(part)));
  // As if nothing had begun or ended for nearly as long as the books are kept.
  for (const part of parts) await redis?.pexpire(part, 60_000);
  await until(async () => (await left()).every((ms) => (ms ?? 0) > 60_000), { what: "all of it is kept" });
});

test("an end that Redis hears of twice, because its answer came late, gives unused tokens back once", async () => {
  const server = await startTestRedis();
  const redis = await connect(server.url);
  const settings = defaultSettings();
  const options = { redis, settings: () => settings, onTransition: () => undefined, instanceId: unique("i") };
  const admission = createAdmission({ ...options, timing: { commandMs: 300, leaseMs: 300 } });
  const other = createAdmission({ ...options, redis: await connect(server.url), timing: { commandMs: 10_000 } });
  const limits = { keyId: unique("k"), rpm: null, inFlight: null, tpm: 1_000 };
  const tokens = async () =>
    (await other.usage({ owner: "key", id: limits.keyId, values: limits })).tokens.reduce((sum, { count }) => sum + count, 0);
  const ids = Array.from({ length: 5 }, () => unique("r"));
  await Promise.all(ids.map((id) => admission.admit(keyAsk(id, limits, { tokens: 100 }))));
  expect(await tokens()).toBe(500);
  server.pause();
  admission.settle(ids[0] ?? "", { costNanoUsd: 0, tokens: 10 });
  // Nobody waits for its answer any longer, so it is kept for the next renewal, while the first one is still in the socket.
  await until(
    async () => {
      const found = admission.sticky.find(unique("session"));
      await found;
      return found === null;
    },
    { what: "Redis is given up" },
  );
  server.resume();
  await until(async () => (await tokens()) <= 410, { what: "the end has arrived" });
  const scripts = async () => Number(/cmdstat_evalsha:calls=(\d+)/.exec(await redis.info("commandstats"))?.[1]);
  const before = await scripts();
  await until(async () => (await scripts()) > before + 3, { what: "a renewal has followed" });
  expect(await tokens()).toBe(410);
  await Promise.all([admission.close(), other.close()]);
  await server.stop();
});
