import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Harness, type ProviderSpec, startHarness } from "./harness.ts";

let harness: Harness;
beforeAll(async () => {
  harness = await startHarness({ settings: { "pricing.unknownModel": "record", "routing.strategy": "least_in_flight" } });
});
afterAll(() => harness?.close());

let asked = 0;
async function ask(key: string, model: string, session = `s${asked}`) {
  const body = {
    model,
    max_tokens: 100,
    messages: [{ role: "user", content: `hi ${asked++}` }],
    metadata: { user_id: `user_x_account__session_${session}` },
  };
  const response = await harness.call("/v1/messages", { body, key });
  await response.text();
  return harness.settled(response.headers.get("x-request-id") ?? "");
}

const anthropic = (spec: Partial<ProviderSpec> = {}): ProviderSpec => ({ dialect: "anthropic", secret: "sk-good", ...spec });

describe("a session that went to a lower priority", () => {
  it("stays while no provider above is well, then goes back, and the decision says from where", async () => {
    const { key, providerIds } = await harness.group([anthropic({ secret: "sk-flaky@flaky,2", priority: 0 }), anthropic({ priority: 1 })]);
    const [above, below] = providerIds;
    const session = crypto.randomUUID();
    let served = (await ask(key, "claude-fake", session)).row.providerId;
    if (served === above) served = (await ask(key, "claude-fake", session)).row.providerId;
    expect(served).toBe(below);
    const stays = await ask(key, "claude-fake", session);
    expect(stays.row.providerId).toBe(below);
    expect(stays.detail.decision.chosenBy).toBe("sticky");
    // A request of another session succeeds on the provider above.
    let last = below;
    for (let n = 0; n < 4 && last !== above; n++) last = (await ask(key, "claude-fake")).row.providerId;
    expect(last).toBe(above);
    const back = await ask(key, "claude-fake", session);
    expect(back.detail.decision).toMatchObject({ failedBackFrom: below });
    expect(back.detail.decision.candidates[0]?.providerId).toBe(above);
  });
});

describe("the fewest in flight", () => {
  it("asks whoever is idle, and the decision says what it saw", async () => {
    const { key, providerIds } = await harness.group([anthropic(), anthropic()]);
    const leaving = new AbortController();
    const body = {
      model: "claude-fake@plain,900+slow,200",
      stream: true,
      max_tokens: 2_000,
      messages: [{ role: "user", content: "go on" }],
    };
    const running = await harness.call("/v1/messages", { body, key, signal: leaving.signal });
    const busy = (await harness.live.registry.list())[0]?.providerId;
    for (let n = 0; n < 3; n++) {
      const { row, detail } = await ask(key, "claude-fake");
      expect(providerIds).toContain(busy);
      expect(row.providerId).not.toBe(busy);
      expect(detail.decision).toMatchObject({
        chosenBy: "least_in_flight",
        candidates: [{ saw: { inFlight: 0 } }, { saw: { inFlight: 1 } }],
      });
    }
    leaving.abort();
    await running.text().catch(() => undefined);
  });
});
