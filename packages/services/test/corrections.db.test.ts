import { FINAL_REV } from "@sluice/core/events";
import { newId } from "@sluice/core/ids";
import { priceUsage } from "@sluice/core/pricing/price-usage";
import { noUsage, type RequestRow } from "@sluice/core/requests";
import { listRequests } from "@sluice/ledger/query";
import { findWrongBalances, findWrongCosts, findWrongSums } from "@sluice/ledger/reconcile";
import { settleBatch } from "@sluice/ledger/settle-batch";
import { makePrice, makeProvider, requestDetail, requestRow } from "@sluice/testing/factories";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { priceUnpriced } from "../src/prices/price-unpriced.ts";
import { listRepricings, previewReprice, reprice, runRepricings } from "../src/prices/reprice.ts";
import { setPrice } from "../src/prices/set-price.ts";
import { startServices, type TestServices } from "./harness.ts";

const HOUR = 3_600_000;
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
    // One that comes late is priced, too; and who watches sees it.
    const late = unpriced({ model: "late", providerId: provider.id, startedAtMs: Date.now() - 20 * 24 * HOUR });
    await settle([late]);
    const events = await test.eventsOf(() => priceUnpriced(admin));
    const row = expect.objectContaining({ id: late.id, flags: ["corrected"] });
    const correction = expect.objectContaining({ correctsId: late.id, usage: noUsage });
    expect(events).toEqual([{ type: "request.corrected", rev: FINAL_REV + 1, row, correction }]);
  });
});

describe("a range that is priced anew", () => {
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
          // And back to the version that was.
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

  it("changes no price version: neither update nor delete", async () => {
    const price = await makePrice(test.database.prisma);
    await expect(test.database.pool.query("UPDATE prices SET input_per_mtok = 0 WHERE id = $1", [price.id])).rejects.toThrow(/forbidden/);
    await expect(test.database.pool.query("DELETE FROM prices WHERE id = $1", [price.id])).rejects.toThrow(/forbidden/);
  });
});
