import { firstIdAt } from "@sluice/core/ids";
import { LogFilter } from "@sluice/core/inputs/log";
import { matchesLog } from "@sluice/core/match-log";
import type { RequestRow } from "@sluice/core/requests";
import { readSnapshot } from "@sluice/db/read-snapshot";
import { type PlanScan, planScans } from "@sluice/testing/plan-scans";
import { createTestDatabase, type TestDatabase } from "@sluice/testing/postgres";
import { seedSkewedLog } from "@sluice/testing/seed-skewed-log";
import { botSession, skewedId } from "@sluice/testing/skewed-log";
import fc from "fast-check";
import type pg from "pg";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type ListOptions, listStatement, PROBE_ROWS } from "../src/list-statement.ts";
import { keptPlanSettings, listRequests, planSettings } from "../src/query.ts";
import { type DbRow, rowColumns, toRow } from "../src/stored-row.ts";

/** H03: pages of the log, checked by the plans that Postgres makes for uneven data and by the rows that are returned. */
const log = { rows: 120_000, days: 100, users: 200, keysPerUser: 5, providers: 20, models: 40 };
const DAY = 86_400_000;
const now = Date.now();
const [user, key, provider, model] = (["user", "key", "provider", "model"] as const).map((kind) => skewedId(kind, 1));
const retired = { providerId: skewedId("provider", log.providers - 1), model: skewedId("model", log.models - 1) };

let db: TestDatabase;
beforeAll(async () => {
  db = await createTestDatabase();
  await seedSkewedLog(db.pool, log);
}, 120_000);
afterAll(() => db?.drop());

describe("H03 each filter of the page is an index scan on uneven data", () => {
  type Case = [name: string, filter: LogFilter, index: RegExp, more?: Partial<ListOptions>];
  const deep = { before: firstIdAt(now - 60 * DAY) };
  const range = { fromMs: now - 40 * DAY, toMs: now - 35 * DAY };
  const ranges: Case[] = [
    ["no filter", {}, /_pkey$/],
    ["no filter, far back", {}, /_pkey$/, deep],
    ["a time range", range, /_pkey$/],
    ["own rows", {}, /_user_id_id_idx$/, { scope: { userId: user } }],
    ["the user who asks most", { userId: skewedId("user", 0) }, /_user_id_id_idx$/],
    ["the user who asks least", { userId: skewedId("user", log.users - 1) }, /_user_id_id_idx$/],
    ["a user, far back", { userId: user }, /_user_id_id_idx$/, deep],
    ["a user nobody knows", { userId: "nobody" }, /_user_id_id_idx$/],
    ["a key", { keyId: key }, /_key_id_id_idx$/],
    ["a key in a time range", { keyId: key, ...range }, /_key_id_id_idx$/],
    ["a provider", { providerId: provider }, /_provider_id_id_idx$/],
    ["a provider given up long ago", { providerId: retired.providerId }, /_provider_id_id_idx$/],
    ["a session", { sessionId: botSession }, /_session_id_id_idx$/],
    ["a model", { model }, /_model_id_idx$/],
    ["a model given up long ago", { model: retired.model }, /_model_id_idx$/],
    ["failures", { state: "error" }, /_state_id_idx$/],
    ["refusals, far back", { state: "refused" }, /_state_id_idx$/, deep],
    ["what clients gave up", { state: "aborted" }, /_state_id_idx$/],
    ["failures by class", { statusClass: "5xx" }, /_case_id_idx$/],
    ["failures by class, far back", { statusClass: "4xx" }, /_case_id_idx$/, deep],
    ["a class that is never there", { statusClass: "3xx" }, /_case_id_idx$/],
    ["an export's page", {}, /_pkey$/, { settledUpTo: "1000000000", limit: 500 }],
  ];
  test.each(ranges)("%s: no more rows are read than are shown", async (_name, filter, index, more = {}) => {
    const options = { filter, limit: 50, scope: {}, ...more };
    const statement = listStatement(options);
    if (statement?.kind !== "range") throw new Error("not one range");
    const scans = await scansOf(statement.page);
    expect(scans.filter(({ kind }) => !/^Index (Only )?Scan/.test(kind))).toEqual([]);
    expect(scans.filter(({ index: used }) => !index.test(used))).toEqual([]);
    // One additional row shows that there is another page; each partition involved reads one row of its own.
    expect(sum(scans)).toBeLessThanOrEqual(options.limit + 1 + scans.length);
  });

  const searches: Case[] = [
    ["a dialect", { dialect: "gemini" }, /_pkey$/],
    ["many attempts, never there", { minAttempts: 9 }, /_pkey$/],
    ["what went well", { state: "done" }, /_pkey$/],
    ["a group", { group: "team" }, /_pkey$/, deep],
    ["all but a model", { notModel: [model as string] }, /_pkey$/],
    ["a user's failures", { userId: user, state: "error" }, /_(user_id_id|state_id)_idx$/],
    ["a user with a model they never used", { userId: user, model: retired.model }, /_(user_id_id|model_id)_idx$/],
    ["a key's class", { keyId: key, statusClass: "5xx" }, /_(key_id_id|case_id)_idx$/],
    ["provider and model in a time range", { providerId: provider, model, ...range }, /_(provider_id_id|model_id)_idx$/],
    ["own rows of a dialect", { dialect: "gemini" }, /_user_id_id_idx$/, { scope: { userId: user } }],
    ["one id with more conditions", { requestId: deep.before, dialect: "gemini" }, /_pkey$/],
  ];
  test.each(searches)("%s: no more rows are read than the slice is allowed", async (_name, filter, index, more = {}) => {
    const statement = listStatement({ filter, limit: 50, scope: {}, ...more });
    if (statement?.kind !== "search") throw new Error("not a search");
    const rows = 1_000;
    const drivers = statement.probe?.text.match(/AS "\d"/g)?.length ?? 1;
    const slices = Array.from({ length: drivers }, (_, driver) => statement.slice({ driver, before: more.before, rows, take: 51 }));
    for (const query of [...(statement.probe ? [statement.probe] : []), ...slices]) {
      const scans = await scansOf(query);
      expect(scans.filter(({ kind }) => !/^Index (Only )?Scan/.test(kind))).toEqual([]);
      expect(scans.filter(({ index: used }) => !index.test(used))).toEqual([]);
      expect(sum(scans)).toBeLessThanOrEqual((query === statement.probe ? drivers * PROBE_ROWS : rows) + scans.length);
    }
  });

  test("a time range reads no partition but its own", async () => {
    const month = new Date(Date.UTC(new Date(now).getUTCFullYear(), new Date(now).getUTCMonth() - 1, 3)).toISOString();
    const fromMs = Date.parse(month);
    for (const filter of [{ userId: user }, { state: "error" }, { statusClass: "5xx" }] as const) {
      const statement = listStatement({ filter: { ...filter, fromMs, toMs: fromMs + DAY }, limit: 50, scope: {} });
      if (statement?.kind !== "range") throw new Error("not one range");
      const tables = new Set((await scansOf(statement.page)).map(({ table }) => table));
      expect(tables).toEqual(new Set([`requests_${month.slice(0, 7).replace("-", "_")}`]));
    }
  });
});

describe("H03 a search continues where it stopped until it has seen everything", () => {
  let all: RequestRow[];
  beforeAll(async () => {
    const { rows } = await db.pool.query<DbRow>(`SELECT ${rowColumns} FROM requests r WHERE r.corrects_id IS NULL ORDER BY r.id DESC`);
    all = rows.map(toRow);
  }, 60_000);

  const some = <T>(...values: T[]) => fc.option(fc.constantFrom(...values), { nil: undefined });
  const ids = (kind: "user" | "key" | "provider" | "model", last: number) => [0, 1, 5, last].map((n) => skewedId(kind, n));
  const filters = fc.record({
    userId: some(...ids("user", log.users - 1), "nobody"),
    keyId: some(...ids("key", log.users * log.keysPerUser - 1)),
    providerId: some(...ids("provider", log.providers - 1)),
    model: some(...ids("model", log.models - 1)),
    sessionId: some(botSession),
    state: some("error", "refused", "aborted", "done" as const),
    statusClass: some("5xx", "4xx", "3xx", "2xx" as const),
    dialect: some("gemini", "openai" as const),
    group: some("team"),
    minAttempts: some(2, 3, 4),
    notModel: some([skewedId("model", 0)]),
    fromMs: some(now - 90 * DAY),
    toMs: some(now - 10 * DAY),
  });

  test("for any filter the pages hold what a reading of all rows finds, in order, once each", async () => {
    await fc.assert(
      fc.asyncProperty(filters, fc.constantFrom(700, 5_000, 60_000), fc.constantFrom(20, 200), async (given, rows, limit) => {
        const filter = LogFilter.parse(Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)));
        const wanted = all.filter((row) => matchesLog(row, filter)).map(({ id }) => id);
        const most = 60 * limit;
        expect(await walk({ filter, limit, scope: {} }, rows, most)).toEqual(wanted.slice(0, most));
      }),
      { numRuns: 40, seed: 3 },
    );
  }, 120_000);

  /** The first `most` ids of the walk; each page's boundary is compared with the one before. */
  async function walk(options: ListOptions, budgetRows: number, most: number): Promise<string[]> {
    const seen: string[] = [];
    let before: string | undefined;
    while (seen.length < most) {
      const page = await listRequests(db.pool, { ...options, before, budget: { rows: budgetRows, ms: Number.POSITIVE_INFINITY } });
      seen.push(...page.rows.map(({ id }) => id));
      if (page.next === null) return seen;
      // Further back than before, and no shown row is behind it.
      if (before !== undefined) expect(page.next < before).toBe(true);
      expect(page.rows.every(({ id }) => id >= (page.next ?? ""))).toBe(true);
      expect(page.searchedToMs === null).toBe(page.rows.length === options.limit && page.rows.at(-1)?.id === page.next);
      before = page.next;
    }
    return seen.slice(0, most);
  }

  test("a search without any time budget still advances with every page", async () => {
    const filter: LogFilter = { minAttempts: 9 };
    let [before, pages]: [string | undefined, number] = [undefined, 0];
    do {
      const page = await listRequests(db.pool, { filter, limit: 50, scope: {}, before, budget: { rows: 1_000_000, ms: 0 } });
      expect(page.rows).toEqual([]);
      before = page.next ?? undefined;
      pages++;
    } while (before !== undefined && pages < 1_000);
    expect(pages).toBe(Math.floor(log.rows / 500) + 1);
  });
});

/** The scans of `requests` in the plan for a page of the log. */
const scansOf = (query: pg.QueryConfig): Promise<PlanScan[]> =>
  readSnapshot(db.pool, query.name === undefined ? planSettings : keptPlanSettings, (client) => planScans(client, query));

const sum = (scans: readonly PlanScan[]): number => scans.reduce((all, { rows }) => all + rows, 0);
