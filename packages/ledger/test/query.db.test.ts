import { firstIdAt, timeOfId } from "@sluice/core/ids";
import type { LogFilter } from "@sluice/core/inputs/log";
import { noUsage } from "@sluice/core/requests";
import { readSnapshot } from "@sluice/db/read-snapshot";
import { until } from "@sluice/testing/deadline";
import { makeRequestDetail, makeRequestRow } from "@sluice/testing/factories";
import { type PlanScan, planScans } from "@sluice/testing/plan-scans";
import { createTestDatabase, type TestDatabase } from "@sluice/testing/postgres";
import { seedRequestRows } from "@sluice/testing/seed-request-rows";
import type pg from "pg";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { costHistorySql, readCostHistory } from "../src/cost-history.ts";
import { type ListOptions, listStatement } from "../src/list-statement.ts";
import { correctionsSql, getRequest, keptPlanSettings, listRequests, newestSettledSeq, rowsByIds } from "../src/query.ts";

const HOUR = 3_600_000;
const ROWS = 50_000;
let db: TestDatabase;
beforeAll(async () => {
  db = await createTestDatabase();
  // 50,000 rows over 52 days: at least three partitions.
  await seedRequestRows(db.pool, ROWS, 90_000);
});
afterAll(() => db?.drop());

/** How much a page may search. */
const budget = { rows: 20_000, ms: Number.POSITIVE_INFINITY };
const list = (filter: LogFilter, more: Partial<ListOptions> = {}) =>
  listRequests(db.pool, { filter, limit: 50, scope: {}, budget, ...more });

const scansOf = (query: pg.QueryConfig): Promise<PlanScan[]> =>
  readSnapshot(db.pool, keptPlanSettings, (client) => planScans(client, query));

describe("the log, page by page", () => {
  test("goes through every row once, newest first, also when a page ends inside a millisecond", async () => {
    const sameMs = Date.now() - 10 * HOUR;
    const ids = Array.from({ length: 7 }, (_, i) => firstIdAt(sameMs).slice(0, -1) + String(i));
    for (const id of ids) await makeRequestRow(db.pool, { id, userId: "one-ms" });
    const seen: string[] = [];
    let before: string | undefined;
    do {
      const page = await list({ userId: "one-ms" }, { limit: 3, before });
      seen.push(...page.rows.map((row) => row.id));
      before = page.next ?? undefined;
    } while (before);
    expect(seen).toEqual(ids.toReversed());
  });

  test("a user sees their own rows whatever they filter by", async () => {
    const own = await list({ keyId: "key-3" }, { scope: { userId: "user-3" } });
    expect(own.rows.length).toBe(50);
    expect(new Set(own.rows.map((row) => row.userId))).toEqual(new Set(["user-3"]));
    expect((await list({ keyId: "key-4" }, { scope: { userId: "user-3" } })).rows).toEqual([]);
    expect((await list({ userId: "user-4" }, { scope: { userId: "user-3" } })).rows).toEqual([]);
    const [foreign] = (await list({ userId: "user-4" })).rows;
    expect((await list({ requestId: foreign?.id }, { scope: { userId: "user-3" } })).rows).toEqual([]);
  });

  test("a time range holds both ends: from included, to excluded", async () => {
    const fromMs = Date.now() - 30 * 24 * HOUR;
    const toMs = fromMs + HOUR;
    const { rows, next } = await list({ fromMs, toMs });
    expect(rows.length).toBe(40);
    expect(next).toBeNull();
    expect(rows.every((row) => timeOfId(row.id) >= fromMs && timeOfId(row.id) < toMs)).toBe(true);
  });

  test("each filter gives the rows that match it and no others", async () => {
    const states = await list({ state: "error", providerId: "provider-2" });
    expect(states.rows.length).toBe(50);
    expect(states.rows.every((row) => row.state === "error" && row.providerId === "provider-2")).toBe(true);
    const classes = await list({ statusClass: "5xx", model: "model-7" });
    expect(classes.rows.every((row) => row.status === 502 && row.model === "model-7")).toBe(true);
    expect(classes.rows.length).toBe(50);
    expect((await list({ sessionId: "session-9" })).rows.length).toBe(50);
    expect((await list({ state: "in_flight" })).rows).toEqual([]);
  });

  test("excluded rows are not listed, and rare rows are found within a bound", async () => {
    const models = ["model-1", "model-2"];
    const { rows } = await list({ userId: "user-3", notModel: models, notState: ["error"], notStatusClass: ["4xx"] });
    expect(rows.length).toBe(50);
    expect(rows.every((row) => row.userId === "user-3" && !models.includes(row.model) && row.state !== "error")).toBe(true);
    const twice = await makeRequestRow(db.pool, { attempts: 3, group: "rare" });
    expect((await list({ minAttempts: 3, group: "rare" })).rows.map(({ id }) => id)).toEqual([twice.id]);
    expect((await list({ minAttempts: 4 })).searchedToMs).not.toBeNull();
  });

  test("up to a commit position: rows settled later are not listed", async () => {
    await makeRequestRow(db.pool, { userId: "positioned" });
    const position = await newestSettledSeq(db.pool);
    await makeRequestRow(db.pool, { userId: "positioned" });
    expect((await list({ userId: "positioned" })).rows.length).toBe(2);
    expect((await list({ userId: "positioned" }, { settledUpTo: position })).rows.length).toBe(1);
  });

  test("a condition without an index searches a bounded distance back and reports it; continuing from there finds the rest", async () => {
    const oldest = await makeRequestRow(db.pool, { startedAtMs: Date.now() - 53 * 24 * HOUR, dialect: "gemini" });
    const first = await list({ dialect: "gemini" });
    expect(first.rows).toEqual([]);
    expect(first.searchedToMs).not.toBeNull();
    expect(first.next).not.toBeNull();
    let page = first;
    let pages = 1;
    while (page.next !== null && page.rows.length === 0 && pages < 10) {
      page = await list({ dialect: "gemini" }, { before: page.next });
      pages++;
    }
    expect(page.rows.map((row) => row.id)).toEqual([oldest.id]);
    expect(page.searchedToMs).toBeNull();
    expect(pages).toBe(Math.ceil(ROWS / budget.rows));
  });

  test("a correction is folded into what it corrects and never listed", async () => {
    const row = await makeRequestRow(db.pool, { userId: "corrected", costNanoUsd: "1000", usage: { ...noUsage, input: 10, output: 20 } });
    const id = row.id.slice(0, -2) + (row.id.endsWith("ff") ? "00" : "ff");
    const usage = { ...noUsage, output: -5, cacheRead: 3 };
    await makeRequestRow(db.pool, { id, userId: "corrected", correctsId: row.id, costNanoUsd: "-400", usage });
    const { rows } = await list({ userId: "corrected" });
    expect(rows.map((found) => found.id)).toEqual([row.id]);
    expect(rows[0]).toMatchObject({ costNanoUsd: "600", usage: { input: 10, output: 15, cacheRead: 3 } });
    expect((await getRequest(db.pool, row.id))?.row.costNanoUsd).toBe("600");
    expect((await rowsByIds(db.pool, [row.id]))[0]?.costNanoUsd).toBe("600");
  });
});

describe("one request", () => {
  test("comes with its details, in the same shape as everywhere", async () => {
    const row = await makeRequestRow(db.pool, { flags: ["estimated", "partial"], state: "aborted", costNanoUsd: null });
    const detail = await makeRequestDetail(db.pool, { id: row.id, userAgent: "agent/1" });
    expect(await getRequest(db.pool, row.id)).toEqual({ row, detail });
    expect(await rowsByIds(db.pool, [row.id, firstIdAt(5)])).toEqual([row]);
    expect(await getRequest(db.pool, firstIdAt(5))).toBeNull();
    expect(await rowsByIds(db.pool, [])).toEqual([]);
  });
});

describe("W12 cursor paging", () => {
  test("a thousand rows of one millisecond are met once each while rows are inserted between the pages", async () => {
    const ms = Date.now() - 20 * HOUR;
    const hex = (n: number): string => n.toString(16).padStart(12, "0");
    const ids = Array.from({ length: 1_000 }, (_, i) => firstIdAt(ms).slice(0, -12) + hex(i * 2));
    for (const id of ids) await makeRequestRow(db.pool, { id, userId: "same-ms" });
    const seen: string[] = [];
    let before: string | undefined;
    for (let page = 0; ; page++) {
      const { rows, next } = await list({ userId: "same-ms" }, { limit: 20, before });
      seen.push(...rows.map(({ id }) => id));
      if (next === null) break;
      before = next;
      // One before the walk, which it must not encounter, and one after it, in the same millisecond.
      await makeRequestRow(db.pool, { userId: "same-ms" });
      await makeRequestRow(db.pool, { id: firstIdAt(ms).slice(0, -12) + hex(2_000 - 40 * page + 1), userId: "same-ms" });
    }
    expect(new Set(seen).size).toBe(seen.length);
    expect(seen.filter((id) => ids.includes(id))).toEqual(ids.toReversed());
  });
});

describe("W13 deep paging stays flat", () => {
  test.each<[string, LogFilter]>([
    ["the whole log", {}],
    ["a user", { userId: "user-3" }],
    ["a model", { model: "model-3" }],
  ])("%s: a page far back reads no more rows of the index than the first", async (_name, filter) => {
    const read = async (before?: string): Promise<number> => {
      const statement = listStatement({ filter, limit: 50, scope: {}, before });
      if (statement?.kind !== "range") throw new Error("not one range");
      return (await scansOf(statement.page)).reduce((sum, { rows }) => sum + rows, 0);
    };
    const first = await read();
    const deep = await read(firstIdAt(Date.now() - 30 * 24 * HOUR));
    expect(first).toBeGreaterThan(0);
    expect(deep).toBeLessThanOrEqual(first);
  });
});

describe("H14: the details of a request are in a separate table", () => {
  const filters: [string, LogFilter][] = [
    ["no filter", {}],
    ["an indexed one", { userId: "user-3" }],
    ["one that searches", { state: "done" }],
  ];
  test.each(filters)("%s: neither the plan of a page nor that of its corrections mentions it", async (_name, filter) => {
    const statement = listStatement({ filter, limit: 50, scope: {} });
    if (!statement) throw new Error("nothing to ask");
    const pages =
      statement.kind === "range" ? [statement.page] : [statement.slice({ driver: 0, before: undefined, rows: 1_000, take: 51 })];
    for (const query of pages) {
      const tables = (await scansOf(query)).map(({ table }) => table);
      expect(tables.length).toBeGreaterThan(0);
      expect(tables.filter((table) => !/^requests_\d/.test(table))).toEqual([]);
    }
  });

  test("listing does not wait for it, only opening a request does", async () => {
    const [newest] = (await list({})).rows;
    const holder = await db.pool.connect();
    // Even a plan that merely mentioned the table would have to wait for this lock.
    await holder.query("BEGIN; LOCK TABLE request_details IN ACCESS EXCLUSIVE MODE");
    try {
      for (const [, filter] of filters) expect((await list(filter)).rows.length).toBeGreaterThan(0);
      expect((await rowsByIds(db.pool, [newest?.id ?? ""])).length).toBe(1);
      const opened = getRequest(db.pool, newest?.id ?? "");
      const waiting = "SELECT FROM pg_locks WHERE NOT granted AND relation = 'request_details'::regclass";
      await until(async () => (await db.pool.query(waiting)).rowCount === 1, { what: "who opens it waits" });
      await holder.query("COMMIT");
      expect((await opened)?.row.id).toBe(newest?.id);
    } finally {
      await holder.query("ROLLBACK");
      holder.release();
    }
  });
});

describe("EXPLAIN of the SQL really sent", () => {
  test("the history of a cost is read by one short range of ids, on one partition of either table", async () => {
    const row = await makeRequestRow(db.pool, { costNanoUsd: "1000" });
    const id = row.id.slice(0, -2) + (row.id.endsWith("ff") ? "00" : "ff");
    await makeRequestRow(db.pool, { id, correctsId: row.id, costNanoUsd: "-400" });
    const ms = timeOfId(row.id);
    const scans = await planScans(db.pool, { text: costHistorySql, values: [row.id, firstIdAt(ms), firstIdAt(ms + 1)] });
    expect(scans.map(({ index }) => index.replace(/_\d.*_/, "_")).sort()).toEqual(["request_details_pkey", "requests_pkey"]);
    expect(scans.reduce((sum, { rows }) => sum + rows, 0)).toBeLessThanOrEqual(2);
    expect(await readCostHistory(db.pool, row.id)).toMatchObject({
      originalNanoUsd: "1000",
      corrections: [{ id, differenceNanoUsd: "-400" }],
    });
    expect(await readCostHistory(db.pool, firstIdAt(5))).toBeNull();
  });

  test("corrections are looked up by one short range of ids per row", async () => {
    const ids = (await list({}, { limit: 200 })).rows.map((row) => row.id);
    const values = [ids, ids.map((id) => firstIdAt(timeOfId(id))), ids.map((id) => firstIdAt(timeOfId(id) + 1))];
    const scans = await planScans(db.pool, { text: correctionsSql, values });
    expect(scans.filter(({ kind, rows }) => kind !== "Index Scan" && rows > 0)).toEqual([]);
    expect(scans.filter(({ index }) => index !== "" && !index.endsWith("_pkey"))).toEqual([]);
  });
});
