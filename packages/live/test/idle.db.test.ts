import { setTimeout as sleep } from "node:timers/promises";
import { until } from "@sluice/testing/deadline";
import { requestDetail, requestRow } from "@sluice/testing/factories";
import { Redis } from "ioredis";
import { expect, it } from "vitest";
import { arrived, connected, useRedis, useStage, watch } from "./arrange.ts";

const redis = useRedis();
const stage = useStage(true);

/** Calls per command since the last reset, without those that read the statistics. */
async function calls(client: Redis): Promise<Record<string, number>> {
  const lines = (await client.info("commandstats")).matchAll(/cmdstat_([\w|]+):calls=(\d+)/g);
  const all = [...lines].map(([, name = "", count]) => [name, Number(count)] as const);
  return Object.fromEntries(all.filter(([name]) => !/^(info|config|ping)/.test(name)));
}

async function subscriptions(client: Redis, channel: string): Promise<number> {
  const [, count] = (await client.call("PUBSUB", "NUMSUB", channel)) as [string, number];
  return Number(count);
}

it("subscribes once per process, for the first viewer until the last, and asks Redis nothing while nothing happens", async () => {
  const live = await connected(stage().open());
  const client = new Redis(redis().url);
  const channel = `${stage().prefix}live@0`;
  expect(await subscriptions(client, channel)).toBe(0);
  const viewers = [watch(live), watch(live), watch(live, { kind: "user", userId: "u" })];
  await Promise.all(viewers.map(arrived));
  expect(await subscriptions(client, channel)).toBe(1);

  const row = requestRow();
  live.registry.started({ ...row, state: "in_flight" });
  live.registry.finished(row, requestDetail({ id: row.id }));
  live.registry.settled([row.id]);
  await until(() => viewers[0]?.events().some(({ type }) => type === "request.finished"), { what: "its end" });
  const rows = `${stage().prefix}registry:`;
  await until(async () => (await client.keys(`${rows}*`)).length === 0, { what: "nothing is in flight" });
  await client.config("RESETSTAT");
  // This sleeps on purpose: the passing time itself is under test, and it is long enough for a tick, a flush and a heartbeat.
  await sleep(3_500);
  expect(await calls(client)).toEqual({});

  await Promise.all(viewers.map((viewer) => viewer.leave()));
  await until(async () => (await subscriptions(client, channel)) === 0, { what: "unsubscribed" });
  const again = await arrived(watch(live));
  expect(await subscriptions(client, channel)).toBe(1);
  await again.leave();
  client.disconnect();
});
