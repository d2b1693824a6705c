import { until } from "@sluice/testing/deadline";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Harness, type ProviderSpec, startHarness } from "./harness.ts";
import { startRawProvider } from "./raw-provider.ts";

let harness: Harness;
beforeAll(async () => {
  harness = await startHarness({ settings: { "routing.hedgeAfterMs": 200, "routing.hedgePercent": 100, "breaker.failures": 1 } });
});
afterAll(() => harness.close());

const body = { model: "claude-fake", max_tokens: 100, stream: true, messages: [{ role: "user", content: "hi" }] };
const good: ProviderSpec = { dialect: "anthropic", secret: "sk-good", priority: 1 };

async function ask(of: Harness, specs: readonly ProviderSpec[]) {
  const { key, providerIds } = await of.group(specs);
  const response = await of.call("/v1/messages", { body, key });
  const text = await response.text();
  const settled = await of.settled(response.headers.get("x-request-id") ?? "");
  return { key, providerIds, text, ...settled };
}

const outcomes = ({ detail }: Awaited<ReturnType<Harness["settled"]>>) => detail.attempts.map(({ outcome }) => outcome);

/** How the requests of an id ended, as seen by the upstream. */
const ends = (id: string) => harness.upstream.oracle().flatMap((line) => (line.line === "closed" && line.id === id ? [line.endedBy] : []));

describe("a provider that sends no content for a while", () => {
  it.each(["late,20000", "stall,0"])(
    "is joined by a second one, which serves; the first is stopped, and costs us but not the client (%s)",
    async (script) => {
      const answer = await ask(harness, [{ dialect: "anthropic", secret: `sk@${script}` }, good]);
      expect(answer.text.match(/event: message_start/g)).toHaveLength(1);
      expect(answer.text).toContain("event: message_stop");
      expect(outcomes(answer)).toEqual(["hedge_lost", "ok"]);
      const { row, detail, providerIds } = answer;
      expect(row).toMatchObject({ state: "done", attempts: 2, providerId: providerIds[1] });
      const [lost, served] = detail.attempts;
      expect(Number(lost?.upstreamCostNanoUsd)).toBeGreaterThan(0);
      expect(row.usage).toEqual(served?.usage);
      expect(row.costNanoUsd).toBe(served?.upstreamCostNanoUsd);
      await until(() => ends(row.id).length === 2, { what: "both are over upstream" });
      expect(ends(row.id).sort()).toEqual(["client_closed", "done"]);
      // A slow provider is not a broken one.
      expect(harness.admission.breakers.stateOf(providerIds[0] ?? "", "claude-fake")).toBe("closed");
    },
  );

  it("serves when it is first after all, and the second is stopped", async () => {
    const answer = await ask(harness, [
      { dialect: "anthropic", secret: "sk@slow,700+plain,3" },
      { ...good, secret: "sk@late,20000" },
    ]);
    expect(outcomes(answer)).toEqual(["ok", "hedge_lost"]);
    expect(answer.row).toMatchObject({ state: "done", providerId: answer.providerIds[0], usage: answer.detail.attempts[0]?.usage });
  });

  it("is waited for when the second fails, and the other way round", async () => {
    const second = await ask(harness, [
      { dialect: "anthropic", secret: "sk@slow,700+plain,3" },
      { ...good, secret: "sk@error-before" },
    ]);
    expect(outcomes(second)).toEqual(["ok", "failed"]);
    const first = await ask(harness, [
      { dialect: "anthropic", secret: "sk@late,600+error-before" },
      { ...good, secret: "sk@slow,900+plain,3" },
    ]);
    expect(outcomes(first)).toEqual(["failed", "ok"]);
    expect(first.row.state).toBe("done");
  });

  it("is waited for when the second answers with an error of any form; of two errors, the client's own is reported", async () => {
    const slow: ProviderSpec = { dialect: "anthropic", secret: "sk@slow,700+plain,3" };
    const raw = await startRawProvider((res) => res.writeHead(400, { "content-type": "text/plain" }).end("no"));
    for (const second of [
      { ...good, secret: "sk@error-before,400" },
      { ...good, baseUrl: raw.url },
    ]) {
      const answer = await ask(harness, [slow, second]);
      expect(outcomes(answer)).toEqual(["ok", "failed"]);
      expect(answer.row.state).toBe("done");
      expect(harness.admission.loads.of(answer.providerIds[1] ?? "").inFlight).toBe(0);
    }
    await raw.close();
    const both = await ask(harness, [
      { dialect: "anthropic", secret: "sk@late,600+error-before,503" },
      { ...good, secret: "sk@error-before,400" },
    ]);
    expect(outcomes(both)).toEqual(["failed", "failed"]);
    expect(both.row).toMatchObject({ status: 400, errorCode: "invalid_request" });
  });

  it("fails over when the second refuses what was converted for it: that may be our mistake", async () => {
    for (const script of ["late,600+overloaded", "late,1600+overloaded"]) {
      const answer = await ask(harness, [
        { dialect: "anthropic", secret: `sk@${script}` },
        { dialect: "openai", secret: "sk@late,800+error-before,400", models: ["claude-fake"], priority: 1 },
        { ...good, priority: 2 },
      ]);
      expect(outcomes(answer)).toEqual(["failed", "failed", "ok"]);
      expect(answer.row.state).toBe("done");
    }
  });

  it("is not joined when there is no second provider, or when it is quick", async () => {
    expect(outcomes(await ask(harness, [{ dialect: "anthropic", secret: "sk@slow,400+plain,3" }]))).toEqual(["ok"]);
    expect(outcomes(await ask(harness, [good, { ...good, priority: 2 }]))).toEqual(["ok"]);
  });

  it("is left, as the second is, when the client leaves", async () => {
    const { key } = await harness.group([
      { dialect: "anthropic", secret: "sk@late,20000" },
      { ...good, secret: "sk@late,20000" },
    ]);
    const client = new AbortController();
    const before = harness.upstreamCalls();
    const pending = harness.call("/v1/messages", { body, key, signal: client.signal }).catch(() => null);
    await until(() => harness.upstreamCalls() === before + 2, { what: "both are asked" });
    client.abort();
    await pending;
    const { id } = await harness.findRow(({ state }) => state === "aborted");
    await until(() => ends(id).length === 2, { what: "both are over upstream" });
    expect(ends(id)).toEqual(["client_closed", "client_closed"]);
    expect((await harness.settled(id)).row).toMatchObject({ attempts: 2, costNanoUsd: "0" });
  });
});

it("of a hundred requests no more ask a second provider than the budget says; by default none does", async () => {
  const slow: readonly ProviderSpec[] = [{ dialect: "anthropic", secret: "sk@slow,400+plain,2" }, good];
  for (const [settings, hedged] of [
    [{ "routing.hedgeAfterMs": 100, "routing.hedgePercent": 10 }, 2],
    [{}, 0],
  ] as const) {
    const frugal = await startHarness({ settings });
    try {
      const { key } = await frugal.group(slow);
      await Promise.all(
        Array.from({ length: 20 }, async (_, i) => {
          const response = await frugal.call("/v1/messages", { body, key, headers: { "x-session-id": `s${i}` } });
          expect(await response.text()).toContain("message_stop");
        }),
      );
      expect(frugal.upstreamCalls()).toBe(20 + hedged);
    } finally {
      await frugal.close();
    }
  }
});
