import { silentLog } from "@sluice/core/log";
import { type Random, seededRandom } from "@sluice/testing/seeded-random";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { readCheckpoint } from "../src/checkpoint.ts";
import type { FinishRecord } from "../src/records.ts";
import { recoverEnd } from "../src/recovery.ts";
import { Spool } from "../src/spool.ts";
import { type Pending, scanSpool } from "../src/spool-scan.ts";
import { finishOf, progressOf, startOf } from "./arrange.ts";
import { type DiskState, SimulatedDisk } from "./simulated-disk.ts";

vi.mock("node:fs/promises", async () => (await import("./simulated-disk.ts")).fileSystem);

beforeEach(() => vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] }));
afterEach(() => vi.useRealTimers());

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));
const none = () => undefined;
let disks = 0;

/** What clients and Postgres know, whatever dies. */
class World {
  readonly ends = new Set<string>();
  readonly acknowledged = new Set<string>();
  readonly rows = new Set<string>();
  readonly begun = new Set<string>();
  /** Their START is acknowledged, and nothing ended them yet. */
  readonly started = new Set<string>();
}

/** One process on the spool, from its start to its end. */
class Life {
  readonly disk: SimulatedDisk;
  readonly #world: World;
  readonly #random: Random;
  #spool: Spool | null = null;
  #queue: Pending[] = [];
  readonly #open: FinishRecord[] = [];
  readonly #durability: "durable" | "ordered";

  constructor(world: World, state: DiskState, random: Random, durability: "durable" | "ordered" = "durable") {
    this.#durability = durability;
    this.disk = new SimulatedDisk(`/disk-${disks++}`, state, random);
    this.#world = world;
    this.#random = random;
  }

  /** Reads what the last process left, and checks it against what the world knows. */
  async boot(after: "kill" | "power loss"): Promise<void> {
    const { directory } = this.disk;
    const checkpoint = await readCheckpoint(directory);
    const scanned = await scanSpool(directory, { checkpoint, retain: 3, failpoint: none });
    this.#spool = new Spool({
      directory,
      scanned,
      checkpoint,
      checkpointMs: 5,
      segmentBytes: 6_000,
      retryMs: 20,
      failpoint: none,
      log: silentLog,
      now: () => 1_000,
    });
    this.#queue = [...scanned.pending];
    const found = new Set(scanned.pending.map(({ id }) => id));
    const { ends, acknowledged, rows, begun, started } = this.#world;
    expect(
      [...acknowledged].filter((id) => !rows.has(id) && !found.has(id)),
      "no acknowledged end is lost",
    ).toEqual([]);
    expect(
      [...found].filter((id) => id !== "" && !ends.has(id)),
      "no end is invented",
    ).toEqual([]);
    expect(
      [...scanned.open.keys()].filter((id) => !begun.has(id)),
      "no request is invented",
    ).toEqual([]);
    const unknown = [...started].filter((id) => !scanned.open.has(id) && !found.has(id));
    if (after === "kill") expect(unknown, "a kill loses no START").toEqual([]);
    started.clear();
    for (const open of scanned.open.values()) this.#end(recoverEnd(open), this.#durability);
  }

  async act(): Promise<void> {
    const spool = this.#spool as Spool;
    const dice = this.#random();
    const one = this.#open[Math.floor(this.#random() * this.#open.length)];
    if (dice < 0.25) {
      const end = finishOf(this.#random() < 0.03 ? { model: "m".repeat(20_000) } : {});
      this.#world.begun.add(end.row.id);
      void spool.start(startOf(end), none).then(
        () => {
          this.#world.started.add(end.row.id);
          this.#open.push(end);
        },
        () => undefined,
      );
    } else if (dice < 0.35 && one) {
      spool.progress(progressOf(one.row.id, 10));
    } else if (dice < 0.6 && one && (this.#open.length > 4 || this.#random() < 0.2)) {
      this.#open.splice(this.#open.indexOf(one), 1);
      this.#end(one, this.#durability);
    } else if (dice < 0.65) {
      this.#end(finishOf({ state: "refused" }), "ordered");
    } else if (dice < 0.8) {
      await this.#settle();
    } else if (dice < 0.9) {
      vi.advanceTimersByTime(10);
    } else {
      for (let turns = this.#random() * 20; turns > 0; turns--) await turn();
    }
  }

  /** After one more end nothing arrives: all is settled. */
  async rest(): Promise<void> {
    for (let quiet = 0; quiet < 20; quiet++) {
      if (quiet === 10) this.#end(finishOf(), this.#durability);
      vi.advanceTimersByTime(30);
      for (let turns = 0; turns < 30; turns++) await turn();
      for (const end of this.#open.splice(0)) this.#end(end, this.#durability);
      if (this.#queue.length > 0 && quiet < 10) quiet = 0;
      while (this.#queue.length > 0) await this.#settle();
    }
  }

  #end(record: FinishRecord, acknowledge: "durable" | "ordered"): void {
    const { id } = record.row;
    this.#world.ends.add(id);
    this.#world.started.delete(id);
    (this.#spool as Spool).finish(acknowledge === "durable" ? "finish" : "refuse", record, acknowledge, (position) => {
      if (position && acknowledge === this.#durability) this.#world.acknowledged.add(id);
      this.#queue.push({ id, finish: this.#random() < 0.5 && position ? null : record, position, raw: false, queuedAtMs: 0 });
    });
  }

  /** As the settler does, in order: reads again what is not in memory, and commits. */
  async #settle(): Promise<void> {
    const spool = this.#spool as Spool;
    const batch = this.#queue.slice(0, 1 + Math.floor(this.#random() * 12));
    const missing = batch.filter(({ finish }) => finish === null);
    const loaded = await spool.load(missing).catch((error) => (error.code === "EIO" ? null : Promise.reject(error)));
    if (!loaded) return;
    for (const [i, end] of missing.entries()) {
      const record = loaded[i];
      if (end.raw) expect(Buffer.isBuffer(record), "damaged bytes stay bytes").toBe(true);
      else expect(record).toMatchObject({ row: { id: end.id } });
    }
    this.#queue.splice(0, batch.length);
    for (const { id } of batch) if (id !== "") this.#world.rows.add(id);
    if (batch.length > 0) spool.settled(batch);
  }
}

const faults = ["write", "sync", "open", "rename", "truncate", "unlink", "", ""];

test.each([
  ["kill", "sound"],
  ["kill", "failing"],
  ["power loss", "sound"],
  ["power loss", "failing"],
] as const)("after each %s, of a %s disk, every acknowledged end is found and nothing is invented", async (how, condition) => {
  for (let seed = 1; seed <= 30; seed++) {
    const random = seededRandom(seed);
    const world = new World();
    let state: DiskState = { files: new Map() };
    try {
      for (let lives = 0; lives < 5; lives++) {
        // A kill loses nothing that was written, so an acknowledgement need not wait for the sync.
        const life = new Life(world, state, random, how === "kill" && random() < 0.3 ? "ordered" : "durable");
        await life.boot(how);
        let failing = "";
        life.disk.fault = (operation) => (operation === failing && random() < 0.5 ? "EIO" : null);
        for (let steps = Math.floor(random() * 500); steps > 0; steps--) {
          if (condition === "failing" && random() < 0.03) failing = faults[Math.floor(random() * faults.length)] ?? "";
          await life.act();
        }
        state = life.disk.crash(how);
      }
    } catch (error) {
      throw new Error(`seed ${seed}`, { cause: error });
    }
  }
});

test.each(["durable", "ordered"] as const)("what is %s and settled leaves neither segments nor open files", async (durability) => {
  for (let seed = 1; seed <= 10; seed++) {
    const random = seededRandom(seed);
    const life = new Life(new World(), { files: new Map() }, random, durability);
    await life.boot("kill");
    let failing = "";
    life.disk.fault = (operation) => (operation === failing && random() < 0.5 ? "EIO" : null);
    for (let steps = 0; steps < 1_000; steps++) {
      if (random() < 0.03) failing = faults[Math.floor(random() * faults.length)] ?? "";
      await life.act();
    }
    failing = "";
    await life.rest();
    const segments = life.disk.names().filter((name) => name.endsWith(".spool"));
    // The newest segment, and two spares.
    expect.soft(segments.length, `seed ${seed}`).toBeLessThanOrEqual(1);
    expect.soft(life.disk.openHandles, `seed ${seed}`).toBeLessThanOrEqual(3);
  }
});

test("settled segments make room on a disk that is too full for a checkpoint", async () => {
  const life = new Life(new World(), { files: new Map() }, seededRandom(1));
  await life.boot("kill");
  life.disk.fault = (operation, name) => (operation === "write" && name === "checkpoint.tmp" ? "ENOSPC" : null);
  for (let steps = 0; steps < 500; steps++) await life.act();
  await life.rest();
  expect(life.disk.names().filter((name) => name.endsWith(".spool"))).toHaveLength(1);
});
