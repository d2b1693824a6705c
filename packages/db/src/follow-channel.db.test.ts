import { until } from "@sluice/testing/deadline";
import { startTestRedis } from "@sluice/testing/redis";
import { expect, it } from "vitest";
import { followChannel } from "./follow-channel.ts";
import { createRedis, waitForRedis } from "./redis.ts";

it("hears a channel again after Redis was away, and says when it may have missed something", async () => {
  const server = await startTestRedis();
  const redis = createRedis(server.url, { name: "test" });
  await waitForRedis(redis, 10_000);
  const heard: string[] = [];
  let subscriptions = 0;
  const unfollow = followChannel(redis, "news", {
    onMessage: (text) => heard.push(text),
    onSubscribed: () => {
      subscriptions++;
    },
  });
  await until(() => subscriptions === 1, { what: "it is subscribed" });
  await redis.publish("news", "one");
  await redis.publish("other", "not this");
  await until(() => heard.length === 1, { what: "the first message" });

  await server.restart();
  await until(() => subscriptions === 2, { what: "it is subscribed again" });
  await until(() => redis.publish("news", "two"), { what: "Redis takes it" });
  await until(() => heard.includes("two"), { what: "the message after the outage" });
  expect(heard).not.toContain("not this");

  unfollow();
  await until(async () => (await redis.publish("news", "three")) === 0, { what: "nobody listens" });
  redis.disconnect();
  await server.stop();
});
