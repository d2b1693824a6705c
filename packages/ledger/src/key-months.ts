import type pg from "pg";
import { isUuid, tokens } from "./recent-columns.ts";
import { underSettleLock } from "./settle-batch.ts";
import { monthsMoved, rankedNames, shownSums, usageSumNames } from "./settle-statement.ts";

/**
 * Sums of keys by the month (`key_months`), which are moved with those of their days. A process of before them moves the days alone, and
 * of these not all (`measured_requests`): so a month is read only where its row of everything (`usage_sums` of grain 'month'), which moves
 * with the keys', is the sum of its days, and {@link completeKeyMonths} makes it so where it is not.
 */
const month = `grain = '${monthsMoved.grain}' AND kind = ''`;
const ofDays = "grain = 'day' AND kind = ''";
const endOf = (start: string): string => `(${start} AT TIME ZONE 'UTC' + interval '1 month') AT TIME ZONE 'UTC'`;
const used = `ARRAY[sum(requests), sum(cost_nano_usd), sum(${tokens})]`;

/** Which of the months $2 of a tenant $1 are whole, as `bucket`. */
export const wholeMonthsSql = `SELECT m.bucket FROM unnest($2::timestamptz[]) AS m(bucket)
  WHERE (SELECT ${used} FROM usage_sums WHERE tenant_id = $1 AND ${month} AND bucket = m.bucket) IS NOT DISTINCT FROM
    (SELECT ${used} FROM usage_sums WHERE tenant_id = $1 AND ${ofDays} AND bucket >= m.bucket AND bucket < ${endOf("m.bucket")})`;

/** Sums up anew what months are not whole, the newest first: after an upgrade all. Resolves with how many. */
export async function completeKeyMonths(pool: pg.Pool, signal?: AbortSignal): Promise<number> {
  const { rows } = await pool.query<{ tenant: string; start: Date; days: Date[] }>(
    `SELECT tenant_id AS tenant, ${monthsMoved.bucketOf("bucket")} AS start, array_agg(bucket ORDER BY bucket) AS days FROM usage_sums
     WHERE tenant_id = ANY(ARRAY(SELECT tenant_id FROM config_version)) AND ${ofDays} GROUP BY 1, 2 ORDER BY 1, 2 DESC`,
  );
  let completed = 0;
  for (const { tenant, start, days } of rows) {
    const whole = await pool.query(wholeMonthsSql, [tenant, [start]]);
    if (whole.rows.length > 0) continue;
    // Settling goes on between them; what it leaves is little.
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

/** Of what an older process settled on these days the sums that it does not know. */
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

/** $1 tenant, $2 the month. */
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
