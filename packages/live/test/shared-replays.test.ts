import { expect, it } from "vitest";
import type { Replay } from "../src/live-bus.ts";
import { shareReplays } from "../src/shared-replays.ts";

const ids = ["e:1-0", "e:2-0", "e:10-0", "e:11-0"];

/** A history of four batches, the oldest of which is no longer kept; counts how often it is read. */
function history() {
  const reads: string[] = [];
  async function read(after: string): Promise<Replay> {
    reads.push(after);
    await Promise.resolve();
    const at = ids.indexOf(after);
    if (after === "broken") throw new Error("Redis is away");
    if (!after.startsWith("e:")) return { reset: "epoch", position: "e:11-0" };
    if (at < 1) return { reset: "too_old", position: "e:11-0" };
    return { batches: ids.slice(at + 1).map((id) => ({ id, events: [] })), position: "e:11-0" };
  }
  return { reads, replay: shareReplays(read) };
}

const idsOf = (replay: Replay): string[] => ("reset" in replay ? [replay.reset] : replay.batches.map(({ id }) => id));

it("reads once for all concurrent callers, from the oldest of their ids", async () => {
  const { reads, replay } = history();
  const asked = ["e:10-0", "e:2-0", "e:11-0", "e:2-0"].map(replay);
  expect((await Promise.all(asked)).map(idsOf)).toEqual([["e:11-0"], ["e:10-0", "e:11-0"], [], ["e:10-0", "e:11-0"]]);
  expect(reads).toEqual(["e:2-0"]);
  expect(await asked[1]).toBe(await asked[3]);
});

it("answers each according to its id", async () => {
  const { replay } = history();
  const asked = ["e:2-0", "other:5-0", "e:1-0", "e:3-0", "nonsense"].map(replay);
  expect((await Promise.all(asked)).map(idsOf)).toEqual([["e:10-0", "e:11-0"], ["epoch"], ["too_old"], ["too_old"], ["epoch"]]);
});

it("callers during a reading get a reading that began later", async () => {
  const { reads, replay } = history();
  const first = replay("e:2-0");
  await Promise.resolve();
  await Promise.resolve();
  const second = replay("e:2-0");
  expect(await second).not.toBe(await first);
  expect(reads).toEqual(["e:2-0", "e:2-0"]);
});

it("tells all of a group when it fails, and goes on with the next", async () => {
  const { replay } = history();
  await expect(replay("broken")).rejects.toThrow("Redis is away");
  expect(idsOf(await replay("e:10-0"))).toEqual(["e:11-0"]);
});
