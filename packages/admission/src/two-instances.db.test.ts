import { systemClock } from "@sluice/core/clock";
import { defaultSettings } from "@sluice/core/inputs/settings";
import { until } from "@sluice/testing/deadline";
import { describe, expect, test } from "vitest";
import { keyAsk } from "../test/ask.ts";
import { connect, count, openBreaker, redisUrl, start, unique, useRedis } from "../test/instances.ts";
import type { LimitedOwner } from "./admission.ts";
import { createAdmission } from "./create-admission.ts";

useRedis();

describe("two instances on one Redis", () => {
  test("50 parallel requests at limit 5 over both: exactly 5", async () => {
    const [a, b] = [await start(true), await start(true)];
    for (const limits of [
      { keyId: unique("k"), rpm: null, inFlight: 5 },
      { keyId: unique("k"), rpm: 5, inFlight: null },
    ]) {
      const results = await Promise.all(Array.from({ length: 50 }, (_, i) => (i % 2 ? a : b).admission.admit(keyAsk(unique("r"), limits))));
      expect(count(results)).toEqual({ admitted: 5, refused: 45 });
    }
  });

  test("concurrent requests of one instance share one script, and so do concurrent ends", async () => {
    const { admission, redis } = await start(true);
    const limits = { keyId: unique("k"), rpm: 1_000, inFlight: 100, costDayUsd: "100" };
    const scripts = async () => Number(/cmdstat_evalsha:calls=(\d+)/.exec((await redis?.info("commandstats")) ?? "")?.[1]);
    const inFlight = async () => (await admission.usage({ owner: "key", id: limits.keyId, values: limits })).inFlight;
    expect(await admission.admit(keyAsk(unique("r"), limits))).toBeNull();
    const ids = Array.from({ length: 30 }, () => unique("r"));
    const before = await scripts();
    const admitted = await Promise.all(ids.map((id) => admission.admit(keyAsk(id, limits, { costNanoUsd: 1_000 }))));
    expect(count(admitted)).toEqual({ admitted: 30, refused: 0 });
    expect(await inFlight()).toBe(31);
    for (const id of ids) admission.settle(id, { costNanoUsd: 900, tokens: 5 });
    expect(await inFlight()).toBe(1);
    // One script for the admissions, one for the ends, one for each of the two readings; background work may add a few.
    expect((await scripts()) - before).toBeLessThan(10);
    expect(await admission.usage({ owner: "key", id: limits.keyId, values: limits })).toMatchObject({
      spent: { day: 27_000 },
      reserved: 0,
    });
  });

  test("after a refusal by Redis, an instance does not keep refusing the key", async () => {
    const [a, b] = [await start(true), await start(true)];
    const limits = { keyId: unique("k"), rpm: null, inFlight: 1 };
    const held = unique("r");
    expect(await a.admission.admit(keyAsk(held, limits))).toBeNull();
    expect(await b.admission.admit(keyAsk(unique("r"), limits))).toMatchObject({ limit: "in_flight" });
    a.admission.release(held);
    await until(async () => (await b.admission.admit(keyAsk(unique("r"), limits))) === null, { what: "the place is free for the other" });
  });

  test.each([
    { rpm: null, inFlight: 1 },
    { rpm: 1, inFlight: null },
  ])("a request that Redis is about to refuse takes no slot from a concurrent one: %o", async (values) => {
    const [a, b] = [await start(true), await start(true)];
    const user = { owner: "user" as const, id: unique("u"), values };
    const spent = { owner: "key" as const, id: unique("k"), values: { costDayUsd: "1" } };
    const fresh = { owner: "key" as const, id: unique("k"), values: {} };
    const ask = (...owners: LimitedOwner[]) => ({ requestId: unique("r"), startedAtMs: Date.now(), tokens: 0, costNanoUsd: 1e9, owners });
    const first = ask(spent);
    expect(await b.admission.admit(first)).toBeNull();
    b.admission.settle(first.requestId, { costNanoUsd: 1e9, tokens: 0 });
    await until(async () => (await a.admission.usage(spent)).spent?.day === 1e9, { what: "A sees what B has spent" });
    const beside = [a.admission.admit(ask(spent, user)), a.admission.admit(ask(fresh, user))];
    expect(await Promise.all(beside)).toEqual([expect.objectContaining({ limit: "day", owner: "key" }), null]);
  });

  test("spending that Redis has lost and the ledger does not show yet still counts on the instance that booked it", async () => {
    const { admission, redis } = await start(true);
    const limits = { keyId: unique("k"), rpm: null, inFlight: null, costDayUsd: "1" };
    const key = { owner: "key" as const, id: limits.keyId, values: limits };
    const first = unique("r");
    expect(await admission.admit(keyAsk(first, limits, { costNanoUsd: 1e9 }))).toBeNull();
    admission.settle(first, { costNanoUsd: 1e9, tokens: 0 });
    await until(async () => (await admission.usage(key)).spent?.day === 1e9, { what: "Redis was told" });
    await redis?.flushall();
    // Before the second attempt Redis was rebuilt from the ledger, which shows no spending.
    for (let i = 0; i < 2; i++)
      expect(await admission.admit(keyAsk(unique("r"), limits, { costNanoUsd: 1 }))).toMatchObject({ limit: "day", used: 1e9 });
  });

  test("A08 what a killed instance reserved is free by expiry alone, with no sweeper", async () => {
    const timing = { leaseMs: 1_000 };
    const [killed, observer] = [await start(true, { timing }), await start(true, { timing })];
    const limits = { keyId: unique("k"), rpm: null, inFlight: null, costDayUsd: "1" };
    const ask = () => keyAsk(unique("r"), limits, { costNanoUsd: 600_000_000 });
    expect(await killed.admission.admit(ask())).toBeNull();
    expect(await observer.admission.admit(ask())).toMatchObject({ limit: "day", owner: "key", value: 1_000_000_000, used: 600_000_000 });
    killed.redis?.disconnect();
    await until(async () => (await observer.admission.admit(ask())) === null, { what: "the dead one's reservation is free" });
    expect(await observer.admission.admit(ask())).toMatchObject({ limit: "day" });
  });

  test("A08 an instance that is killed frees its leases by expiry alone; a living one keeps its own", async () => {
    const leaseMs = 1_000;
    const [killed, living, observer] = [
      await start(true, { timing: { leaseMs } }),
      await start(true, { timing: { leaseMs } }),
      await start(true, { timing: { leaseMs } }),
    ];
    const limits = { keyId: unique("k"), rpm: null, inFlight: 2 };
    expect(await killed.admission.admit(keyAsk(unique("r"), limits))).toBeNull();
    expect(await living.admission.admit(keyAsk(unique("r"), limits))).toBeNull();
    expect(await observer.admission.admit(keyAsk(unique("r"), limits))).not.toBeNull();
    // What Redis sees of a SIGKILL: the connection ends, and nothing is renewed or released.
    killed.redis?.disconnect();
    const startedMs = performance.now();
    await until(async () => (await observer.admission.admit(keyAsk(unique("r"), limits))) === null, {
      what: "the dead one's lease is free",
    });
    // Only that lease: after several lifetimes the living instance's lease still counts.
    await until(() => performance.now() - startedMs > leaseMs * 3, { what: "three lease lifetimes have passed" });
    expect(await observer.admission.admit(keyAsk(unique("r"), limits))).toMatchObject({ limit: "in_flight" });
  });

  test("failures count together, and all learn of it", async () => {
    const [a, b] = [await start(true), await start(true)];
    const provider = unique("provider");
    for (let i = 0; i < 5; i++) (i % 2 ? a : b).admission.breakers.failed(provider, "m", { cause: "500" });
    for (const { admission } of [a, b]) {
      await until(() => admission.breakers.stateOf(provider, "m") === "open", { what: "both see it open" });
    }
    expect([...a.transitions, ...b.transitions].filter(({ providerId }) => providerId === provider)).toHaveLength(1);
  });

  test("they share one probe", async () => {
    const [a, b] = [await start(true), await start(true)];
    const provider = await openBreaker(a);
    for (const { admission } of [a, b]) {
      await until(() => admission.breakers.stateOf(provider, "m") === "probe", { what: "both see the probe due" });
    }
    const taken = await Promise.all(Array.from({ length: 100 }, (_, i) => (i % 2 ? a : b).admission.breakers.takeProbe(provider, "m")));
    expect(taken.filter(Boolean)).toHaveLength(1);
  });

  test("an instance that starts later, or missed the announcement, reads what is open", async () => {
    const provider = await openBreaker(await start(true));
    const late = await start(true, { timing: { refreshMs: 50 } });
    await until(() => late.admission.breakers.list().some(({ providerId }) => providerId === provider), { what: "the late one knows" });
  });

  test("a reset on one closes the breaker on the other, and half-open breakers show how many probes are missing", async () => {
    const [a, b] = [await start(true), await start(true)];
    const provider = await openBreaker(a);
    await until(() => b.admission.breakers.stateOf(provider, "m") === "probe", { what: "B sees it due" });
    expect(await b.admission.breakers.takeProbe(provider, "m")).toBe(true);
    b.admission.breakers.succeeded(provider, "m");
    const seen = () => a.admission.breakers.list().find(({ providerId }) => providerId === provider);
    await until(() => seen()?.successes === 1, { what: "A hears of the good probe" });
    expect(seen()).toMatchObject({ state: "half_open", successes: 1, successesToClose: 2, probeUntilMs: null });
    a.admission.breakers.reset(provider);
    b.admission.breakers.reset(provider);
    await until(() => [a, b].every(({ admission }) => admission.breakers.stateOf(provider, "m") === "closed"), { what: "both closed" });
    expect([...a.transitions, ...b.transitions].filter(({ state }) => state === "closed")).toHaveLength(1);
  });

  test("a session bound on one is found on the other", async () => {
    const [a, b] = [await start(true), await start(true)];
    const session = unique("session");
    a.admission.sticky.bind(session, "provider-1");
    await until(async () => (await b.admission.sticky.find(session)) === "provider-1", { what: "the binding is shared" });
    // Now it is known locally: the answer is no promise any more.
    expect(b.admission.sticky.find(session)).toBe("provider-1");
  });

  test("a graceful stop frees its leases at once", async () => {
    const [a, b] = [await start(true), await start(true)];
    const limits = { keyId: unique("k"), rpm: null, inFlight: 1 };
    expect(await a.admission.admit(keyAsk(unique("r"), limits))).toBeNull();
    await a.admission.close();
    expect(await b.admission.admit(keyAsk(unique("r"), limits))).toBeNull();
  });
});
test("closing leaves no open handle", async () => {
  const timers = () => process.getActiveResourcesInfo().filter((kind) => kind === "Timeout" || kind === "TCPSocketWrap").length;
  const redis = await connect(redisUrl());
  const before = timers();
  const admission = createAdmission({
    redis,
    settings: defaultSettings,
    onTransition: () => undefined,
    instanceId: unique("i"),
    clock: systemClock,
  });
  await admission.admit(keyAsk(unique("r"), { keyId: unique("k"), rpm: 5, inFlight: 5 }));
  await admission.close();
  await until(() => timers() <= before, { what: "timers and sockets are gone" });
});
