import type { ProcessFigures, StoreFigures } from "@sluice/core/figures";
import { until } from "@sluice/testing/deadline";
import { Redis } from "ioredis";
import { describe, expect, it } from "vitest";
import type { InstanceFacts } from "../src/contract.ts";
import { arrived, connected, eachTwin, useRedis, useStage, watch } from "./arrange.ts";

const redis = useRedis();

function facts(roles: string[], version = "1.0.0"): InstanceFacts {
  return {
    ...{ roles, version, runtime: "v24.0.0", host: "here", pid: 1, startedAtMs: 1, memoryBytes: 1 },
    ...{ gateway: null, spool: null, config: null },
  };
}

eachTwin("processes of the installation", (stage) => {
  it("know themselves, and are sent to viewers from the first frame on", async () => {
    const live = await connected(stage().open());
    live.instances.start(() => facts(["gateway"]));
    expect(await live.instances.list()).toEqual([expect.objectContaining({ roles: ["gateway"], subscribers: 0 })]);
    const viewer = await arrived(watch(live));
    await until(() => viewer.events().some((event) => event.type === "system.measured"), { what: "the first news" });
    const user = await arrived(watch(live, { kind: "user", userId: "u" }));
    live.instances.tell();
    await until(() => viewer.events().filter((event) => event.type === "system.measured").length > 1, { what: "more news" });
    expect(viewer.events().at(-1)).toMatchObject({ type: "system.measured", instance: { subscribers: 2 } });
    await viewer.leave();
    expect(user.events()).toEqual([]);
    await user.leave();
  });

  it("ask the stores for figures only while an administrator asks for that topic, and push them to that one", async () => {
    const live = await connected(stage().open());
    let asked = 0;
    const stores: StoreFigures = { atMs: 1, postgres: null, redis: null };
    live.instances.pushFigures({
      process: () => ({ instanceId: "i" }) as ProcessFigures,
      async stores() {
        asked += 1;
        return stores;
      },
    });
    live.instances.start(() => facts(["api"]));
    const other = await arrived(watch(live, { kind: "admin", topics: ["system"] }));
    live.instances.tell();
    await until(() => other.events().some(({ type }) => type === "system.measured"), { what: "news of the process" });
    expect(asked).toBe(0);
    const viewer = await arrived(watch(live, { kind: "admin", topics: ["figures"] }));
    live.instances.tell();
    await until(() => viewer.events().length > 1, { what: "figures" });
    expect(viewer.events()).toEqual([
      { type: "figures.measured", process: { instanceId: "i" } },
      { type: "stores.measured", stores },
    ]);
    expect(asked).toBe(1);
    expect(other.events().every(({ type }) => type === "system.measured")).toBe(true);
    await viewer.leave();
    await other.leave();
  });

  it("are sent to nobody while no administrator watches", async () => {
    const live = await connected(stage().open());
    const before = await live.bus.position();
    live.instances.start(() => facts(["api"]));
    const user = await arrived(watch(live, { kind: "user", userId: "u" }));
    live.instances.tell();
    await live.instances.list();
    await live.bus.flush();
    expect(await live.bus.position()).toBe(before);
    await user.leave();
  });
});

describe("over Redis", () => {
  const stage = useStage(true);

  it("see each other until they leave", async () => {
    const [gateway, api] = [await connected(stage().open({ instanceId: "gw" })), await connected(stage().open({ instanceId: "api" }))];
    gateway.instances.start(() => facts(["gateway"], "1.0.0"));
    api.instances.start(() => facts(["api", "worker"], "2.0.0"));
    const seen = async () => (await api.instances.list()).map(({ id, version }) => `${id} ${version}`).sort();
    await until(async () => (await seen()).length === 2, { what: "both are known" });
    expect(await seen()).toEqual(["api 2.0.0", "gw 1.0.0"]);

    const viewer = await arrived(watch(api));
    api.instances.tell();
    // The gateway has no viewer of its own: it learns from Redis that there is one.
    await until(
      () => {
        gateway.instances.tell();
        return viewer.events().filter((event) => event.type === "system.measured" && event.instance.id === "gw").length > 1;
      },
      { what: "the gateway pushes too" },
    );
    await gateway.instances.close();
    await gateway.bus.flush();
    await until(() => viewer.events().some((event) => event.type === "system.measured" && event.instance.stopped), { what: "its goodbye" });
    await until(async () => (await seen()).length === 1, { what: "it is gone" });
    await viewer.leave();
  });

  it("forget those that were not seen for a day", async () => {
    const live = await connected(stage().open());
    live.instances.start(() => facts(["api"]));
    const [key, client] = [`${stage().prefix}instances:states`, new Redis(redis().url)];
    await client.hset(key, "killed", `${Date.now() - 90_000_000} ${JSON.stringify(facts(["api"]))}`);
    expect(await live.instances.list()).toHaveLength(1);
    await until(async () => (await client.hexists(key, "killed")) === 0, { what: "its report is removed" });
    client.disconnect();
  });
});
