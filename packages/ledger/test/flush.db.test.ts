import { until } from "@sluice/testing/deadline";
import { createTestDatabase, type TestDatabase } from "@sluice/testing/postgres";
import type pg from "pg";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createLedger, type LedgerOptions } from "../src/ledger.ts";
import { findWrongSums } from "../src/reconcile.ts";
import type { FinishRecord, Ledger } from "../src/records.ts";
import { deadPool, finishOf, ledgerOptions, quickSettings, startOf, temporaryDirectory } from "./arrange.ts";

let db: TestDatabase;
let place: Awaited<ReturnType<typeof temporaryDirectory>>;
beforeEach(async () => {
  db = await createTestDatabase();
  place = await temporaryDirectory();
});
afterEach(async () => {
  await db?.drop();
  await place?.remove();
});

const open = (changed: Partial<LedgerOptions> = {}) => createLedger(ledgerOptions(place.dir, changed.pool ?? db.pool, changed));
const many = (n: number) => Array.from({ length: n }, () => finishOf());

async function finishAll(ledger: Ledger, ends: readonly FinishRecord[]): Promise<void> {
  await Promise.all(
    ends.map(async (end) => {
      await ledger.start(startOf(end));
      await ledger.finish(end);
    }),
  );
}

/** How many rows each statement inserted, in order: the rows of one command of a transaction share xmin and cmin. */
async function inserts(pool: pg.Pool): Promise<number[]> {
  const { rows } = await pool.query<{ n: number }>(
    "SELECT count(*)::int AS n FROM requests GROUP BY xmin::text, cmin::text ORDER BY min(settled_seq)",
  );
  return rows.map(({ n }) => n);
}

async function expectEachOnce(ends: readonly FinishRecord[]): Promise<void> {
  const { rows } = await db.pool.query<{ id: string }>("SELECT id FROM requests ORDER BY id");
  expect(rows.map(({ id }) => id)).toEqual(ends.map(({ row }) => row.id).sort());
  expect(await findWrongSums(db.pool)).toEqual([]);
}

test("R18: 500 rows are one insert", async () => {
  const ledger = await open({ settings: () => quickSettings({ "ledger.batchSize": 500, "ledger.intervalMs": 10_000 }) });
  const ends = many(500);
  await finishAll(ledger, ends);
  await until(() => ledger.stats().depth === 0, { what: "the full batch is settled", deadlineMs: 45_000 });
  expect(await inserts(db.pool)).toEqual([500]);
  await ledger.close();
  await expectEachOnce(ends);
});

test("R20: 1,200 quick ones are two full batches, and the rest by timer", async () => {
  const ledger = await open({ settings: () => quickSettings({ "ledger.batchSize": 500, "ledger.intervalMs": 5_000 }) });
  const ends = many(1_200);
  await finishAll(ledger, ends);
  await until(() => ledger.stats().depth === 0, { what: "all are settled", deadlineMs: 45_000 });
  expect(await inserts(db.pool)).toEqual([500, 500, 200]);
  await ledger.close();
  await expectEachOnce(ends);
});

test("batch size and interval hold from the next batch on", async () => {
  const changed = { "ledger.batchSize": 500, "ledger.intervalMs": 10_000 };
  const ledger = await open({ settings: () => quickSettings(changed) });
  const first = many(30);
  await finishAll(ledger, first);
  expect(ledger.stats().depth).toBe(30);
  changed["ledger.batchSize"] = 10;
  const second = many(10);
  await finishAll(ledger, second);
  await until(() => ledger.stats().depth === 0, { what: "all are settled", deadlineMs: 45_000 });
  expect(await inserts(db.pool)).toEqual([10, 10, 10, 10]);
  const third = many(3);
  await finishAll(ledger, third);
  // They already wait for the long interval.
  changed["ledger.intervalMs"] = 10;
  await until(() => ledger.stats().depth === 0, { what: "a small batch goes by the new interval", deadlineMs: 7_000 });
  await ledger.close();
  await expectEachOnce([...first, ...second, ...third]);
});

describe("R21 a stop, and Postgres away", () => {
  test("a stop settles what waits for its batch", async () => {
    const ledger = await open({ settings: () => quickSettings({ "ledger.batchSize": 500, "ledger.intervalMs": 10_000 }) });
    const ends = many(700);
    await finishAll(ledger, ends);
    await ledger.close();
    await expectEachOnce(ends);
  });

  test("a stop settles what is on its way to the disk; what comes after it stays there", async () => {
    const ledger = await open();
    const ends = many(4);
    await finishAll(ledger, ends.slice(0, 1));
    await until(() => ledger.stats().depth === 0, { what: "nothing waits" });
    const told = ledger.finish(ends[1] as FinishRecord);
    ledger.refuse(ends[2] as FinishRecord);
    await ledger.close();
    await told;
    await expectEachOnce(ends.slice(0, 3));

    const next = await open();
    const closing = next.close();
    const late = next.finish(ends[3] as FinishRecord);
    await expect(closing).rejects.toThrow("1 ends are still without a row");
    await late;
    await (await open()).close();
    await expectEachOnce(ends);
  });

  test("memory holds a bounded number of records and the disk all of them; a stop reports that they are not settled", async () => {
    const pool = deadPool();
    const ledger = await open({ pool, tuning: { retain: 10 } });
    const ends = many(60);
    await finishAll(ledger, ends);
    expect(ledger.stats()).toMatchObject({ depth: 60, droppedRefusals: 0, writable: true });
    expect(ledger.unsettled().length).toBe(10);
    await expect(ledger.close({ graceMs: 0 })).rejects.toThrow("60 ends are still without a row");
    await (await open()).close();
    await expectEachOnce(ends);
    await pool.end();
  });

  test("a backlog is settled by eight concurrent batches, other records by one", async () => {
    const settings = () => quickSettings({ "ledger.batchSize": 10 });
    const pool = deadPool();
    const ledger = await open({ pool, settings });
    const ends = many(110);
    await finishAll(ledger, ends);
    await expect(ledger.close({ graceMs: 0 })).rejects.toThrow("110 ends");
    await (await open({ settings })).close();
    expect(await inserts(db.pool)).toEqual([80, 10, 10, 10]);
    await expectEachOnce(ends);
    await pool.end();
  });

  test("what memory does not hold is read from the disk when Postgres comes back", async () => {
    const down = deadPool();
    let pool = down;
    const proxy = new Proxy(down, { get: (_target, name) => Reflect.get(pool, name, pool) });
    const ledger = await open({ pool: proxy, tuning: { retain: 10, segmentBytes: 8_000 } });
    const ends = many(60);
    await finishAll(ledger, ends);
    await until(() => ledger.stats().failures > 0, { what: "a batch failed" });
    pool = db.pool;
    await until(() => ledger.stats().depth === 0, { what: "the backlog is settled", deadlineMs: 45_000 });
    await ledger.close();
    await expectEachOnce(ends);
    await down.end();
  });

  test("with neither Postgres nor a disk only refusals are dropped, and counted", async () => {
    const openSegment = () => Promise.reject(Object.assign(new Error("ENOSPC"), { code: "ENOSPC" }));
    const pool = deadPool();
    const ledger = await open({ pool, tuning: { openSegment, retryMs: 60_000 } });
    const charge = finishOf();
    void ledger.finish(charge);
    await until(() => !ledger.stats().writable, { what: "the failure is noticed" });
    for (let n = 0; n < 1_030; n++) ledger.refuse(finishOf({ state: "refused" }));
    expect(ledger.stats().droppedRefusals).toBe(30);
    expect(ledger.unsettled().map(({ row }) => row.id)).toContain(charge.row.id);
    await expect(ledger.close({ graceMs: 0 })).rejects.toThrow("1001 ends");
    await pool.end();
  });
});
