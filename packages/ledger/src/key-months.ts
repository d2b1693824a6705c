import type pg from "pg";
import { isUuid, tokens } from "./recent-columns.ts";
import { underSettleLock } from "./settle-batch.ts";
import { monthsMoved, rankedNames, shownSums, usageSumNames } from "./settle-statement.ts";

/**
 * Monthly sums per key (`key_months`), moved together with the daily ones. A process of an older version moves only the daily sums, and
 * not all of their columns (`measured_requests`). A month is therefore read only when its overall row (`usage_sums` of grain 'month'),
 * which moves with the monthly sums, equals the sum of its days. {@link completeKeyMonths} repairs the months where it does not.
 */
const month = `grain = '${monthsMoved.grain}' AND kind = ''`;
const ofDays = "grain = 'day' AND kind = ''";
const endOf = (start: string): string => `(${start} AT TIME ZONE 'UTC' + interval '1 month') AT TIME ZONE 'UTC'`;
const used = `ARRAY[sum(requests), sum(cost_nano_usd), sum(${tokens})]`;

/** Which of the months $2 of tenant $1 are complete, as `bucket`. */
export const wholeMonthsSql = `SELECT m.bucket FROM unnest($2::timestamptz[]) AS m(bucket)
  WHERE (SELECT ${used} FROM usage_sums WHERE tenant_id = $1 AND ${month} AND bucket = m.bucket) IS NOT DISTINCT FROM
    (SELECT ${used} FROM usage_sums WHERE tenant_id = $1 AND ${ofDays} AND bucket >= m.bucket AND bucket < ${endOf("m.bucket")})`;

/** Recomputes incomplete months, newest first; after an upgrade that is all of them. Resolves with how many. */
export async function completeKeyMonths(pool: pg.Pool, signal?: AbortSignal): Promise<number> {
  const { rows } = await pool.query<{ tenant: string; start: Date; days: Date[] }>(
    `SELECT tenant_id AS tenant, ${monthsMoved.bucketOf("bucket")} AS start, array_agg(bucket ORDER BY bucket) AS days FROM usage_sums
     WHERE tenant_id = ANY(ARRAY(SELECT tenant_id FROM config_version)) AND ${ofDays} GROUP BY 1, 2 ORDER BY 1, 2 DESC`,
  );
  let completed = 0;
  for (const { tenant, start, days } of rows) {
    const whole = await pool.query(wholeMonthsSql, [tenant, [start]]);
    if (whole.rows.length > 0) continue;
    // One day per lock, so that settling continues in between; little is left for the final pass below.
    for (const day of days) if (!signal?.aborted) await underSettleLock(pool, (client) => measureDays(client, tenant, [day]));
    if (signal?.aborted) break;
    await underSettleLock(pool, async (client) => {
      await measureDays(client, tenant, days);
      await sumUpMonth(client, [tenant, start]);
    });
    completed++;
  }
  return completed;
}

const keyOfDay = ["bucket", "user_id", "key_id"];

/** Computes the columns that an older process did not move on these days. */
async function measureDays(client: pg.ClientBase, tenantId: string, days: readonly Date[]): Promise<void> {
  const sums = Object.entries(shownSums).map(([name, sum]) => `${sum} AS ${name}`);
  await client.query(
    `UPDATE key_days k SET ${Object.keys(shownSums)
      .map((name) => `${name} = s.${name}`)
      .join(", ")}
     FROM (SELECT bucket, user_id::uuid AS user_id, key_id::uuid AS key_id, ${sums.join(", ")} FROM rollups_day
       WHERE tenant_id = $1 AND ${isUuid("user_id")} AND ${isUuid("key_id")} AND bucket = ANY(ARRAY(
         SELECT DISTINCT bucket FROM key_days WHERE tenant_id = $1 AND bucket = ANY($2::timestamptz[]) AND measured_requests <> requests))
       GROUP BY ${keyOfDay.join(", ")}) AS s
     WHERE k.tenant_id = $1 AND k.bucket = ANY($2::timestamptz[]) AND k.measured_requests <> k.requests AND ${keyOfDay.map((name) => `k.${name} = s.${name}`).join(" AND ")}`,
    [tenantId, days],
  );
}

/** $1 is the tenant, $2 the month. */
async function sumUpMonth(client: pg.ClientBase, values: [tenant: string, start: Date]): Promise<void> {
  const days = `tenant_id = $1 AND bucket >= $2 AND bucket < ${endOf("$2::timestamptz")}`;
  const sums = (names: readonly string[]): string => names.map((name) => `sum(${name})`).join(", ");
  await client.query("DELETE FROM key_months WHERE tenant_id = $1 AND bucket = $2", values);
  await client.query(
    `INSERT INTO key_months (tenant_id, bucket, user_id, key_id, ${rankedNames.join(", ")})
     SELECT $1, $2, user_id, key_id, ${sums(rankedNames)} FROM key_days WHERE ${days} GROUP BY user_id, key_id`,
    values,
  );
  await client.query(`DELETE FROM usage_sums WHERE tenant_id = $1 AND bucket = $2 AND ${month}`, values);
  await client.query(
    `INSERT INTO usage_sums (tenant_id, grain, kind, bucket, id, ${usageSumNames.join(", ")})
     SELECT $1, '${monthsMoved.grain}', '', $2, '', ${sums(usageSumNames)} FROM usage_sums WHERE ${ofDays} AND ${days}`,
    values,
  );
}
