import { createReadStream } from "node:fs";
import { mkdir, readdir, symlink } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { createGunzip } from "node:zlib";
import { defaultSettings, type Settings } from "@sluice/core/inputs/settings";
import { silentLog } from "@sluice/core/log";
import { spanAt, spansAfter } from "@sluice/db/partition-ranges";
import { ensurePartitions, listPartitions, partitionName } from "@sluice/db/partitions";
import { until } from "@sluice/testing/deadline";
import { createTestDatabase, type TestDatabase } from "@sluice/testing/postgres";
import { seededRandom } from "@sluice/testing/seeded-random";
import { from as copyFrom } from "pg-copy-streams";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createLedger } from "../src/ledger.ts";
import { getRequest, listRequests } from "../src/query.ts";
import { findWrongSums } from "../src/reconcile.ts";
import type { FinishRecord } from "../src/records.ts";
import { applyRetention, type RetentionOptions } from "../src/retention.ts";
import { planRetention } from "../src/retention-plan.ts";
import { settleBatch } from "../src/settle-batch.ts";
import { finishOf, ledgerOptions, randomFinish, startOf, temporaryDirectory } from "./arrange.ts";

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

function options(changed: Partial<Settings> = {}, more: Partial<RetentionOptions> = {}): RetentionOptions {
  const settings = { ...defaultSettings(), ...changed };
  return { pool: db.pool, settings, log: silentLog, nowMs: Date.now(), archiveDir: join(place.dir, "archive"), ...more };
}

async function count(what: string): Promise<number> {
  return (await db.pool.query(`SELECT count(*)::int AS n FROM ${what}`)).rows[0].n;
}

async function settle(records: readonly FinishRecord[]): Promise<void> {
  await ensurePartitions(db.pool, { nowMs: Date.now(), back: 10 });
  await settleBatch(db.pool, records);
}

describe("H12: what is older than the retention", () => {
  test("is dropped by whole partitions, rows by their days and details by theirs; sums of hours and days stay", async () => {
    const random = seededRandom(12);
    const records = Array.from({ length: 400 }, () => randomFinish(random, 200 * DAY));
    await settle(records);
    const before = await db.pool.query("SELECT * FROM rollups_day ORDER BY 1, 2, 3, 4, 5, 6, 7, 8, 9");
    const plan = await planRetention(db.pool, defaultSettings());
    expect(plan.next.map(({ table }) => table).sort()).toEqual(["request_details", "requests"]);
    expect(plan.keptFromMs).toBeNull();

    const done = await applyRetention(options());
    expect(done?.dropped.length).toBeGreaterThan(4);
    const { rows } = await db.pool.query<{ oldest: Date }>("SELECT min(started_at) AS oldest FROM requests");
    const oldest = rows[0]?.oldest.getTime() ?? 0;
    const kept = (await planRetention(db.pool, defaultSettings())).keptFromMs ?? 0;
    expect(oldest).toBeGreaterThanOrEqual(kept);
    expect(kept).toBeLessThanOrEqual(Date.now() - 90 * DAY);
    expect(kept).toBeGreaterThan(Date.now() - 122 * DAY);
    expect(await count("requests")).toBe(records.filter(({ row }) => row.startedAtMs >= kept).length);
    expect(await count("request_details")).toBeLessThan(await count("requests"));
    // No row was deleted, and the remaining data is still consistent.
    const { rows: deleted } = await db.pool.query("SELECT sum(n_tup_del)::int AS n FROM pg_stat_user_tables WHERE relname ~ '^request'");
    expect(deleted).toEqual([{ n: 0 }]);
    expect((await db.pool.query("SELECT * FROM rollups_day ORDER BY 1, 2, 3, 4, 5, 6, 7, 8, 9")).rows).toEqual(before.rows);
    expect(await findWrongSums(db.pool)).toEqual([]);
    expect(await count(`rollups_5m WHERE bucket < now() - interval '7 days'`)).toBe(0);
    expect(await count(`rollups_5m WHERE bucket >= now() - interval '6 days'`)).toBeGreaterThan(0);
    expect((await applyRetention(options()))?.dropped).toEqual([]);
  });

  test("does not come back: records of a spool that is read again are quarantined and change no sum", async () => {
    const old = finishOf({ startedAtMs: Date.now() - 200 * DAY });
    await settle([old]);
    await applyRetention(options());
    const before = await db.pool.query("SELECT * FROM rollups_day");
    const ledger = await createLedger(ledgerOptions(place.dir, db.pool));
    for (const record of [old, finishOf()]) {
      await ledger.start(startOf(record));
      await ledger.finish(record);
    }
    await ledger.close();
    expect((await db.pool.query("SELECT request_id FROM ledger_quarantine")).rows).toEqual([{ request_id: old.row.id }]);
    expect(await count("requests")).toBe(1);
    expect((await db.pool.query("SELECT * FROM rollups_day WHERE bucket < now() - interval '100 days'")).rows).toEqual(before.rows);
  });

  test("does not come back when months are created over dropped weeks, after a downtime longer than the partitions created ahead", async () => {
    const setting = { tenantId: "default", name: "ledger.partitions" };
    await db.prisma.setting.create({ data: { ...setting, value: "weekly" } });
    // The weeks of those days end within their month.
    const first = spanAt(Date.now() - 200 * DAY, "monthly").fromMs;
    const [old, late] = [first + 2 * DAY, first + 26 * DAY].map((startedAtMs) => finishOf({ startedAtMs })) as [FinishRecord, FinishRecord];
    await ensurePartitions(db.pool, { nowMs: old.row.startedAtMs, ahead: 1 });
    await settleBatch(db.pool, [old]);
    await db.prisma.setting.delete({ where: { tenantId_name: setting } });
    await ensurePartitions(db.pool, { nowMs: Date.now() });
    await applyRetention(options());
    const before = await db.pool.query("SELECT * FROM rollups_day");
    // Also after the rest of the month was created, for a request that never had a row.
    for (const replayed of [[old], [late], [old]]) {
      const ledger = await createLedger(ledgerOptions(place.dir, db.pool));
      for (const record of replayed) {
        await ledger.start(startOf(record));
        await ledger.finish(record);
      }
      await ledger.close();
      expect((await db.pool.query("SELECT request_id FROM ledger_quarantine")).rows).toEqual([{ request_id: old.row.id }]);
    }
    expect((await listRequests(db.pool, { filter: {}, limit: 5, scope: {} })).rows).toEqual([late.row]);
    expect((await db.pool.query("SELECT * FROM rollups_day WHERE bucket < $1", [new Date(first + 20 * DAY)])).rows).toEqual(before.rows);
  });

  test("is kept forever with 0 days, and while the clock of Postgres says that it is recent", async () => {
    await settle([finishOf({ startedAtMs: Date.now() - 250 * DAY }), finishOf()]);
    const forever = { "retention.requestDays": 0, "retention.detailDays": 0 };
    expect((await applyRetention(options(forever)))?.dropped).toEqual([]);
    expect((await planRetention(db.pool, { ...defaultSettings(), ...forever })).next).toEqual([]);
    await applyRetention(options({}, { nowMs: Date.now() + 3_000 * DAY }));
    expect(await count("requests")).toBe(1);
  });

  test("a request whose details are gone is still listed and found", async () => {
    const record = finishOf({ startedAtMs: Date.now() - 80 * DAY });
    await settle([record]);
    await applyRetention(options());
    expect((await listRequests(db.pool, { filter: {}, limit: 5, scope: {} })).rows).toEqual([record.row]);
    expect(await getRequest(db.pool, record.row.id)).toEqual({ row: record.row, detail: null });
  });

  test("is dropped while rows are inserted, by one of two instances, and no insert fails", async () => {
    const random = seededRandom(13);
    await settle(Array.from({ length: 100 }, () => randomFinish(random, 200 * DAY)));
    let going = true;
    let inserted = 0;
    const writer = async () => {
      while (going) {
        const added = await settleBatch(db.pool, [finishOf(), finishOf()]);
        inserted += added;
      }
    };
    const writers = [writer(), writer()];
    const results = await Promise.all([applyRetention(options()), applyRetention(options())]);
    going = false;
    await Promise.all(writers);
    expect(results.some((result) => (result?.dropped.length ?? 0) > 4)).toBe(true);
    expect(await count("requests WHERE user_id = ''")).toBe(inserted);
    expect(await findWrongSums(db.pool)).toEqual([]);
  });

  test("an interrupted detach is completed, and a table that somebody else detached is left alone", async () => {
    await settle([finishOf({ startedAtMs: Date.now() - 200 * DAY }), finishOf({ startedAtMs: Date.now() - 250 * DAY })]);
    const names = (await db.pool.query<{ name: string }>("SELECT tableoid::regclass::text AS name FROM requests ORDER BY id")).rows.map(
      ({ name }) => name,
    );
    await db.pool.query(`ALTER TABLE requests DETACH PARTITION ${names[1]}`);
    // A reader makes the detach wait; meanwhile it is interrupted.
    const reader = await db.pool.connect();
    await reader.query("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM requests");
    const detach = await db.pool.connect();
    await detach.query("SET statement_timeout = 300");
    await expect(detach.query(`ALTER TABLE requests DETACH PARTITION ${names[0]} CONCURRENTLY`)).rejects.toThrow(/timeout/);
    detach.release(true);
    await reader.query("COMMIT");
    reader.release();
    await applyRetention(options());
    expect(await count("requests")).toBe(0);
    expect(await count(`${names[1]}`)).toBe(1);
  });

  const others = { requests: "retention.detailDays", request_details: "retention.requestDays" } as const;
  test.each(["requests", "request_details"] as const)("blocks no spool while the detach of its %s is interrupted", async (table) => {
    // In the first partition to be dropped.
    const startedAtMs = spansAfter(Date.now(), -10, "monthly") + DAY;
    await settle([finishOf({ startedAtMs })]);
    const reader = await db.pool.connect();
    await reader.query(`BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM ${table}`);
    const killed = expect(applyRetention(options({ [others[table]]: 0 }))).rejects.toThrow();
    await until(async () => (await listPartitions(db.pool)).some(({ detaching }) => detaching), {
      what: "the detach waits for the reader",
    });
    await db.pool.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'ALTER TABLE %CONCURRENTLY'");
    await killed;
    await reader.query("COMMIT");
    reader.release();

    const [late, young] = [finishOf({ startedAtMs }), finishOf()];
    const ledger = await createLedger(ledgerOptions(place.dir, db.pool));
    for (const record of [late, young]) {
      await ledger.start(startOf(record));
      await ledger.finish(record);
    }
    await ledger.close({ graceMs: 3_000 });
    // Whether a request was in a partition that is being dropped cannot be told; details are simply written again.
    const kept = table === "requests" ? [{ request_id: late.row.id }] : [];
    expect((await db.pool.query("SELECT request_id FROM ledger_quarantine")).rows).toEqual(kept);
    expect(await getRequest(db.pool, young.row.id)).toEqual({ row: young.row, detail: young.detail });
    if (table === "request_details") expect(await getRequest(db.pool, late.row.id)).toEqual({ row: late.row, detail: late.detail });
    expect((await applyRetention(options({ [others[table]]: 0 })))?.dropped.length).toBeGreaterThan(0);
    expect((await listPartitions(db.pool)).filter(({ detaching }) => detaching)).toEqual([]);
    expect(await findWrongSums(db.pool)).toEqual([]);
  });
});

describe("the archive of a partition", () => {
  test("can be read back with the same numbers", async () => {
    const random = seededRandom(14);
    await settle(Array.from({ length: 300 }, () => randomFinish(random, 250 * DAY)));
    await db.pool.query("CREATE TABLE wanted AS SELECT * FROM requests WHERE started_at < $1", [new Date(Date.now() - 130 * DAY)]);
    const done = await applyRetention(options({ "retention.archive": "csv" }));
    expect(done?.archived.length).toBe(done?.dropped.length);
    const { archives } = await planRetention(db.pool, defaultSettings());
    expect(archives.map(({ path }) => path).sort()).toEqual(done?.archived.toSorted());
    const files = await readdir(join(place.dir, "archive"));
    expect(files.every((name) => /^request(s|_details)_\d{4}_\d{2}\.\d+\.csv\.gz$/.test(name))).toBe(true);
    await db.pool.query("CREATE TABLE restored (LIKE requests)");
    const client = await db.pool.connect();
    for (const name of files.filter((file) => file.startsWith("requests_"))) {
      const into = client.query(copyFrom("COPY restored FROM STDIN WITH (FORMAT csv, HEADER)"));
      await pipeline(createReadStream(join(place.dir, "archive", name)), createGunzip(), into);
    }
    client.release();
    expect(await count("wanted")).toBeGreaterThan(50);
    const missing = await db.pool.query("SELECT * FROM wanted EXCEPT SELECT * FROM restored");
    expect(missing.rows).toEqual([]);
    expect(await count("restored")).toBe(300 - (await count("requests")));
  });

  test("that fails in the middle of a table, as on a full disk, ends the run", async () => {
    const old = Array.from({ length: 4_000 }, () => finishOf({ startedAtMs: Date.now() - 200 * DAY }));
    await settle(old);
    const csv = { "retention.archive": "csv" } as const;
    await expect(applyRetention(options(csv, { archiveDir: "/dev/null/archive" }))).rejects.toThrow(/ENOTDIR/);
    const { rows } = await db.pool.query<{ file: string }>(
      "SELECT c.relname || '.' || c.oid || '.csv.gz.part' AS file FROM pg_class c WHERE c.relnamespace = 'partitions'::regnamespace AND NOT c.relispartition AND c.relkind = 'r'",
    );
    // A device that reports being full cannot be written to.
    await mkdir(join(place.dir, "archive"));
    for (const { file } of rows) await symlink("/dev/full", join(place.dir, "archive", file));
    await expect(applyRetention(options(csv))).rejects.toThrow(/ENOSPC/);
    expect((await applyRetention(options(csv)))?.dropped).toHaveLength(rows.length);
  });

  test("that fails keeps its partition, and the next one that succeeds drops it", async () => {
    await settle([finishOf({ startedAtMs: Date.now() - 200 * DAY })]);
    const csv = { "retention.archive": "csv" } as const;
    const partition = partitionName("requests", spanAt(Date.now() - 200 * DAY, "monthly"));
    await expect(applyRetention(options(csv, { archiveDir: "/dev/null/archive" }))).rejects.toThrow(/ENOTDIR/);
    const { waiting } = await planRetention(db.pool, defaultSettings());
    const names = waiting.map(({ name }) => name);
    expect(names).toContain(partition);
    expect(await count(`partitions.${partition}`)).toBe(1);
    const done = await applyRetention(options(csv));
    expect(done?.dropped).toEqual(names);
    expect(done?.archived).toHaveLength(names.length);
    expect((await planRetention(db.pool, defaultSettings())).waiting).toEqual([]);
  });
});
