import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "@sluice/core/clock";
import { newId } from "@sluice/core/ids";
import { defaultSettings } from "@sluice/core/inputs/settings";
import { silentLog } from "@sluice/core/log";
import { type Overview, tokensOf, untilTime } from "@sluice/core/overview";
import { noUsage, type RequestRow } from "@sluice/core/requests";
import { sameTimeYesterday } from "@sluice/core/time-zone";
import { createLedger } from "@sluice/ledger/ledger";
import type { Ctx } from "@sluice/services/context";
import { getLatency } from "@sluice/services/overview/get-latency";
import { getOverview } from "@sluice/services/overview/get-overview";
import { keepRecentTotals } from "@sluice/services/overview/keep-recent-totals";
import { updateSettings } from "@sluice/services/settings/update-settings";
import { fakeClock } from "@sluice/testing/clock";
import { idAt, requestDetail, requestRow } from "@sluice/testing/factories";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { startServices, type TestServices } from "./harness.ts";

const DAY_MS = 86_400_000;
let test: TestServices;
let admin: Ctx & { userId: string };
let user: Ctx & { userId: string };
beforeEach(async () => {
  test = await startServices();
  admin = await test.as("admin");
  user = await test.as("user");
});
afterEach(() => test?.close());

/** Settles rows through the ledger, as the gateway would. */
async function settle(rows: readonly RequestRow[]): Promise<void> {
  const dir = await mkdtemp(join(tmpdir(), "sluice-overview-"));
  const settings = () => ({ ...defaultSettings(), "ledger.durability": "write" as const, "ledger.intervalMs": 10 });
  const ledger = await createLedger({ dir, pool: test.database.pool, settings, clock: systemClock, log: silentLog, instanceId: "test" });
  await Promise.all(rows.map((row) => ledger.finish({ row, detail: requestDetail({ id: row.id }), upstreamCostNanoUsd: "7" })));
  await ledger.close();
  await rm(dir, { recursive: true, force: true });
}

const userX = "019aa400-0000-7000-8000-00000000000f";
/** The n-th key. Our own ids have totals, while ids of models and providers are arbitrary text. */
const keyOf = (n: number) => `019aa400-0000-7000-9000-${n.toString(16).padStart(12, "0")}`;

/** Rows of the last 40 days, most of them recent; some refused, failed, aborted, unpriced or without content. */
function randomRows(nowMs: number, count: number, users: readonly string[]): RequestRow[] {
  let seed = 20_261_121;
  const random = (): number => {
    seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0;
    return seed / 2 ** 32;
  };
  const pick = <T>(...of: readonly T[]): T => of[Math.floor(random() * of.length)] as T;
  return Array.from({ length: count }, () => {
    const userId = pick(...users);
    const state = pick<RequestRow["state"]>("done", "done", "done", "error", "aborted", "refused");
    return requestRow({
      id: idAt(nowMs - Math.floor(random() ** 3 * 40 * DAY_MS) - 1),
      userId,
      keyId: userId === "" ? "" : keyOf(users.indexOf(userId) * 5 + Math.floor(random() * 5)),
      providerId: state === "refused" ? "" : `provider-${Math.floor(random() * 9)}`,
      model: `model-${Math.floor(random() ** 2 * 10)}`,
      state,
      status: { done: 200, error: pick(200, 404, 502), aborted: 0, refused: 429, in_flight: 0, lost: 0 }[state],
      usage:
        state === "refused"
          ? noUsage
          : { input: pick(1, 900), output: pick(2, 80), cacheWrite5m: pick(0, 3), cacheWrite1h: pick(0, 4), cacheRead: pick(0, 5_000) },
      costNanoUsd: state === "refused" ? "0" : pick(null, "140000", "987654321"),
      ttftMs: pick(null, 12, 340),
      durationMs: pick(350, 9_000),
    });
  });
}

interface Raw {
  requests: number;
  errors: number;
  tokens: number;
  cost: string;
  ttftCount: number;
  ttftMsSum: number;
  durationMsSum: number;
}

/** Computed directly from the rows, with PostgreSQL's own time zones. */
async function raw(where: string, values: unknown[], group = "1"): Promise<Map<string, Raw>> {
  const { rows } = await test.database.pool.query(
    `SELECT (${group})::text AS "group", count(*)::float8 AS requests,
      (count(*) FILTER (WHERE state = 'error' OR (state = 'done' AND status >= 400)))::float8 AS errors,
      sum(input_tokens + output_tokens + cache_write_5m_tokens + cache_write_1h_tokens + cache_read_tokens)::float8 AS tokens,
      coalesce(sum(cost_nano_usd), 0)::text AS cost, count(ttft_ms)::float8 AS "ttftCount", coalesce(sum(ttft_ms), 0)::float8 AS "ttftMsSum",
      sum(duration_ms)::float8 AS "durationMsSum"
     FROM requests WHERE ${where} GROUP BY 1`,
    values,
  );
  return new Map(rows.map(({ group: name, ...sums }) => [name as string, sums as Raw]));
}

function totalOf(columns: Overview["yesterday"] | Overview["series"][number]): Raw {
  const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
  return {
    requests: sum(columns.requests),
    errors: sum(columns.errors),
    tokens: sum(columns.tokens),
    cost: columns.costNanoUsd.reduce((total, value) => total + BigInt(value), 0n).toString(),
    ttftCount: sum(columns.ttftCount),
    ttftMsSum: sum(columns.ttftMsSum),
    durationMsSum: sum(columns.durationMsSum),
  };
}

function byCost([a, left]: [string, Raw], [b, right]: [string, Raw]): number {
  return Number(BigInt(right.cost) - BigInt(left.cost)) || right.requests - left.requests || (a < b ? -1 : 1);
}

const nothing: Raw = { requests: 0, errors: 0, tokens: 0, cost: "0", ttftCount: 0, ttftMsSum: 0, durationMsSum: 0 };

describe("figures of a day and of a range", () => {
  it.each([
    ["the clocks go back today", "America/New_York", "2026-11-01T20:10:00Z"],
    ["the clocks went back yesterday", "America/New_York", "2026-11-02T20:10:00Z"],
    ["the clocks went forward yesterday", "America/New_York", "2026-03-09T09:35:00Z"],
    ["a zone of half an hour", "Asia/Kolkata", "2026-11-21T11:45:00Z"],
    ["half an hour of summer time ends today", "Australia/Lord_Howe", "2026-04-05T03:20:00Z"],
    ["universal time", "UTC", "2026-11-21T00:05:00Z"],
  ])("are the raw sums when %s (%s)", async (_, zone, now) => {
    await updateSettings(admin, { "time.zone": zone });
    const nowMs = Date.parse(now);
    const ctx = { ...admin, clock: fakeClock(nowMs) };
    await settle(randomRows(nowMs, 1_500, [admin.userId, user.userId, userX, ""]));
    const overview = await getOverview(ctx, { range: "30d", by: "model" });

    // Five-minute sums are kept for a week; before that, only whole hours exist.
    const local = `(CASE WHEN started_at < $2::timestamptz - interval '7 days' THEN date_trunc('hour', started_at, 'UTC') ELSE started_at END)
      AT TIME ZONE $1`;
    const at = [zone, new Date(nowMs)];
    const today = (await raw(`(${local})::date = ($2::timestamptz AT TIME ZONE $1)::date`, at)).get("1") ?? nothing;
    const { costNanoUsd: cost, requests, errors, ttftCount, ttftMsSum, durationMsSum } = overview.day.today;
    expect({ requests, errors, tokens: tokensOf(overview.day.today), cost, ttftCount, ttftMsSum, durationMsSum }).toEqual(today);

    const yesterday = `(${local})::date = ($2::timestamptz AT TIME ZONE $1)::date - 1`;
    expect(totalOf(overview.yesterday)).toEqual((await raw(yesterday, at)).get("1") ?? nothing);
    const { durationMsSum: _all, ...earlier } =
      (await raw(`${yesterday} AND (${local})::time < ($2::timestamptz AT TIME ZONE $1)::time`, at)).get("1") ?? nothing;
    const { costNanoUsd, inFlight: _mean, sessions: _sampled, ...until } = untilTime(overview.yesterday, sameTimeYesterday(nowMs, zone));
    expect({ ...until, cost: costNanoUsd }).toEqual(earlier);

    // Each day of the month, and each model that has its own series.
    // Where five-minute sums are no longer kept, the requests of the hour in which a day begins belong to the day before.
    const whole = `(CASE WHEN date_trunc('day', started_at, $1) < $2::timestamptz - interval '7 days'
      THEN date_trunc('hour', started_at, 'UTC') ELSE started_at END) AT TIME ZONE $1`;
    const days = await raw(`(${whole})::date > ($2::timestamptz AT TIME ZONE $1)::date - 30`, at, `(${whole})::date || ' ' || model`);
    const format = new Intl.DateTimeFormat("en-CA", { timeZone: zone });
    const own = new Set(overview.series.flatMap(({ id }) => id ?? []));
    expect(overview.times.length).toBe(30);
    for (const [slot, ms] of overview.times.entries()) {
      const date = format.format(ms);
      for (const { id, ...columns } of overview.series) {
        const parts = [...days].filter(
          ([name]) => name.startsWith(date) && (id === null ? !own.has(name.slice(11)) : name.slice(11) === id),
        );
        expect([date, id, columns.requests[slot]]).toEqual([date, id, parts.reduce((sum, [, one]) => sum + one.requests, 0)]);
        expect(columns.costNanoUsd[slot]).toBe(parts.reduce((sum, [, one]) => sum + BigInt(one.cost), 0n).toString());
      }
    }
  });

  it.each([
    ["24h", "5 minutes", 288],
    ["7d", "1 hour", 168],
  ] as const)("of %s are by %s, with a zero where nothing was", async (range, step, count) => {
    await updateSettings(admin, { "time.zone": "Asia/Kolkata" });
    const nowMs = Date.parse("2026-11-21T11:47:31Z");
    await settle(randomRows(nowMs, 1_000, [admin.userId, user.userId]));
    for (const by of ["model", "provider", "user", "key"] as const) {
      const overview = await getOverview({ ...admin, clock: fakeClock(nowMs) }, { range, by });
      expect(overview.times.length).toBe(count);
      expect(overview.series.every(({ requests, costNanoUsd }) => requests.length === count && costNanoUsd.length === count)).toBe(true);
      const from = new Date(overview.times[0] ?? 0);
      const column = { model: "model", provider: "provider_id", user: "user_id", key: "key_id" }[by];
      const totals = await raw("started_at >= $1", [from], column);
      const wanted = [...totals].filter(([id]) => id !== "").sort(byCost);
      expect(overview.top[by]?.map(({ id, costNanoUsd }) => [id, costNanoUsd])).toEqual(
        wanted.slice(0, 8).map(([id, { cost }]) => [id, cost]),
      );
      expect(overview.series.at(-1)?.id).toBe(wanted.length > 6 || totals.has("") ? null : wanted.at(-1)?.[0]);
      for (const series of overview.series) {
        if (series.id !== null) expect(totalOf(series)).toEqual(totals.get(series.id));
      }
      const buckets = await raw("started_at >= $1", [from], `date_bin('${step}', started_at, '2000-01-01Z')`);
      const perBucket = overview.times.map((_, at) => overview.series.reduce((sum, { requests }) => sum + (requests[at] ?? 0), 0));
      expect(perBucket.filter((n) => n > 0).length).toBe(buckets.size);
      expect(new Map(overview.times.flatMap((ms, at) => (perBucket[at] ? [[ms, perBucket[at]]] : [])))).toEqual(
        new Map([...buckets].map(([name, { requests }]) => [Date.parse(name), requests])),
      );
    }
    // After the job has moved the beginning of the totals to that of the range, nothing lies between them.
    const ctx = { ...admin, clock: fakeClock(nowMs) };
    const { top } = await getOverview(ctx, { range, by: "key" });
    await keepRecentTotals(test.database.pool, { nowMs, settings: ctx.snapshot.current().settings });
    await ctx.cache.invalidateAll();
    expect((await getOverview(ctx, { range, by: "key" })).top).toEqual(top);
  });
});

describe("who sees what", () => {
  it("a user sees their own figures, models and keys, and cannot split by what is hidden", async () => {
    const nowMs = Date.parse("2026-11-21T11:47:00Z");
    const rows = randomRows(nowMs, 400, [admin.userId, user.userId]);
    await settle(rows);
    const mine = rows.filter(({ userId }) => userId === user.userId);
    const overview = await getOverview({ ...user, clock: fakeClock(nowMs) }, { range: "30d", by: "key" });
    expect(Object.keys(overview.top)).toEqual(["model", "key"]);
    const requests = overview.series.reduce((sum, series) => sum + totalOf(series).requests, 0);
    expect(requests).toBe(mine.filter(({ startedAtMs }) => startedAtMs >= (overview.times[0] ?? 0)).length);
    const text = JSON.stringify(overview);
    expect(text).not.toContain("provider-");
    expect(text).not.toContain(admin.userId);
    for (const by of ["provider", "user"] as const) await expect(getOverview(user, { by })).rejects.toMatchObject({ code: "forbidden" });
  });
});

describe("active sessions of yesterday", () => {
  it("are the sample of that time of day: of everybody or of the user, zero where the user had none, unknown without a sample", async () => {
    const sample = (time: string, userId: string, active: number) => ({
      ...{ tenantId: "default", userId, active, bucket: new Date(`2026-11-20T${time}:00Z`) },
    });
    await test.database.prisma.sessionSample.createMany({
      data: [sample("11:45", "", 3), sample("11:45", user.userId, 2), sample("11:55", "", 7)],
    });
    const clock = fakeClock(Date.parse("2026-11-21T11:49:00Z"));
    const then = async (ctx: Ctx, time: string) => {
      const { yesterday, zone } = await getOverview({ ...ctx, clock }, {});
      return untilTime(yesterday, sameTimeYesterday(Date.parse(`2026-11-21T${time}:00Z`), zone)).sessions;
    };
    expect([await then(admin, "11:49"), await then(admin, "11:51"), await then(admin, "11:55")]).toEqual([3, null, 7]);
    expect([await then(user, "11:49"), await then(user, "11:51"), await then(user, "11:55")]).toEqual([2, null, 0]);
  });
});

describe("what is not settled yet", () => {
  it("counts once: in flight, finished, settled", async () => {
    const row = requestRow({ userId: user.userId, keyId: "key-1", state: "in_flight" });
    const others = requestRow({ userId: admin.userId });
    test.live.registry.started(row);
    const flying = await getOverview(user);
    expect(flying).toMatchObject({ inFlight: [row.id], counted: [], used: false, day: { today: { requests: 0 } } });

    const end: RequestRow = { ...row, state: "done", status: 200, durationMs: 20, ttftMs: 10.4 };
    test.live.registry.finished(end, requestDetail({ id: row.id }));
    const finished = await getOverview(user);
    const once = {
      requests: 1,
      errors: 0,
      input: 100,
      output: 20,
      cacheWrite: 0,
      cacheRead: 0,
      costNanoUsd: "140000",
      ttftCount: 1,
      ttftMsSum: 10,
      durationMsSum: 20,
    };
    expect(finished).toMatchObject({ inFlight: [], counted: [row.id], used: true, day: { today: once } });
    expect(finished.top.key).toEqual([{ id: "key-1", requests: 1, errors: 0, tokens: 120, costNanoUsd: "140000" }]);
    expect(finished.series.map(({ id, requests }) => [id, requests.at(-1)])).toEqual([["test-model", 1]]);

    await settle([end, others]);
    expect(await getOverview(user)).toEqual({ ...finished, busId: expect.any(String), serverNowMs: expect.any(Number) });
    test.live.registry.settled([row.id]);
    // Its event may still be on its way to a viewer, so a finished request is listed for a few seconds, each user seeing only their own.
    expect(await getOverview(user)).toMatchObject({ counted: [row.id], day: { today: once } });
    const later = fakeClock(systemClock.now() + 60_000);
    expect(await getOverview({ ...user, clock: later })).toMatchObject({ counted: [], day: { today: once } });
  });

  it("names new corrections, in the sums or added to them, however old the corrected requests are", async () => {
    const past = requestRow({ userId: user.userId, startedAtMs: Date.now() - 600_000, durationMs: 5, costNanoUsd: null });
    const correctionOf = (row: RequestRow): RequestRow => ({ ...row, id: newId(), correctsId: row.id, costNanoUsd: "7" });
    const [first, second] = [correctionOf(past), correctionOf(past)];
    await settle([past, first]);
    expect((await getOverview(admin)).counted).toEqual([first.id]);
    await settle([second]);
    expect((await getOverview(admin)).counted.toSorted()).toEqual([first.id, second.id].toSorted());
  });

  it("names active sessions, of users their own", async () => {
    const session = (id: string, userId: string) => ({
      id,
      userId,
      keyId: "k",
      providerId: "",
      model: "m",
      client: "",
      dialect: "openai" as const,
    });
    test.live.sessions.began(session("session-mine", user.userId));
    test.live.sessions.began(session("session-theirs", admin.userId));
    await expect.poll(async () => (await getOverview(admin)).sessions.sort()).toEqual(["session-mine", "session-theirs"]);
    expect((await getOverview(user)).sessions).toEqual(["session-mine"]);
  });
});

describe("H01: sums that are kept", () => {
  it("are read once per scope, later requests are added to them, and nobody is given somebody else's", async () => {
    const nowMs = Date.parse("2026-11-21T11:47:00Z");
    const rows = randomRows(nowMs, 300, [admin.userId, user.userId]).map((row, at) => ({ ...row, model: `model-${at % 3}` }));
    const clock = fakeClock(nowMs);
    const read = (who: Ctx) => getOverview({ ...who, clock }, { range: "7d", by: "model" });
    await settle(rows.slice(0, 200));
    const first = await read(admin);
    await settle(rows.slice(200));
    const [hits, misses] = [admin.cache.figures().dashboard.hits, admin.cache.figures().dashboard.misses];
    const second = await read(admin);
    expect([admin.cache.figures().dashboard.hits, admin.cache.figures().dashboard.misses]).toEqual([hits + 1, misses]);
    expect(second.top).not.toEqual(first.top);
    const own = await read(user);
    expect(own.top).not.toEqual(second.top);
    await admin.cache.invalidateAll();
    const same = ({ day, yesterday, times, series, top, used }: Overview) => ({ day, yesterday, times, series, top, used });
    expect(same(await read(admin))).toEqual(same(second));
    expect(same(await read(user))).toEqual(same(own));
  });
});

describe("H13: percentiles of a range", () => {
  it("are those of the requests within 5 %, of everything, of a provider, or of one's own", async () => {
    const providerId = newId();
    const row = (ttftMs: number, fields: Partial<RequestRow>): RequestRow =>
      requestRow({ startedAtMs: Date.now() - 3_600_000, ttftMs, durationMs: 10 * ttftMs, userId: user.userId, providerId, ...fields });
    const mine = Array.from({ length: 100 }, (_, at) => row(10 * (at + 1), {}));
    const others = Array.from({ length: 100 }, () => row(20_000, { userId: admin.userId, providerId: newId() }));
    const old = row(50_000, { startedAtMs: Date.now() - 3 * DAY_MS });
    await settle([...mine, ...others, old]);
    const near = (ms: number | null, wanted: number): void => expect(Math.abs((ms ?? 0) - wanted) / wanted).toBeLessThan(0.05);
    const own = await getLatency(user);
    expect([own.ttft.requests, own.duration.requests]).toEqual([100, 100]);
    near(own.ttft.p50, 500);
    near(own.ttft.p95, 950);
    near(own.duration.p99, 9_900);
    const all = await getLatency(admin, { range: "24h" });
    near(all.ttft.p95, 20_000);
    expect((await getLatency(admin, { providerId })).ttft).toEqual(own.ttft);
    expect((await getLatency(admin, { range: "7d", providerId })).ttft.requests).toBe(101);
    expect((await getLatency(admin, { providerId: newId() })).ttft).toEqual({ p50: null, p95: null, p99: null, requests: 0 });
    await expect(getLatency(user, { providerId })).rejects.toMatchObject({ code: "forbidden" });
  });
});
