import { Redis } from "ioredis";
import { type Finding, findingOf } from "./finding.ts";

/** I7: at rest nothing is held: no unexpired lease, no request in flight. */
export async function checkRest(redisUrl: string): Promise<Finding> {
  const redis = new Redis(redisUrl);
  try {
    const [seconds = "0"] = (await redis.time()).map(String);
    const leases = await redis.keys("sluice:leases:*");
    const held = await Promise.all(leases.map((key) => redis.zcount(key, `(${seconds}000`, "+inf")));
    const registries = await redis.keys("sluice:registry:*");
    const kept = await Promise.all(registries.map(async (key) => ((await redis.type(key)) === "hash" ? redis.hlen(key) : 0)));
    const wrong = [
      ...leases.flatMap((key, i) => (held[i] ? [`${key}: ${held[i]} leases`] : [])),
      ...registries.flatMap((key, i) => (kept[i] ? [`${key}: ${kept[i]} requests in flight`] : [])),
    ];
    return findingOf("I7", leases.length + registries.length, "keys of leases and requests in flight", wrong);
  } finally {
    redis.disconnect();
  }
}
