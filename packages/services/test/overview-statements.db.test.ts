import { systemClock } from "@sluice/core/clock";
import type { OverviewRange, OverviewSplit } from "@sluice/core/overview-range";
import type { Ctx } from "@sluice/services/context";
import { getOverview } from "@sluice/services/overview/get-overview";
import { fakeClock } from "@sluice/testing/clock";
import { requestRow } from "@sluice/testing/factories";
import { seedRequestRows } from "@sluice/testing/seed-request-rows";
import pg from "pg";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { startServices, type TestServices } from "./harness.ts";

let test: TestServices;
let admin: Ctx & { userId: string };
let user: Ctx & { userId: string };
beforeEach(async () => {
  test = await startServices();
  admin = await test.as("admin");
  user = await test.as("user");
});
afterEach(() => test?.close());

describe("what is asked of PostgreSQL", () => {
  const asked: pg.QueryConfig[] = [];

  async function statementsOf(who: Ctx, input: { range: OverviewRange; by: OverviewSplit }): Promise<typeof asked> {
    const { pool } = who;
    const recorded = (statement: string | pg.QueryConfig) => {
      asked.push(typeof statement === "string" ? { text: statement } : statement);
      return statement;
    };
    const recording = {
      query: (text: string) => pool.query(text),
      connect: async () => {
        const client = await pool.connect();
        return {
          query: (statement: string | pg.QueryConfig) => client.query(recorded(statement)),
          release: (error?: Error) => client.release(error),
        };
      },
    };
    asked.length = 0;
    await getOverview({ ...who, pool: recording as unknown as Ctx["pool"] }, input);
    return [...asked];
  }

  /** Generic plans of the statements sent, in a transaction like theirs. */
  async function explain(sent: typeof asked): Promise<{ text: string; plan: string }[]> {
    const plans: { text: string; plan: string }[] = [];
    const client = await test.database.pool.connect();
    try {
      for (const { name, text, values = [] } of sent) {
        if (name === undefined) {
          await client.query(text);
          continue;
        }
        await client.query(`PREPARE explained AS ${text}`);
        const list = values.length === 0 ? "" : `(${values.map(literal).join(", ")})`;
        const { rows } = await client.query(`EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF, BUFFERS OFF) EXECUTE explained${list}`);
        await client.query("DEALLOCATE explained");
        plans.push({ text, plan: rows.map((row) => row["QUERY PLAN"]).join("\n") });
      }
    } finally {
      client.release();
    }
    return plans;
  }

  function literal(value: unknown): string {
    if (value === undefined || value === null) return "NULL";
    if (Array.isArray(value))
      return pg.escapeLiteral(`{${value.map((one) => (one instanceof Date ? `"${one.toISOString()}"` : one)).join()}}`);
    return pg.escapeLiteral(value instanceof Date ? value.toISOString() : String(value));
  }

  it("at most eleven statements, each an index range scan, however much data there is", async () => {
    const { pool } = test.database;
    for (const [table, step, count] of [
      ["rollups_5m", 300, 2_500],
      ["rollups_hour", 3_600, 1_500],
      ["rollups_day", 86_400, 200],
    ] as const) {
      await pool.query(
        `INSERT INTO ${table} (tenant_id, bucket, user_id, key_id, provider_id, model, "group", dialect, status_class, requests,
           billable_requests, input_tokens, output_tokens, cache_write_5m_tokens, cache_write_1h_tokens, cache_read_tokens,
           cost_nano_usd, upstream_cost_nano_usd)
         SELECT 'default', date_bin(make_interval(secs => $1), now(), '2000-01-01Z') - make_interval(secs => $1 * b),
           CASE WHEN k = 0 THEN $3 ELSE 'user-' || k END, 'key-' || k, 'provider-' || k % 4, 'model-' || k % 7, 'default', 'openai', '2xx',
           1, 1, 1, 1, 0, 0, 0, 1, 1
         FROM generate_series(0, $2::int) AS b, generate_series(0, 7) AS k`,
        [step, count, user.userId],
      );
      await pool.query(
        `INSERT INTO usage_sums (tenant_id, grain, kind, bucket, id, requests, requests_3xx, requests_4xx, requests_5xx, requests_aborted,
           requests_refused, billable_requests, input_tokens, output_tokens, cache_write_5m_tokens, cache_write_1h_tokens, cache_read_tokens,
           cost_nano_usd, upstream_cost_nano_usd, ttft_count, ttft_ms_sum, duration_ms_sum, ttft_sketch, duration_sketch)
         SELECT tenant_id, $1, kind, bucket, id, count(*), 0, 0, 0, 0, 0, 1, 1, 1, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0
         FROM ${table}, LATERAL (VALUES ('', ''), ('model', model), ('provider', provider_id)) AS of(kind, id) GROUP BY 1, 2, 3, 4, 5`,
        [table.replace("rollups_", "")],
      );
      await pool.query(`VACUUM ANALYZE ${table}`);
    }
    await pool.query("VACUUM ANALYZE usage_sums");
    await seedRequestRows(pool, 5_000, 400_000);
    for (const { userId } of [admin, user]) test.live.registry.started(requestRow({ userId, state: "in_flight" }));
    const clock = fakeClock(systemClock.now());
    for (const who of [
      { ...admin, clock },
      { ...user, clock },
    ]) {
      const isAdmin = who.userId === admin.userId;
      for (const range of ["24h", "7d", "30d"] as const) {
        const input = { range, by: isAdmin ? "model" : "key" } as const;
        const sent = await statementsOf(who, input);
        expect(sent.length).toBe(isAdmin ? 11 : 10);
        expect((await statementsOf(who, input)).map(({ text }) => text.slice(0, 6))).toEqual(["BEGIN ", "SELECT", "COMMIT"]);
        const plans = await explain(sent);
        // For all users, the only rollups that are read are those at the edges of the totals.
        const reading = plans.filter(({ text, plan }) => plan.includes(" rollups_") && !text.includes("FROM requests"));
        if (isAdmin) expect(reading.filter(({ text }) => !text.includes("key_totals"))).toEqual([]);
        for (const { text, plan } of plans) {
          expect(plan, text).not.toMatch(/Seq Scan on (rollups|usage_sums|key_totals|user_totals)/);
          // Partitions without rows are read sequentially, which costs nothing.
          const scans = [...plan.matchAll(/Seq Scan on requests_\d.*\(actual rows=([\d.]+)/g)];
          expect(scans.reduce((sum, match) => sum + Number(match[1]), 0)).toBe(0);
          expect(plan).toMatch(/Index Cond: .*(bucket = ANY|settled_seq >|user_id = ANY.*bucket >=|range = )|Index Only Scan Backward/);
        }
      }
    }
  });
});
