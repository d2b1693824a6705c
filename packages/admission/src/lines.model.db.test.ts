import { defaultSettings } from "@sluice/core/inputs/settings";
import { until } from "@sluice/testing/deadline";
import { startTestRedis, type TestRedis } from "@sluice/testing/redis";
import fc from "fast-check";
import { Redis } from "ioredis";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Admission, LimitedOwner } from "./admission.ts";
import { createAdmission } from "./create-admission.ts";

/**
 * Waiting for slots, over one process or two on one Redis: random histories of arrivals, ends and clients that leave. Whatever happens, no
 * owner has more in flight than it may, nobody waits who could run, requests of one line are served in the order in which they came, and
 * nobody is sent away while the line has room.
 */
let server: TestRedis;
const connections: Redis[] = [];
let serial = 0;

beforeAll(async () => {
  server = await startTestRedis();
  for (let n = 0; n < 3; n++) connections.push(new Redis(server.url));
  await until(() => connections.every(({ status }) => status === "ready"), { what: "the connections are ready" });
});
afterAll(async () => {
  for (const redis of connections) redis.disconnect();
  await server.stop();
});

const settings = { ...defaultSettings(), "limits.queuePerSlot": 2, "limits.queueSeconds": 60 };
const slots = { key: 2, user: 3 };
/** Room in the line of a key, and of the user. */
const room = { key: 4, user: 6 };

interface Asked {
  id: string;
  on: number;
  key: number;
  client: AbortController;
  state: "asking" | "waiting" | "running" | "over" | "refused" | "gone";
}

const which = fc.nat(9);
const arrival = fc.record({ on: fc.nat(1), key: fc.nat(1) });
const steps = fc.array(
  fc.oneof(
    { weight: 5, arbitrary: fc.record({ do: fc.constant("arrive" as const), asks: fc.array(arrival, { minLength: 1, maxLength: 3 }) }) },
    { weight: 4, arbitrary: fc.record({ do: fc.constant("end" as const), which: fc.array(which, { minLength: 1, maxLength: 3 }) }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constant("leave" as const), which }) },
    // A client leaves at the moment in which a slot becomes free.
    { weight: 1, arbitrary: fc.record({ do: fc.constant("cross" as const), which }) },
  ),
  { maxLength: 40, size: "max" },
);
type Step = typeof steps extends fc.Arbitrary<(infer S)[]> ? S : never;

async function play(history: readonly Step[], shared: boolean, byUser: boolean): Promise<void> {
  const run = ++serial;
  const admissions = (shared ? connections.slice(0, 2) : [null]).map(
    (redis, index): Admission =>
      createAdmission({
        ...{ redis, settings: () => settings, onTransition: () => undefined, instanceId: `i${run}-${index}` },
        timing: { leaseMs: 600_000, commandMs: 10_000 },
      }),
  );
  const at = (index: number): Admission => admissions[index % admissions.length] as Admission;
  const keyId = (key: number): string => `k${run}-${key}`;
  const names = [0, 1].map((key) => `sluice:limit:key:${keyId(key)}`).concat(`sluice:limit:user:u${run}`);
  const all: Asked[] = [];
  const those = (...states: Asked["state"][]) => all.filter(({ state }) => states.includes(state));
  const running = (key?: number) => those("running").filter((one) => key === undefined || one.key === key).length;
  const couldRun = (one: Asked) => running(one.key) < slots.key && (!byUser || running() < slots.user);

  function served(one: Asked): void {
    one.state = "running";
    expect(running(one.key), "in flight of the key").toBeLessThanOrEqual(slots.key);
    if (byUser) expect(running(), "in flight of the user").toBeLessThanOrEqual(slots.user);
  }

  /** Those who are served together are, in whichever order they hear of it. */
  function expectNobodyPassed(served: readonly Asked[]): void {
    for (const one of served) {
      const passed = all.slice(0, all.indexOf(one)).filter((other) => other.key === one.key && other.state === "waiting");
      expect(
        passed.map(({ id }) => id),
        `passed by ${one.id}`,
      ).toEqual([]);
    }
  }

  let failure: unknown;
  async function ask(one: Asked): Promise<void> {
    const owners: LimitedOwner[] = [
      { owner: "key", id: keyId(one.key), values: { rpm: null, inFlight: slots.key } },
      { owner: "user", id: `u${run}`, values: { rpm: null, inFlight: byUser ? slots.user : 100 } },
    ];
    const linesBefore = those("asking", "waiting").filter((other) => other !== one);
    const request = { requestId: one.id, startedAtMs: Date.now(), tokens: 0, costNanoUsd: 0, owners, signal: one.client.signal };
    try {
      const refusal = await at(one.on).admit(request);
      if (one.client.signal.aborted) {
        one.state = "gone";
        // As the gateway does for a client that is gone.
        at(one.on).release(one.id);
      } else if (refusal === null) served(one);
      else {
        one.state = "refused";
        const isFull = linesBefore.filter(({ key }) => key === one.key).length >= room.key || (byUser && linesBefore.length >= room.user);
        expect(isFull, `${one.id} is refused`).toBe(true);
      }
    } catch (error) {
      failure ??= error;
    }
  }

  const inLine = async (one: Asked): Promise<boolean> =>
    (await Promise.all(names.map((name) => connections[2]?.zscore(`${name}:queue`, one.id)))).some((score) => score != null);

  async function arrive({ asks }: Extract<Step, { do: "arrive" }>): Promise<void> {
    for (const { on, key } of asks) {
      const one: Asked = { id: `r${run}-${all.length}`, on, key, client: new AbortController(), state: "asking" };
      all.push(one);
      void ask(one);
      if (!shared) for (let turns = 0; turns < 3; turns++) await new Promise(setImmediate);
      else await until(async () => one.state !== "asking" || (await inLine(one)), { what: "it is served or in line", everyMs: 1 });
      if (one.state === "asking") one.state = "waiting";
    }
  }

  function end(one: Asked | undefined): void {
    if (!one) return;
    one.state = "over";
    at(one.on).settle(one.id, { costNanoUsd: 0, tokens: 0 });
  }

  const quiet = () => until(() => failure || !those("waiting").some(couldRun), { what: "nobody waits who could run", everyMs: 1 });
  const pick = (which: number, state: Asked["state"]): Asked | undefined => those(state)[which % Math.max(1, those(state).length)];

  try {
    for (const step of history) {
      const before = new Set(those("running"));
      if (step.do === "arrive") await arrive(step);
      else if (step.do === "end") for (const which of step.which) end(pick(which, "running"));
      else {
        const leaving = pick(step.which, "waiting");
        if (step.do === "cross") end(pick(step.which, "running"));
        leaving?.client.abort();
        if (leaving) await until(() => leaving.state === "gone", { what: "it has left", everyMs: 1 });
      }
      await quiet();
      if (failure) throw failure;
      // With the user's line beside it, there is more than one at whose head one can stand.
      if (!byUser) expectNobodyPassed(those("running").filter((one) => !before.has(one)));
    }
    while (those("running", "waiting").length > 0) {
      await until(() => failure || those("running").length > 0, { what: "those who wait are served", everyMs: 1 });
      if (failure) throw failure;
      for (const one of those("running")) end(one);
    }
    const left = () => Promise.all(names.flatMap((name) => [`${name}:live`, `${name}:queue`]).map((key) => connections[2]?.zcard(key)));
    if (shared) await until(async () => (await left()).every((count) => count === 0), { what: "nothing is held at rest", everyMs: 1 });
  } finally {
    for (const { client } of those("waiting", "asking")) client.abort();
    for (const admission of admissions) await admission.close();
  }
}

describe.each([
  { keeper: "in process", shared: false, runs: 100 },
  { keeper: "on Redis by two instances", shared: true, runs: 80 },
])("lines kept $keeper", ({ shared, runs }) => {
  test("are first come, first served after any history of arrivals, ends and clients that leave", async () => {
    await fc.assert(
      fc.asyncProperty(steps, fc.boolean(), (history, byUser) => play(history, shared, byUser)),
      // A smaller history would take long: each that fails is one that waits.
      { numRuns: runs, endOnFailure: true },
    );
  }, 120_000);
});
