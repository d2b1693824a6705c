import type { LogFilter } from "@sluice/core/inputs/log";
import { overviewRanges } from "@sluice/core/overview-range";
import { countByBucket, spanOf } from "@sluice/ledger/histogram";
import { keysStatement } from "@sluice/services/keys/keys-statement";
import { planOverview, readOverview } from "@sluice/services/overview/read-overview";
import { usersStatement } from "@sluice/services/users/users-statement";
import { skewedId } from "@sluice/testing/skewed-log";
import type pg from "pg";
import { interleave, quantile, type Report, summarise } from "../report.ts";

/** Figures from rollups and totals, never from the log: the overview, ninety days of the timeline, the largest users of all time. */
const DAY = 86_400_000;
const tenantId = "default";
const PER_ROUND = 20;

function queries(pool: pg.Pool): Record<string, () => Promise<unknown>> {
  const nowMs = Date.now();
  const ninetyDays = spanOf(nowMs - 90 * DAY, nowMs);
  const most = { tenantId, sort: "tokens", order: "desc" } as const;
  const page = { limit: 51 };
  const overviews = overviewRanges.map((range): [string, () => Promise<unknown>] => {
    const splits = ["model", "provider", "user", "key"] as const;
    const ask = {
      plan: planOverview(nowMs, { zone: "UTC", range, fineFromMs: nowMs - 7 * DAY }),
      by: "model",
      splits,
      userId: null,
      sinceMs: nowMs,
    } as const;
    return [`overview${range}`, () => readOverview(pool, tenantId, ask)];
  });
  const ninety = (filter: LogFilter) => () => countByBucket(pool, { tenantId, filter, scope: {}, span: ninetyDays, unsettled: [] });
  return {
    ...Object.fromEntries(overviews),
    ninetyDays: ninety({}),
    ninetyDaysOfModel: ninety({ model: skewedId("model", 0) }),
    ninetyDaysOfProvider: ninety({ providerId: skewedId("provider", 0) }),
    ninetyDaysOfUser: ninety({ userId: skewedId("user", 0) }),
    mostOfAllTimeByKey: () => pool.query(keysStatement({ ...most, userId: null, searchesOwners: false, nowMs }, page)),
    mostOfAllTimeByUser: () => pool.query(usersStatement(most, page)),
    mostOfAllTimeByModel: () => pool.query(allTimeSql("model"), [tenantId]),
    mostOfAllTimeByProvider: () => pool.query(allTimeSql("provider"), [tenantId]),
  };
}

/** From the daily sums, which are kept forever. */
function allTimeSql(kind: "model" | "provider"): string {
  return `SELECT id, sum(requests) AS requests, sum(cost_nano_usd) AS cost FROM usage_sums
    WHERE tenant_id = $1 AND grain = 'day' AND kind = '${kind}' GROUP BY 1 ORDER BY 3 DESC LIMIT 51`;
}

export async function measureSums(pool: pg.Pool, rounds: number): Promise<Report> {
  const asked = queries(pool);
  const subjects = Object.entries(asked).map(([name, ask]) => [name, () => msOf(ask)] as const);
  const took = await interleave(rounds, Object.fromEntries(subjects));
  const report: Report = { metrics: {}, targets: {} };
  for (const [name, figures] of Object.entries(took)) {
    report.metrics[`${name}MsP95`] = summarise(figures.map((ms) => quantile(ms, 0.95)));
    report.targets[`${name}MsP95`] = { atMost: 50 };
  }
  return report;
}

async function msOf(ask: () => Promise<unknown>): Promise<number[]> {
  const took: number[] = [];
  for (let i = 0; i < PER_ROUND; i++) {
    const began = performance.now();
    await ask();
    took.push(performance.now() - began);
  }
  return took;
}
