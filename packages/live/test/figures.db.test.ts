import type { Attempt } from "@sluice/core/requests";
import { noUsage } from "@sluice/core/requests";
import { fakeClock } from "@sluice/testing/clock";
import { until } from "@sluice/testing/deadline";
import { requestRow } from "@sluice/testing/factories";
import { Redis } from "ioredis";
import { describe, expect, it } from "vitest";
import { arrived, connected, eachTwin, useRedis, useStage, watch } from "./arrange.ts";

const redis = useRedis();

function attempt(providerId: string, fields: Partial<Attempt> = {}): Attempt {
  const ended = { startedMs: 0, firstContentMs: 1, endedMs: 2, status: 200, outcome: "ok", errorCode: "" } as const;
  return { providerId, upstreamModel: "m", ...ended, upstreamCostNanoUsd: "5", usage: noUsage, ...fields };
}

eachTwin("figures of providers", (stage) => {
  it("count attempts, failures, cost and what is in flight, from the start of the day in the zone", async () => {
    const clock = fakeClock(Date.UTC(2026, 10, 21, 23, 59));
    const breaker = { providerId: "p2", model: "m", state: "open", failures: 5, probeAtMs: 1, cause: "c" } as const;
    const idle = { ...breaker, providerId: "p3" };
    const live = await connected(stage().open({ clock, breakers: () => [breaker, idle] }));
    live.figures.attemptStarted("p1");
    live.figures.attemptStarted("p2");
    live.figures.attemptStarted("p2");
    const failed = attempt("p1", { outcome: "failed", upstreamCostNanoUsd: "0" });
    live.figures.requestFinished(requestRow(), [failed, attempt("p2", { upstreamCostNanoUsd: "9007199254740993" })]);
    const byId = async () => Object.fromEntries((await live.figures.list()).map((health) => [health.providerId, health]));
    await until(async () => (await byId()).p2?.requests === 1, { what: "figures" });
    expect(await byId()).toEqual({
      p1: { providerId: "p1", requests: 1, errors: 1, costNanoUsd: "0", inFlight: 0, breakers: [] },
      p2: { providerId: "p2", requests: 1, errors: 0, costNanoUsd: "9007199254740993", inFlight: 1, breakers: [breaker] },
      p3: { providerId: "p3", requests: 0, errors: 0, costNanoUsd: "0", inFlight: 0, breakers: [idle] },
    });
    clock.advance(60_000);
    expect((await byId()).p2).toMatchObject({ requests: 0, costNanoUsd: "0", inFlight: 1 });
  });

  it("are pushed at most once a second and provider while there is traffic", async () => {
    const live = await connected(stage().open());
    const viewer = await arrived(watch(live));
    for (let i = 0; i < 300; i += 1) {
      live.figures.attemptStarted("p1");
      live.figures.requestFinished(requestRow(), [attempt("p1")]);
    }
    const measured = () => viewer.events().flatMap((event) => (event.type === "provider.measured" ? [event.health.requests] : []));
    await until(() => measured().at(-1) === 300, { what: "the last figure" });
    expect(measured().length).toBeLessThanOrEqual(3);
  });
});

describe("figures over processes", () => {
  const stage = useStage(true);

  it("sum what all instances did, and count nothing twice over a frozen Redis", async () => {
    const [one, two, reader] = [await connected(stage().open()), await connected(stage().open()), await connected(stage().open())];
    one.figures.attemptStarted("p1");
    two.figures.attemptStarted("p1");
    await until(async () => (await reader.figures.list())[0]?.inFlight === 2, { what: "both in flight" });
    redis().pause();
    one.figures.requestFinished(requestRow(), [attempt("p1")]);
    two.figures.requestFinished(requestRow(), [attempt("p1")]);
    const frozen = performance.now();
    await until(() => performance.now() - frozen > 3_200, { what: "a timeout" });
    redis().resume();
    await until(async () => (await reader.figures.list())[0]?.inFlight === 0, { what: "none in flight" });
    expect(await reader.figures.list()).toEqual([
      { providerId: "p1", requests: 2, errors: 0, costNanoUsd: "10", inFlight: 0, breakers: [] },
    ]);
  });

  it("in flight come back when Redis lost everything", async () => {
    const [live, other] = [await connected(stage().open()), await connected(stage().open())];
    live.figures.attemptStarted("p1");
    const inFlight = async () => (await other.figures.list())[0]?.inFlight;
    await until(async () => (await inFlight()) === 1, { what: "one in flight" });
    await redis().restart();
    await until(async () => (await inFlight()) === 1, { what: "it is reported again" });
  });

  it("in flight are pushed again when their instance was taken for dead and is not", async () => {
    const [live, other] = [await connected(stage().open()), await connected(stage().open())];
    live.figures.attemptStarted("p1");
    await until(async () => (await other.figures.list())[0]?.inFlight === 1, { what: "one in flight" });
    await live.bus.flush();
    const viewer = await arrived(watch(other));
    const heard = () => viewer.events().filter((event) => event.type === "provider.measured" && event.health.inFlight === 1).length;
    await until(() => heard() > 0, { what: "the first figure" });
    const [before, key, client] = [heard(), `${stage().prefix}instances`, new Redis(redis().url)];
    await client.sadd(`${key}:lost`, ...(await client.zrange(key, "0", "-1")));
    await until(() => heard() > before, { what: "the figure after its return" });
    client.disconnect();
  });

  it("keep nothing of lives that are forgotten", async () => {
    const live = await connected(stage().open());
    const [key, client] = [`${stage().prefix}figures:in-flight`, new Redis(redis().url)];
    await client.hset(key, "p1 killed/1", "3");
    live.figures.attemptStarted("p1");
    await until(async () => (await live.figures.list())[0]?.inFlight === 1, { what: "one in flight" });
    expect(await client.hlen(key)).toBe(1);
    client.disconnect();
  });
});
