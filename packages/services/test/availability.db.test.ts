import type { Ctx } from "@sluice/services/context";
import { getAvailability } from "@sluice/services/statistics/get-availability";
import { fakeClock } from "@sluice/testing/clock";
import { afterEach, beforeEach, expect, it } from "vitest";
import { startServices, type TestServices } from "./harness.ts";

const DAY_MS = 86_400_000;
const NOW_MS = Date.parse("2026-11-21T11:47:00Z");
let test: TestServices;
let admin: Ctx;
beforeEach(async () => {
  test = await startServices();
  admin = { ...(await test.as("admin")), clock: fakeClock(NOW_MS) };
});
afterEach(() => test?.close());

/** Requests to each model of each provider in every five minutes of two days, with figures of a large gateway. */
async function serve(providers: number, models: number): Promise<void> {
  for (const [table, stepS, requests] of [
    ["rollups_5m", 300, 9_999_999],
    ["rollups_hour", 3_600, 12 * 9_999_999],
    ["rollups_day", 86_400, 288 * 9_999_999],
  ] as const)
    await test.database.pool.query(
      `INSERT INTO ${table} (tenant_id, bucket, user_id, key_id, provider_id, model, "group", dialect, status_class, requests, billable_requests,
         input_tokens, output_tokens, cache_write_5m_tokens, cache_write_1h_tokens, cache_read_tokens, cost_nano_usd, upstream_cost_nano_usd,
         ttft_count, ttft_ms_sum, duration_ms_sum)
       SELECT 'default', $1::timestamptz + make_interval(secs => $2 * b), 'u', 'k', ('019aa400-0000-7000-8000-' || lpad(p::text, 12, '0')),
         'claude-sonnet-4-5-2025092' || m, 'default', 'openai', status, $3::bigint - p, 1, 1, 0, 0, 0, 0, 1, 1, 1, 1, 1
       FROM generate_series(1, $4) AS p, generate_series(1, $5) AS m, generate_series(0, 2 * 86400 / $2::int - 1) AS b,
         unnest(ARRAY['2xx', '5xx', 'aborted']) AS status`,
      [new Date(Date.parse("2026-11-20T00:00:00Z")), stepS, requests, providers, models],
    );
}

it.each([
  { providers: 2, models: 3, days: 1, rows: 8, step: "15m" },
  { providers: 10, models: 2, days: 1, rows: 30, step: "hour" },
  { providers: 10, models: 2, days: 30, rows: 30, step: "day" },
])("of $days d all $rows rows of providers and models are shown, by $step", async ({ providers, models, days, rows, step }) => {
  await serve(providers, models);
  const answer = await getAvailability(admin, { from: NOW_MS - days * DAY_MS });
  expect(answer).toMatchObject({ step, total: rows });
  expect(answer.rows).toHaveLength(rows);
  for (const { series } of answer.rows) expect(series.requests).toHaveLength(answer.times.length);
  // A step that was asked for is kept, and its answer is not that of the automatic one.
  const fine = await getAvailability(admin, { step: "15m" });
  expect(fine).toMatchObject({ step: "15m", total: rows });
  expect(fine.rows.length).toBeLessThanOrEqual(rows);
});

it("of a large installation it is the first rows, in less than 50 KB at any range and step", async () => {
  await serve(20, 9);
  for (const days of [1 / 288, 1 / 24, 1, 7, 30, 90, 365])
    for (const step of ["auto", "day"] as const) {
      const answer = await getAvailability(admin, { from: NOW_MS - days * DAY_MS, to: NOW_MS, step });
      expect(answer.total).toBe(200);
      expect(answer.rows.length).toBeGreaterThan(1);
      expect(JSON.stringify(answer).length, `${days} ${step}`).toBeLessThan(50_000);
    }
  const day = await getAvailability(admin);
  expect(day.step).toBe("hour");
  expect(day.rows.length).toBeGreaterThan(30);
});
