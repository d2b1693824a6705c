import { ensurePartitions } from "@sluice/db/partitions";
import type { ListOptions } from "@sluice/ledger/list-statement";
import { listRequests } from "@sluice/ledger/query";
import { createTestDatabase } from "@sluice/testing/postgres";
import { seedRequestRows } from "@sluice/testing/seed-request-rows";
import type pg from "pg";
import { type BenchOptions, interleave, type Metric, paired, quantile, type Report, summarise } from "./report.ts";

/**
 * A page of the log at a million rows (ten million with --full), the first and one nine tenths of the way down, by the
 * statements that the console's list sends: what is asked is whether depth costs.
 */
const daysSpanned = 70;
const pageSize = 50;
const pagesPerRound = 200;

const views: Record<string, Pick<ListOptions, "filter" | "scope">> = {
  all: { filter: {}, scope: {} },
  user: { filter: {}, scope: { userId: "user-3" } },
  provider: { filter: { providerId: "provider-3" }, scope: {} },
  failed: { filter: { state: "error" }, scope: {} },
};

/** p50 in ms of a page that begins before each of these ids, asked for one at a time. */
async function pageMs(
  pool: pg.Pool,
  view: Pick<ListOptions, "filter" | "scope">,
  befores: readonly (string | undefined)[],
): Promise<number> {
  const took: number[] = [];
  for (let i = 0; i < pagesPerRound; i++) {
    const began = performance.now();
    const { rows } = await listRequests(pool, { ...view, before: befores[i % befores.length], limit: pageSize });
    took.push(performance.now() - began);
    if (rows.length !== pageSize) throw new Error(`a page of ${rows.length} rows`);
  }
  return quantile(took, 0.5);
}

/** Ids around nine tenths of the way down, by time: pages of one view do not share them. */
async function deepIds(pool: pg.Pool): Promise<string[]> {
  const { rows } = await pool.query<{ id: string }>(
    `SELECT id FROM (SELECT id FROM requests ORDER BY id OFFSET (SELECT count(*) / 10 FROM requests) LIMIT 5000) AS deep
     WHERE id::text LIKE '%7' LIMIT 20`,
  );
  return rows.map((row) => row.id);
}

/** First and deep page, each view, interleaved. */
export async function keysetBench({ full }: BenchOptions): Promise<Report> {
  const rowCount = full ? 10_000_000 : 1_000_000;
  const database = await createTestDatabase();
  try {
    const { pool } = database;
    await ensurePartitions(pool, { nowMs: Date.now(), monthsBack: 4 });
    const began = performance.now();
    await seedRequestRows(pool, rowCount, Math.floor((daysSpanned * 86_400_000) / rowCount));
    console.log(`${rowCount} rows seeded in ${Math.round((performance.now() - began) / 1_000)} s`);
    const deep = await deepIds(pool);
    const metrics: Record<string, Metric> = { rows: summarise([rowCount]) };
    const targets: Report["targets"] = {};
    for (const [name, view] of Object.entries(views)) {
      // Both are warm, as a page that somebody looks at is; a first look at a cold page is the disk's.
      await pageMs(pool, view, [undefined, ...deep]);
      const { first, nineTenths } = await interleave(full ? 9 : 5, {
        first: () => pageMs(pool, view, [undefined]),
        nineTenths: () => pageMs(pool, view, deep),
      });
      metrics[`${name}FirstMsP50`] = summarise(first);
      metrics[`${name}DeepMsP50`] = summarise(nineTenths);
      metrics[`${name}DeepToFirst`] = paired(nineTenths, first, (a, b) => a / b);
      targets[`${name}DeepToFirst`] = { atMost: 1.5 };
    }
    return { metrics, targets };
  } finally {
    await database.drop();
  }
}
