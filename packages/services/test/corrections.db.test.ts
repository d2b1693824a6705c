import { FINAL_REV } from "@sluice/core/events";
import { newId } from "@sluice/core/ids";
import { silentLog } from "@sluice/core/log";
import { priceUsage } from "@sluice/core/pricing/price-usage";
import { noUsage, type RequestRow } from "@sluice/core/requests";
import { ensurePartitions } from "@sluice/db/partitions";
import { createPool } from "@sluice/db/postgres";
import { listRequests } from "@sluice/ledger/query";
import { findWrongBalances, findWrongCosts, findWrongSums } from "@sluice/ledger/reconcile";
import { applyRetention } from "@sluice/ledger/retention";
import { settleBatch } from "@sluice/ledger/settle-batch";
import { until } from "@sluice/testing/deadline";
import { makePrice, makeProvider, requestDetail, requestRow } from "@sluice/testing/factories";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { setGroup } from "../src/groups/set-group.ts";
import { getLog } from "../src/logs/get-log.ts";
import { listLogs } from "../src/logs/list-logs.ts";
import { countUnpriced, priceUnpriced } from "../src/prices/price-unpriced.ts";
import { listRepricings, previewReprice, reprice, runRepricings } from "../src/prices/reprice.ts";
import { setPrice } from "../src/prices/set-price.ts";
import { getRetention } from "../src/system/get-retention.ts";
import { startServices, type TestServices } from "./harness.ts";

const HOUR = 3_600_000;
const killing = `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
  WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE 'UPDATE repricings%'`;
let test: TestServices;
let admin: Awaited<ReturnType<TestServices["as"]>>;
beforeEach(async () => {
  test = await startServices();
  admin = await test.as("admin");
});
afterEach(() => test?.close());

async function settle(rows: readonly RequestRow[], charge?: { priceId: string; multiplier: string }): Promise<void> {
  const zero = { input: "0", output: "0", cacheWrite5m: "0", cacheWrite1h: "0", cacheRead: "0" };
  const cost = charge ? { ...zero, providerMultiplier: charge.multiplier, groupMultiplier: "1" } : null;
  await settleBatch(
    test.database.pool,
    rows.map((row) => ({ row, detail: requestDetail({ id: row.id, priceId: charge?.priceId ?? null, cost }), upstreamCostNanoUsd: "0" })),
  );
}

function unpriced(fields: Partial<RequestRow>): RequestRow {
  return requestRow({ costNanoUsd: null, flags: ["unpriced"], startedAtMs: Date.now() - 2 * HOUR, ...fields });
}

async function count(where: string): Promise<number> {
  return (await test.database.pool.query(`SELECT count(*)::int AS n FROM requests WHERE ${where}`)).rows[0].n;
}

describe("requests without a price", () => {
  it("are priced once when a price appears, by two workers at once, and everything that adds up moves with them", async () => {
    const provider = await makeProvider(test.database.prisma, { costMultiplier: "1.5" });
    const rows = Array.from({ length: 450 }, (_, at) =>
      unpriced({ model: "late", providerId: provider.id, usage: { ...noUsage, input: at, output: 3 * at + 1 } }),
    );
    await settle(rows);
    await settle([unpriced({ model: "never" })]);
    expect(await priceUnpriced(admin)).toBe(0);
    const price = await setPrice(admin, { model: "late", inputPerMTok: "3", outputPerMTok: "15" });
    const priced = await Promise.all([priceUnpriced(admin), priceUnpriced(admin)]);
    expect(priced[0] + priced[1]).toBe(450);
    expect(await priceUnpriced(admin)).toBe(0);
    expect(await count("corrects_id IS NOT NULL")).toBe(450);
    const page = await listRequests(test.database.pool, { filter: { model: "late" }, limit: 100, scope: {} });
    for (const row of page.rows) {
      const { costNanoUsd } = priceUsage(price, row.usage, { providerMultiplier: "1.5", groupMultiplier: "1" });
      expect([row.costNanoUsd, row.flags]).toEqual([costNanoUsd.toString(), ["corrected"]]);
    }
    expect(await findWrongCosts(test.database.pool)).toEqual([]);
    expect(await findWrongSums(test.database.pool)).toEqual([]);
    expect(await findWrongBalances(test.database.pool)).toEqual([]);
    // A request that arrives late is priced too, and viewers see it.
    const late = unpriced({ model: "late", providerId: provider.id, startedAtMs: Date.now() - 20 * 24 * HOUR });
    await settle([late]);
    const events = await test.eventsOf(() => priceUnpriced(admin));
    const row = expect.objectContaining({ id: late.id, flags: ["corrected"] });
    const correction = expect.objectContaining({ correctsId: late.id, usage: noUsage });
    expect(events).toEqual([{ type: "request.corrected", rev: FINAL_REV + 1, row, correction }]);
  });
});

it("requests recorded without a price get their group's multiplier, too", async () => {
  await setGroup(admin, { name: "dear", costMultiplier: "2" });
  const usage = { ...noUsage, input: 1_000, output: 100 };
  const [late, ordered] = [unpriced({ model: "late", group: "dear", usage }), unpriced({ model: "ordered", group: "dear", usage })];
  await settle([late, ordered]);
  for (const model of ["late", "ordered"]) await setPrice(admin, { model, inputPerMTok: "3", outputPerMTok: "15" });
  await reprice(admin, { model: "ordered", fromMs: Date.now() - 3 * HOUR, toMs: Date.now() + HOUR });
  await runRepricings(admin);
  await priceUnpriced(admin);
  for (const { id } of [late, ordered]) expect((await getLog(admin, { id })).row.costNanoUsd).toBe("9000000");
  expect(await findWrongCosts(test.database.pool)).toEqual([]);
});

describe("the history of a cost", () => {
  it("tells the first cost, each correction with its cause and the versions of the price, and what they come to", async () => {
    const owner = await test.as("user");
    const first = await setPrice(admin, { model: "told", inputPerMTok: "3", outputPerMTok: "15" });
    const usage = { ...noUsage, input: 1_000, output: 100 };
    const priced = requestRow({ model: "told", userId: owner.userId, usage, costNanoUsd: "4500000" });
    const waiting = unpriced({ model: "told", userId: owner.userId, usage });
    await settle([priced], { priceId: first.id, multiplier: "1" });
    await settle([waiting]);
    expect((await getLog(admin, { id: priced.id })).history).toBeNull();
    expect(await countUnpriced(admin)).toEqual([{ model: "told", requests: 1, more: false }]);
    await priceUnpriced(admin);
    expect(await countUnpriced(admin)).toEqual([]);
    const second = await setPrice(admin, { model: "told", inputPerMTok: "1", outputPerMTok: "5" });
    await reprice(admin, { model: "told", fromMs: Date.now() - 3 * HOUR, toMs: Date.now() + HOUR });
    await runRepricings(admin);
    const versions = [first.id, second.id].map((id) => expect.objectContaining({ id }));
    const [older, newer] = versions;
    const repriced = { reason: "repriced", actorId: admin.userId, atMs: expect.any(Number) };
    const down = { differenceNanoUsd: "-3000000", fromPrice: older, toPrice: newer, cause: repriced };
    const one = await getLog(admin, { id: priced.id });
    expect(one.row.costNanoUsd).toBe("1500000");
    expect(one.history?.corrections[0]?.cost).toMatchObject({ providerMultiplier: "1", groupMultiplier: "1" });
    expect(one.history).toMatchObject({ originalNanoUsd: "4500000", corrections: [down] });
    const two = await getLog(admin, { id: waiting.id });
    const up = { differenceNanoUsd: "4500000", fromPrice: null, toPrice: older, cause: { reason: "priced", actorId: "" } };
    expect(two.history).toMatchObject({ originalNanoUsd: null, corrections: [up, down] });
    // The owner learns what was changed and why, but not from which price list or by whom.
    const own = await getLog(owner, { id: priced.id });
    const told = { differenceNanoUsd: "-3000000", fromPrice: null, toPrice: null, cause: { ...repriced, actorId: "" } };
    expect(own.history).toMatchObject({ originalNanoUsd: "4500000", corrections: [told] });
    // The difference is known even without the details.
    await test.database.pool.query("TRUNCATE request_details");
    expect((await getLog(admin, { id: priced.id })).history?.corrections).toMatchObject([{ ...down, cause: null, cost: null }]);
  });
});

describe("requests older than the retention", () => {
  it("are reported as deleted at the end of a list and when one is opened, and the plan says what is dropped next", async () => {
    const { pool } = test.database;
    const old = requestRow({ startedAtMs: Date.now() - 200 * 24 * HOUR });
    expect(await listLogs(admin)).toMatchObject({ items: [], kept: null });
    await expect(getLog(admin, { id: old.id })).rejects.toMatchObject({ code: "not_found" });
    await ensurePartitions(pool, { nowMs: Date.now(), back: 8 });
    await settle([old, requestRow({})]);
    const { settings } = admin.snapshot.current();
    await applyRetention({ pool, settings, log: silentLog, nowMs: Date.now(), archiveDir: "" });
    const page = await listLogs(admin);
    expect(page.items).toHaveLength(1);
    expect(page.kept?.days).toBe(90);
    expect(page.kept?.fromMs).toBeLessThanOrEqual(Date.now() - 90 * 24 * HOUR);
    await expect(getLog(admin, { id: old.id })).rejects.toMatchObject({ code: "no_longer_kept" });
    const { next, keptFromMs, ...view } = await getRetention(admin);
    expect(view).toMatchObject({ requestDays: 90, detailDays: 30, fiveMinuteDays: 7, archive: "none", waiting: [], archives: [] });
    expect(keptFromMs).toBe(page.kept?.fromMs);
    const [requests] = next.filter(({ table }) => table === "requests");
    expect(requests?.fromMs).toBe(keptFromMs);
    expect(requests?.dropsAtMs).toBe((requests?.toMs ?? 0) + 90 * 24 * HOUR);
    expect(requests?.dropsAtMs).toBeGreaterThan(Date.now());
  });
});

describe("a range that is repriced", () => {
  it("any row recomputes bit for bit from tokens and price version, whatever was corrected in between", async () => {
    const usage = fc.record({
      input: fc.nat(3_000_000),
      output: fc.nat(200_000),
      cacheWrite5m: fc.nat(9_999),
      cacheWrite1h: fc.nat(999),
      cacheRead: fc.nat(999_999),
    });
    const decimal = fc.tuple(fc.nat(80), fc.nat(9_999_999_999)).map(([whole, part]) => `${whole}.${String(part).padStart(10, "0")}`);
    const multiplier = fc.constantFrom("1", "0.333333333333", "2.5", "0");
    const amounts = fc.record({ inputPerMTok: decimal, outputPerMTok: decimal });
    await fc.assert(
      fc.asyncProperty(
        fc.array(usage, { minLength: 1, maxLength: 20 }),
        multiplier,
        amounts,
        amounts,
        async (usages, by, first, second) => {
          const model = newId();
          const price = await makePrice(test.database.prisma, { model, ...first });
          const cost = (tokens: RequestRow["usage"]) =>
            priceUsage({ ...first, cacheWrite5mPerMTok: null, cacheWrite1hPerMTok: null, cacheReadPerMTok: null }, tokens, {
              providerMultiplier: by,
              groupMultiplier: "1",
            }).costNanoUsd.toString();
          await settle(
            usages.map((tokens) => requestRow({ model, usage: tokens, costNanoUsd: cost(tokens) })),
            { priceId: price.id, multiplier: by },
          );
          const range = { model, fromMs: Date.now() - HOUR, toMs: Date.now() + HOUR };
          const newer = await setPrice(admin, { model, ...second });
          const preview = await previewReprice(admin, range);
          const order = await reprice(admin, range);
          await Promise.all([runRepricings(admin), runRepricings(admin)]);
          const done = (await listRepricings(admin)).find(({ id }) => id === order.id);
          expect(done).toMatchObject({ priceId: newer.id, requests: usages.length, corrected: preview.changed });
          expect(done?.finishedAtMs).not.toBeNull();
          expect(BigInt(preview.nowNanoUsd) + BigInt(done?.costNanoUsd ?? "x")).toBe(BigInt(preview.thenNanoUsd));
          // And back to the earlier version.
          await reprice(admin, { ...range, priceId: price.id });
          await runRepricings(admin);
          const page = await listRequests(test.database.pool, { filter: { model }, limit: 50, scope: {} });
          expect(page.rows.map((row) => row.costNanoUsd)).toEqual(page.rows.map((row) => cost(row.usage)));
        },
      ),
      { numRuns: 8 },
    );
    expect(await findWrongCosts(test.database.pool)).toEqual([]);
    expect(await findWrongSums(test.database.pool)).toEqual([]);
  });

  it("goes on where it was killed, and prices each request once", async () => {
    const price = await makePrice(test.database.prisma, { model: "killed", inputPerMTok: "3", outputPerMTok: "15" });
    const usage = { ...noUsage, input: 1_000, output: 100 };
    const rows = Array.from({ length: 1_500 }, () => requestRow({ model: "killed", usage, costNanoUsd: "4500000" }));
    await settle(rows, { priceId: price.id, multiplier: "1" });
    await setPrice(admin, { model: "killed", inputPerMTok: "6", outputPerMTok: "30" });
    await reprice(admin, { model: "killed", fromMs: Date.now() - HOUR, toMs: Date.now() + HOUR });
    const killer = createPool(test.database.url, { max: 2 });
    for (const before of [0, 1]) {
      // The corrections are written and the progress is about to be stored: its connection is cut at this point, in this database only.
      const holder = await killer.connect();
      await holder.query("BEGIN; SELECT FROM repricings FOR UPDATE");
      const [run] = await Promise.allSettled([
        runRepricings(admin),
        until(async () => ((await killer.query(killing)).rowCount ?? 0) > 0, { what: "a run in the middle of its step" }),
      ]);
      await holder.query("ROLLBACK");
      holder.release();
      expect(run.status).toBe("rejected");
      expect((await count("corrects_id IS NOT NULL")) > 0).toBe(before > 0);
      if (before > 0) continue;
      const stop = new AbortController();
      const going = runRepricings(admin, stop.signal);
      await until(async () => (await count("corrects_id IS NOT NULL")) > 0, { what: "a step", everyMs: 1 });
      stop.abort();
      await going;
      expect((await listRepricings(admin))[0]?.finishedAtMs).toBeNull();
    }
    await killer.end();
    const events = await test.eventsOf(() => runRepricings(admin));
    const [order] = await listRepricings(admin);
    expect(order).toMatchObject({ requests: 1_500, corrected: 1_500, costNanoUsd: String(1_500 * 4_500_000) });
    expect(events.some(({ type }) => type === "repricing.changed")).toBe(true);
    expect(order?.reachedMs).toBe(order?.toMs);
    expect(await count("corrects_id IS NOT NULL")).toBe(1_500);
    expect(
      (await test.database.pool.query("SELECT FROM requests WHERE corrects_id IS NOT NULL GROUP BY corrects_id HAVING count(*) > 1"))
        .rowCount,
    ).toBe(0);
    expect(await findWrongCosts(test.database.pool)).toEqual([]);
    expect(await findWrongSums(test.database.pool)).toEqual([]);
  });

  it("waits for requests that began before the order and are still running", async () => {
    const usage = { ...noUsage, input: 1_000, output: 100 };
    const price = await setPrice(admin, { model: "long", inputPerMTok: "3", outputPerMTok: "15" });
    const [stream, short] = [5, 1].map((minutes) =>
      requestRow({ model: "long", usage, costNanoUsd: "4500000", startedAtMs: Date.now() - minutes * 60_000 }),
    ) as [RequestRow, RequestRow];
    admin.live.registry.started({ ...stream, state: "in_flight", costNanoUsd: null, usage: noUsage, durationMs: null });
    await settle([short], { priceId: price.id, multiplier: "1" });
    await setPrice(admin, { model: "long", inputPerMTok: "6", outputPerMTok: "30" });
    await reprice(admin, { model: "long", fromMs: Date.now() - HOUR, toMs: Date.now() + HOUR });
    await runRepricings(admin);
    // It ends at the price it began with.
    admin.live.registry.finished(stream, requestDetail({ id: stream.id }));
    await runRepricings(admin);
    expect((await listRepricings(admin))[0]?.finishedAtMs).toBeNull();
    await settle([stream], { priceId: price.id, multiplier: "1" });
    admin.live.registry.settled([stream.id]);
    await runRepricings(admin);
    for (const { id } of [stream, short]) expect((await getLog(admin, { id })).row.costNanoUsd).toBe("9000000");
    const [order] = await listRepricings(admin);
    expect(order).toMatchObject({ requests: 2, corrected: 2, costNanoUsd: "9000000", finishedAtMs: expect.any(Number) });
  });

  it("reaches requests whose details are gone", async () => {
    const price = await setPrice(admin, { model: "aged", inputPerMTok: "3", outputPerMTok: "15" });
    const startedAtMs = Date.now() - 75 * 24 * HOUR;
    await ensurePartitions(test.database.pool, { nowMs: Date.now(), back: 4 });
    const usage = { ...noUsage, input: 1_000, output: 100 };
    await settle([requestRow({ model: "aged", usage, costNanoUsd: "4500000", startedAtMs })], { priceId: price.id, multiplier: "1" });
    await settle([unpriced({ model: "aged", usage, startedAtMs })]);
    const { settings } = test.services.snapshot.current();
    await applyRetention({ pool: test.database.pool, settings, log: silentLog, nowMs: Date.now(), archiveDir: "/dev/null" });
    expect((await test.database.pool.query("SELECT FROM request_details")).rowCount).toBe(0);
    expect(await priceUnpriced(admin)).toBe(1);
    await setPrice(admin, { model: "aged", inputPerMTok: "6", outputPerMTok: "30" });
    await reprice(admin, { model: "aged", fromMs: startedAtMs - HOUR, toMs: Date.now() });
    expect(await runRepricings(admin)).toBe(2);
    expect((await listRepricings(admin))[0]).toMatchObject({ requests: 2, corrected: 2, costNanoUsd: "9000000" });
    expect(await findWrongSums(test.database.pool)).toEqual([]);
    expect(await findWrongBalances(test.database.pool)).toEqual([]);
  });

  it("changes no price version: neither update nor delete", async () => {
    const price = await makePrice(test.database.prisma);
    await expect(test.database.pool.query("UPDATE prices SET input_per_mtok = 0 WHERE id = $1", [price.id])).rejects.toThrow(/forbidden/);
    await expect(test.database.pool.query("DELETE FROM prices WHERE id = $1", [price.id])).rejects.toThrow(/forbidden/);
  });
});
