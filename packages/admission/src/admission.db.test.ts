import { layoutOf } from "@sluice/core/limits/spend-book";
import { until } from "@sluice/testing/deadline";
import { describe, expect, test } from "vitest";
import { keyAsk } from "../test/ask.ts";
import { count, openBreaker, start, unique, useRedis } from "../test/instances.ts";
import type { LimitedOwner } from "./admission.ts";
import type { SpendReader } from "./spend-reader.ts";

useRedis();

describe.each([
  { keeper: "in process", shared: false },
  { keeper: "on Redis", shared: true },
])("the contract, kept $keeper", ({ shared }) => {
  test("a key without limits costs no await", async () => {
    const { admission } = await start(shared);
    expect(admission.admit(keyAsk(unique("r"), { keyId: unique("k"), rpm: null, inFlight: null }))).toBeNull();
    expect(admission.admit(keyAsk(unique("r"), { keyId: unique("k"), rpm: 0, inFlight: Number.NaN }))).toBeNull();
  });

  test("50 parallel requests at 5 in flight: exactly 5, and 5 more once those are released", async () => {
    const { admission } = await start(shared);
    const limits = { keyId: unique("k"), rpm: null, inFlight: 5 };
    const ids = Array.from({ length: 50 }, () => unique("r"));
    const results = await Promise.all(ids.map((id) => admission.admit(keyAsk(id, limits))));
    expect(count(results)).toEqual({ admitted: 5, refused: 45 });
    expect(results.find((result) => result !== null)).toEqual({
      limit: "in_flight",
      owner: "key",
      ownerId: limits.keyId,
      value: 5,
      used: 5,
      wantedNanoUsd: 0,
      resetAtMs: null,
      retryAfterS: 1,
    });
    for (const id of ids) {
      admission.release(id);
      admission.release(id);
    }
    expect(count(await Promise.all(ids.map(() => admission.admit(keyAsk(unique("r"), limits)))))).toEqual({ admitted: 5, refused: 45 });
  });

  test("usage shows what is held and used, and reading it uses nothing", async () => {
    const { admission } = await start(shared);
    const limits = { keyId: unique("k"), rpm: 3, inFlight: 2 };
    const total = async () => {
      const { inFlight, rate } = await admission.usage({ owner: "key", id: limits.keyId, values: limits });
      return { inFlight, rpm: rate.reduce((sum, { count }) => sum + count, 0) };
    };
    expect(await total()).toEqual({ inFlight: 0, rpm: 0 });
    const ids = [unique("r"), unique("r")];
    for (const id of ids) expect(await admission.admit(keyAsk(id, limits))).toBeNull();
    for (let i = 0; i < 5; i++) expect(await total()).toEqual({ inFlight: 2, rpm: 2 });
    expect(
      (await admission.usage({ owner: "key", id: limits.keyId, values: limits })).rate.every(
        ({ second }) => Math.abs(second - Date.now() / 1000) < 60,
      ),
    ).toBe(true);
    for (const id of ids) admission.release(id);
    await until(async () => (await total()).inFlight === 0, { what: "the leases are given back" });
    expect(await admission.admit(keyAsk(unique("r"), limits))).toBeNull();
    expect(await admission.admit(keyAsk(unique("r"), limits))).toMatchObject({ limit: "rpm" });
    expect(await total()).toEqual({ inFlight: 1, rpm: 3 });
  });

  test("50 parallel requests at 5 a minute: exactly 5, and releasing gives none back", async () => {
    const { admission } = await start(shared);
    const limits = { keyId: unique("k"), rpm: 5, inFlight: null };
    const ids = Array.from({ length: 50 }, () => unique("r"));
    const results = await Promise.all(ids.map((id) => admission.admit(keyAsk(id, limits))));
    expect(count(results)).toEqual({ admitted: 5, refused: 45 });
    const refusal = results.find((result) => result !== null);
    expect(refusal).toMatchObject({ limit: "rpm", value: 5 });
    expect(refusal?.retryAfterS).toBeGreaterThan(55);
    expect(refusal?.retryAfterS).toBeLessThanOrEqual(61);
    for (const id of ids) admission.release(id);
    expect(await admission.admit(keyAsk(unique("r"), limits))).toMatchObject({ limit: "rpm" });
  });

  test("both limits are taken together or not at all, in flight first", async () => {
    const { admission } = await start(shared);
    const limits = { keyId: unique("k"), rpm: 3, inFlight: 1 };
    const first = unique("r");
    expect(await admission.admit(keyAsk(first, limits))).toBeNull();
    for (let i = 0; i < 10; i++) expect(await admission.admit(keyAsk(unique("r"), limits))).toMatchObject({ limit: "in_flight" });
    admission.release(first);
    // The ten refusals used nothing of the rate: two of three are left.
    for (let i = 0; i < 2; i++) {
      const id = unique("r");
      expect(await admission.admit(keyAsk(id, limits))).toBeNull();
      admission.release(id);
    }
    expect(await admission.admit(keyAsk(unique("r"), limits))).toMatchObject({ limit: "rpm" });
    // A refusal by rate left no lease behind.
    expect(await admission.admit(keyAsk(unique("r"), { ...limits, rpm: null }))).toBeNull();
  });

  test("a request that waits for a slot of its key and then of its user is served when the user's is released", async () => {
    const { admission, settings } = await start(shared);
    Object.assign(settings, { "limits.queuePerSlot": 1, "limits.queueSeconds": 30 });
    const key = { owner: "key" as const, id: unique("k"), values: { rpm: null, inFlight: 1 } };
    const user = { owner: "user" as const, id: unique("u"), values: { rpm: null, inFlight: 1 } };
    const ask = (requestId: string, ...owners: LimitedOwner[]) =>
      admission.admit({ requestId, startedAtMs: Date.now(), tokens: 0, costNanoUsd: 0, owners });
    const [runs, before, waits] = [unique("r"), unique("r"), unique("r")];
    expect(await ask(runs, key, user)).toBeNull();
    // Through another key of the user, so that it is first in line when the user's slot is released.
    const first = ask(before, user);
    await new Promise((resolve) => setTimeout(resolve, 200));
    let served = false;
    const waiting = ask(waits, key, user)?.then((refusal) => {
      served = refusal === null;
    });
    await new Promise((resolve) => setTimeout(resolve, 200));
    admission.release(runs);
    expect(await first).toBeNull();
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(served).toBe(false);
    admission.release(before);
    await until(() => served, { what: "it is served", deadlineMs: 2_000 });
    admission.release(waits);
    await waiting;
    expect(await ask(unique("r"), key, user)).toBeNull();
  });

  test("a request that exceeds a limit by itself gets no retry time, whatever else is used of it", async () => {
    const { admission } = await start(shared);
    const usd = 1_000_000_000;
    const cost = { keyId: unique("k"), rpm: null, inFlight: null, costDayUsd: "1", cost5hUsd: "1" };
    const tokens = { keyId: unique("k"), rpm: null, inFlight: null, tpm: 1_000 };
    for (let i = 0; i < 2; i++) {
      const never = { resetAtMs: null, retryAfterS: null };
      expect(await admission.admit(keyAsk(unique("r"), tokens, { tokens: 1_001 }))).toMatchObject({ limit: "tpm", ...never });
      expect(await admission.admit(keyAsk(unique("r"), cost, { costNanoUsd: 2 * usd }))).toMatchObject({ limit: "5h", ...never });
      const day = { ...cost, cost5hUsd: null };
      expect(await admission.admit(keyAsk(unique("r"), day, { costNanoUsd: 2 * usd }))).toMatchObject({ limit: "day", ...never });
      await admission.admit(keyAsk(unique("r"), tokens, { tokens: 1_000 }));
      await admission.admit(keyAsk(unique("r"), cost, { costNanoUsd: usd }));
    }
    expect((await admission.admit(keyAsk(unique("r"), tokens, { tokens: 1_000 })))?.retryAfterS).toBeGreaterThan(55);
  });

  test("$10 a day, $2 used: a finished request that reserved and cost $0.60 is no reason to refuse the next one", async () => {
    const { admission } = await start(shared);
    const limits = { keyId: unique("k"), rpm: null, inFlight: null, costDayUsd: "10" };
    const usd = 1_000_000_000;
    const used = unique("r");
    expect(await admission.admit(keyAsk(used, limits, { costNanoUsd: 9 * usd }))).toBeNull();
    expect(await admission.admit(keyAsk(unique("r"), limits, { costNanoUsd: 2 * usd }))).toMatchObject({
      ...{ limit: "day", used: 9 * usd, value: 10 * usd, wantedNanoUsd: 2 * usd, retryAfterS: 1 },
    });
    admission.settle(used, { costNanoUsd: 2 * usd, tokens: 0 });
    const next = unique("r");
    expect(await admission.admit(keyAsk(next, limits, { costNanoUsd: 8 * usd }))).toBeNull();
    admission.settle(next, { costNanoUsd: 0.6 * usd, tokens: 0 });
    expect(await admission.admit(keyAsk(unique("r"), limits, { costNanoUsd: 7.4 * usd }))).toBeNull();
    expect(await admission.admit(keyAsk(unique("r"), limits, { costNanoUsd: 1 }))).toMatchObject({ limit: "day" });
  });

  test("what a correction gives back can be used again, in the window in which it was spent", async () => {
    const usd = 1_000_000_000;
    const ledger = { sum: 0, ids: new Set<string>() };
    const spend: SpendReader = ({ questions, windows, idsOf }) =>
      Promise.all(
        questions.map(async ({ totalSinceMs, ...ref }) => {
          const starts = { day: windows.fixed.day?.startMs ?? 0, total: totalSinceMs };
          const sums = { day: ledger.sum, total: ledger.sum };
          const facts = { layout: layoutOf(windows, totalSinceMs), starts, sums, buckets: new Map<number, number>() };
          return { ref, facts, visible: (await idsOf(ref)).filter((id) => ledger.ids.has(id)) };
        }),
      );
    const { admission } = await start(shared, { spend, timing: { rebuildMs: 200 } });
    const limits = { keyId: unique("k"), rpm: null, inFlight: null, costDayUsd: "10" };
    const key = { owner: "key" as const, id: limits.keyId, values: limits };
    admission.know([key]);
    const dear = unique("r");
    expect(await admission.admit(keyAsk(dear, limits, { costNanoUsd: 10 * usd }))).toBeNull();
    admission.settle(dear, { costNanoUsd: 10 * usd, tokens: 0 });
    Object.assign(ledger, { sum: 10 * usd, ids: new Set([dear]) });
    expect(await admission.admit(keyAsk(unique("r"), limits, { costNanoUsd: usd }))).toMatchObject({ limit: "day", used: 10 * usd });
    ledger.sum = usd;
    await until(async () => (await admission.usage(key)).spent?.day === usd, { what: "the sums are in line with the ledger" });
    expect(await admission.admit(keyAsk(unique("r"), limits, { costNanoUsd: 9 * usd }))).toBeNull();
    expect(await admission.admit(keyAsk(unique("r"), limits, { costNanoUsd: 1 }))).toMatchObject({ limit: "day", used: 10 * usd });
  });

  test("a request id counts once", async () => {
    const { admission } = await start(shared);
    const limits = { keyId: unique("k"), rpm: null, inFlight: 2 };
    const id = unique("r");
    expect(await admission.admit(keyAsk(id, limits))).toBeNull();
    expect(await admission.admit(keyAsk(id, limits))).toBeNull();
    expect(await admission.admit(keyAsk(unique("r"), limits))).toBeNull();
    expect(await admission.admit(keyAsk(unique("r"), limits))).not.toBeNull();
  });

  test("a breaker opens at the fifth failure in a row, keeps its cause and reports it once", async () => {
    const instance = await start(shared);
    const { breakers } = instance.admission;
    const provider = await openBreaker(instance);
    expect(instance.transitions).toEqual([
      { providerId: provider, model: "m", state: "open", failures: 5, probeAtMs: expect.any(Number), cause: "upstream said 500 (5)" },
    ]);
    expect(breakers.list()).toContainEqual(instance.transitions[0]);
    expect(breakers.stateOf(provider, "other")).toBe("closed");
    expect(await breakers.takeProbe(provider, "m")).toBe(false);
  });

  test("a success in between resets the count", async () => {
    const { admission, transitions } = await start(shared);
    const provider = unique("provider");
    const failures = (): number => admission.breakers.list().find(({ providerId }) => providerId === provider)?.failures ?? 0;
    for (let i = 0; i < 4; i++) admission.breakers.failed(provider, "m", { cause: "500" });
    await until(() => failures() === 4, { what: "four failures are known" });
    admission.breakers.succeeded(provider, "m");
    await until(() => failures() === 0, { what: "the failures are forgotten" });
    admission.breakers.failed(provider, "m", { cause: "500" });
    await until(() => failures() === 1, { what: "one failure is known" });
    expect(transitions).toEqual([]);
  });

  test("100 requests want the probe of a due breaker: one gets it; two good probes close", async () => {
    const instance = await start(shared);
    const { breakers } = instance.admission;
    const provider = await openBreaker(instance);
    for (let round = 0; round < 2; round++) {
      await until(() => breakers.stateOf(provider, "m") === "probe", { what: "a probe is due" });
      const taken = await Promise.all(Array.from({ length: 100 }, () => breakers.takeProbe(provider, "m")));
      expect(taken.filter(Boolean)).toHaveLength(1);
      breakers.succeeded(provider, "m");
    }
    await until(() => breakers.stateOf(provider, "m") === "closed", { what: "the breaker is closed" });
    expect(instance.transitions.map(({ state }) => state)).toEqual(["open", "half_open", "closed"]);
    expect(breakers.list().filter(({ providerId }) => providerId === provider)).toEqual([]);
    expect(await breakers.takeProbe(provider, "m")).toBe(true);
  });

  test("with k probes, 100 requests get k of them, over what one process or several ask", async () => {
    const instance = await start(shared);
    instance.settings["breaker.probes"] = 3;
    const { breakers } = instance.admission;
    const provider = await openBreaker(instance);
    await until(() => breakers.stateOf(provider, "m") === "probe", { what: "probes are due" });
    const taken = await Promise.all(Array.from({ length: 100 }, () => breakers.takeProbe(provider, "m")));
    expect(taken.filter(Boolean)).toHaveLength(3);
  });

  test("a provider that says when to come back is left alone until then, from its first failure on", async () => {
    const { admission, transitions } = await start(shared);
    const provider = unique("provider");
    admission.breakers.failed(provider, "m", { cause: "429", retryAfterMs: 400 });
    await until(() => admission.breakers.stateOf(provider, "m") === "open", { what: "it is left alone" });
    expect(admission.breakers.dueInMs(provider, "m")).toBeLessThanOrEqual(400);
    await until(() => admission.breakers.stateOf(provider, "m") === "probe", { what: "its time is over" });
    expect(transitions).toMatchObject([{ state: "open", failures: 1, cause: "429" }]);
    const other = unique("provider");
    admission.breakers.failed(other, "m", { cause: "429", retryAfterMs: 86_400_000 });
    await until(() => admission.breakers.stateOf(other, "m") === "open", { what: "it is left alone, too" });
    expect(Math.abs(admission.breakers.dueInMs(other, "m") - 1_800_000)).toBeLessThan(60_000);
  });

  test("a share of failures among successes opens it, where failures in a row would not", async () => {
    const { admission, settings, transitions } = await start(shared);
    const { breakers } = admission;
    Object.assign(settings, { "breaker.failures": 1_000, "breaker.failureRatePercent": 50 });
    const provider = unique("provider");
    for (let i = 0; i < 10; i++) {
      breakers.succeeded(provider, "m");
      breakers.failed(provider, "m", { cause: "500" });
    }
    await until(() => breakers.stateOf(provider, "m") === "tripped", { what: "it is open" });
    expect(transitions[0]?.cause).toBe("10 of 20 requests of the last minute failed; 500");
  });

  test("a failed probe opens again for longer", async () => {
    const instance = await start(shared);
    const { breakers } = instance.admission;
    const provider = await openBreaker(instance);
    await until(() => breakers.stateOf(provider, "m") === "probe", { what: "a probe is due" });
    expect(await breakers.takeProbe(provider, "m")).toBe(true);
    const beforeMs = Date.now();
    breakers.failed(provider, "m", { cause: "still 500" });
    await until(() => instance.transitions.length === 3, { what: "it is open again" });
    expect(instance.transitions[2]).toMatchObject({ state: "open", cause: "still 500" });
    expect((instance.transitions[2]?.probeAtMs ?? 0) - beforeMs).toBeGreaterThanOrEqual(1_900);
  });

  test("a probe without a verdict gives its place back", async () => {
    const instance = await start(shared, { timing: { probeMs: 300 } });
    const { breakers } = instance.admission;
    const provider = await openBreaker(instance);
    await until(() => breakers.stateOf(provider, "m") === "probe", { what: "a probe is due" });
    expect(await breakers.takeProbe(provider, "m")).toBe(true);
    expect(await breakers.takeProbe(provider, "m")).toBe(false);
    expect(await until(() => breakers.takeProbe(provider, "m"), { what: "the place is free again" })).toBe(true);
  });

  test("a reset closes what is open, says so once, and leaves other providers alone", async () => {
    const instance = await start(shared);
    const { breakers } = instance.admission;
    const [provider, other] = [await openBreaker(instance), await openBreaker(instance)];
    breakers.reset(provider);
    await until(() => breakers.stateOf(provider, "m") === "closed", { what: "it is closed" });
    breakers.reset(provider);
    expect(breakers.stateOf(other, "m")).toBe("open");
    expect(instance.transitions.filter(({ providerId }) => providerId === provider).map(({ state }) => state)).toEqual(["open", "closed"]);
    for (let i = 0; i < 4; i++) breakers.failed(provider, "m", { cause: "again" });
    expect(breakers.stateOf(provider, "m")).toBe("closed");
  });

  test("looking up a session's binding leaves no trace", async () => {
    const { admission } = await start(shared);
    const session = unique("session");
    expect(await admission.sticky.peek(session)).toBeNull();
    admission.sticky.bind(session, "p");
    expect(await admission.sticky.peek(session)).toBe("p");
  });

  test("threshold 0 disables", async () => {
    const { admission, settings } = await start(shared);
    settings["breaker.failures"] = 0;
    const provider = unique("provider");
    for (let i = 0; i < 10; i++) admission.breakers.failed(provider, "m", { cause: "500" });
    expect(admission.breakers.stateOf(provider, "m")).toBe("closed");
    expect(admission.breakers.list().filter(({ providerId }) => providerId === provider)).toEqual([]);
  });

  test("a session finds its provider, and the newest one", async () => {
    const { admission, settings } = await start(shared);
    const session = unique("session");
    expect(await admission.sticky.find(session)).toBeNull();
    admission.sticky.bind(session, "a");
    expect(admission.sticky.find(session)).toBe("a");
    admission.sticky.bind(session, "b");
    expect(admission.sticky.find(session)).toBe("b");
    settings["routing.stickySeconds"] = 0;
    expect(admission.sticky.find(session)).toBeNull();
  });
});
