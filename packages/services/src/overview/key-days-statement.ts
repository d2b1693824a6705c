/**
 * Usage of keys on whole days, from `key_days` with one row per key and day, where the rollups have one for every combination of
 * provider, model and so on. Rows settled by a process of an older version are incomplete; they are marked, and read from the day's
 * rollups instead.
 */

/** The measured columns that statements over sums read, besides `errors`, `aborted` and `refused`. */
export const measured = `requests, input_tokens, output_tokens, cache_write_5m_tokens, cache_write_1h_tokens, cache_read_tokens, cost_nano_usd,
      ttft_count, ttft_ms_sum, duration_ms_sum`;

const of = (condition: string): string => `CASE WHEN ${condition} THEN requests ELSE 0 END`;
/** `errors`, `aborted` and `refused` of a rollup row. */
export const endsOfRollup = `${of("status_class IN ('4xx', '5xx')")} AS errors, ${of("status_class = 'aborted'")} AS aborted,
      ${of("status_class = 'refused'")} AS refused`;

const ofDay = `errors, aborted_requests AS aborted, requests - ended_requests - aborted_requests AS refused, requests,
      prompt_tokens - cache_write_tokens - cache_read_tokens AS input_tokens, total_tokens - prompt_tokens AS output_tokens,
      cache_write_tokens AS cache_write_5m_tokens, 0::bigint AS cache_write_1h_tokens, cache_read_tokens, cost_nano_usd, ttft_count, ttft_ms_sum,
      duration_ms_sum`;

interface KeyDays {
  /** `user_id` or `key_id`, as text. */
  id: string;
  /** Conditions on tenant, bucket and owner for `key_days`, where ids are UUIDs. */
  where: string;
  /** The same for the rollups, where ids are text, to include usage without a key. Absent when only keys are wanted. */
  keyless?: string | undefined;
}

/** Selects `bucket`, `id`, `errors`, `aborted`, `refused` and {@link measured} by day. */
export function keyDaysSql({ id, where, keyless }: KeyDays): string {
  // OFFSET 0 keeps the subquery apart: an index lookup for each of the few incomplete rows, instead of a join with all rollups.
  const days = `SELECT bucket, ${id} AS id, errors, aborted, refused, ${measured} FROM (
      WITH days AS MATERIALIZED (SELECT * FROM key_days WHERE ${where})
      SELECT bucket, user_id::text, key_id::text, ${ofDay} FROM days WHERE measured_requests = requests
      UNION ALL SELECT days.bucket, days.user_id::text, days.key_id::text, rolled.* FROM days CROSS JOIN LATERAL (
        SELECT ${endsOfRollup}, ${measured} FROM rollups_day r
        WHERE r.tenant_id = days.tenant_id AND r.bucket = days.bucket AND r.user_id = days.user_id::text AND r.key_id = days.key_id::text OFFSET 0) AS rolled
      WHERE days.measured_requests <> days.requests) AS of_keys`;
  if (keyless === undefined) return days;
  return `${days} UNION ALL SELECT bucket, ${id}, ${endsOfRollup}, ${measured} FROM rollups_day WHERE ${keyless} AND key_id = ''`;
}
