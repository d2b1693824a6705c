import { costWindows } from "@sluice/core/limits/cost-windows";
import { makeRequestRow, uniqueName } from "@sluice/testing/factories";
import { createTestDatabase, type TestDatabase } from "@sluice/testing/postgres";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createSpendReader } from "./spend-reader.ts";

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

const at = (text: string): number => Date.parse(text);
const nowMs = at("2026-11-28T01:00:00Z");

/** A rollup bucket with nothing but a cost. */
async function rollup(table: "rollups_5m" | "rollups_hour" | "rollups_day", bucket: string, keyId: string, cost: number): Promise<void> {
  await database.pool.query(
    `INSERT INTO ${table} (tenant_id, bucket, user_id, key_id, provider_id, model, "group", dialect, status_class, requests, billable_requests,
       input_tokens, output_tokens, cache_write_5m_tokens, cache_write_1h_tokens, cache_read_tokens, cost_nano_usd, upstream_cost_nano_usd)
     VALUES ('default', $1, '', $2, '', 'm', 'g', 'openai', '2xx', 1, 1, 0, 0, 0, 0, 0, $3, 0)`,
    [bucket, keyId, cost],
  );
}

test("a window's sum is its days, its hours, its five minutes and its rows, each once", async () => {
  const id = uniqueName("key");
  // A day that begins at 22:32 UTC: two minutes from rows, five-minute buckets up to 23:00, an hour, and the days.
  const windows = costWindows({ zone: "UTC", fiveHours: "rolling", day: "fixed", dayAt: "22:32" }, nowMs);
  const inside = await makeRequestRow(database.pool, { keyId: id, startedAtMs: at("2026-11-27T22:33:00Z"), costNanoUsd: "1" });
  await makeRequestRow(database.pool, { keyId: id, startedAtMs: at("2026-11-27T22:31:59Z"), costNanoUsd: "1000000" });
  await rollup("rollups_5m", "2026-11-27T22:30:00Z", id, 1_000_000);
  await rollup("rollups_5m", "2026-11-27T22:35:00Z", id, 20);
  await rollup("rollups_hour", "2026-11-27T22:00:00Z", id, 1_000_000);
  await rollup("rollups_hour", "2026-11-27T23:00:00Z", id, 300);
  await rollup("rollups_day", "2026-11-27T00:00:00Z", id, 2_000_321);
  await rollup("rollups_day", "2026-11-28T00:00:00Z", id, 4_000);
  const read = createSpendReader(database.pool);
  const missing = "019aa400-0000-7000-8000-000000000099";
  const asked = { questions: [{ owner: "key" as const, id, totalSinceMs: 0 }], windows, nowMs, idsOf: () => [inside.id, missing] };
  const [answer] = await read(asked);
  expect(answer?.facts.sums).toMatchObject({ day: 4_321, week: 2_004_321, month: 2_004_321, total: 2_004_321 });
  expect([...(answer?.facts.buckets.values() ?? [])]).toEqual(expect.arrayContaining([20]));
  // The ids in question that the sums already include.
  expect(answer?.visible).toEqual([inside.id]);
});
