import { sketchBounds } from "@sluice/core/latency-sketch";
import type pg from "pg";
import { rollupTables, statusClassSql } from "./settle-statement.ts";

/**
 * The invariants that Postgres alone can show. They are computed apart from the code that writes: sums from the raw
 * rows, costs in SQL's exact decimals from tokens × the price version. Every difference is a defect of ours.
 */
export interface Difference {
  invariant: "I1" | "I2" | "I3" | "I4" | "I5" | "I6" | "I9";
  /** The request, or the key of a sum. */
  id: string;
  what: string;
}

/** Differences listed per check: the first ones say what is wrong, a million of them say no more. */
const LISTED = 20;

/** I2: every sum at every level equals that of its raw rows, with the same key, none missing and none too many. */
export async function findWrongSums(pool: pg.Pool): Promise<Difference[]> {
  const differences: Difference[] = [];
  for (const { table, bucketOf } of rollupTables) {
    const { rows } = await pool.query<{ key: string; raw: string; kept: string }>(sumsSql(table, bucketOf("started_at")));
    differences.push(
      ...rows.map(({ key, raw, kept }) => ({ invariant: "I2" as const, id: key, what: `${table}: rows give ${raw}, kept is ${kept}` })),
    );
  }
  return differences;
}

function sumsSql(table: string, bucket: string): string {
  const key = `tenant_id, bucket, user_id, key_id, provider_id, model, "group", dialect, status_class`;
  const measures = [
    ...["input_tokens", "output_tokens", "cache_write_5m_tokens", "cache_write_1h_tokens", "cache_read_tokens"],
    ...["cost_nano_usd", "upstream_cost_nano_usd"],
  ];
  const times = ["ttft_count", "ttft_ms_sum", "duration_ms_sum", "ttft_sketch", "duration_sketch"];
  // Before this, rows or sums were taken away by the retention.
  const kept = `bucket >= to_timestamp(coalesce((SELECT max(value::bigint) FROM installation
    WHERE name IN ('requests.kept_from', '${table}.kept_from')), 0) / 1000.0)`;
  return `WITH raw AS (
    SELECT ${key}, concat_ws('/', count(*) FILTER (WHERE corrects_id IS NULL), count(*) FILTER (WHERE billable AND corrects_id IS NULL),
      ${measures.map((name) => `coalesce(sum(${name}), 0)`).join(", ")},
      sum(CASE WHEN corrects_id IS NULL AND ttft_ms IS NOT NULL THEN 1 ELSE 0 END),
      sum(CASE WHEN corrects_id IS NULL THEN coalesce(ttft_ms, 0) ELSE 0 END),
      sum(CASE WHEN corrects_id IS NULL THEN duration_ms ELSE 0 END), ${sketchSum("ttft_ms")}, ${sketchSum("duration_ms")}) AS sums
    FROM (SELECT *, ${bucket} AS bucket, ${statusClassSql} AS status_class FROM requests) AS classed
    WHERE ${kept} GROUP BY ${key}),
  kept AS (SELECT ${key}, concat_ws('/', requests, billable_requests, ${[...measures, ...times].join(", ")}) AS sums FROM ${table} WHERE ${kept})
  SELECT concat_ws(' ', tenant_id, bucket, user_id, key_id, provider_id, model, "group", dialect, status_class) AS key,
    coalesce(raw.sums, 'nothing') AS raw, coalesce(kept.sums, 'nothing') AS kept
  FROM raw FULL JOIN kept USING (${key}) WHERE raw.sums IS DISTINCT FROM kept.sums LIMIT ${LISTED}`;
}

/**
 * I3: every account has what it was given less what the ledger charged, and holds what its open holds say. The ledger's
 * part is read from the daily sums, which stay when old rows go; that these are right is I2.
 */
export async function findWrongBalances(pool: pg.Pool): Promise<Difference[]> {
  const { rows } = await pool.query<{ id: string; kept: string; expected: string }>(`
    WITH charged AS (SELECT user_id, sum(cost_nano_usd) AS cost FROM rollups_day WHERE user_id <> '' GROUP BY 1),
    moved AS (SELECT user_id, sum(amount_nano_usd) AS amount, sum(held_nano_usd) AS held FROM account_entries GROUP BY 1)
    SELECT a.user_id AS id, concat_ws('/', a.balance_nano_usd, a.held_nano_usd) AS kept,
      concat_ws('/', a.postpaid_nano_usd + coalesce(m.amount, 0) - coalesce(c.cost, 0), coalesce(m.held, 0)) AS expected
    FROM accounts a LEFT JOIN charged c ON c.user_id = a.user_id::text LEFT JOIN moved m ON m.user_id = a.user_id
    WHERE a.balance_nano_usd <> a.postpaid_nano_usd + coalesce(m.amount, 0) - coalesce(c.cost, 0) OR a.held_nano_usd <> coalesce(m.held, 0)
    LIMIT ${LISTED}`);
  return rows.map(({ id, kept, expected }) => ({
    invariant: "I3",
    id,
    what: `balance/held are ${kept}; entries and ledger give ${expected}`,
  }));
}

/** A sketch as it must be: ten to the power of its bucket's place, for each row. */
function sketchSum(column: string): string {
  const bucket = `(SELECT count(*) FROM unnest('{${sketchBounds.join(",")}}'::int[]) AS bound WHERE bound <= ${column})`;
  return `coalesce(sum(CASE WHEN corrects_id IS NULL AND ${column} IS NOT NULL THEN trunc(power(10::numeric, 10 * ${bucket})) END), 0)`;
}

/** I4: no id twice. (A primary key says so of each partition, and ranges of each other; this says so of the data.) */
export async function findDoubles(pool: pg.Pool): Promise<Difference[]> {
  const { rows } = await pool.query<{ id: string; n: string }>(
    `SELECT id, count(*) AS n FROM requests GROUP BY id HAVING count(*) > 1 LIMIT ${LISTED}`,
  );
  return rows.map(({ id, n }) => ({ invariant: "I4", id, what: `${n} rows` }));
}

/**
 * I5: tokens × price version × multipliers, rounded once, half up, is the stored cost. Prices are USD per million
 * tokens, so tokens × price × 1,000 are nano-USD; a missing cache price is 1.25 ×, 2 × or 0.1 × the input price.
 */
export async function findWrongCosts(pool: pg.Pool): Promise<Difference[]> {
  const { rows } = await pool.query<{ id: string; stored: string | null; expected: string | null }>(`
    SELECT r.id, r.cost_nano_usd AS stored, floor((r.input_tokens * p.input_per_mtok + r.output_tokens * p.output_per_mtok
        + r.cache_write_5m_tokens * coalesce(p.cache_write_5m_per_mtok, round(p.input_per_mtok * 1.25, 12))
        + r.cache_write_1h_tokens * coalesce(p.cache_write_1h_per_mtok, p.input_per_mtok * 2)
        + r.cache_read_tokens * coalesce(p.cache_read_per_mtok, round(p.input_per_mtok * 0.1, 12))) * 1000
        * (d.detail -> 'cost' ->> 'providerMultiplier')::numeric * (d.detail -> 'cost' ->> 'groupMultiplier')::numeric + 0.5)::text AS expected
    FROM requests r LEFT JOIN prices p ON p.id = r.price_id LEFT JOIN request_details d ON d.id = r.id
    WHERE r.corrects_id IS NULL AND r.billable AND r.cost_nano_usd IS NOT NULL`);
  const differences: Difference[] = [];
  for (const { id, stored, expected } of rows) {
    // Nothing was produced: there is no breakdown, and nothing to pay.
    if (stored === expected || (expected === null && stored === "0")) continue;
    differences.push({
      invariant: "I5",
      id,
      what: `stored ${stored}, tokens and price give ${expected ?? "nothing (no price or breakdown)"}`,
    });
    if (differences.length === LISTED) break;
  }
  const { rows: silent } = await pool.query<{ id: string }>(
    `SELECT id FROM requests WHERE cost_nano_usd IS NULL AND billable AND NOT 'unpriced' = ANY (flags) LIMIT ${LISTED}`,
  );
  return [...differences, ...silent.map(({ id }) => ({ invariant: "I5" as const, id, what: "no cost and not flagged unpriced" }))];
}
