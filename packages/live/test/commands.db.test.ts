import type { LiveCommand } from "@sluice/core/events";
import { until } from "@sluice/testing/deadline";
import { expect, test } from "vitest";
import type { Live } from "../src/live.ts";
import { connected, eachTwin, useRedis, useStage } from "./arrange.ts";

useRedis();

/** The commands that a process receives from now on. */
function hear(live: Live): LiveCommand[] {
  const heard: LiveCommand[] = [];
  live.commands.listen((command) => heard.push(command));
  return heard;
}

eachTwin("commands", (stage) => {
  test("reach the process they were sent in at once, and once", async () => {
    const live = await connected(stage().open());
    const heard = hear(live);
    const command: LiveCommand = { kind: "request.cancel", requestId: "r1" };
    const told = live.commands.send(command);
    expect(heard).toEqual([command]);
    expect(await told).toBe(true);
    await live.commands.send({ kind: "breaker.reset", providerId: "p1" });
    expect(heard).toHaveLength(2);
  });

  test("are not received after unsubscribing, and a failing listener does not affect the next one", async () => {
    const live = await connected(stage().open());
    const heard: string[] = [];
    live.commands.listen(() => {
      throw new Error("this one fails");
    });
    const leave = live.commands.listen(({ kind }) => heard.push(kind));
    await live.commands.send({ kind: "key.cut", keyId: "k1" });
    leave();
    await live.commands.send({ kind: "key.cut", keyId: "k2" });
    expect(heard).toEqual(["key.cut"]);
  });
});

const stage = useStage(true);

test("commands reach every other listening process, once each", async () => {
  const { open } = stage();
  const [api, first, second] = await Promise.all([connected(open()), connected(open()), connected(open())]);
  const heard = [hear(first), hear(second)];
  let number = 0;
  // Commands are not stored: a process that has not subscribed yet misses the first ones.
  await until(
    async () => {
      await api.commands.send({ kind: "session.terminate", sessionId: `s${++number}` });
      return heard.every((each) => each.length > 0);
    },
    { what: "both hear a command" },
  );
  await api.commands.send({ kind: "session.terminate", sessionId: "the last" });
  await until(() => heard.every((each) => each.at(-1)?.kind === "session.terminate" && JSON.stringify(each.at(-1)).includes("the last")), {
    what: "both hear the last command",
  });
  for (const each of heard) expect(new Set(each.map((command) => JSON.stringify(command))).size).toBe(each.length);
});
