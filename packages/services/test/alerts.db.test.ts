import { createHmac } from "node:crypto";
import { createAdmission } from "@sluice/admission/create-admission";
import { createSpendReader } from "@sluice/admission/spend-reader";
import { systemClock } from "@sluice/core/clock";
import { firstIdAt } from "@sluice/core/ids";
import { defaultSettings } from "@sluice/core/inputs/settings";
import { countMs, writeSketch } from "@sluice/core/latency-sketch";
import { silentLog } from "@sluice/core/log";
import { createAlertChannel } from "@sluice/services/alerts/alert-channels";
import { createAlertRule, deleteAlertRule, updateAlertRule } from "@sluice/services/alerts/alert-rules";
import { createAlertDelivery } from "@sluice/services/alerts/deliver-alerts";
import { createAlertEvaluation } from "@sluice/services/alerts/evaluate-alerts";
import { listOpenIncidents, listPastIncidents } from "@sluice/services/alerts/list-incidents";
import { pruneIncidents } from "@sluice/services/alerts/prune-incidents";
import type { Ctx } from "@sluice/services/context";
import { topUp } from "@sluice/services/credits/add-entry";
import { updateAccount } from "@sluice/services/credits/update-account";
import { fakeClock } from "@sluice/testing/clock";
import { makeKey, makeProvider, makeRequestRow } from "@sluice/testing/factories";
import { type MailSink, startMailSink } from "@sluice/testing/mail-sink";
import { startTestRedis } from "@sluice/testing/redis";
import { startWebhookSink, type WebhookSink } from "@sluice/testing/webhook-sink";
import { Redis } from "ioredis";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { alertRule, emailTo, webhookTo } from "./alert-inputs.ts";
import { startServices, type TestServices } from "./harness.ts";

const signal = new AbortController().signal;

let test: TestServices;
let hook: WebhookSink;
let mail: MailSink;
let admin: Ctx & { userId: string };
let clock = fakeClock();

beforeAll(async () => {
  [test, hook, mail] = await Promise.all([startServices(), startWebhookSink(), startMailSink({ user: "sluice", password: "mail-secret" })]);
});
afterAll(async () => {
  await Promise.all([test?.close(), hook?.stop(), mail?.stop()]);
});
beforeEach(async () => {
  // Noon UTC, in the middle of a five-minute bucket.
  clock = fakeClock(Date.UTC(2026, 10, 28, 12, 2));
  admin = { ...(await test.as("admin")), clock };
});
afterEach(async () => {
  hook.received.length = 0;
  mail.received.length = 0;
  hook.answers(200);
  await test.database.pool.query("TRUNCATE alert_rules, alert_channels, alert_incidents, alert_deliveries, usage_sums, rollups_5m CASCADE");
});

interface Traffic {
  requests: number;
  errors?: number;
  costUsd?: number;
  ttftMs?: number;
  cacheReadTokens?: number;
  kind?: string;
  id?: string;
}

/** Sets the settler's sums for the current five minutes. */
async function traffic({
  requests,
  errors = 0,
  costUsd = 0,
  ttftMs = 100,
  cacheReadTokens = 0,
  kind = "",
  id = "",
}: Traffic): Promise<void> {
  const counts: number[] = [];
  for (let i = 0; i < requests; i++) countMs(counts, ttftMs);
  const sketch = writeSketch(counts);
  const cost = Math.round(costUsd * 1e9);
  await test.database.pool.query(
    `INSERT INTO usage_sums VALUES ('default', '5m', $1, $2, $3, $4, 0, 0, $5, 0, 0, $4, 100, 10, 0, 0, $6, $7, $7, $4, 0, 0, $8, $8)
     ON CONFLICT (tenant_id, grain, kind, bucket, id) DO UPDATE SET requests = $4, requests_5xx = $5, cache_read_tokens = $6, cost_nano_usd = $7,
       ttft_count = $4, ttft_sketch = $8, duration_sketch = $8`,
    [kind, new Date(Math.floor(clock.now() / 300_000) * 300_000), id, requests, errors, cacheReadTokens, cost, sketch],
  );
}

const webhook = () => createAlertChannel(admin, webhookTo(hook.url));
const email = (login?: Parameters<typeof emailTo>[1]) => createAlertChannel(admin, emailTo(mail.port, login));
const rule = (...fields: Parameters<typeof alertRule>) => createAlertRule(admin, alertRule(...fields));

/** What every worker does repeatedly. */
function worker(ctx: Ctx): () => Promise<void> {
  const evaluate = createAlertEvaluation(ctx);
  const deliver = createAlertDelivery(ctx);
  return async () => {
    await evaluate(signal);
    await deliver(signal);
  };
}

const states = async () => [(await listOpenIncidents(admin)).length, (await listPastIncidents(admin)).items.length];

describe("P42 alerts", () => {
  it("of two workers, one reports a breach and its end, once per channel: by a signed webhook, and by mail in its language", async () => {
    const { channel, signingSecret } = await webhook();
    const mailbox = await email();
    await rule("error_rate", { channelIds: [channel.id, mailbox.channel.id], severity: "critical" });
    const [a, b] = [worker(admin), worker({ ...admin })];
    await traffic({ requests: 4, errors: 4 });
    await Promise.all([a(), b()]);
    expect(await states(), "four requests say nothing").toEqual([0, 0]);

    await traffic({ requests: 10, errors: 4 });
    const events = await test.eventsOf(() => Promise.all([a(), b(), a(), b()]));
    expect(events.filter(({ type }) => type === "alert.fired")).toHaveLength(1);
    expect([hook.received.length, mail.received.length]).toEqual([1, 1]);
    await traffic({ requests: 40, errors: 4 });
    const later = await test.eventsOf(() => Promise.all([a(), b()]).then(() => Promise.all([a(), b()])));
    expect(later.filter(({ type }) => type === "alert.resolved")).toHaveLength(1);
    expect([hook.received.length, mail.received.length]).toEqual([2, 2]);
    expect(await states()).toEqual([0, 1]);

    const [fired, resolved] = hook.received;
    expect(JSON.parse(fired?.body ?? "")).toMatchObject({ type: "alert.fired", data: { kind: "error_rate", value: 40, threshold: 20 } });
    expect(JSON.parse(resolved?.body ?? "")).toMatchObject({ type: "alert.resolved", data: { lastValue: 10 } });
    const { "webhook-id": id, "webhook-timestamp": timestamp, "webhook-signature": signature } = fired?.headers ?? {};
    const key = Buffer.from((signingSecret ?? "").slice("whsec_".length), "base64");
    const expected = createHmac("sha256", key).update(`${id}.${timestamp}.${fired?.body}`).digest("base64");
    expect(signature).toBe(`v1,${expected}`);
    expect(mail.received[0]).toMatchObject({ from: "sluice@example.test", to: ["on-call@example.test"] });
    expect(mail.received[0]?.source).toContain("=?UTF-8?");
  });

  it("a message that was not accepted is retried under the same id, later each time, also by another worker; its end is reported after it", async () => {
    const { channel } = await webhook();
    await rule("error_rate", { channelIds: [channel.id] });
    await traffic({ requests: 10, errors: 10 });
    hook.answers(503);
    await worker(admin)();
    await traffic({ requests: 100, errors: 1 });
    await worker({ ...admin })();
    expect(
      hook.received.map(({ body }) => JSON.parse(body).type),
      "the end waits",
    ).toEqual(["alert.fired"]);
    expect((await listPastIncidents(admin)).items[0]?.deliveries.find(({ transition }) => transition === "fired")).toMatchObject({
      ...{ state: "pending", attempts: 1, answer: "503 not now" },
    });
    hook.answers(200);
    clock.advance(5_000);
    await worker({ ...admin })();
    expect(hook.received.map(({ body }) => JSON.parse(body).type)).toEqual(["alert.fired", "alert.fired", "alert.resolved"]);
    expect(hook.received[1]?.headers["webhook-id"]).toBe(hook.received[0]?.headers["webhook-id"]);
    clock.advance(3_600_000);
    await worker(admin)();
    expect(hook.received).toHaveLength(3);
  });

  it("in quiet hours messages wait until they are over, except critical ones", async () => {
    const { channel } = await webhook();
    const quietHours = { zone: "Asia/Shanghai", windows: [{ from: "19:00", to: "21:00" }] };
    await rule("error_rate", { channelIds: [channel.id], quietHours });
    await rule("cost", { channelIds: [channel.id], quietHours, severity: "critical", threshold: 1 });
    await traffic({ requests: 10, errors: 10, costUsd: 2 });
    const work = worker(admin);
    await work();
    expect(hook.received.map(({ body }) => JSON.parse(body).data.kind)).toEqual(["cost"]);
    expect(await states()).toEqual([2, 0]);
    clock.advance(59 * 60_000);
    await traffic({ requests: 10, errors: 10, costUsd: 2 });
    await work();
    expect(hook.received.map(({ body }) => JSON.parse(body).data.kind)).toEqual(["cost", "error_rate"]);
  });

  it("an incident ends with its rule, and channels that reported it report its end", async () => {
    const { channel } = await webhook();
    const { id } = await rule("error_rate", { channelIds: [channel.id] });
    await traffic({ requests: 10, errors: 10 });
    const work = worker(admin);
    await work();
    await deleteAlertRule(admin, { id });
    await work();
    expect((await listPastIncidents(admin)).items[0]).toMatchObject({ resolution: "rule_off", ruleName: "error_rate" });
    expect(JSON.parse(hook.received[1]?.body ?? "")).toMatchObject({ type: "alert.resolved" });
  });

  it("an incident is kept after its end for as long as the setting says, open ones forever", async () => {
    const { channel } = await webhook();
    const now = Date.now();
    const add = (count: number, daysAgo: number, isOpen = false) =>
      test.database.pool.query(
        `WITH added AS (
           INSERT INTO alert_incidents (id, rule_id, rule_name, kind, severity, subject, subject_id, threshold, value, last_value, fired_at, resolved_at)
           SELECT (left($1, 24) || lpad(to_hex(i), 12, '0'))::uuid, $1::uuid, 'past', 'cost', 'warning', 'all', i::text, 1, 1, 1, $2, $3
           FROM generate_series(1, $4::int) i RETURNING id)
         INSERT INTO alert_deliveries (id, incident_id, channel_id, transition, next_at) SELECT id, id, $5::uuid, 'fired', $2 FROM added`,
        [
          firstIdAt(now - daysAgo * 86_400_000),
          new Date(now - daysAgo * 86_400_000),
          isOpen ? null : new Date(now - daysAgo * 86_400_000 + 3_600_000),
          count,
          channel.id,
        ],
      );
    await add(1_500, 400);
    await add(1, 401, true);
    await add(3, 300);
    const left = async () => {
      const { rows } = await test.database.pool.query<{ incidents: number; messages: number }>(
        "SELECT (SELECT count(*)::int FROM alert_incidents) AS incidents, (SELECT count(*)::int FROM alert_deliveries) AS messages",
      );
      return rows[0];
    };
    const prune = (days: number) => {
      const config = admin.snapshot.current();
      const settings = { ...config.settings, "retention.incidentDays": days };
      const ctx = { ...admin, clock: systemClock, snapshot: { ...admin.snapshot, current: () => ({ ...config, settings }) } };
      return pruneIncidents(ctx, signal);
    };
    expect([await prune(0), await prune(500)]).toEqual([0, 0]);
    expect(await prune(365)).toBe(1_500);
    expect(await left()).toEqual({ incidents: 4, messages: 4 });
    expect(await prune(30)).toBe(3);
    expect(await left()).toEqual({ incidents: 1, messages: 1 });
  });

  it("sends Postgres no query without rules and channels", async () => {
    const [evaluate, deliver] = [createAlertEvaluation(admin), createAlertDelivery(admin)];
    await Promise.all([evaluate(signal), deliver(signal)]);
    const asked = await statementsOf(async () => {
      for (let i = 0; i < 5; i++) await Promise.all([evaluate(signal), deliver(signal)]);
    });
    expect(asked).toBe(0);
  });
});

/** Statements about alerts that Postgres has run meanwhile, counted as scans of their tables. */
async function statementsOf(work: () => Promise<void>): Promise<number> {
  const count = async () => {
    await test.database.pool.query("SELECT pg_stat_force_next_flush()");
    const { rows } = await test.database.pool.query<{ scans: number }>(
      "SELECT sum(coalesce(seq_scan, 0) + coalesce(idx_scan, 0))::int AS scans FROM pg_stat_user_tables WHERE relname LIKE 'alert_%'",
    );
    return rows[0]?.scans ?? 0;
  };
  const before = await count();
  await work();
  return (await count()) - before;
}

describe("a rule's figure", () => {
  const firesOf = async (ctx: Ctx = admin) => {
    await worker(ctx)();
    return (await listOpenIncidents(admin)).map(({ kind, subject, value }) => ({ kind, subject, value: Math.round(value) }));
  };

  it("of cost, times and prompt caches comes from the window's rollups, of everybody or of one", async () => {
    await traffic({ requests: 50, costUsd: 3, ttftMs: 20_000, cacheReadTokens: 100 });
    await traffic({ requests: 50, costUsd: 2, kind: "model", id: "claude-a" });
    await rule("cost", { threshold: 3 });
    await rule("cost", { name: "model", threshold: 3, scope: "model", scopeId: "claude-a" });
    await rule("ttft");
    await rule("response_time", { threshold: 30_000 });
    await rule("prompt_cache_hit_rate");
    const found = await firesOf();
    expect(found.map(({ kind }) => kind).sort()).toEqual(["cost", "prompt_cache_hit_rate", "ttft"]);
    expect(found.find(({ kind }) => kind === "prompt_cache_hit_rate")?.value).toBe(50);
    expect(Math.abs((found.find(({ kind }) => kind === "ttft")?.value ?? 0) - 20_000)).toBeLessThan(1_000);
    // One window later nothing has been spent.
    clock.advance(11 * 60_000);
    expect(await firesOf()).toEqual([]);
  });

  it("of one key comes from its own rollups", async () => {
    const { key } = await makeKey(test.database.prisma, { userId: admin.userId });
    await rule("error_rate", { scope: "key", scopeId: key.id });
    await test.database.pool.query(
      `INSERT INTO rollups_5m (tenant_id, bucket, user_id, key_id, provider_id, model, "group", dialect, status_class, requests, billable_requests,
         input_tokens, output_tokens, cache_write_5m_tokens, cache_write_1h_tokens, cache_read_tokens, cost_nano_usd, upstream_cost_nano_usd)
       VALUES ('default', $1, $2, $3, '', 'm', 'default', 'openai', '5xx', 6, 0, 0, 0, 0, 0, 0, 0, 0)`,
      [new Date(clock.now() - 60_000), admin.userId, key.id],
    );
    expect(await firesOf()).toEqual([{ kind: "error_rate", subject: { kind: "key", id: key.id }, value: 100 }]);
  });

  it("of budgets is each owner's most exhausted one: a cost limit, or the credit last paid in", async () => {
    const owner = await test.as("user");
    await updateAccount(admin, { userId: owner.userId, billing: "prepaid" });
    await topUp(admin, { userId: owner.userId, amountUsd: "10", reason: "paid", idempotencyKey: crypto.randomUUID() });
    const { key } = await makeKey(test.database.prisma, { userId: owner.userId, costTotalUsd: "2" });
    await test.services.snapshot.refresh();
    await rule("budget");
    const admission = createAdmission({
      ...{ redis: null, onTransition: () => undefined, instanceId: "budgets", log: silentLog },
      settings: defaultSettings,
      spend: createSpendReader(test.database.pool),
    });
    await test.database.pool.query("UPDATE key_totals SET last_used_at = $2 WHERE key_id = $1", [key.id, new Date(clock.now())]);
    await test.database.pool.query("UPDATE user_totals SET last_used_at = $2 WHERE user_id = $1", [owner.userId, new Date(clock.now())]);
    await test.database.pool.query("UPDATE accounts SET balance_nano_usd = 1000000000 WHERE user_id = $1", [owner.userId]);
    await spend(key.id, owner.userId, 1_900_000_000);
    const found = await firesOf({ ...admin, limits: admission });
    expect(found).toContainEqual({ kind: "budget", subject: { kind: "user", id: owner.userId }, value: 90 });
    expect(found).toContainEqual({ kind: "budget", subject: { kind: "key", id: key.id }, value: 95 });
    await topUp(admin, { userId: owner.userId, amountUsd: "20", reason: "paid", idempotencyKey: crypto.randomUUID() });
    expect((await firesOf({ ...admin, limits: admission })).map(({ subject }) => subject.kind)).toEqual(["key"]);
    await admission.close();
  });

  async function spend(keyId: string, userId: string, nanoUsd: number): Promise<void> {
    await test.database.pool.query(
      `INSERT INTO rollups_day (tenant_id, bucket, user_id, key_id, provider_id, model, "group", dialect, status_class, requests, billable_requests,
         input_tokens, output_tokens, cache_write_5m_tokens, cache_write_1h_tokens, cache_read_tokens, cost_nano_usd, upstream_cost_nano_usd)
       VALUES ('default', date_trunc('day', $1::timestamptz), $2, $3, '', 'm', 'default', 'openai', '2xx', 1, 1, 0, 0, 0, 0, 0, $4, $4)`,
      [new Date(clock.now()), userId, keyId, nanoUsd],
    );
  }

  it("of breakers, models without a price, spools, caches and the console's calls comes from what instances report, and disappears when they are well", async () => {
    const provider = await makeProvider(test.database.prisma);
    await test.services.snapshot.refresh();
    await makeRequestRow(test.database.pool, { model: "nobody-knows", costNanoUsd: null });
    await rule("breaker_open");
    await rule("unpriced_model");
    await rule("spool_depth", { threshold: 500 });
    await rule("cache_hit_rate");
    await rule("api_response_time");
    const breaker = { providerId: provider.id, model: "m", state: "open" as const, failures: 5, probeAtMs: null, cause: "" };
    const spool = { depth: 600, oldestAgeMs: 0, quarantined: 0, writable: true };
    const counts: number[] = [];
    for (let i = 0; i < 10; i++) countMs(counts, 3_000);
    const calls = { count: 10, sketch: writeSketch(counts) };
    const figures = { bypasses: 0, errors: 0, writesFailed: 0, entries: 0, bytes: 0 };
    const instance = { id: "i", roles: ["gateway"], startedAtMs: clock.now(), seenAtMs: clock.now(), spool, calls };
    let bad = true;
    const ctx = {
      ...admin,
      breakers: { ...admin.breakers, list: () => (bad ? [breaker] : []) },
      live: {
        ...admin.live,
        instances: {
          ...admin.live.instances,
          list: async () =>
            [
              {
                ...instance,
                spool: { ...spool, depth: bad ? 600 : 3 },
                caches: { stats: { ...figures, hits: bad ? 5 : 995, misses: 5 } },
                calls: bad ? calls : { count: 0, sketch: "0" },
              },
            ] as never,
        },
      },
    };
    const found = await firesOf(ctx);
    expect(found).toContainEqual({ kind: "breaker_open", subject: { kind: "provider", id: provider.id }, value: 1 });
    expect(found).toContainEqual({ kind: "unpriced_model", subject: { kind: "model", id: "nobody-knows" }, value: 1 });
    expect(found).toContainEqual({ kind: "spool_depth", subject: { kind: "all", id: "" }, value: 600 });
    expect(found).toContainEqual({ kind: "cache_hit_rate", subject: { kind: "all", id: "" }, value: 50 });
    expect(found.map(({ kind }) => kind)).toContain("api_response_time");
    bad = false;
    expect((await firesOf(ctx)).map(({ kind }) => kind)).toEqual(["unpriced_model"]);
  });

  it("of Redis' memory is a share of its maxmemory, or of the rule's capacity where it has none", async () => {
    const server = await startTestRedis();
    const redis = new Redis(server.url);
    const ctx = { ...admin, redis };
    const { id } = await rule("redis_memory");
    expect(await firesOf(ctx), "nothing to compare with").toEqual([]);
    await updateAlertRule(admin, { id, capacityBytes: 1_000 });
    expect((await firesOf(ctx)).map(({ kind }) => kind)).toEqual(["redis_memory"]);
    await redis.config("SET", "maxmemory", "1gb");
    expect(await firesOf(ctx)).toEqual([]);
    redis.disconnect();
    await server.stop();
  });
});
