import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { noUsage } from "@sluice/core/requests";
import { createTestDatabase, type TestDatabase } from "@sluice/testing/postgres";
import { seededRandom } from "@sluice/testing/seeded-random";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { type CheckOptions, type ClientLine, checkInvariants } from "../src/check.ts";
import { createLedger } from "../src/ledger.ts";
import type { FinishRecord } from "../src/records.ts";
import { finishOf, freezeSpool, ledgerOptions, randomFinish, startOf, temporaryDirectory, testPrice } from "./arrange.ts";

let db: TestDatabase;
let place: Awaited<ReturnType<typeof temporaryDirectory>>;
beforeAll(async () => {
  db = await createTestDatabase();
  const { priceId, inputPerMTok, outputPerMTok, cacheWrite5mPerMTok, cacheWrite1hPerMTok, cacheReadPerMTok } = testPrice;
  const fields = { inputPerMTok, outputPerMTok, cacheWrite5mPerMTok, cacheWrite1hPerMTok, cacheReadPerMTok };
  await db.prisma.price.create({ data: { id: priceId, model: "model-a", source: "test", ...fields } });
});
afterAll(() => db?.drop());
beforeEach(async () => {
  place = await temporaryDirectory();
});
afterEach(() => place?.remove());

async function settle(ends: readonly FinishRecord[]): Promise<void> {
  const ledger = await createLedger(ledgerOptions(place.dir, db.pool));
  for (const end of ends) await ledger.start(startOf(end));
  await Promise.all(ends.map((end) => ledger.finish(end)));
  await ledger.close();
}

/** The oracle lines that the upstream would have written for this end. */
function oracleLines(end: FinishRecord, changed: object = {}): string {
  const opened = { line: "opened", id: end.row.id, seq: 1, endpoint: "chat" };
  const usage = end.row.state === "done" ? end.row.usage : null;
  const endedBy = end.row.state === "done" ? "done" : "client_closed";
  const closed = {
    ...opened,
    line: "closed",
    status: 200,
    usage,
    oddUsage: null,
    outputTokensSent: end.row.usage.output,
    endedBy,
    ...changed,
  };
  return `${JSON.stringify(opened)}\n${JSON.stringify(closed)}\n`;
}

async function check(oracle: string, more: Partial<CheckOptions> = {}) {
  const oraclePath = join(place.dir, "oracle.jsonl");
  await writeFile(oraclePath, oracle);
  return checkInvariants({ oraclePath, pool: db.pool, ...more });
}

/** The differences that mention this request. */
async function about(end: FinishRecord, oracle: string, more: Partial<CheckOptions> = {}) {
  return (await check(oracle, more)).filter(({ id }) => id === end.row.id).map(({ invariant, what }) => `${invariant} ${what}`);
}

const priced = (): FinishRecord => {
  const random = seededRandom(Math.floor(Date.now() % 1e6));
  for (;;) {
    const end = randomFinish(random);
    if (end.row.state === "done" && end.row.costNanoUsd !== null) return end;
  }
};

test("correct books have no difference: tokens, sums, costs to the last digit", async () => {
  const random = seededRandom(99);
  const ends = Array.from({ length: 400 }, () => randomFinish(random)).map((end) => {
    // The gateway flags every request that failed half-way.
    if (end.row.state === "error") end.row.flags = [...end.row.flags, "partial"];
    return end;
  });
  const random500 = ends.filter(({ row }) => row.state !== "refused");
  await settle(ends);
  const clientLog: ClientLine[] = random500.map(({ row }) => ({
    id: row.id,
    outcome: row.state === "done" ? "complete" : "cut",
    outputTokens: row.usage.output,
  }));
  expect(await check(`${random500.map((end) => oracleLines(end)).join("")}{"line":"opened","id":"half a li`, { clientLog })).toEqual([]);
});

test("I1: a request without a row, with other tokens, outside the band, or without a flag", async () => {
  const lost = finishOf();
  const wrong = priced();
  const aborted = finishOf({ state: "aborted", usage: { ...noUsage, output: 100 }, costNanoUsd: null, flags: ["partial", "unpriced"] });
  await settle([wrong, aborted]);
  expect(await about(lost, oracleLines(lost))).toEqual(["I1 reached the upstream and has no row"]);
  const other = { ...wrong.row.usage, output: wrong.row.usage.output + 1 };
  expect((await about(wrong, oracleLines(wrong, { usage: other })))[0]).toMatch(/^I1 tokens .* on the wire/);
  expect((await about(wrong, oracleLines(wrong, { endedBy: "scripted" })))[0]).toMatch(/^I1 done, but/);
  expect(await about(aborted, oracleLines(aborted, { outputTokensSent: 75 }))).toEqual([]);
  expect(await about(aborted, oracleLines(aborted, { outputTokensSent: 60 }))).toEqual(["I1 100 output tokens billed, 60 were sent"]);
  const clientLog: ClientLine[] = [{ id: aborted.row.id, outcome: "cut", outputTokens: 200 }];
  expect(await about(aborted, oracleLines(aborted, { outputTokensSent: 300 }), { clientLog })).toEqual([
    "I1 100 output tokens billed, the client received 200",
  ]);
  const silent = finishOf({ state: "error", usage: { ...noUsage, output: 10 }, costNanoUsd: null, flags: ["unpriced"] });
  await settle([silent]);
  expect(await about(silent, oracleLines(silent))).toEqual(["I1 error with 10 output tokens and no flag"]);
});

test("I5 and I6: a cost that does not follow from tokens and price, a missing end, a charge without a client, a refusal that was sent on", async () => {
  const dear = priced();
  dear.row.costNanoUsd = (BigInt(dear.row.costNanoUsd ?? "0") + 1n).toString();
  const refused = finishOf({ state: "refused", status: 429, usage: noUsage, costNanoUsd: "0", billable: false });
  await settle([dear, refused]);
  expect((await about(dear, oracleLines(dear)))[0]).toMatch(/^I5 requests: expected \d+, kept is \d+$/);
  expect(await about(dear, "")).toContain("I6 charged, but no upstream saw it");
  expect(await about(refused, oracleLines(refused))).toEqual(["I9 was refused and reached the upstream"]);
  const missing = finishOf();
  expect(await about(missing, "", { clientLog: [{ id: missing.row.id, outcome: "complete" }] })).toEqual([
    "I6 acknowledged to the client, but there is no row",
  ]);
  expect((await about(refused, "", { clientLog: [{ id: refused.row.id, outcome: "complete" }] }))[0]).toMatch(
    /^I6 .* the row says refused/,
  );
});

test("I4: a FINISH in a spool without its row", async () => {
  const settled = finishOf({ costNanoUsd: null, flags: ["unpriced"] });
  const spooled = finishOf();
  const ledger = await createLedger(ledgerOptions(place.dir, db.pool));
  await ledger.finish(settled);
  await ledger.finish(spooled);
  await freezeSpool(join(place.dir, "test"), join(place.dir, "kept", "left"));
  await ledger.close();
  expect(await about(spooled, oracleLines(spooled), { spoolDir: join(place.dir, "kept") })).not.toContain("I4");
  const empty = await createTestDatabase();
  const found = await checkInvariants({ oraclePath: join(place.dir, "oracle.jsonl"), pool: empty.pool, spoolDir: join(place.dir, "kept") });
  await empty.drop();
  expect(
    found
      .filter(({ invariant }) => invariant === "I4")
      .map(({ id }) => id)
      .sort(),
  ).toEqual([settled.row.id, spooled.row.id].sort());
});

test("I2: a sum that was touched, and one that is missing", async () => {
  const end = priced();
  await settle([end]);
  await db.pool.query("UPDATE rollups_hour SET cost_nano_usd = cost_nano_usd + 1 WHERE ctid = (SELECT ctid FROM rollups_hour LIMIT 1)");
  await db.pool.query("DELETE FROM rollups_day WHERE ctid = (SELECT ctid FROM rollups_day LIMIT 1)");
  const found = (await check(oracleLines(end))).filter(({ invariant }) => invariant === "I2");
  expect(found.length).toBe(2);
  expect(found.map(({ what }) => what.split(":")[0])).toEqual(["rollups_hour", "rollups_day"]);
  expect(found[1]?.what).toContain("kept is nothing");
});
