import { newId } from "@sluice/core/ids";
import { noUsage, type RequestRow } from "@sluice/core/requests";
import { type Buckets, leaderboardPeriods, type SpanSums, seriesSplits } from "@sluice/core/statistics";
import { statusClassOf } from "@sluice/core/status-class";
import { dayStart } from "@sluice/core/time-zone";
import { ensurePartitionFor } from "@sluice/db/partitions";
import { settleBatch } from "@sluice/ledger/settle-batch";
import type { Ctx } from "@sluice/services/context";
import { compare } from "@sluice/services/statistics/compare";
import { getAvailability } from "@sluice/services/statistics/get-availability";
import { getLeaderboard } from "@sluice/services/statistics/get-leaderboard";
import { getSeries } from "@sluice/services/statistics/get-series";
import { getUsage } from "@sluice/services/statistics/get-usage";
import { fakeClock } from "@sluice/testing/clock";
import { idAt, requestDetail, requestRow } from "@sluice/testing/factories";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startServices, type TestServices } from "./harness.ts";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
let test: TestServices;
let admin: Ctx & { userId: string };
beforeAll(async () => {
  test = await startServices();
  admin = await test.as("admin");
});
afterAll(() => test?.close());

/** The n-th of three users and six keys of a tenant; the ids are unique across tenants, because totals are stored by id alone. */
const userOf = (tenantId: string, n: number) => `${tenantId.slice(0, 14)}7000-8000-${tenantId.slice(-11)}${n % 3}`;
const keyOf = (tenantId: string, n: number) => `${tenantId.slice(0, 14)}7000-9000-${tenantId.slice(-11)}${n}`;

/** The clocks change on that day or the day before, or the zone's offset is not a whole number of hours. */
const places = fc.constantFrom(
  ["America/New_York", "2026-11-01T20:10:00Z"],
  ["America/New_York", "2026-03-09T09:35:00Z"],
  ["Europe/Berlin", "2026-10-25T12:00:00Z"],
  ["Australia/Lord_Howe", "2026-04-05T03:20:00Z"],
  ["Asia/Kolkata", "2026-11-21T11:45:00Z"],
  ["Asia/Kathmandu", "2026-11-21T23:59:00Z"],
  ["Asia/Shanghai", "2026-11-30T16:01:00Z"],
  ["UTC", "2026-11-21T00:05:00Z"],
);
const request = fc.record({
  // Most of them recent.
  ageMs: fc.oneof(fc.integer({ min: 1, max: 2 * DAY_MS }), fc.integer({ min: 1, max: 50 * DAY_MS })),
  key: fc.integer({ min: 0, max: 5 }),
  provider: fc.constantFrom("provider-0", "provider-1"),
  model: fc.constantFrom("model-0", "model-1", "model-2"),
  group: fc.constantFrom("default", "team"),
  dialect: fc.constantFrom<RequestRow["dialect"]>("openai", "anthropic"),
  ended: fc.constantFrom(["done", 200], ["done", 200], ["done", 302], ["error", 502], ["error", 404], ["aborted", 0], ["refused", 429]),
  tokens: fc.integer({ min: 0, max: 9_000 }),
  cost: fc.option(fc.integer({ min: 0, max: 2_000_000_000 }).map(String)),
  ttftMs: fc.option(fc.integer({ min: 0, max: 30_000 })),
  durationMs: fc.integer({ min: 0, max: 90_000 }),
  // Settled after requests that began later; and the amount that corrected its cost.
  late: fc.boolean(),
  correction: fc.option(fc.integer({ min: -1_000_000, max: 1_000_000 }), { freq: 4 }),
});
type Request = typeof request extends fc.Arbitrary<infer R> ? R : never;

const question = fc.record({
  lengthMs: fc.constantFrom(3 * HOUR_MS, DAY_MS, 7 * DAY_MS, 40 * DAY_MS).chain((most) => fc.integer({ min: 1, max: most })),
  endsBeforeMs: fc.constantFrom(0, 0, HOUR_MS, 3 * DAY_MS, 20 * DAY_MS),
  step: fc.constantFrom("auto" as const, "day" as const, "week" as const, "month" as const),
  by: fc.constantFrom(...seriesSplits),
  top: fc.integer({ min: 1, max: 3 }),
  filter: fc.record(
    {
      userId: fc.integer({ min: 0, max: 2 }),
      keyId: fc.integer({ min: 0, max: 5 }),
      providerId: fc.constant("provider-0"),
      model: fc.constantFrom("model-0", "model-1"),
      group: fc.constant("team"),
      dialect: fc.constant("openai" as const),
      statusClass: fc.constantFrom("2xx" as const, "5xx" as const, "aborted" as const),
    },
    { requiredKeys: [] },
  ),
} as const);

/** Turns the sums into what an older process would have left, which knows no months and only some of the sums of days. */
async function forgetNewerSums(tenantId: string): Promise<void> {
  const { pool } = test.database;
  await pool.query(
    "UPDATE key_days SET aborted_requests = 0, cache_write_tokens = 0, duration_ms_sum = 0, measured_requests = 0 WHERE tenant_id = $1",
    [tenantId],
  );
  await pool.query("DELETE FROM key_months WHERE tenant_id = $1", [tenantId]);
  await pool.query("DELETE FROM usage_sums WHERE tenant_id = $1 AND grain = 'month'", [tenantId]);
}

async function settle(
  tenantId: string,
  nowMs: number,
  { requests, isUpgraded }: { requests: readonly Request[]; isUpgraded: boolean },
): Promise<void> {
  const rows = requests.map(({ key, ageMs, ended: [state, status], ...one }) => {
    const refused = state === "refused";
    return requestRow({
      ...{
        id: idAt(nowMs - ageMs),
        tenantId,
        userId: userOf(tenantId, key),
        keyId: keyOf(tenantId, key),
        providerId: refused ? "" : one.provider,
      },
      ...{ model: one.model, group: one.group, dialect: one.dialect, state: state as RequestRow["state"], status: Number(status) },
      ...{
        usage: refused ? noUsage : { ...noUsage, input: one.tokens, cacheRead: one.tokens * 2, cacheWrite1h: 3 },
        costNanoUsd: refused ? "0" : one.cost,
      },
      ...{ ttftMs: refused ? null : one.ttftMs, durationMs: one.durationMs },
    });
  });
  const corrections = rows.flatMap((row, at) => {
    const by = requests[at]?.correction ?? null;
    if (by === null) return [];
    return [
      { ...row, id: idAt(row.startedAtMs), correctsId: row.id, usage: noUsage, costNanoUsd: String(by), ttftMs: null, durationMs: 0 },
    ];
  });
  const batches = [rows.filter((_, at) => !requests[at]?.late), rows.filter((_, at) => requests[at]?.late), corrections];
  for (const [at, batch] of batches.entries()) {
    if (at === 1 && isUpgraded) await forgetNewerSums(tenantId);
    for (const [, id] of new Map(batch.map((row) => [Math.floor(row.startedAtMs / (5 * DAY_MS)), row.id])))
      await ensurePartitionFor(test.database.pool, id);
    const records = batch.map((row) => ({ row, detail: requestDetail({ id: row.id }), upstreamCostNanoUsd: "7" }));
    if (records.length > 0) await settleBatch(test.database.pool, records);
  }
}

interface Raw {
  atMs: number;
  row: Record<"user" | "key" | "provider" | "model" | "group" | "dialect" | "status", string>;
  sums: SpanSums;
}

/** The stored rows themselves. */
async function readRaw(tenantId: string): Promise<Raw[]> {
  const { rows } = await test.database.pool.query(
    `SELECT extract(epoch FROM started_at) * 1000 AS at, user_id, key_id, provider_id, model, "group", dialect, state, status, corrects_id, input_tokens,
      output_tokens, cache_write_5m_tokens + cache_write_1h_tokens AS cache_write, cache_read_tokens, coalesce(cost_nano_usd, 0)::text AS cost,
      ttft_ms, duration_ms FROM requests WHERE tenant_id = $1`,
    [tenantId],
  );
  return rows.map((row) => {
    const counts = row.corrects_id === null ? 1 : 0;
    const status = statusClassOf(row);
    const is = (...classes: string[]) => (classes.includes(status) ? counts : 0);
    return {
      atMs: Number(row.at),
      row: {
        user: row.user_id,
        key: row.key_id,
        provider: row.provider_id,
        model: row.model,
        group: row.group,
        dialect: row.dialect,
        status,
      },
      sums: {
        ...{ requests: counts, errors: is("4xx", "5xx"), aborted: is("aborted"), refused: is("refused"), costNanoUsd: row.cost },
        ...{
          input: Number(row.input_tokens),
          output: Number(row.output_tokens),
          cacheWrite: Number(row.cache_write),
          cacheRead: Number(row.cache_read_tokens),
        },
        ...{
          ttftCount: row.ttft_ms === null ? 0 : counts,
          ttftMsSum: counts * (row.ttft_ms ?? 0),
          durationMsSum: counts * row.duration_ms,
        },
      },
    };
  });
}

function sumOf(raw: readonly Raw[]): SpanSums {
  const sum = (name: keyof SpanSums) => raw.reduce((total, { sums }) => total + Number(sums[name]), 0);
  return {
    ...{ requests: sum("requests"), errors: sum("errors"), aborted: sum("aborted"), refused: sum("refused") },
    ...{ input: sum("input"), output: sum("output"), cacheWrite: sum("cacheWrite"), cacheRead: sum("cacheRead") },
    costNanoUsd: raw.reduce((total, { sums }) => total + BigInt(sums.costNanoUsd), 0n).toString(),
    ...{ ttftCount: sum("ttftCount"), ttftMsSum: sum("ttftMsSum"), durationMsSum: sum("durationMsSum") },
  };
}

const within = (raw: readonly Raw[], fromMs: number, toMs: number) => raw.filter(({ atMs }) => atMs >= fromMs && atMs < toMs);

/** The expected columns of an answer, computed from the rows in each of its buckets. */
function columnsOf({ times, endMs }: Buckets, raw: readonly Raw[]) {
  const buckets = times.map((fromMs, at) => sumOf(within(raw, fromMs, times[at + 1] ?? endMs)));
  return {
    requests: buckets.map(({ requests }) => requests),
    ...Object.fromEntries(
      (["errors", "costNanoUsd", "ttftCount", "ttftMsSum", "durationMsSum"] as const).map((name) => [
        name,
        buckets.map((one) => one[name]),
      ]),
    ),
    tokens: buckets.map(({ input, output, cacheWrite, cacheRead }) => input + output + cacheWrite + cacheRead),
    prompt: buckets.map(({ input, cacheWrite, cacheRead }) => input + cacheWrite + cacheRead),
    cached: buckets.map(({ cacheRead }) => cacheRead),
  };
}

const fieldOf = {
  userId: "user",
  keyId: "key",
  providerId: "provider",
  model: "model",
  group: "group",
  dialect: "dialect",
  statusClass: "status",
} as const;

function matching(raw: readonly Raw[], filter: Partial<Record<keyof typeof fieldOf, string>>): Raw[] {
  return raw.filter(({ row }) => Object.entries(filter).every(([field, value]) => row[fieldOf[field as keyof typeof fieldOf]] === value));
}

function idsBy(raw: readonly Raw[], by: keyof Raw["row"]): [id: string, sums: SpanSums][] {
  const ids = [...new Set(raw.map(({ row }) => row[by]))].filter((id) => id !== "");
  const sums = ids.map((id): [string, SpanSums] => [id, sumOf(raw.filter(({ row }) => row[by] === id))]);
  return sums.sort(([a, left], [b, right]) => {
    const dearer = BigInt(right.costNanoUsd) - BigInt(left.costNanoUsd);
    return dearer !== 0n ? (dearer > 0n ? 1 : -1) : right.requests - left.requests || (a < b ? -1 : 1);
  });
}

describe("answers from rollups", () => {
  it("are the sums of the rows, over changes of the clocks, in every zone, with late rows and corrections, and beside an older version", async () => {
    await fc.assert(
      fc.asyncProperty(
        places,
        fc.record({ requests: fc.array(request, { minLength: 5, maxLength: 60 }), isUpgraded: fc.boolean() }),
        fc.array(question, { minLength: 3, maxLength: 4 }),
        checkAnswers,
      ),
      { numRuns: 10 },
    );
  }, 60_000);
});

type Question = typeof question extends fc.Arbitrary<infer Q> ? Q : never;

type Settled = Parameters<typeof settle>[2];

async function checkAnswers([zone = "", now = ""]: string[], settled: Settled, questions: Question[]): Promise<void> {
  const tenantId = newId();
  const nowMs = Date.parse(now);
  const ctx: Ctx = { ...admin, tenantId, clock: fakeClock(nowMs) };
  await settle(tenantId, nowMs, settled);
  const raw = await readRaw(tenantId);
  const periods = [...leaderboardPeriods];
  for (const { lengthMs, endsBeforeMs, by, top, step, filter: asked } of questions) {
    const { userId, keyId, ...plain } = asked;
    const filter = {
      ...plain,
      ...(userId !== undefined && { userId: userOf(tenantId, userId) }),
      ...(keyId !== undefined && { keyId: keyOf(tenantId, keyId) }),
    };
    const range = { from: nowMs - endsBeforeMs - lengthMs, to: nowMs - endsBeforeMs, zone, step };
    const wanted = matching(raw, filter);

    const statistics = await getSeries(ctx, { ...range, by, top, filter });
    checkTimes(statistics, range, nowMs);
    const inside = within(wanted, statistics.times[0] ?? 0, statistics.endMs);
    const named =
      by === "none"
        ? []
        : idsBy(inside, by)
            .slice(0, top)
            .map(([id]) => id);
    const others = by === "none" ? inside : inside.filter(({ row }) => !named.includes(row[by]));
    const series = named.map((id) => ({
      id,
      ...columnsOf(
        statistics,
        inside.filter(({ row }) => by !== "none" && row[by] === id),
      ),
    }));
    const rest = { id: null, ...columnsOf(statistics, others) };
    expect(statistics.series.slice(0, named.length)).toEqual(series);
    expect(statistics.series[named.length] ?? { id: null, ...columnsOf(statistics, []) }).toEqual(rest);

    const usage = await getUsage(ctx, { ...range, filter });
    expect(usage).toMatchObject({ totals: sumOf(inside), trend: columnsOf(statistics, inside), times: statistics.times });
    expect(usage.previous.totals).toEqual(sumOf(within(wanted, usage.previous.fromMs, usage.previous.toMs)));
    const [first, second] = ["model-0", "model-1"] as const;
    const compared = await compare(ctx, { ...range, by: "model", ids: [first, second] });
    for (const entry of compared.entries)
      expect(entry).toMatchObject({
        failed: false,
        totals: sumOf(within(matching(raw, { model: entry.id }), statistics.times[0] ?? 0, statistics.endMs)),
      });

    const availability = await getAvailability(ctx, range);
    const served = within(raw, availability.times[0] ?? 0, availability.endMs).filter(({ row }) => row.provider !== "");
    for (const { providerId, model, requests, errors, aborted, series } of availability.rows) {
      const own = served.filter(({ row }) => row.provider === providerId && (model === null || row.model === model));
      expect({ requests, errors, aborted }).toEqual((({ requests, errors, aborted }) => ({ requests, errors, aborted }))(sumOf(own)));
      expect(series.requests).toEqual(columnsOf(availability, own).requests);
    }
    for (const period of periods.splice(0, 2)) {
      const of = { users: "user", keys: "key", providers: "provider", models: "model" } as const;
      for (const [name, split] of Object.entries(of) as [keyof typeof of, (typeof of)[keyof typeof of]][]) {
        const board = await getLeaderboard(ctx, { of: name, period, zone, ...(period === "custom" && { from: range.from, to: range.to }) });
        const counted = board.span === null ? raw : within(raw, board.span.fromMs, board.span.toMs);
        const before =
          board.previous === null ? [] : idsBy(within(raw, board.previous.fromMs, board.previous.toMs), split).map(([id]) => id);
        const used = idsBy(counted, split).filter(([, { requests, costNanoUsd }]) => requests > 0 || costNanoUsd !== "0");
        expect(board.items.map(({ id, requests, costNanoUsd, previousRank }) => [id, requests, costNanoUsd, previousRank])).toEqual(
          used.map(([id, { requests, costNanoUsd }]) => [id, requests, costNanoUsd, before.includes(id) ? before.indexOf(id) + 1 : null]),
        );
        expect(board.total).toBe(used.length);
      }
    }
  }
}

/**
 * Ascending and covering the requested range; days begin where the zone's days begin (or, where sums are kept by the hour, at the first
 * whole hour in them).
 */
function checkTimes({ times, endMs, step }: Buckets, { from, to, zone }: { from: number; to: number; zone: string }, nowMs: number): void {
  expect(times[0]).toBeLessThanOrEqual(from);
  expect(endMs).toBeGreaterThanOrEqual(to);
  expect([...times, endMs].every((ms, at, all) => at === 0 || ms > (all[at - 1] ?? 0))).toBe(true);
  if (step !== "day") return;
  for (const ms of times) {
    const startMs = dayStart(ms, zone);
    expect(ms).toBe(
      ms < nowMs - 7 * DAY_MS + HOUR_MS ? [startMs, Math.ceil(startMs / HOUR_MS) * HOUR_MS].find((one) => one === ms) : startMs,
    );
  }
}
