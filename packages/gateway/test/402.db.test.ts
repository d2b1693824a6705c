import { newId } from "@sluice/core/ids";
import { findWrongBalances } from "@sluice/ledger/reconcile";
import { until } from "@sluice/testing/deadline";
import { makeUser } from "@sluice/testing/factories";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Harness, type ProviderSpec, startHarness } from "./harness.ts";

let harness: Harness;
beforeAll(async () => {
  harness = await startHarness({ prices: ["claude@slow,200"] });
});
afterAll(() => harness.close());

const providers: ProviderSpec[] = [{ dialect: "anthropic" }, { dialect: "openai" }, { dialect: "gemini" }];
const messages = [{ role: "user", content: "hi" }];
/** 2 USD per million output tokens: 1,000 of them cost 0.002 USD, and the input a little more. */
const chat = (max_tokens: number) => ({ model: "fake-plain", max_tokens, messages });

/** A user with that billing and that much credit, and their key. */
async function makePayer(nanoUsd: bigint, billing = "prepaid"): Promise<{ userId: string; key: string }> {
  const { prisma } = harness.database;
  const { id: userId } = await makeUser(prisma);
  await prisma.account.update({ where: { userId }, data: { billing, balanceNanoUsd: nanoUsd } });
  await prisma.accountEntry.create({
    data: { id: newId(), userId, kind: "top_up", amountNanoUsd: nanoUsd, balanceNanoUsd: nanoUsd, idempotencyKey: newId() },
  });
  const { key } = await harness.group(providers, { userId });
  return { userId, key };
}

const account = (userId: string) => harness.database.prisma.account.findUniqueOrThrow({ where: { userId } });
const ask = (key: string, max_tokens: number) => harness.call("/v1/chat/completions", { key, body: chat(max_tokens) });

describe("T2 a prepaid user's request", () => {
  it("that the credit cannot cover is refused before any provider sees it; the answer names both amounts", async () => {
    const { key } = await makePayer(1_000_000n);
    const before = harness.upstreamCalls();
    const refused = await ask(key, 1_000);
    expect(refused.status).toBe(402);
    expect(await refused.json()).toMatchObject({
      error: {
        type: "insufficient_quota",
        code: "insufficient_quota",
        message: expect.stringMatching(/\$0\.001 left, up to \$0\.002\d* needed/),
        retryable: false,
      },
    });
    expect(harness.upstreamCalls()).toBe(before);
    const { row } = await harness.settled(refused.headers.get("x-request-id") ?? "");
    expect(row).toMatchObject({ state: "refused", status: 402, errorCode: "insufficient_credit", billable: false, costNanoUsd: "0" });
  });

  it.each([
    ["/v1/messages", { model: "claude-fake", max_tokens: 1_000, messages }, { type: "error", error: { type: "billing_error" } }],
    [
      "/v1beta/models/gemini-fake:generateContent",
      { contents: [], generationConfig: { maxOutputTokens: 1_000 } },
      { error: { code: 402, status: "FAILED_PRECONDITION" } },
    ],
  ])("in the shape of %s", async (path, body, shape) => {
    const { key } = await makePayer(1_000n);
    const refused = await harness.call(path, { key, body });
    expect(refused.status).toBe(402);
    expect(await refused.json()).toMatchObject(shape);
  });

  it("that it covers is admitted, charged to the balance, and leaves the rest to the next one at once", async () => {
    const { userId, key } = await makePayer(2_500_000n);
    let spent = 0n;
    for (let n = 0; n < 5; n++) {
      const answer = await ask(key, 1_000);
      expect(answer.status).toBe(200);
      const { row } = await harness.settled(answer.headers.get("x-request-id") ?? "");
      spent += BigInt(row.costNanoUsd ?? 0);
    }
    expect(spent).toBeGreaterThan(0n);
    expect(await account(userId)).toMatchObject({ balanceNanoUsd: 2_500_000n - spent });
    expect(await findWrongBalances(harness.database.pool)).toEqual([]);
  });

  it("50 at once on credit for 10: never more than 10, and the balance stays above its floor", async () => {
    const { userId, key } = await makePayer(21_000_000n);
    const before = harness.upstreamCalls();
    const body = { model: "claude@slow,200", max_tokens: 1_000, stream: true, messages };
    const answers = await Promise.all(Array.from({ length: 50 }, () => harness.call("/v1/messages", { key, body })));
    const statuses = answers.map(({ status }) => status);
    expect(statuses.filter((status) => status === 200)).toHaveLength(10);
    expect(statuses.filter((status) => status === 402)).toHaveLength(40);
    expect(harness.upstreamCalls() - before).toBe(10);
    await Promise.all(answers.map((answer) => answer.text()));
    for (const answer of answers) await harness.settled(answer.headers.get("x-request-id") ?? "");
    const { balanceNanoUsd } = await account(userId);
    expect(balanceNanoUsd).toBeGreaterThanOrEqual(0n);
    expect(balanceNanoUsd).toBeLessThan(21_000_000n);
  });

  it("gives back all of what it reserved when no provider had an answer", async () => {
    const { prisma } = harness.database;
    const { userId } = await makePayer(3_000_000n);
    const { key } = await harness.group([{ dialect: "openai", secret: "sk@rate-limited,retry=9" }], { userId });
    for (let n = 0; n < 3; n++) expect((await ask(key, 1_000)).status).toBeGreaterThanOrEqual(429);
    await until(() => harness.credit.stats().openNanoUsd === 0, { what: "I7 nothing is reserved at rest" });
    expect(await prisma.account.findUniqueOrThrow({ where: { userId } })).toMatchObject({ balanceNanoUsd: 3_000_000n });
  });

  it("that costs nothing needs no credit, and neither does a postpaid user", async () => {
    const { key } = await makePayer(0n);
    expect((await harness.call("/v1/models", { method: "GET", key })).status).toBe(200);
    const counted = await harness.call("/v1/messages/count_tokens", { key, body: { model: "claude-fake", messages } });
    expect(counted.status).toBe(200);
    const postpaid = await makePayer(0n, "postpaid");
    expect((await ask(postpaid.key, 1_000)).status).toBe(200);
    const both = await makePayer(0n, "both");
    expect((await ask(both.key, 1_000)).status).toBe(402);
  });
});
