import { firstIdAt, newId } from "@sluice/core/ids";
import type { RequestRow } from "@sluice/core/requests";
import { ensurePartitionFor } from "@sluice/db/partitions";
import type { Ctx } from "@sluice/services/context";
import { refundCredit } from "@sluice/services/credits/add-entry";
import { updateKey } from "@sluice/services/keys/update-key";
import { updateSettings } from "@sluice/services/settings/update-settings";
import { compare } from "@sluice/services/statistics/compare";
import { getLeaderboard } from "@sluice/services/statistics/get-leaderboard";
import { getSeries } from "@sluice/services/statistics/get-series";
import { getUsage } from "@sluice/services/statistics/get-usage";
import { listFilterOptions } from "@sluice/services/statistics/list-filter-options";
import { getUserStats } from "@sluice/services/users/get-user-stats";
import { fakeClock } from "@sluice/testing/clock";
import { requestRow } from "@sluice/testing/factories";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { startServices, type TestServices } from "./harness.ts";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
let test: TestServices;
let admin: Ctx & { userId: string };
let user: Ctx & { userId: string };
beforeEach(async () => {
  test = await startServices();
  admin = await test.as("admin");
  user = await test.as("user");
});
afterEach(() => test?.close());

/** A context whose statements go through `ask`, with their text and values. */
function through(ctx: Ctx, ask: (text: string, values: unknown[], send: () => Promise<unknown>) => Promise<unknown>): Ctx {
  const { pool } = ctx;
  const query = (text: string, values: unknown[] = []) => ask(text, values, () => pool.query(text, values));
  const connect = async () => {
    const client = await pool.connect();
    const asked = (text: string, values: unknown[] = []) => ask(text, values, () => client.query(text, values));
    return { query: asked, release: (error?: Error) => client.release(error) };
  };
  return { ...ctx, pool: { query, connect } as unknown as Ctx["pool"] };
}

/** The same, counting the reads of sums. */
function counting(ctx: Ctx): { ctx: Ctx; reads: () => number } {
  let reads = 0;
  const counted = through(ctx, (text, _values, send) => {
    if (/usage_sums|rollups_|key_days|_totals/.test(text)) reads += 1;
    return send();
  });
  return { ctx: counted, reads: () => reads };
}

const sumOf = (values: readonly number[] = []) => values.reduce((sum, value) => sum + value, 0);

describe("H02: statistics in buckets", () => {
  it("an hour without requests reads 0, and the range asked for is widened to whole buckets", async () => {
    const nowMs = Date.parse("2026-11-21T11:47:00Z");
    const at = (time: string) => Date.parse(`2026-11-21T${time}:00Z`);
    await test.settle({ startedAtMs: at("08:10") }, { startedAtMs: at("08:50") }, { startedAtMs: at("10:59") });
    const ctx = { ...admin, clock: fakeClock(nowMs) };
    const { times, endMs, series } = await getSeries(ctx, { from: at("07:30"), to: at("11:05"), step: "hour", by: "none" });
    expect([times[0], times.length, endMs]).toEqual([at("07:00"), 5, at("12:00")]);
    expect(series).toMatchObject([{ id: null, requests: [0, 2, 0, 1, 0], costNanoUsd: ["0", "280000", "0", "140000", "0"] }]);
  });

  it("of ten thousand users it is the top ones and all others together, in less than 50 KB at any step", async () => {
    const { pool } = test.database;
    const toMs = Math.floor(Date.now() / DAY_MS) * DAY_MS;
    // The longest possible figures: ten million tokens and ten dollars in every five minutes for each of five hundred users.
    for (const [table, stepS, buckets] of [
      ["rollups_5m", 300, 576],
      ["rollups_hour", 3_600, 48],
      ["rollups_day", 86_400, 2],
    ] as const) {
      await pool.query(
        `INSERT INTO ${table} (tenant_id, bucket, user_id, key_id, provider_id, model, "group", dialect, status_class, requests, billable_requests,
           input_tokens, output_tokens, cache_write_5m_tokens, cache_write_1h_tokens, cache_read_tokens, cost_nano_usd, upstream_cost_nano_usd,
           ttft_count, ttft_ms_sum, duration_ms_sum)
         SELECT 'default', $1::timestamptz - make_interval(secs => $2 * (1 + (u + b) % $3)), ('019aa400-0000-7000-8000-' || lpad(u::text, 12, '0')),
           ('019aa400-0000-7000-9000-' || lpad(u::text, 12, '0')), 'p', 'm', 'default', 'openai', '2xx', 99999, 1, 4999999, 0, 0, 0, 4999999,
           9999999999 - u, 1, 99999, 999999999, 999999999
         FROM generate_series(1, CASE WHEN $3 > 500 THEN 500 ELSE 10000 END) AS u, generate_series(0, CASE WHEN $3 > 500 THEN 100 ELSE 1 END) AS b`,
        [new Date(toMs), stepS, buckets],
      );
      await pool.query(
        `INSERT INTO usage_sums (tenant_id, grain, kind, bucket, id, requests, requests_3xx, requests_4xx, requests_5xx, requests_aborted, requests_refused,
           billable_requests, input_tokens, output_tokens, cache_write_5m_tokens, cache_write_1h_tokens, cache_read_tokens, cost_nano_usd,
           upstream_cost_nano_usd, ttft_count, ttft_ms_sum, duration_ms_sum, ttft_sketch, duration_sketch)
         SELECT tenant_id, $1, '', bucket, '', sum(requests), 0, 0, 0, 0, 0, 1, sum(input_tokens), 0, 0, 0, sum(cache_read_tokens), sum(cost_nano_usd), 1, sum(ttft_count),
           sum(ttft_ms_sum), sum(duration_ms_sum), 0, 0 FROM ${table} GROUP BY tenant_id, bucket`,
        [table.replace("rollups_", "")],
      );
    }
    await pool.query(`INSERT INTO key_days SELECT tenant_id, bucket, user_id::uuid, key_id::uuid, requests, input_tokens, cost_nano_usd, 0, requests,
      input_tokens, 0, ttft_count, ttft_ms_sum FROM rollups_day`);
    const asked = [
      { step: "hour", top: 20 },
      { step: "5m", top: 20 },
      { step: "day", top: 3 },
      { step: "auto", top: 5 },
    ] as const;
    const askFor = (input: (typeof asked)[number]) => getSeries(admin, { ...input, by: "user", from: toMs - 28 * HOUR_MS, to: toMs });
    const [hours, fine, days, auto] = [await askFor(asked[0]), await askFor(asked[1]), await askFor(asked[2]), await askFor(asked[3])];
    for (const answer of [hours, fine, days, auto]) expect(JSON.stringify(answer).length, answer.step).toBeLessThan(50_000);
    const first = [1, 2, 3].map((n) => `019aa400-0000-7000-8000-${String(n).padStart(12, "0")}`);
    expect(days.series.map(({ id }) => id)).toEqual([...first, null]);
    expect(sumOf(days.series.map(({ requests }) => sumOf(requests)))).toBe(2 * 10_000 * 99_999);
    expect(sumOf(hours.series.map(({ requests }) => sumOf(requests)))).toBeGreaterThan(10_000 * 99_999);
  });

  it("the top ones of a range are ranked by that range, whoever cost most of all time", async () => {
    const keys = await test.makeKeys(101, user.userId);
    const [one = "", late = ""] = [keys[3], keys[100]];
    const nowMs = Date.now();
    const old = keys
      .slice(0, 100)
      .map((keyId) => ({ keyId, userId: user.userId, startedAtMs: nowMs - 120 * DAY_MS, costNanoUsd: "1000000" }));
    await ensurePartitionFor(test.database.pool, firstIdAt(nowMs - 120 * DAY_MS));
    await test.settle(...old, { keyId: late, userId: user.userId, startedAtMs: nowMs - DAY_MS, costNanoUsd: "9" });
    const firstOf = async (top: number) => {
      await admin.cache.invalidateAll();
      const { series } = await getSeries(admin, { from: nowMs - 90 * DAY_MS, to: nowMs, by: "key", top });
      return series.map(({ id }) => id);
    };
    expect(await firstOf(1)).toEqual([late]);
    await test.settle({ keyId: one, userId: user.userId, startedAtMs: nowMs - 2 * DAY_MS, costNanoUsd: "5000000" });
    expect(await firstOf(1)).toEqual([one, null]);
    expect(await firstOf(2)).toEqual([one, late]);
  });

  it("of one model are split by each of the others, the first by name", async () => {
    const providerId = newId();
    await test.settle(
      { userId: user.userId, providerId, model: "model-x", group: "team", costNanoUsd: "9" },
      { userId: user.userId, costNanoUsd: "70" },
    );
    const [range, filter] = [{ from: Date.now() - 3 * DAY_MS, to: Date.now() + HOUR_MS }, { model: "model-x" }];
    for (const [by, id] of Object.entries({ provider: providerId, group: "team", status: "2xx", user: user.userId, key: "test-key" })) {
      const { series } = await getSeries(admin, { ...range, filter, by: by as "provider" });
      expect([by, series.map((one) => [one.costNanoUsd.some((cost) => cost === "9"), by === "key" || one.id])]).toEqual([
        by,
        [[true, by === "key" || id]],
      ]);
    }
  });

  it("refuses a step with too many buckets, or whose sums are no longer kept", async () => {
    const to = Date.now();
    await expect(getSeries(admin, { from: to - 90 * DAY_MS, to, step: "hour" })).rejects.toMatchObject({
      code: "invalid_request",
      field: "step",
    });
    await expect(getSeries(admin, { from: to - 9 * DAY_MS, to: to - 8.5 * DAY_MS, step: "5m" })).rejects.toMatchObject({ field: "step" });
  });
});

describe("what is kept", () => {
  it("P15: two reads are one computation, and nobody is given somebody else's", async () => {
    await test.settle({ userId: user.userId, costNanoUsd: "5" }, { userId: admin.userId, costNanoUsd: "70" });
    const [asAdmin, asUser] = [counting(admin), counting(user)];
    const first = await getUsage(asAdmin.ctx, {});
    expect(first).toMatchObject({ cache: "miss", totals: { requests: 2, costNanoUsd: "75" } });
    expect(await getUsage(asAdmin.ctx, {})).toEqual({ ...first, cache: "hit" });
    expect(asAdmin.reads()).toBe(1);
    expect(await getUsage(asUser.ctx, {})).toMatchObject({ cache: "miss", totals: { requests: 1, costNanoUsd: "5" } });
    expect(asUser.reads()).toBe(1);
    for (const filter of [{ providerId: newId() }, { userId: admin.userId }])
      await expect(getUsage(user, { filter })).rejects.toMatchObject({ code: "forbidden" });
  });

  it("P16: another range of the trend is another computation, the same one is not", async () => {
    await test.settle({ userId: user.userId });
    const { ctx, reads } = counting(user);
    const to = Date.now();
    const ranges = [
      { from: to - DAY_MS, to },
      { from: to - 2 * DAY_MS, to },
      { from: to - DAY_MS, to },
    ];
    const answers = [];
    for (const range of ranges) answers.push(await getUsage(ctx, range));
    expect([answers.map(({ cache }) => cache), reads()]).toEqual([["miss", "miss", "hit"], 2]);
    expect((await getUsage(counting(admin).ctx, ranges[0])).cache).toBe("miss");
  });

  it("P17: a key's figures are the same, kept or not", async () => {
    const [keyId = ""] = await test.makeKeys(1, user.userId);
    await test.settle({ userId: user.userId, keyId, costNanoUsd: "5" });
    const computed = await getUsage(user, { filter: { keyId } });
    expect(computed).toMatchObject({ cache: "miss", totals: { requests: 1, costNanoUsd: "5" } });
    expect(await getUsage(user, { filter: { keyId } })).toEqual({ ...computed, cache: "hit" });
  });
});

describe("A28: what makes answers faster can be switched off", () => {
  it("a lifetime of 0 computes every time, and the answers are those that are kept otherwise", async () => {
    const [mine = ""] = await test.makeKeys(1, user.userId);
    await test.settle({ userId: user.userId, keyId: mine, costNanoUsd: "5" });
    const asAdmin = counting(admin);
    const to = Date.now() + HOUR_MS;
    const asked = { from: to - DAY_MS, to };
    const kept = [await getUsage(admin, asked), await getSeries(admin, asked), await getLeaderboard(admin, { of: "keys" })];
    await updateSettings(admin, { "cache.statsSeconds": 0, "cache.trendSeconds": 0, "cache.leaderboardSeconds": 0 });
    for (const _ of [1, 2]) {
      const before = asAdmin.reads();
      const computed = [
        await getUsage(asAdmin.ctx, asked),
        await getSeries(asAdmin.ctx, asked),
        await getLeaderboard(asAdmin.ctx, { of: "keys" }),
      ];
      expect(asAdmin.reads() - before).toBeGreaterThanOrEqual(3);
      for (const [at, { asOf, ...answer }] of computed.entries()) {
        // Computed at the time of the answer, like asOf.
        const recent = "recent" in answer && { recent: answer.recent };
        expect({ asOf, ...answer }).toEqual({ ...kept[at], cache: "miss", asOf, ...recent });
      }
    }
  });
});

describe("comparing", () => {
  it("P18: reads five at the same time, each kept by itself: one more is one more read", async () => {
    const keys = await test.makeKeys(6, user.userId);
    await test.settle(...keys.map((keyId, at) => ({ userId: user.userId, keyId, costNanoUsd: String(at + 1) })));
    const all = Promise.withResolvers<void>();
    let reading = 0;
    let reads = 0;
    // No read is answered before all five have been sent.
    const slow = through(user, async (text, _values, send) => {
      if (!text.includes("rollups_")) return send();
      reads += 1;
      reading += 1;
      if (reading === 5) all.resolve();
      await all.promise;
      return send();
    });
    const first = await compare(slow, { by: "key", ids: keys.slice(0, 5) });
    expect(first.entries.map((entry) => !entry.failed && entry.totals.costNanoUsd)).toEqual(["1", "2", "3", "4", "5"]);
    const second = await compare(slow, { by: "key", ids: [...keys.slice(2, 5), keys[5] ?? ""] });
    expect(second.entries.map((entry) => !entry.failed && [entry.totals.requests, entry.cache])).toEqual([
      [1, "hit"],
      [1, "hit"],
      [1, "hit"],
      [1, "miss"],
    ]);
    expect(reads).toBe(6);
  });

  it("P19: one that cannot be read is marked, the others are right; what is not the user's is refused", async () => {
    const keys = await test.makeKeys(3, user.userId);
    await test.settle(...keys.map((keyId) => ({ userId: user.userId, keyId })));
    const broken = through(user, (text, values, send) =>
      text.includes("rollups_") && values.includes(keys[1]) ? Promise.reject(new Error("out of memory at 10.0.0.7")) : send(),
    );
    const { entries } = await compare(broken, { by: "key", ids: keys });
    expect(entries.map(({ failed }) => failed)).toEqual([false, true, false]);
    expect(entries[0]).toMatchObject({ id: keys[0], totals: { requests: 1 } });
    expect(JSON.stringify(entries[1])).not.toContain("10.0.0.7");
    expect((await compare(user, { by: "key", ids: keys })).entries[1]).toMatchObject({ failed: false, totals: { requests: 1 } });
    const [theirs = ""] = await test.makeKeys(1, admin.userId);
    await expect(compare(user, { by: "key", ids: [keys[0] ?? "", theirs] })).rejects.toMatchObject({ code: "not_found" });
  });
});

describe("P45: what is read", () => {
  it("is sums and totals by their indexes, and of the requests the few settled last, by theirs", async () => {
    const asked: { text: string; values: unknown[] }[] = [];
    const recording = (ctx: Ctx) =>
      through(ctx, (text, values, send) => {
        if (/^(SELECT|WITH)/.test(text)) asked.push({ text, values });
        return send();
      });
    const keys = await test.makeKeys(3, user.userId);
    await test.settle(...keys.map((keyId) => ({ userId: user.userId, keyId })));
    const range = { from: Date.now() - 40 * DAY_MS, to: Date.now() };
    for (const ctx of [admin, user].map(recording)) {
      for (const period of ["today", "month", "all"] as const)
        for (const of of ["keys", "models", ...(ctx.actor === admin.actor ? (["users", "providers"] as const) : [])] as const)
          await getLeaderboard(ctx, { of, period });
      for (const by of ["none", "model", "key", "group", "status"] as const) await getSeries(ctx, { ...range, by });
      await getUsage(ctx, { ...range, filter: { keyId: keys[0] } });
    }
    expect(asked.length).toBeGreaterThan(20);
    const client = await test.database.pool.connect();
    try {
      await client.query("SET enable_seqscan = off");
      for (const { text, values } of asked) {
        const { rows } = await client.query(`EXPLAIN (COSTS OFF) ${text}`, values);
        const plan = rows.map((row) => row["QUERY PLAN"]).join("\n");
        if (text.includes("settled_seq"))
          expect(plan).toMatch(
            /Limit\s+->\s+Merge Append\s+Sort Key: requests.settled_seq DESC(\s+->\s+Index Scan Backward using requests_\w+_settled_seq_idx on .*)+/,
          );
        else expect(plan).not.toMatch(/ on requests/);
        expect(plan).not.toMatch(/Seq Scan on requests_\d/);
        expect(plan, text).not.toMatch(/Seq Scan on (rollups|usage_sums|key_days|key_totals|user_totals)/);
      }
    } finally {
      client.release(true);
    }
  });
});

describe("P30: filters", () => {
  it("each changes what is counted, and options name what there is", async () => {
    const [tagged = "", other = ""] = await test.makeKeys(2, user.userId);
    await updateKey(user, { id: tagged, tags: ["team-a"] });
    const providerId = newId();
    const row = (fields: Partial<RequestRow>) => ({ userId: user.userId, keyId: other, ...fields });
    await test.settle(
      row({ keyId: tagged, costNanoUsd: "1" }),
      row({ providerId, costNanoUsd: "2" }),
      row({ model: "model-x", costNanoUsd: "4" }),
      row({ group: "team", costNanoUsd: "8" }),
      row({ dialect: "gemini", costNanoUsd: "16" }),
      row({ state: "error", status: 500, costNanoUsd: "32" }),
      row({ userId: admin.userId, keyId: "", costNanoUsd: "64" }),
    );
    const costOf = async (filter: object) => (await getUsage(admin, { filter })).totals.costNanoUsd;
    const wanted = {
      "127": {},
      "1": { tag: "team-a" },
      "2": { providerId },
      "4": { model: "model-x" },
      "8": { group: "team" },
      "16": { dialect: "gemini" },
      "32": { statusClass: "5xx" },
      "64": { userId: admin.userId },
      "62": { keyId: other },
    };
    for (const [cost, filter] of Object.entries(wanted)) expect([filter, await costOf(filter)]).toEqual([filter, cost]);
    expect(await costOf({ keyId: other, model: "model-x" })).toBe("4");
    expect(await costOf({ tag: "nobody's" })).toBe("0");
    // A tag stands for the keys that carry it now.
    await updateKey(user, { id: other, tags: ["team-a"] });
    expect(await costOf({ tag: "team-a" })).toBe("63");
    expect(await listFilterOptions(admin)).toMatchObject({
      tags: ["team-a"],
      users: expect.arrayContaining([{ id: admin.userId, name: expect.any(String) }]),
    });
    expect(await listFilterOptions(user)).toMatchObject({
      tags: ["team-a"],
      providers: [],
      users: [],
      models: expect.arrayContaining(["model-x"]),
    });
  });
});

describe("P32: a store that fails", () => {
  it("is reported as temporary, once, without its error text, and is not cached", async () => {
    await test.settle({ userId: user.userId });
    let tried = 0;
    const gone = through(user, () => {
      tried += 1;
      return Promise.reject(Object.assign(new Error("connect ECONNREFUSED 10.0.0.7:5432"), { code: "ECONNREFUSED" }));
    });
    const { entries } = await compare(gone, { by: "model", ids: ["a", "test-model"] });
    expect(entries.map((entry) => entry.failed && entry.code)).toEqual(["unavailable", "unavailable"]);
    expect(JSON.stringify(entries)).not.toContain("10.0.0.7");
    expect(tried).toBe(2);
    const back = await compare(user, { by: "model", ids: ["a", "test-model"] });
    expect(back.entries[1]).toMatchObject({ failed: false, totals: { requests: 1 } });
  });
});

describe("W22: a user's figures", () => {
  it("are the sums of the rows; what was refunded is not used", async () => {
    await test.settle(
      { userId: user.userId, costNanoUsd: "500" },
      { userId: user.userId, costNanoUsd: "70" },
      { userId: admin.userId, costNanoUsd: "9000" },
    );
    const old = requestRow({ userId: user.userId, costNanoUsd: "1000", startedAtMs: Date.now() - 32 * DAY_MS });
    await test.settle(old);
    await refundCredit(admin, { userId: user.userId, amountUsd: "0.000001", reason: "Bad answer", idempotencyKey: newId() });
    const { rows } = await test.database.pool.query(
      "SELECT count(*)::int AS requests, sum(cost_nano_usd)::text AS cost FROM requests WHERE user_id = $1",
      [user.userId],
    );
    const stats = await getUserStats(user, {});
    expect(stats).toMatchObject({ userId: user.userId, totalRequests: rows[0].requests, totalTokens: 360, refundedNanoUsd: "1000" });
    expect(stats.creditsUsedNanoUsd).toBe((BigInt(rows[0].cost) - 1000n).toString());
    expect(stats.month.totals).toMatchObject({ requests: 2, costNanoUsd: "570" });
    expect((await getUserStats(admin, { userId: user.userId })).creditsUsedNanoUsd).toBe("570");
    await expect(getUserStats(user, { userId: admin.userId })).rejects.toMatchObject({ code: "not_found" });
  });
});
