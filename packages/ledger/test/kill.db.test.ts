import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { createTestDatabase, type TestDatabase } from "@sluice/testing/postgres";
import { seededRandom } from "@sluice/testing/seeded-random";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type Failpoint, failpoints } from "../src/failpoints.ts";
import { createLedger } from "../src/ledger.ts";
import { findDoubles, findWrongSums } from "../src/reconcile.ts";
import { ledgerOptions, temporaryDirectory } from "./arrange.ts";

/**
 * Real processes killed by SIGKILL: afterwards every acknowledged end has its row with the same cost, every request that began has exactly
 * one row, and the sums match the rows.
 */
let db: TestDatabase;
let place: Awaited<ReturnType<typeof temporaryDirectory>>;
beforeAll(async () => {
  db = await createTestDatabase();
});
afterAll(() => db?.drop());
beforeEach(async () => {
  place = await temporaryDirectory();
});
afterEach(() => place?.remove());

interface Victim {
  lines: string[];
  signal: string | null;
}

/** Runs the child to its end, or kills it once it has acknowledged that many, whatever it is doing then. */
function runVictim(order: { seed: number; failpoint?: string; requests?: number; killAfterAcks?: number; url?: string }): Promise<Victim> {
  const { killAfterAcks, ...rest } = order;
  const argument = JSON.stringify({ dir: place.dir, url: db.url, requests: 300, failpoint: "", ...rest });
  const child = spawn(process.execPath, [fileURLToPath(new URL("child.ts", import.meta.url)), argument], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let text = "";
  child.stdout.on("data", (chunk: Buffer) => {
    text += chunk.toString();
    if (killAfterAcks !== undefined && text.split("\nack ").length > killAfterAcks) child.kill("SIGKILL");
  });
  return new Promise((resolve) => {
    child.on("close", (_code, signal) => resolve({ lines: text.split("\n").filter(Boolean), signal }));
  });
}

async function expectNothingLost(lines: readonly string[]): Promise<void> {
  await (await createLedger(ledgerOptions(place.dir, db.pool, { instanceId: "victim" }))).close({ graceMs: 30_000 });
  const { rows } = await db.pool.query<{ id: string; cost: string | null; state: string }>(
    "SELECT id, cost_nano_usd AS cost, state FROM requests",
  );
  const byId = new Map(rows.map((row) => [row.id, row]));
  const acks = lines.filter((line) => line.startsWith("ack ")).map((line) => JSON.parse(line.slice(4)));
  expect(acks.map(({ id }) => byId.get(id))).toEqual(acks);
  const starts = lines.filter((line) => line.startsWith("start ")).map((line) => line.slice(6));
  expect(starts.filter((id) => !byId.has(id))).toEqual([]);
  expect(await findDoubles(db.pool)).toEqual([]);
  expect(await findWrongSums(db.pool)).toEqual([]);
}

describe("killed at a failpoint", () => {
  const passes: Record<Failpoint, number> = {
    before_start: 40,
    after_start: 40,
    after_headers: 40,
    mid_stream: 20,
    after_last_chunk: 40,
    after_write_before_fsync: 15,
    after_fsync_before_ack: 15,
    mid_batch: 3,
    after_commit_before_checkpoint: 3,
    during_rename: 2,
    during_rotation: 3,
    during_recovery: 2,
  };
  test.each(failpoints)("%s", async (name) => {
    const seed = failpoints.indexOf(name) + 1;
    const lines: string[] = [];
    if (name === "during_recovery") {
      const before = await runVictim({ seed: 100, failpoint: "after_write_before_fsync:kill@20" });
      expect(before.signal).toBe("SIGKILL");
      lines.push(...before.lines);
    }
    const victim = await runVictim({ seed, failpoint: `${name}:kill@${passes[name]}` });
    expect(victim.signal).toBe("SIGKILL");
    await expectNothingLost([...lines, ...victim.lines]);
  });
});

test("killed at random moments, again and again on one spool, with Postgres up and down", async () => {
  const random = seededRandom(42);
  const lines: string[] = [];
  for (let round = 0; round < 6; round++) {
    const url = round % 3 === 2 ? "postgres://nobody@127.0.0.1:1/none" : db.url;
    const victim = await runVictim({ seed: 1_000 + round, requests: 100_000, killAfterAcks: Math.floor(5 + random() * 100), url });
    expect(victim.signal).toBe("SIGKILL");
    lines.push(...victim.lines);
  }
  expect(lines.filter((line) => line.startsWith("ack ")).length).toBeGreaterThan(50);
  await expectNothingLost(lines);
});

test("a process that is not killed acknowledges, settles and leaves nothing behind", async () => {
  const victim = await runVictim({ seed: 77, requests: 50 });
  expect(victim.signal).toBeNull();
  expect(victim.lines.at(-1)).toBe("closed");
  await expectNothingLost(victim.lines);
});
