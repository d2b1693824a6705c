import { execFile } from "node:child_process";
import { cp } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { systemClock } from "@sluice/core/clock";
import { statusClassOf } from "@sluice/core/status-class";
import { createPool } from "@sluice/db/postgres";
import { until } from "@sluice/testing/deadline";
import { createTestDatabase, type TestDatabase } from "@sluice/testing/postgres";
import { seededRandom } from "@sluice/testing/seeded-random";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createLedger, type LedgerOptions } from "../src/ledger.ts";
import { getRequest } from "../src/query.ts";
import { findDoubles, findWrongSums } from "../src/reconcile.ts";
import type { FinishRecord, Ledger } from "../src/records.ts";
import { settleBatch } from "../src/settle-batch.ts";
import { deadPool, finishOf, freezeSpool, ledgerOptions, quickSettings, randomFinish, startOf, temporaryDirectory } from "./arrange.ts";

const DAY = 86_400_000;
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
const count = async (what = "requests") => (await db.pool.query(`SELECT count(*)::int AS n FROM ${what}`)).rows[0].n as number;

async function run(ledger: Ledger, ends: readonly FinishRecord[]): Promise<void> {
  await Promise.all(
    ends.map(async (end) => {
      if (end.row.state === "refused") return ledger.refuse(end);
      await ledger.start(startOf(end));
      await ledger.finish(end);
    }),
  );
}

describe("what is settled", () => {
  test("a request becomes one row and its detail, as it was finished", async () => {
    const ledger = await open();
    const end = finishOf({ flags: ["estimated", "partial"], model: 'odd "\\{},model', client: "日本" });
    await run(ledger, [end]);
    await ledger.close();
    expect(await getRequest(db.pool, end.row.id)).toEqual({ row: end.row, detail: end.detail });
    const { rows } = await db.pool.query("SELECT upstream_cost_nano_usd, started_at FROM requests");
    expect(rows[0]).toEqual({ upstream_cost_nano_usd: "100", started_at: new Date(end.row.startedAtMs) });
  });

  test("rollups of every level equal the sums of 2,000 random rows over a month", async () => {
    const random = seededRandom(20_261_121);
    const ends = Array.from({ length: 2_000 }, () => randomFinish(random, 31 * DAY));
    const ledger = await open();
    await run(ledger, ends);
    await ledger.close();
    expect(await count()).toBe(2_000);
    expect(await count("request_details")).toBe(2_000);
    expect(await findWrongSums(db.pool)).toEqual([]);
    const { rows } = await db.pool.query("SELECT DISTINCT status_class FROM rollups_day ORDER BY 1");
    expect(await count("usage_sums")).toBeGreaterThan(0);
    expect(rows.map((row) => row.status_class)).toEqual([...new Set(ends.map(({ row }) => statusClassOf(row)))].sort());
  });

  test("settled_seq follows the order of commit, without duplicates", async () => {
    const ledger = await open();
    const committed: string[][] = [];
    ledger.onSettled((ids) => committed.push([...ids]));
    const random = seededRandom(3);
    for (let i = 0; i < 5; i++) {
      await run(
        ledger,
        Array.from({ length: 20 }, () => randomFinish(random, DAY)),
      );
      await until(() => ledger.stats().depth === 0, { what: "the batch is settled" });
    }
    await ledger.close();
    const { rows } = await db.pool.query<{ id: string }>("SELECT id FROM requests ORDER BY settled_seq");
    const order = rows.map((row) => row.id);
    expect(committed.flat().length).toBe(100);
    let at = 0;
    for (const ids of committed) {
      expect(new Set(order.slice(at, at + ids.length))).toEqual(new Set(ids));
      at += ids.length;
    }
  });

  test("an old request finds the partition that was never made", async () => {
    const ledger = await open();
    await run(ledger, [finishOf({ startedAtMs: Date.UTC(2024, 1, 29, 12) })]);
    await ledger.close();
    expect(await count("partitions.requests_2024_02")).toBe(1);
  });

  test("is released by collections of the young generation", async () => {
    const script = fileURLToPath(new URL("./settle-young.ts", import.meta.url));
    const { stdout } = await promisify(execFile)(process.execPath, ["--expose-gc", script, db.url]);
    // Each row has 2,700 bytes; hardly any of what needs a full collection belongs to rows.
    expect(Number(stdout)).toBeLessThan(500);
  });
});

describe("nothing twice", () => {
  test("H17: a spool read again, with and without its checkpoint, moves nothing", async () => {
    const random = seededRandom(5);
    const first = await open();
    await run(
      first,
      Array.from({ length: 300 }, () => randomFinish(random)),
    );
    await freezeSpool(join(place.dir, "test"), join(place.dir, "copy"));
    await first.close();
    const all = "SELECT * FROM usage_sums ORDER BY 1, 2, 3, 4, 5";
    const byOne = await db.pool.query(all);
    const before = await db.pool.query("SELECT * FROM rollups_hour ORDER BY 1, 2, 3, 4, 5, 6, 7, 8, 9");
    for (const copy of ["replay-1", "replay-2"]) {
      await cp(join(place.dir, "copy"), join(place.dir, copy), { recursive: true, filter: (from) => !from.endsWith("checkpoint") });
      await (await open({ instanceId: copy })).close();
    }
    expect(await count()).toBe(300);
    expect((await db.pool.query("SELECT * FROM rollups_hour ORDER BY 1, 2, 3, 4, 5, 6, 7, 8, 9")).rows).toEqual(before.rows);
    expect((await db.pool.query(all)).rows).toEqual(byOne.rows);
    expect(await findWrongSums(db.pool)).toEqual([]);
  });

  test("two settlers of the same spool at once make no second row", async () => {
    const random = seededRandom(6);
    const offline = await open({ pool: deadPool() });
    await run(
      offline,
      Array.from({ length: 400 }, () => randomFinish(random)),
    );
    await freezeSpool(join(place.dir, "test"), join(place.dir, "twin"));
    await expect(offline.close({ graceMs: 0 })).rejects.toThrow("still without a row");
    const settings = () => quickSettings({ "ledger.batchSize": 7 });
    const [one, two] = await Promise.all([open({ settings }), open({ settings, instanceId: "twin" })]);
    await Promise.all([one.close(), two.close()]);
    expect(await count()).toBe(400);
    expect(await findDoubles(db.pool)).toEqual([]);
    expect(await findWrongSums(db.pool)).toEqual([]);
  });

  test("H11: one insert a request, no update, no delete", async () => {
    const random = seededRandom(7);
    const ledger = await open();
    await run(
      ledger,
      Array.from({ length: 250 }, () => randomFinish(random)),
    );
    await ledger.close();
    const written = await until(
      async () => {
        // A session reports statistics at the end of its transactions, but at most once a second.
        await db.pool.query("SELECT pg_stat_force_next_flush()");
        const { rows } = await db.pool.query<{ ins: number; upd: number; del: number }>(
          `SELECT sum(n_tup_ins)::int AS ins, sum(n_tup_upd)::int AS upd, sum(n_tup_del)::int AS del
           FROM pg_stat_user_tables WHERE relname ~ '^requests_\\d'`,
        );
        return rows[0] && rows[0].ins >= 250 ? rows[0] : null;
      },
      { what: "the statistics have arrived" },
    );
    expect(written).toEqual({ ins: 250, upd: 0, del: 0 });
  });

  test("existing rows are looked up by id, even on a connection whose plan was made while the table was empty", async () => {
    const pool = createPool(db.url, { max: 1 });
    const fullReads = async (): Promise<number> => {
      await pool.query("SELECT pg_stat_force_next_flush()");
      const { rows } = await pool.query<{ reads: number }>(
        `SELECT coalesce(sum(seq_scan), 0)::int AS reads FROM pg_stat_user_tables WHERE relname ~ '^requests_\\d'`,
      );
      return rows[0]?.reads ?? Number.NaN;
    };
    const before = await fullReads();
    const sent = Array.from({ length: 12 }, () => [finishOf()]);
    for (const batch of sent) expect(await settleBatch(pool, batch)).toBe(1);
    for (const batch of sent) expect(await settleBatch(pool, batch)).toBe(0);
    expect(await fullReads()).toBe(before);
    await pool.end();
  });
});

describe("what cannot be settled", () => {
  test("one bad record never blocks 500: it goes to the quarantine, raw", async () => {
    const ledger = await open();
    const settled: string[] = [];
    ledger.onSettled((ids) => settled.push(...ids));
    const ends = Array.from({ length: 500 }, () => finishOf());
    const bad = finishOf({ model: "nul \0 byte" });
    const broken = finishOf({ costNanoUsd: "12.5" });
    const overflown = finishOf({ status: 40_000 });
    const vague = finishOf({ ttftMs: "soon" as unknown as number });
    const undecided = finishOf({ billable: "perhaps" as unknown as boolean });
    const refused = [bad, broken, overflown, vague, undecided];
    ends.splice(250, 0, ...refused);
    await run(ledger, ends);
    await ledger.close();
    expect(await count()).toBe(500);
    expect(await findWrongSums(db.pool)).toEqual([]);
    const { rows } = await db.pool.query("SELECT request_id, payload, reason FROM ledger_quarantine ORDER BY id");
    const expected = refused.sort((a, b) => (a.row.id < b.row.id ? -1 : 1));
    expect(rows.map((row) => row.request_id)).toEqual(expected.map(({ row }) => row.id));
    expect(rows.map((row) => JSON.parse(row.payload.toString("utf8")))).toEqual(expected);
    expect(ledger.stats().quarantined).toBe(5);
    await until(() => settled.length === 505, { what: "nobody waits for the quarantined" });
  });

  test("Postgres down and up again: ends are acknowledged all the while and none is lost", async () => {
    const { url } = db;
    const down = deadPool();
    let pool = down;
    // As when the server of a pool comes back: the same object connects again.
    const proxy = new Proxy(down, { get: (_target, name) => Reflect.get(pool, name, pool) });
    const ledger = await open({ pool: proxy });
    const random = seededRandom(9);
    const ends = Array.from({ length: 120 }, () => randomFinish(random));
    await run(ledger, ends);
    await until(() => ledger.stats().failures > 0, { what: "a batch failed" });
    expect(ledger.stats()).toMatchObject({ depth: 120, writable: true });
    expect(
      ledger
        .unsettled()
        .map(({ row }) => row.id)
        .sort(),
    ).toEqual(ends.map(({ row }) => row.id).sort());
    pool = db.pool;
    await until(() => ledger.stats().depth === 0, { what: "the backlog is settled", deadlineMs: 30_000 });
    await ledger.close();
    expect(url).not.toBe("");
    expect(await count()).toBe(120);
    expect(await findWrongSums(db.pool)).toEqual([]);
  });

  test("a record is counted and announced once, however often the rest of its batch has to be sent", async () => {
    const announced: string[] = [];
    const ledger = await open({ onQuarantined: (id) => announced.push(id) });
    // A defect that is noticed at once, and one that is found by bisection.
    const [broken, overflown, good] = [finishOf({ costNanoUsd: "12.5" }), finishOf({ status: 40_000 }), finishOf()];
    await db.pool.query("ALTER TABLE rollups_day RENAME TO away");
    await run(ledger, [broken, overflown, good]);
    await until(() => ledger.stats().failures >= 3, { what: "the batch failed again" });
    await db.pool.query("ALTER TABLE away RENAME TO rollups_day");
    await ledger.close();
    expect(announced.sort()).toEqual([broken.row.id, overflown.row.id].sort());
    expect(ledger.stats().quarantined).toBe(2);
    expect((await db.pool.query("SELECT id FROM requests")).rows).toEqual([{ id: good.row.id }]);
  });

  test("a Postgres that is too slow for a batch takes it in smaller ones", async () => {
    await db.pool.query("CREATE FUNCTION crawl() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(0.01); RETURN NEW; END $$");
    await db.pool.query("CREATE TRIGGER crawl BEFORE INSERT ON requests FOR EACH ROW EXECUTE FUNCTION crawl()");
    const pool = createPool(db.url, { max: 2, statementTimeoutMs: 400 });
    const ledger = await open({ pool, settings: () => quickSettings({ "ledger.intervalMs": 1_000 }) });
    await run(
      ledger,
      Array.from({ length: 100 }, () => finishOf()),
    );
    await ledger.close();
    await pool.end();
    expect(await count()).toBe(100);
    expect(await findWrongSums(db.pool)).toEqual([]);
    expect(ledger.stats().quarantined).toBe(0);
  });

  test("a long backlog stays on disk and is read again in order", async () => {
    const offline = await open({ pool: deadPool() });
    const random = seededRandom(10);
    await run(
      offline,
      Array.from({ length: 150 }, () => randomFinish(random)),
    );
    await expect(offline.close({ graceMs: 0 })).rejects.toThrow();
    const ledger = await open({ tuning: { retain: 10 } });
    expect(ledger.unsettled().length).toBe(10);
    expect(ledger.stats().depth).toBe(150);
    await ledger.close();
    expect(await count()).toBe(150);
  });
});

describe("settings", () => {
  test("mode direct: the row is committed when finish resolves; modes change while running", async () => {
    const changed: Parameters<typeof quickSettings>[0] = { "ledger.mode": "direct", "ledger.intervalMs": 10_000 };
    const ledger = await open({ settings: () => quickSettings(changed) });
    const direct = finishOf();
    await ledger.start(startOf(direct));
    await ledger.finish(direct);
    expect(await count()).toBe(1);

    changed["ledger.mode"] = "batched";
    changed["ledger.durability"] = "write";
    const batched = finishOf();
    await ledger.start(startOf(batched));
    await ledger.finish(batched);
    expect(ledger.stats().depth).toBe(1);
    await ledger.close();
    expect(await count()).toBe(2);
    expect(await findWrongSums(db.pool)).toEqual([]);
  });

  test("a batch of the set size goes without waiting for the interval", async () => {
    const settings = () => quickSettings({ "ledger.intervalMs": 10_000, "ledger.batchSize": 20 });
    const ledger = await open({ settings, clock: systemClock });
    await run(
      ledger,
      Array.from({ length: 20 }, () => finishOf()),
    );
    await until(async () => (await count()) === 20, { what: "the full batch is settled", deadlineMs: 5_000 });
    expect(ledger.stats()).toMatchObject({ flushes: 1, depth: 0, oldestAgeMs: 0 });
    await ledger.close();
  });
});
