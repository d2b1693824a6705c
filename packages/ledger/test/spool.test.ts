import { mkdir, open, readdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { silentLog } from "@sluice/core/log";
import { until } from "@sluice/testing/deadline";
import { seededRandom } from "@sluice/testing/seeded-random";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { encodeEnd } from "../src/frames.ts";
import { createLedger, type LedgerOptions } from "../src/ledger.ts";
import { type OpenSegment, SegmentWriter } from "../src/segment-writer.ts";
import type { SettledRecord } from "../src/settled-record.ts";
import { scanSpool } from "../src/spool-scan.ts";
import { deadPool, finishOf, freezeSpool, ledgerOptions, progressOf, quickSettings, startOf, temporaryDirectory } from "./arrange.ts";

// Postgres is down in all of these: they test what is on the disk.
let place: Awaited<ReturnType<typeof temporaryDirectory>>;
beforeEach(async () => {
  place = await temporaryDirectory();
});
afterEach(() => place?.remove());

const openLedger = (changed: Partial<LedgerOptions> = {}) => createLedger(ledgerOptions(place.dir, deadPool(), changed));
const scan = (name: string) => scanSpool(join(place.dir, name), { checkpoint: null, retain: 1_000, failpoint: () => undefined });
/** What a SIGKILL at this moment would leave. */
const freeze = (name: string) => freezeSpool(join(place.dir, "test"), join(place.dir, name));

describe("what a kill leaves", () => {
  test("START when start() resolved, FINISH when finish() resolved, the last PROGRESS in between", async () => {
    const ledger = await openLedger();
    const [done, running] = [finishOf(), finishOf()];
    await Promise.all([ledger.start(startOf(done)), ledger.start(startOf(running))]);
    await freeze("started");
    expect([...(await scan("started")).open.keys()].sort()).toEqual([done.row.id, running.row.id].sort());

    ledger.progress(progressOf(running.row.id, 10));
    ledger.progress(progressOf(running.row.id, 25));
    expect(JSON.parse(String(await ledger.finish(done))), "the caller, which keeps the detail, gets its text").toEqual(done.detail);
    await freeze("finished");
    const scanned = await scan("finished");
    expect(scanned.pending.map(({ finish }) => finish)).toEqual([done]);
    expect(scanned.open.get(running.row.id)?.progress?.usage.output).toBe(25);
    await ledger.close({ graceMs: 0 }).catch(() => undefined);
  });

  test("cut at every byte of its tail, a spool keeps all before the cut and can be written on", async () => {
    const ledger = await openLedger();
    const ends = [finishOf(), finishOf(), finishOf()];
    for (const end of ends) {
      await ledger.start(startOf(end));
      await ledger.finish(end);
    }
    await freeze("whole");
    await ledger.close({ graceMs: 0 }).catch(() => undefined);
    const file = join(place.dir, "whole", "00000001.spool");
    const { size } = await stat(file);
    const lengths = (await scan("whole")).pending.map(({ position }) => position?.end ?? 0);
    for (let cut = size; cut > (lengths[1] ?? 0) - 20; cut -= 1) {
      const handle = await open(file, "r+");
      await handle.truncate(cut);
      await handle.close();
      const scanned = await scan("whole");
      expect(scanned.pending.length).toBe(lengths.filter((end) => end <= cut).length);
      // The scan truncated the file to the last whole record, so the next one finds nothing torn.
      if (cut % 50 === 0) expect((await scan("whole")).tornBytes).toBe(0);
    }
  });

  test("with any garbage at its tail, a spool keeps everything before it and invents nothing", async () => {
    const ledger = await openLedger();
    const [done, open_] = [[finishOf(), finishOf()], finishOf()];
    await ledger.start(startOf(open_));
    for (const end of done) await ledger.finish(end);
    await freeze("whole");
    await ledger.close({ graceMs: 0 }).catch(() => undefined);
    const bytes = await readFile(join(place.dir, "whole", "00000001.spool"));
    const ends = (await scan("whole")).pending.map(({ position }) => position?.end ?? 0);
    const random = seededRandom(17);
    const below = (n: number) => Math.floor(random() * n);
    for (let round = 0; round < 200; round++) {
      const cut = below(bytes.length + 1);
      const noise = Buffer.from(Array.from({ length: below(300) }, () => below(256)));
      // Pieces of real frames are the most likely to be mistaken for one.
      const piece = bytes.subarray(below(bytes.length), below(bytes.length));
      await mkdir(join(place.dir, `g${round}`));
      await writeFile(join(place.dir, `g${round}`, "00000001.spool"), Buffer.concat([bytes.subarray(0, cut), noise, piece]));
      const { pending, open, damaged } = await scan(`g${round}`);
      const found = pending.flatMap(({ finish }) => (finish ? [finish.row.id] : []));
      const whole = done.map(({ row }) => row.id);
      expect(found.slice(0, ends.filter((end) => end <= cut).length)).toEqual(whole.slice(0, ends.filter((end) => end <= cut).length));
      for (const id of found) expect(whole).toContain(id);
      for (const id of open.keys()) expect(id).toBe(open_.row.id);
      expect(damaged).toBeLessThanOrEqual(2);
    }
  });

  test("damage in an older segment costs that record alone and is kept for the quarantine", async () => {
    const ledger = await openLedger({ tuning: { segmentBytes: 1_000 } });
    const ends = Array.from({ length: 4 }, () => finishOf());
    for (const end of ends) await ledger.finish(end);
    await freeze("damaged");
    await ledger.close({ graceMs: 0 }).catch(() => undefined);
    const handle = await open(join(place.dir, "damaged", "00000001.spool"), "r+");
    await handle.write(Buffer.from("damage"), 0, 6, 100);
    await handle.close();
    const scanned = await scan("damaged");
    expect(scanned).toMatchObject({ damaged: 1, tornBytes: 0 });
    expect(scanned.pending.filter(({ raw }) => raw).length).toBe(1);
    expect(scanned.pending.flatMap(({ finish }) => (finish ? [finish] : []))).toEqual(ends.slice(1));
  });
});

test("the age of damaged bytes is that of the records after them, not the year 1970", async () => {
  const ledger = await openLedger();
  for (const end of [finishOf(), finishOf()]) await ledger.finish(end);
  await freeze("damaged");
  await ledger.close({ graceMs: 0 }).catch(() => undefined);
  const handle = await open(join(place.dir, "damaged", "00000001.spool"), "r+");
  await handle.write(Buffer.from("damage"), 0, 6, 100);
  await handle.close();
  const next = await openLedger({ instanceId: "damaged" });
  expect(next.stats().depth).toBe(2);
  expect(next.stats().oldestAgeMs).toBeLessThan(60_000);
  await next.close({ graceMs: 0 }).catch(() => undefined);
});

describe("a preallocated segment", () => {
  const segmentBytes = 32_000;
  const path = (...names: string[]) => join(place.dir, ...names);
  const sizeOf = (...names: string[]) =>
    stat(path(...names)).then(
      ({ size }) => size,
      () => 0,
    );

  test("is zeros that are overwritten, and remaining zeros are not read as records", async () => {
    const ledger = await openLedger({ tuning: { segmentBytes } });
    const ends: SettledRecord[] = [];
    while ((await sizeOf("test", "00000001.spool")) < segmentBytes / 2) {
      const end = finishOf();
      ends.push(end);
      await ledger.finish(end);
    }
    await until(async () => (await sizeOf("test", "spare")) === segmentBytes, { what: "the next segment is made" });
    while ((await sizeOf("test", "00000002.spool")) === 0) {
      const end = finishOf();
      ends.push(end);
      await ledger.finish(end);
    }
    expect(await sizeOf("test", "00000002.spool")).toBe(segmentBytes);
    await freeze("killed");
    await ledger.close({ graceMs: 0 }).catch(() => undefined);
    expect(await sizeOf("test", "spare")).toBe(0);
    const scanned = await scan("killed");
    expect(scanned).toMatchObject({ tornBytes: 0, damaged: 0 });
    expect(scanned.pending.map(({ finish }) => finish)).toEqual(ends);

    // The last write of a process that died did not reach all of its pages.
    const { start = 0, end = 0 } = scanned.pending.at(-1)?.position ?? {};
    const handle = await open(path("killed", "00000002.spool"), "r+");
    await handle.write(Buffer.alloc(end - start - 100), 0, end - start - 100, start + 100);
    await handle.close();
    expect(await scan("killed")).toMatchObject({ tornBytes: 100, damaged: 0, pending: { length: ends.length - 1 } });
    expect(await scan("killed")).toMatchObject({ tornBytes: 0, damaged: 0, pending: { length: ends.length - 1 } });
  });

  test("is not used where none can be created", async () => {
    await mkdir(path("test", "spare", "in the way"), { recursive: true });
    const ledger = await openLedger({ tuning: { segmentBytes } });
    const ends = Array.from({ length: 60 }, () => finishOf());
    for (const end of ends) await ledger.finish(end);
    await freeze("killed");
    await ledger.close({ graceMs: 0 }).catch(() => undefined);
    const { segments, pending } = await scan("killed");
    expect(segments.length).toBeGreaterThan(1);
    expect(pending.map(({ finish }) => finish)).toEqual(ends);
  });
});

describe("one process, one spool", () => {
  test("a second process is kept out until the first lets go", async () => {
    const first = await openLedger();
    await expect(openLedger({ lockWaitMs: 50 })).rejects.toThrow("Another process");
    await first.close();
    await (await openLedger({ lockWaitMs: 50 })).close();
    await expect(openLedger({ instanceId: "../elsewhere" })).rejects.toThrow(RangeError);
  });

  test("a clean stop with nothing open leaves no directory", async () => {
    const ledger = await openLedger();
    await ledger.close();
    expect(await readdir(place.dir)).toEqual(["test.lock"]);
  });
});

describe("a failing disk", () => {
  /** Segments whose writes and syncs fail while `broken`. */
  function disk() {
    const state = { broken: "" };
    const openSegment: OpenSegment = async (path, flags) => {
      if (state.broken === "open") throw Object.assign(new Error("EMFILE"), { code: "EMFILE" });
      const handle = await open(path, flags, 0o600);
      return new Proxy(handle, {
        get(target, name) {
          const failing = state.broken === "write" ? ["write", "writev"] : state.broken === "sync" ? ["datasync"] : [];
          if (failing.includes(String(name))) return () => Promise.reject(Object.assign(new Error("ENOSPC"), { code: "ENOSPC" }));
          const value = Reflect.get(target, name, target);
          return typeof value === "function" ? value.bind(target) : value;
        },
      });
    };
    return { state, openSegment };
  }

  test.each(["write", "sync", "open"])("%s fails: new requests are refused, and taken again when the disk has healed", async (broken) => {
    const { state, openSegment } = disk();
    const ledger = await openLedger({ tuning: { openSegment } });
    const before = finishOf();
    if (broken !== "open") {
      await ledger.start(startOf(before));
      await ledger.finish(before);
    }
    state.broken = broken;
    const [waiting, refused] = [finishOf(), finishOf()];
    const unfinished = ledger.finish(waiting);
    await until(() => !ledger.stats().writable, { what: "the failure is noticed" });
    await expect(ledger.start(startOf(refused))).rejects.toMatchObject({ code: "spool_unavailable", status: 503 });
    ledger.progress(progressOf(waiting.row.id, 1));
    ledger.refuse(finishOf({ state: "refused" }));
    // Only its row can make this end durable now, and Postgres is down, so it is not acknowledged.
    expect(ledger.unsettled().map(({ row }) => row.id)).toContain(waiting.row.id);
    expect(await Promise.race([unfinished.then(() => "acknowledged"), Promise.resolve("waiting")])).toBe("waiting");

    state.broken = "";
    await until(() => ledger.stats().writable, { what: "the disk is used again" });
    const after = finishOf();
    await ledger.start(startOf(after));
    await ledger.finish(after);
    await freeze("healed");
    const held = (await scan("healed")).pending.flatMap(({ finish }): SettledRecord[] => (finish ? [finish] : []));
    expect(held.map(({ row }) => row.id)).toContain(after.row.id);
    await ledger.close({ graceMs: 0 }).catch(() => undefined);
  });

  test("a sync fails while a START is being written: it is refused, because its segment is given up", async () => {
    const [syncing, writing, syncFails, written] = Array.from({ length: 4 }, () => Promise.withResolvers<void>()) as [
      PromiseWithResolvers<void>,
      PromiseWithResolvers<void>,
      PromiseWithResolvers<void>,
      PromiseWithResolvers<void>,
    ];
    let writes = 0;
    const openSegment: OpenSegment = async (path, flags) => {
      const handle = await open(path, flags, 0o600);
      const write = handle.write.bind(handle);
      handle.write = (async (buffer: Buffer, offset: number, length: number, at: number) => {
        const result = await write(buffer, offset, length, at);
        if (++writes === 2) {
          writing.resolve();
          await written.promise;
        }
        return result;
      }) as typeof handle.write;
      handle.datasync = async () => {
        syncing.resolve();
        await syncFails.promise;
        throw Object.assign(new Error("EIO"), { code: "EIO" });
      };
      return handle;
    };
    const ledger = await openLedger({ tuning: { openSegment, retryMs: 60_000 } });
    void ledger.finish(finishOf());
    await syncing.promise;
    const start = ledger.start(startOf(finishOf()));
    await writing.promise;
    syncFails.resolve();
    await until(() => !ledger.stats().writable, { what: "the failure is noticed" });
    written.resolve();
    await expect(start).rejects.toMatchObject({ code: "spool_unavailable" });
    await ledger.close({ graceMs: 0 }).catch(() => undefined);
  });

  test("neither the file of an earlier process nor one on which a sync failed is used again", async () => {
    const { state, openSegment } = disk();
    const options = {
      directory: place.dir,
      firstSegment: 2,
      segmentBytes: 1_000_000,
      retryMs: 20,
      failpoint: () => undefined,
      log: silentLog,
    };
    const writer = new SegmentWriter({ ...options, openSegment, now: Date.now });
    const append = () =>
      new Promise<Error | null>((resolve) => writer.append(encodeEnd("finish", finishOf(), Date.now()).frame, "durable", resolve));
    await writeFile(join(place.dir, "00000001.spool"), "of a version that does not name the segment");
    await writer.discard(1);
    expect(await readdir(place.dir)).toEqual([]);
    state.broken = "sync";
    expect(await append()).not.toBeNull();
    state.broken = "";
    await until(() => writer.writable, { what: "the disk is used again" });
    expect(await append()).toBeNull();
    await writer.discard(2);
    expect(await readdir(place.dir)).toEqual(["00000003.spool"]);
    await writer.close();
  });

  test("a nearly full disk writes half a group: the half is cut off again", async () => {
    let room = Number.POSITIVE_INFINITY;
    const openSegment: OpenSegment = async (path, flags) => {
      const handle = await open(path, flags, 0o600);
      const write = handle.write.bind(handle);
      handle.write = (async (buffer: Buffer, offset: number, length: number, at: number) => {
        if (room <= 0) throw Object.assign(new Error("ENOSPC"), { code: "ENOSPC" });
        const taken = Math.min(length, room);
        room -= taken;
        return write(buffer, offset, taken, at);
      }) as typeof handle.write;
      return handle;
    };
    const ledger = await openLedger({ tuning: { openSegment, retryMs: 60_000 } });
    const first = finishOf();
    await ledger.finish(first);
    room = 150;
    void ledger.finish(finishOf());
    await until(() => !ledger.stats().writable, { what: "the failure is noticed" });
    await freeze("half");
    const scanned = await scan("half");
    expect(scanned).toMatchObject({ tornBytes: 0, damaged: 0 });
    expect(scanned.pending.map(({ finish }) => finish)).toEqual([first]);
    await ledger.close({ graceMs: 0 }).catch(() => undefined);
  });
});

test("durability write acknowledges without a sync, in order", async () => {
  let syncs = 0;
  const openSegment: OpenSegment = async (path, flags) => {
    const handle = await open(path, flags, 0o600);
    const datasync = handle.datasync.bind(handle);
    handle.datasync = () => {
      syncs++;
      return datasync();
    };
    return handle;
  };
  const durability = { current: "write" as "write" | "fsync" };
  const settings = () => quickSettings({ "ledger.durability": durability.current });
  const ledger = await openLedger({ settings, tuning: { openSegment } });
  await Promise.all(Array.from({ length: 50 }, () => ledger.finish(finishOf())));
  expect(syncs).toBe(0);
  durability.current = "fsync";
  await Promise.all(Array.from({ length: 50 }, () => ledger.finish(finishOf())));
  expect(syncs).toBeGreaterThan(0);
  expect(syncs).toBeLessThan(50);
  await ledger.close({ graceMs: 0 }).catch(() => undefined);
});
