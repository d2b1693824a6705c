import { cp, mkdir, open, readdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { until } from "@sluice/testing/deadline";
import { createTestDatabase, type TestDatabase } from "@sluice/testing/postgres";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { adoptDeadSpools, createLedger, type LedgerOptions } from "../src/ledger.ts";
import { getRequest } from "../src/query.ts";
import { findWrongSums } from "../src/reconcile.ts";
import type { FinishRecord } from "../src/records.ts";
import { type OpenSegment, segmentName } from "../src/segment-writer.ts";
import { scanSpool } from "../src/spool-scan.ts";
import { finishOf, freezeSpool, ledgerOptions, oldFrame, progressOf, startOf, temporaryDirectory, testPrice } from "./arrange.ts";

let db: TestDatabase;
let place: Awaited<ReturnType<typeof temporaryDirectory>>;
beforeAll(async () => {
  db = await createTestDatabase();
});
afterAll(() => db?.drop());
beforeEach(async () => {
  place = await temporaryDirectory();
});
afterEach(async () => {
  expect(await findWrongSums(db.pool)).toEqual([]);
  await place?.remove();
});

const openLedger = (changed: Partial<LedgerOptions> = {}) => createLedger(ledgerOptions(place.dir, db.pool, changed));
/** A copy of the directory as a SIGKILL would leave it, for another instance. */
const freeze = (name: string) => freezeSpool(join(place.dir, "test"), join(place.dir, name));
const segments = async (name: string) => (await readdir(join(place.dir, name))).filter((file) => file.endsWith(".spool")).sort();

test("a request whose process died pays for its last PROGRESS, flagged; one that had produced nothing is void", async () => {
  const ledger = await openLedger();
  const [billed, void_, unpriced] = [finishOf({ userId: "killed" }), finishOf(), finishOf()];
  await ledger.start(startOf(billed));
  await ledger.start(startOf(void_));
  await ledger.start(startOf(unpriced, null));
  ledger.progress(progressOf(billed.row.id, 10));
  ledger.progress(progressOf(billed.row.id, 40, { providerMultiplier: "2" }));
  ledger.progress(progressOf(unpriced.row.id, 40, { estimated: false, ttftMs: null }));
  await freeze("killed");
  await ledger.finish(finishOf());
  await freeze("killed-later");

  const heard: FinishRecord[] = [];
  const next = await openLedger({ instanceId: "killed-later", onRecovered: (end) => heard.push(end) });
  expect(heard.map(({ row }) => row.id).sort()).toEqual([billed.row.id, void_.row.id, unpriced.row.id].sort());
  expect(next.stats().recovered).toBe(3);
  expect(next.unsettled().length).toBe(4);
  await next.close();

  const found = await getRequest(db.pool, billed.row.id);
  // (100 × 3 + 40 × 15) USD per million tokens × 2
  expect(found?.row).toMatchObject({
    state: "error",
    errorCode: "internal",
    status: 200,
    costNanoUsd: "1800000",
    flags: ["estimated", "partial", "recovered"],
    usage: { input: 100, output: 40 },
    providerId: "provider-0",
    userId: "killed",
    billable: true,
  });
  expect(found?.detail).toMatchObject({
    priceId: testPrice.priceId,
    cost: { providerMultiplier: "2" },
    attempts: [{ upstreamCostNanoUsd: "1800000" }],
  });
  expect((await getRequest(db.pool, void_.row.id))?.row).toMatchObject({
    costNanoUsd: "0",
    billable: false,
    flags: ["recovered"],
    state: "error",
  });
  expect((await getRequest(db.pool, unpriced.row.id))?.row).toMatchObject({
    costNanoUsd: null,
    flags: ["partial", "recovered", "unpriced"],
  });

  // The same history, encountered a second time, changes nothing.
  await (await openLedger({ instanceId: "killed" })).close();
  expect((await getRequest(db.pool, billed.row.id))?.row).toEqual(found?.row);
  await ledger.close({ graceMs: 2_000 });
});

test("a failing disk does not block a start: what recovery ends goes to Postgres from memory", async () => {
  const ledger = await openLedger();
  const end = finishOf();
  await ledger.start(startOf(end));
  ledger.progress(progressOf(end.row.id, 12));
  await ledger.finish(finishOf());
  await freeze("full");
  const openSegment = () => Promise.reject(Object.assign(new Error("ENOSPC"), { code: "ENOSPC" }));
  const next = await openLedger({ instanceId: "full", tuning: { openSegment, retryMs: 60_000 } });
  expect(next.stats()).toMatchObject({ writable: false, recovered: 1 });
  await until(() => next.stats().depth === 0, { what: "what was recovered is settled" });
  expect((await getRequest(db.pool, end.row.id))?.row.usage.output).toBe(12);
  await next.close();
  await ledger.close({ graceMs: 2_000 });
});

test("damaged bytes go to the quarantine once, however often they are met", async () => {
  const ledger = await openLedger();
  const ends = [finishOf(), finishOf(), finishOf()];
  for (const end of ends) await ledger.finish(end);
  await freeze("damaged");
  await ledger.close();
  const file = await open(join(place.dir, "damaged", "00000001.spool"), "r+");
  await file.write(Buffer.from("~~~~"), 0, 4, 60);
  await file.close();
  await cp(join(place.dir, "damaged"), join(place.dir, "again"), { recursive: true });
  const next = await openLedger({ instanceId: "damaged" });
  await next.close();
  expect(next.stats().quarantined).toBe(1);
  await cp(join(place.dir, "again"), join(place.dir, "damaged"), { recursive: true });
  await (await openLedger({ instanceId: "damaged" })).close();
  const { rows } = await db.pool.query("SELECT payload, request_id FROM ledger_quarantine");
  expect(rows.length).toBe(1);
  expect(rows[0].payload.includes("~~~~")).toBe(true);

  // After a clean stop, segments are numbered from 1 again: other damage at the same place is kept as well.
  await cp(join(place.dir, "again"), join(place.dir, "damaged"), { recursive: true });
  const again = await open(join(place.dir, "damaged", "00000001.spool"), "r+");
  await again.write(Buffer.from("####"), 0, 4, 60);
  await again.close();
  await (await openLedger({ instanceId: "damaged" })).close();
  expect((await db.pool.query("SELECT FROM ledger_quarantine")).rowCount).toBe(2);
});

test("a record of an older program without details goes to the quarantine and does not block others", async () => {
  const [{ detail: _, ...old }, good] = [finishOf(), finishOf()];
  await mkdir(join(place.dir, "old"));
  const frames = [old, good].map((record) => oldFrame(3, "finish", record));
  await writeFile(join(place.dir, "old", "00000001.spool"), Buffer.concat(frames));
  const ledger = await openLedger({ instanceId: "old" });
  // What the registry reads at each start.
  expect(ledger.unsettled().map(({ row }) => row.id)).toEqual([old.row.id, good.row.id]);
  await ledger.close({ graceMs: 3_000 });
  const { rows } = await db.pool.query("SELECT payload, reason FROM ledger_quarantine WHERE request_id = $1", [old.row.id]);
  expect(rows.map(({ reason }) => reason)).toEqual(["there is no detail"]);
  expect(JSON.parse(rows[0]?.payload.toString("utf8"))).toEqual({ ...old, detail: null });
  expect((await getRequest(db.pool, good.row.id))?.row).toEqual(good.row);
});

test("what a killed program of the version before left is settled and recovered", async () => {
  const [ended, open] = [finishOf(), finishOf()];
  await mkdir(join(place.dir, "before"));
  const frames = [oldFrame(3, "start", startOf(open)), oldFrame(3, "progress", progressOf(open.row.id, 7)), oldFrame(3, "finish", ended)];
  await writeFile(join(place.dir, "before", "00000001.spool"), Buffer.concat(frames));
  await (await openLedger({ instanceId: "before" })).close();
  expect((await getRequest(db.pool, ended.row.id))?.row).toEqual(ended.row);
  const recovered = (await getRequest(db.pool, open.row.id))?.row;
  expect(recovered).toMatchObject({
    keyId: open.row.keyId,
    state: "error",
    usage: { output: 7 },
    flags: ["estimated", "partial", "recovered"],
  });
});

test("segments are deleted when everything in them is settled; a request that is still open moves on with its PROGRESS", async () => {
  const ledger = await openLedger({ tuning: { segmentBytes: 4_000 } });
  const long = finishOf();
  await ledger.start(startOf(long));
  ledger.progress(progressOf(long.row.id, 7));
  for (let i = 0; i < 30; i++) {
    const end = finishOf();
    await ledger.start(startOf(end));
    await ledger.finish(end);
  }
  await until(async () => (await segments("test")).length <= 3 && !(await segments("test")).includes("00000001.spool"), {
    what: "old segments are gone",
  });
  await freeze("carried");
  const heard: FinishRecord[] = [];
  const next = await openLedger({ instanceId: "carried", onRecovered: (end) => heard.push(end) });
  expect(heard.map(({ row }) => row.id)).toEqual([long.row.id]);
  expect(heard[0]?.row.usage.output).toBe(7);
  await next.close();
  await ledger.finish(long);
  await ledger.close();
  expect((await getRequest(db.pool, long.row.id))?.row.usage.output).toBe(7);
});

test("the file of a settled segment is used again; after a kill its older records are neither found nor damage", async () => {
  const ledger = await openLedger({ tuning: { segmentBytes: 40_000 } });
  const inodeOf = async (name: string) => (await stat(join(place.dir, "test", name))).ino;
  const ends: FinishRecord[] = [];
  const finish = async () => {
    ends.push(finishOf());
    await ledger.finish(ends.at(-1) as FinishRecord);
  };
  await finish();
  const first = await inodeOf("00000001.spool");
  const reused = async () => {
    await finish();
    const newest = (await segments("test")).at(-1) ?? "";
    return newest !== "00000001.spool" && (await inodeOf(newest)) === first;
  };
  await until(reused, { what: "the first file is written again" });
  await finish();
  await freeze("killed");
  await ledger.close();

  const newest = (await segments("killed")).at(-1) ?? "";
  expect((await readFile(join(place.dir, "killed", newest), "latin1")).match(/"v":/g)?.length, "older ones are behind").toBeGreaterThan(10);
  const scanned = await scanSpool(join(place.dir, "killed"), { checkpoint: null, retain: 1_000, failpoint: () => undefined });
  expect(scanned).toMatchObject({ tornBytes: 0, damaged: 0 });
  const found = scanned.pending.map(({ id }) => id);
  expect(found).toEqual(ends.slice(-found.length).map(({ row }) => row.id));
  expect(scanned.pending.filter(({ position }) => segmentName(position?.segment ?? 0) === newest)).toHaveLength(2);
});

test("a segment is also deleted when it only contains PROGRESS or probes of a broken disk", async () => {
  let broken = false;
  const openSegment: OpenSegment = async (path, flags) => {
    const handle = await open(path, flags, 0o600);
    const datasync = handle.datasync.bind(handle);
    handle.datasync = () => (broken ? Promise.reject(Object.assign(new Error("EIO"), { code: "EIO" })) : datasync());
    return handle;
  };
  const ledger = await openLedger({ tuning: { segmentBytes: 4_000, openSegment } });
  const long = finishOf();
  await ledger.start(startOf(long));
  for (let output = 1; output <= 100; output++) {
    ledger.progress(progressOf(long.row.id, output));
    // One by one, so that they fill several segments.
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  expect((await segments("test")).length).toBeGreaterThan(5);
  broken = true;
  await ledger.finish(long);
  for (let probe = 0; probe < 3; probe++) {
    broken = false;
    await until(() => ledger.stats().writable, { what: "the disk is used again" });
    broken = true;
    await ledger.finish(finishOf());
  }
  broken = false;
  await until(() => ledger.stats().writable, { what: "the disk is used again" });
  await ledger.finish(finishOf());
  await until(async () => (await segments("test")).length <= 2, { what: "what holds nothing is gone", deadlineMs: 5_000 });
  await ledger.close();
});

test("a request in flight at a clean stop is found by the next start", async () => {
  const ledger = await openLedger();
  const end = finishOf();
  await ledger.start(startOf(end));
  await ledger.close();
  const next = await openLedger();
  expect(next.stats().recovered).toBe(1);
  await next.close();
  expect((await getRequest(db.pool, end.row.id))?.row.flags).toEqual(["recovered"]);
});

test("the spool of a dead instance is adopted and removed; that of a living one, and our own, are left alone", async () => {
  const alive = await openLedger();
  const end = finishOf();
  await alive.start(startOf(end));
  await freeze("dead");
  const own = await openLedger({ instanceId: "own" });
  await mkdir(join(place.dir, "lost+found"));
  const settled: string[] = [];
  const recovered: string[] = [];
  const adopted = await adoptDeadSpools({
    ...ledgerOptions(place.dir, db.pool),
    ownInstanceId: "own",
    onSettled: (ids) => settled.push(...ids),
    onRecovered: ({ row }) => recovered.push(row.id),
  });
  expect(adopted).toEqual(["dead"]);
  expect(recovered).toEqual([end.row.id]);
  await until(() => settled.includes(end.row.id), { what: "the registry hears of the row" });
  expect(
    (await readdir(place.dir, { withFileTypes: true }))
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => name)
      .sort(),
  ).toEqual(["lost+found", "own", "test"]);
  await own.close();
  await alive.close();
  expect(await adoptDeadSpools({ ...ledgerOptions(join(place.dir, "nowhere"), db.pool) })).toEqual([]);
});
