import { firstIdAt } from "@sluice/core/ids";
import type { LogFilter } from "@sluice/core/inputs/log";
import { readSnapshot } from "@sluice/db/read-snapshot";
import { type ListOptions, listStatement } from "@sluice/ledger/list-statement";
import { keptPlanSettings, listRequests } from "@sluice/ledger/query";
import { type PlanScan, planScans } from "@sluice/testing/plan-scans";
import type { SkewedLog } from "@sluice/testing/seed-skewed-log";
import { botSession, skewedId } from "@sluice/testing/skewed-log";
import type pg from "pg";
import { interleave, type Metric, paired, quantile, type Report, summarise } from "../report.ts";

/** Pages of the log: for every indexed filter, at the top and five thousand pages down; and for filters without an index. */
const DAY = 86_400_000;
const PAGE = 50;
const DEEP_PAGES = 5_000;
const SPOTS = 20;
const PAGES_PER_ROUND = 100;

type View = Pick<ListOptions, "filter" | "scope">;

/** Views that are a single index range. */
function indexedViews(log: SkewedLog): Record<string, View> {
  const now = Date.now();
  const first = {
    userId: skewedId("user", 0),
    keyId: skewedId("key", 0),
    providerId: skewedId("provider", 0),
    model: skewedId("model", 0),
  };
  const range = { fromMs: now - (log.days - 20) * DAY, toMs: now - 20 * DAY };
  const all = { scope: {} };
  return {
    none: { filter: {}, ...all },
    ownRows: { filter: {}, scope: { userId: skewedId("user", 1) } },
    user: { filter: { userId: first.userId }, ...all },
    rareUser: { filter: { userId: skewedId("user", log.users - 1) }, ...all },
    key: { filter: { keyId: first.keyId }, ...all },
    provider: { filter: { providerId: first.providerId }, ...all },
    retiredProvider: { filter: { providerId: skewedId("provider", log.providers - 1) }, ...all },
    session: { filter: { sessionId: botSession }, ...all },
    model: { filter: { model: first.model }, ...all },
    failed: { filter: { state: "error" }, ...all },
    refused: { filter: { state: "refused" }, ...all },
    status5xx: { filter: { statusClass: "5xx" }, ...all },
    status4xx: { filter: { statusClass: "4xx" }, ...all },
    timeRange: { filter: range, ...all },
    userInTimeRange: { filter: { userId: first.userId, ...range }, ...all },
    failedInTimeRange: { filter: { state: "error", ...range }, ...all },
  };
}

/** Filters without an index, common and rare. */
function searchedViews(log: SkewedLog): Record<string, LogFilter> {
  const retired = { model: skewedId("model", log.models - 1), providerId: skewedId("provider", log.providers - 1) };
  return {
    dialect: { dialect: "gemini" },
    dialectAndAttempts: { dialect: "gemini", minAttempts: 4 },
    attemptsNeverMade: { minAttempts: 9 },
    group: { group: "team" },
    groupNobodyHas: { group: "nobody" },
    userAndModelNeverUsed: { userId: skewedId("user", 0), model: retired.model },
    userAndRetiredProvider: { userId: skewedId("user", 0), providerId: retired.providerId },
    userAndFailed: { userId: skewedId("user", 1), state: "error" },
    keyAndClass: { keyId: skewedId("key", 0), statusClass: "4xx" },
    providerAndModelNeverTogether: { providerId: skewedId("provider", 0), model: skewedId("model", 1), dialect: "gemini" },
    sessionAndRefused: { sessionId: botSession, state: "refused" },
    allButTheFrequent: { notModel: [0, 1, 2, 3].map((n) => skewedId("model", n)), notState: ["done"], dialect: "gemini", minAttempts: 4 },
  };
}

export async function measurePages(pool: pg.Pool, log: SkewedLog, rounds: number): Promise<Report> {
  const report: Report = { metrics: {}, targets: {} };
  const scans: PlanScan[] = [];
  for (const [name, view] of Object.entries(indexedViews(log))) {
    const deep = await deepCursors(pool, view);
    for (const before of [undefined, deep[0]]) scans.push(...(await scansOf(pool, { ...view, before })));
    // Both are warm, like pages that somebody is looking at; a cold page would measure the disk.
    await pageMs(pool, view, [undefined, ...deep]);
    const { first, down } = await interleave(rounds, {
      first: () => pageMs(pool, view, [undefined]),
      down: () => pageMs(pool, view, deep),
    });
    const p95 = (rounds: readonly number[][]) => summarise(rounds.map((took) => quantile(took, 0.95)));
    add(report, `${name}FirstMsP95`, p95(first), 20);
    add(report, `${name}DeepMsP95`, p95(down), 20);
    add(
      report,
      `${name}DeepToFirst`,
      paired(down, first, (a, b) => quantile(a, 0.5) / quantile(b, 0.5)),
      1.5,
    );
  }
  const requestId = (await listRequests(pool, { filter: {}, scope: {}, limit: 1, before: firstIdAt(Date.now() - DAY) })).rows[0]?.id;
  const one = await interleave(rounds, { one: () => pageMs(pool, { filter: { requestId }, scope: {} }, [undefined]) });
  add(report, "requestIdMsP95", summarise(one.one.map((took) => quantile(took, 0.95))), 20);
  for (const [name, filter] of Object.entries(searchedViews(log))) {
    const took: number[] = [];
    let [before, pages]: [string | undefined, number] = [undefined, 0];
    do {
      const began = performance.now();
      const page = await listRequests(pool, { filter, scope: {}, limit: PAGE, before });
      took.push(performance.now() - began);
      before = page.next ?? undefined;
      pages++;
    } while (before !== undefined && pages < rounds * 5);
    add(report, `${name}SearchMsP95`, summarise([quantile(took, 0.95)]), 300);
  }
  add(report, "scansWithoutIndex", summarise([scans.filter(({ index, rows }) => index === "" && rows > 0).length]), 0);
  const fiveDays = { fromMs: Date.now() - 45 * DAY, toMs: Date.now() - 40 * DAY };
  const pruned = await scansOf(pool, { filter: { userId: skewedId("user", 0), ...fiveDays }, scope: {} });
  add(report, "partitionsOfFiveDays", summarise([pruned.length]), 2);
  return report;
}

/** The scans in the plan of a page. */
function scansOf(pool: pg.Pool, view: View & { before?: string | undefined }): Promise<PlanScan[]> {
  const statement = listStatement({ ...view, limit: PAGE });
  if (statement?.kind !== "range") throw new Error("a view that is no range");
  return readSnapshot(pool, keptPlanSettings, (client) => planScans(client, statement.page));
}

function add(report: Report, name: string, metric: Metric, atMost: number): void {
  report.metrics[name] = metric;
  report.targets[name] = { atMost };
}

/** Times in ms of pages that begin before each of these ids, read one at a time. */
async function pageMs(pool: pg.Pool, view: View, befores: readonly (string | undefined)[]): Promise<number[]> {
  const took: number[] = [];
  for (let i = 0; i < PAGES_PER_ROUND; i++) {
    const began = performance.now();
    await listRequests(pool, { ...view, before: befores[i % befores.length], limit: PAGE });
    took.push(performance.now() - began);
  }
  return took;
}

/** Cursors of pages from the 5,000th on, or nine tenths of the way down in a smaller view. */
async function deepCursors(pool: pg.Pool, view: View): Promise<string[]> {
  const statement = listStatement({ ...view, limit: DEEP_PAGES * PAGE + SPOTS * PAGE });
  if (statement?.kind !== "range") throw new Error("a view that is no range");
  const { text, values } = statement.page;
  const { rows } = await pool.query<{ id: string }>(`SELECT id FROM (${text}) AS deep`, values);
  const from = Math.min(DEEP_PAGES * PAGE, Math.floor(rows.length * 0.9));
  return Array.from({ length: SPOTS }, (_, spot) => rows[Math.min(rows.length - 1, from + spot * PAGE)]?.id ?? "").filter(Boolean);
}
