/**
 * What a key did on whole days: of `key_days` a row a key and day, where the rollups have one for every combination of provider, model and
 * so on. What an older process settled is not all there; those rows say so, and are read from the rollups of the day.
 */

/** What statements over sums read of a row of theirs, beside `errors`, `aborted` and `refused`. */
export const measured = `requests, input_tokens, output_tokens, cache_write_5m_tokens, cache_write_1h_tokens, cache_read_tokens, cost_nano_usd,
      ttft_count, ttft_ms_sum, duration_ms_sum`;

const of = (condition: string): string => `CASE WHEN ${condition} THEN requests ELSE 0 END`;
/** `errors`, `aborted` and `refused` of a row of rollups. */
export const endsOfRollup = `${of("status_class IN ('4xx', '5xx')")} AS errors, ${of("status_class = 'aborted'")} AS aborted,
      ${of("status_class = 'refused'")} AS refused`;

const ofDay = `errors, aborted_requests AS aborted, requests - ended_requests - aborted_requests AS refused, requests,
      prompt_tokens - cache_write_tokens - cache_read_tokens AS input_tokens, total_tokens - prompt_tokens AS output_tokens,
      cache_write_tokens AS cache_write_5m_tokens, 0::bigint AS cache_write_1h_tokens, cache_read_tokens, cost_nano_usd, ttft_count, ttft_ms_sum,
      duration_ms_sum`;

interface KeyDays {
  /** Of `user_id` and `key_id`, as text. */
  id: string;
  /** Conditions on tenant, bucket and owners in `key_days`, where ids are UUIDs; */
  where: string;
  /** and in the rollups, where they are text: for what was used without a key. Absent: a key is asked for. */
  keyless?: string | undefined;
}

/** `bucket`, `id`, `errors`, `aborted`, `refused` and {@link measured} of days. */
export function keyDaysSql({ id, where, keyless }: KeyDays): string {
  // OFFSET 0: by the index for each of the few rows that there are, not joined with all of the rollups.
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
