import { createRedis } from "@sluice/db/redis";
import { until } from "@sluice/testing/deadline";
import { makePrice, makeProvider, makeUser } from "@sluice/testing/factories";
import { startTestRedis, type TestRedis } from "@sluice/testing/redis";

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Harness, type ProviderSpec, startHarness } from "./harness.ts";
import { startRawProvider } from "./raw-provider.ts";

let server: TestRedis;
let redis: ReturnType<typeof createRedis>;
let harness: Harness;

beforeAll(async () => {
  server = await startTestRedis();
  redis = createRedis(server.url, { name: "test" });
  await until(() => redis.status === "ready", { what: "the connection is ready" });
  harness = await startHarness({ redis, prices: ["gpt@slow,300", "gpt@slow,50"] });
});
afterAll(async () => {
  await harness.close();
  redis.disconnect();
  await server.stop();
});

const openai: ProviderSpec[] = [{ dialect: "openai" }];
const messages = [{ role: "user", content: "hi" }];
const plain = { model: "fake-plain", max_tokens: 100, messages };

/** nano-USD at 1 and 2 USD per million tokens: one token per 4 bytes of the body, plus the entire requested output. */
function worstOf(body: { max_tokens: number }): number {
  return Math.ceil(Buffer.byteLength(JSON.stringify(body)) / 4) * 1_000 + body.max_tokens * 2_000;
}

const usd = (nano: number): string => (nano / 1e9).toFixed(9);
const ask = (key: string, body: object = plain) => harness.call("/v1/chat/completions", { key, body });

/** How often clients and scripts sent each command. */
async function commandCalls(): Promise<Record<string, number>> {
  const lines = (await redis.info("commandstats")).matchAll(/^cmdstat_([^:]+):calls=(\d+)/gm);
  return Object.fromEntries([...lines].map(([, name = "", calls]) => [name, Number(calls)]));
}

async function commandsOf(work: () => Promise<unknown>): Promise<Record<string, number>> {
  const before = await commandCalls();
  await work();
  const after = await commandCalls();
  const grown = Object.entries(after).map(([name, calls]): [string, number] => [name, calls - (before[name] ?? 0)]);
  return Object.fromEntries(grown.filter(([name, calls]) => calls > 0 && name !== "info"));
}

async function times(count: number, work: () => Promise<Response>): Promise<void> {
  for (let i = 0; i < count; i++) expect((await work()).status).toBe(200);
}

describe("A09 a key without limits", () => {
  it("asks Redis for nothing", async () => {
    const { key } = await harness.group(openai);
    await ask(key);
    const commands = await commandsOf(() => times(20, () => ask(key)));
    expect(Object.keys(commands).filter((name) => name !== "ping")).toEqual([]);
  });
});

describe("A13 only the provider that serves is read", () => {
  it("a request reads the same with 10 and with 1,000 providers", async () => {
    const spare: ProviderSpec = { dialect: "openai", priority: 1 };
    const { key, group, providerIds } = await harness.group([...openai, ...Array.from({ length: 9 }, () => spare)], { rpm: 1_000 });
    const measure = async () => {
      await ask(key);
      const { evalsha = 0, ...others } = await commandsOf(() => times(20, () => ask(key)));
      return {
        evalsha,
        others: Object.keys(others)
          .filter((name) => name !== "ping")
          .sort(),
      };
    };
    const few = await measure();
    for (let i = 0; i < 990; i++) {
      await makeProvider(harness.database.prisma, { groups: [group], priority: 1 + (i % 5), rpm: 10, models: ["fake-plain"] });
    }
    await harness.snapshot.refresh();
    expect(harness.snapshot.current().providers.length).toBeGreaterThanOrEqual(1_000);
    const many = await measure();
    expect(many.others).toEqual(few.others);
    // A renewal may fall into either interval; one command per provider would be thousands more.
    expect(Math.abs(many.evalsha - few.evalsha)).toBeLessThan(10);
    await harness.database.prisma.provider.updateMany({
      where: { groups: { has: group }, id: { notIn: providerIds } },
      data: { deletedAt: new Date() },
    });
    await harness.snapshot.refresh();
  });
});

describe("A10 limits are asked for where there are any, together", () => {
  it.each([
    ["one daily cap", { costDayUsd: "100" }],
    [
      "every kind of limit",
      {
        rpm: 1_000,
        tpm: 1_000_000,
        inFlight: 50,
        cost5hUsd: "100",
        costDayUsd: "100",
        costWeekUsd: "100",
        costMonthUsd: "100",
        costTotalUsd: "100",
      },
    ],
  ])("%s: one round trip before the upstream is called, and one that nobody waits for", async (_, limits) => {
    const user = await makeUser(harness.database.prisma, { costMonthUsd: "1000" });
    const { key } = await harness.group(openai, { ...limits, userId: user.id });
    await ask(key);
    const commands = await commandsOf(() => times(20, () => ask(key)));
    // A renewal or a rebuild may fall into the interval; a third round trip per request would be twenty more.
    expect(commands.evalsha).toBeGreaterThanOrEqual(40);
    expect(commands.evalsha).toBeLessThan(50);
    expect(commands.keys ?? 0).toBe(0);
    expect(commands.eval ?? 0).toBe(0);
  });
});

describe("a budget", () => {
  it("of ten requests' worth under 50 parallel requests admits exactly ten, and the eleventh when they cost less", async () => {
    const body = { ...plain, model: "gpt@slow,300" };
    const { key } = await harness.group(openai, { costDayUsd: usd(worstOf(body) * 10) });
    const answers = await Promise.all(Array.from({ length: 50 }, () => ask(key, body)));
    const statuses = answers.map(({ status }) => status);
    expect(statuses.filter((status) => status === 200)).toHaveLength(10);
    expect(statuses.filter((status) => status === 429)).toHaveLength(40);
    const refused = answers.find(({ status }) => status === 429);
    expect(await refused?.json()).toMatchObject({
      error: { code: "insufficient_quota", message: expect.stringMatching(/per day of this key is reached: \$\d.* may cost \$/) },
    });
    expect(Number(refused?.headers.get("retry-after"))).toBe(1);
    await Promise.all(answers.map((answer) => (answer.bodyUsed ? "" : answer.text())));
    expect((await ask(key)).status).toBe(200);
  });

  it("knows what the ledger knows when Redis comes back empty: nobody is unlimited, and nobody is refused without reason", async () => {
    const { key, keyId } = await harness.group(openai, { costTotalUsd: usd(worstOf(plain) * 2) });
    await times(1, () => ask(key));
    const row = await harness.findRow((found) => found.keyId === keyId && found.state === "done");
    const spent = Number(row.costNanoUsd);
    expect(spent).toBeGreaterThan(0);
    await redis.flushall();
    await times(1, () => ask(key));
    // The remainder, to the nano-USD: a request that may cost more is refused, one that may not is admitted.
    await harness.database.prisma.key.update({ where: { id: keyId }, data: { costTotalUsd: usd(spent * 2 + worstOf(plain) - 1) } });
    await harness.snapshot.refresh();
    await until(async () => Number((await harness.admission.usage(limitsOf(keyId))).spent?.total) === spent * 2, {
      what: "both are booked",
    });
    await redis.flushall();
    expect((await ask(key)).status).toBe(429);
    await harness.database.prisma.key.update({ where: { id: keyId }, data: { costTotalUsd: usd(spent * 2 + worstOf(plain)) } });
    await harness.snapshot.refresh();
    expect((await ask(key)).status).toBe(200);
  });

  it("is shared by all keys of a user, and of a group", async () => {
    const user = await makeUser(harness.database.prisma, { costWeekUsd: usd(worstOf(plain)) });
    const [first, second] = [await harness.group(openai, { userId: user.id }), await harness.group(openai, { userId: user.id })];
    await times(1, () => ask(first.key));
    const spent = Number((await harness.findRow(({ keyId }) => keyId === first.keyId)).costNanoUsd);
    expect(spent).toBeGreaterThan(0);
    const over = await ask(second.key);
    expect(over.status).toBe(429);
    expect(await over.json()).toMatchObject({ error: { message: expect.stringContaining("per week of this user is reached") } });
    const turnedAway = await harness.settled((await harness.findRow(({ keyId }) => keyId === second.keyId)).id);
    expect(turnedAway.detail.error?.facts).toMatchObject({
      ...{ kind: "limit", limit: "week", owner: "user", ownerId: user.id, value: worstOf(plain), used: spent },
      ...{ wantedNanoUsd: worstOf(plain), resetAtMs: expect.any(Number) },
    });
    const { group, key } = await harness.group(openai);
    await harness.database.prisma.group.create({ data: { name: group, costMultiplier: "2", rpm: 1 } });
    await harness.snapshot.refresh();
    await times(1, () => ask(key));
    const refused = await ask(key);
    expect(refused.headers.get("x-ratelimit-limit-requests")).toBe("1");
    expect(await refused.json()).toMatchObject({ error: { message: expect.stringContaining(`of group ${group} is reached`) } });
    const row = await harness.findRow((found) => found.group === group && found.state === "done");
    const { detail } = await harness.settled(row.id);
    expect(detail.cost?.groupMultiplier).toBe("2");
    expect(Number(row.costNanoUsd)).toBe((row.usage.input * 1_000 + row.usage.output * 2_000) * 2);
  });
});

/** The owner whose usage is queried. */
function limitsOf(id: string) {
  return { owner: "key" as const, id, values: { rpm: null, inFlight: null, costTotalUsd: "1" } };
}

describe("A05 more output than the model gives", () => {
  it("is lowered to it, or refused, by the price table in memory", async () => {
    const raw = await startRawProvider((res) => {
      res.writeHead(200, { "content-type": "application/json" });
      const choices = [{ index: 0, message: { role: "assistant", content: "hi" }, finish_reason: "stop" }];
      res.end(
        JSON.stringify({ id: "1", object: "chat.completion", model: "m", choices, usage: { prompt_tokens: 3, completion_tokens: 1 } }),
      );
    });
    const { model } = await makePrice(harness.database.prisma, { maxOutputTokens: 50 });
    const { key } = await harness.group([{ dialect: "openai", baseUrl: `${raw.url}/v1` }]);
    expect((await ask(key, { ...plain, model, max_tokens: 80 })).status).toBe(200);
    expect(raw.received.map(({ body }) => JSON.parse(body))).toEqual([{ ...plain, model, max_tokens: 50 }]);
    await harness.database.prisma.setting.create({ data: { name: "limits.overMaxOutput", value: "refuse" } });
    await harness.snapshot.refresh();
    const refused = await ask(key, { ...plain, model, max_tokens: 80 });
    expect(refused.status).toBe(400);
    expect(await refused.json()).toMatchObject({ error: { message: "80 output tokens are more than this model gives (50)." } });
    expect(raw.received).toHaveLength(1);
    expect((await ask(key, { ...plain, model, max_tokens: 50 })).status).toBe(200);
    await raw.close();
    await harness.database.prisma.setting.delete({ where: { tenantId_name: { tenantId: "default", name: "limits.overMaxOutput" } } });
    await harness.snapshot.refresh();
  });
});

describe("a provider's own limits", () => {
  it("send a request to the next provider, and when all are at theirs, away", async () => {
    const { key, providerIds } = await harness.group([{ dialect: "openai" }, { dialect: "openai", priority: 1 }]);
    await harness.database.prisma.provider.updateMany({ where: { id: { in: providerIds } }, data: { inFlight: 1 } });
    await harness.snapshot.refresh();
    const body = { ...plain, model: "gpt@slow,300" };
    const answers = await Promise.all(Array.from({ length: 3 }, () => ask(key, body)));
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 200, 503]);
    const rows = await Promise.all(
      answers.filter(({ status }) => status === 200).map((answer) => harness.settled(answer.headers.get("x-request-id") ?? "")),
    );
    expect(new Set(rows.map(({ row }) => row.providerId))).toEqual(new Set(providerIds));
    expect(rows.flatMap(({ detail }) => detail.decision.excluded)).toContainEqual({ providerId: providerIds[0], reason: "limited" });
    // Both slots are free again.
    expect((await ask(key)).status).toBe(200);
  });
});

describe("a queue for slots in flight", () => {
  it("is served in order as slots are released; requests that do not fit are refused at once", async () => {
    await harness.database.prisma.setting.create({ data: { name: "limits.queuePerSlot", value: 3 } });
    const { key } = await harness.group(openai, { inFlight: 1 });
    await harness.snapshot.refresh();
    const body = { ...plain, model: "gpt@slow,50" };
    const order: number[] = [];
    const waiting: Promise<number>[] = [];
    for (let i = 0; i < 5; i++) {
      waiting.push(
        ask(key, body).then(async (answer) => {
          await answer.text();
          if (answer.status === 200) order.push(i);
          return answer.status;
        }),
      );
      // They join the queue one after another.
      await until(() => harness.gateway.stats().inFlight >= Math.min(i + 1, 4) || i === 4, { what: "it has arrived" });
    }
    const statuses = await Promise.all(waiting);
    expect(statuses.filter((status) => status === 200)).toHaveLength(4);
    expect(statuses.filter((status) => status === 429)).toHaveLength(1);
    expect(order).toEqual([...order].sort((a, b) => a - b));
    await harness.database.prisma.setting.delete({ where: { tenantId_name: { tenantId: "default", name: "limits.queuePerSlot" } } });
    await harness.snapshot.refresh();
  });
});
