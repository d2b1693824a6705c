import { until } from "@sluice/testing/deadline";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { type Harness, startHarness } from "./harness.ts";

let harness: Harness;
beforeAll(async () => {
  harness = await startHarness({ settings: { "breaker.failures": 5, "breaker.openSeconds": 1 } });
});
afterAll(() => harness.close());

const body = { model: "claude-fake", max_tokens: 100, messages: [{ role: "user", content: "hi" }] };

/** A key whose group has only this provider, and what calling it results in. */
async function alone(secret: string) {
  const { key, providerIds } = await harness.group([{ dialect: "anthropic", secret }]);
  return {
    ask: async () => {
      const response = await harness.call("/v1/messages", { body, key });
      await response.text();
      return { status: response.status, retryAfterS: Number(response.headers.get("retry-after")) };
    },
    state: () => harness.admission.breakers.stateOf(providerIds[0] ?? "", "claude-fake"),
    isListed: () => harness.admission.breakers.list().some(({ providerId }) => providerId === providerIds[0]),
  };
}

describe("R22 a breaker", () => {
  it("opens after five failures, lets one probe in, is closed by successes and back among the candidates, without a statement of its own", async () => {
    const provider = await alone("sk-r22");
    const client = await harness.database.pool.connect();
    client.release();
    const anyClient = Object.getPrototypeOf(client) as typeof client;
    /** The statements of one successful request, until it is settled, that write anything or read providers. */
    const statementsOf = async (): Promise<string[]> => {
      const spy = vi.spyOn(anyClient, "query");
      try {
        expect((await provider.ask()).status).toBe(200);
        await until(() => harness.ledger.stats().depth === 0, { what: "it is settled" });
        const texts = spy.mock.calls.map(([statement]) => JSON.stringify(statement).slice(0, 5_000));
        return [...new Set(texts.filter((text) => /insert|update|delete|providers|breaker/i.test(text)))].sort();
      } finally {
        spy.mockRestore();
      }
    };
    const usual = await statementsOf();
    expect(usual.length).toBeGreaterThan(0);
    harness.upstream.control("sk-r22", "error-before");
    for (let i = 0; i < 5; i++) expect((await provider.ask()).status).toBe(500);
    const before = harness.upstreamCalls();
    expect(await provider.ask()).toMatchObject({ status: 503, retryAfterS: 1 });
    expect(harness.upstreamCalls()).toBe(before);
    harness.upstream.control("sk-r22", null);
    for (let probe = 0; probe < 2; probe++) {
      await until(() => provider.state() === "probe", { what: "a probe is due" });
      expect(await statementsOf()).toEqual(usual);
    }
    expect(provider.state()).toBe("closed");
    expect(provider.isListed()).toBe(false);
    const answers = await Promise.all(Array.from({ length: 10 }, provider.ask));
    expect(answers.every(({ status }) => status === 200)).toBe(true);
  });
});

describe("a provider's Retry-After is honoured", () => {
  it.each([
    ["in seconds", "rate-limited,90", 429, 90],
    ["as an HTTP date", "rate-limited,date:90", 429, 90],
    ["of an overloaded one", "overloaded,retry=90", 529, 90],
    ["for half an hour at most", "rate-limited,86400", 429, 1_800],
  ])("%s: it gets no requests until then, and refused clients learn when", async (_what, script, status, waitS) => {
    const provider = await alone(`sk@${script}`);
    expect((await provider.ask()).status).toBe(status);
    const before = harness.upstreamCalls();
    const refused = await provider.ask();
    expect(refused.status).toBe(503);
    expect(refused.retryAfterS).toBeLessThanOrEqual(waitS);
    expect(refused.retryAfterS).toBeGreaterThan(waitS - 30);
    expect(harness.upstreamCalls()).toBe(before);
  });
});
