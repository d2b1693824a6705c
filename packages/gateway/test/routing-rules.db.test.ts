import { RoutingRule } from "@sluice/core/inputs/routing-rules";
import type { Settings } from "@sluice/core/inputs/settings";
import { makePrice, uniqueName } from "@sluice/testing/factories";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Harness, type ProviderSpec, startHarness } from "./harness.ts";

let harness: Harness;
beforeAll(async () => {
  harness = await startHarness();
});
afterAll(() => harness.close());

const anthropic = (fields: Partial<ProviderSpec> = {}): ProviderSpec => ({ dialect: "anthropic", ...fields });

async function put(rules: readonly (Partial<RoutingRule> & { name: string })[]): Promise<void> {
  await set(
    "routing.rules",
    rules.map((rule) => RoutingRule.parse(rule)),
  );
}

async function set(name: keyof Settings, value: string | RoutingRule[]): Promise<void> {
  const { prisma } = harness.database;
  await prisma.setting.upsert({ where: { tenantId_name: { tenantId: "default", name } }, create: { name, value }, update: { value } });
  await prisma.configVersion.updateMany({ data: { version: { increment: 1n } } });
  await harness.snapshot.refresh();
}

async function nameOf(id: string | undefined): Promise<string> {
  return (await harness.database.prisma.provider.findUniqueOrThrow({ where: { id: id ?? "" } })).name;
}

async function ask(key: string, headers: Record<string, string> = {}, path = "/v1/messages") {
  const body = { model: "claude-fake", max_tokens: 100, messages: [{ role: "user", content: "hi" }] };
  const response = await harness.call(path, { body, key, headers });
  const text = await response.text();
  return { response, text, ...(await harness.settled(response.headers.get("x-request-id") ?? "")) };
}

describe("R13 a request follows the rules that are in force when it comes", () => {
  it("to the provider that the rule names, and nowhere else; the row says by which rule", async () => {
    const { key, providerIds } = await harness.group([anthropic(), anthropic({ priority: 1 })]);
    const [usual, other] = providerIds;
    await put([]);
    const before = await ask(key);
    expect(before.row.providerId).toBe(usual);
    expect(before.detail.decision.rule).toBeUndefined();
    const provider = await nameOf(other);
    await put([{ name: "Team", headers: [{ name: "X-Team", value: "red*" }], provider }]);
    const { row, detail } = await ask(key, { "x-team": "red-1" });
    expect(row.providerId).toBe(other);
    expect(detail.decision.rule).toEqual({ name: "Team", provider });
    expect(detail.decision.excluded).toContainEqual({ providerId: usual, reason: "rule" });
    expect((await ask(key, { "x-team": "blue" })).row.providerId).toBe(usual);
    await put([{ name: "Nowhere", provider: "Nobody" }]);
    const refused = await ask(key);
    expect([refused.response.status, refused.row.errorCode, refused.detail.decision.rule?.name]).toEqual([503, "no_provider", "Nowhere"]);
    await put([]);
    expect((await ask(key)).row.providerId).toBe(usual);
  });

  it("to the group it names, with that group's multiplier and limits", async () => {
    const { key } = await harness.group([anthropic()]);
    const plain = await ask(key);
    const group = uniqueName("group");
    await harness.database.prisma.group.create({ data: { name: group, costMultiplier: "3", rpm: 1 } });
    const { providerIds } = await harness.group([anthropic({ groups: [group] })]);
    await put([{ name: "Large", bodyBytesMin: 10, paths: ["/v1/messages"], group }]);
    const { row } = await ask(key);
    expect(row).toMatchObject({ group, providerId: providerIds[0], costNanoUsd: (3n * BigInt(plain.row.costNanoUsd ?? 0)).toString() });
    expect((await ask(key)).response.status).toBe(429);
    await put([]);
  });

  it("for the model it names: that is sent, and billed only where redirects are", async () => {
    const { key } = await harness.group([anthropic({ models: ["claude-other"] })]);
    await put([{ name: "Cheaper", models: ["claude-*"], model: "claude-other" }]);
    const { row, detail, response } = await ask(key);
    expect(response.status).toBe(200);
    expect(row).toMatchObject({ model: "claude-fake", upstreamModel: "claude-other" });
    expect(detail.attempts[0]?.upstreamModel).toBe("claude-other");
    expect(BigInt(row.costNanoUsd ?? 0)).toBeGreaterThan(0n);
    await put([]);
  });

  it("for the model it names: that model's costs are compared", async () => {
    const { prisma } = harness.database;
    await makePrice(prisma, { model: "lean", outputPerMTok: "1" });
    await makePrice(prisma, { model: "dear", outputPerMTok: "10" });
    const { key, providerIds } = await harness.group([
      anthropic({ modelRedirects: { "claude-other": "dear" } }),
      anthropic({ modelRedirects: { "claude-other": "lean" } }),
    ]);
    await set("routing.strategy", "lowest_cost");
    await set("pricing.billedModel", "redirected");
    await put([{ name: "Cheaper", models: ["claude-*"], model: "claude-other" }]);
    try {
      const { row, detail } = await ask(key);
      expect(row.providerId).toBe(providerIds[1]);
      expect(detail.decision.candidates.map(({ providerId }) => providerId)).toEqual(providerIds.toReversed());
      const [lean, dear] = detail.decision.candidates.map(({ saw }) => saw?.costNanoUsd ?? 0);
      expect(lean).toBeLessThan(dear ?? 0);
    } finally {
      await put([]);
      await set("pricing.billedModel", "requested");
      await set("routing.strategy", "weighted");
    }
  });
});

describe("R30 a canary", () => {
  it("keeps a session where it is", async () => {
    const { key, keyId, providerIds } = await harness.group([anthropic(), anthropic({ priority: 1 })]);
    await put([{ name: "Canary", keys: [keyId], percent: 50, provider: await nameOf(providerIds[1]) }]);
    const taken = new Set<string>();
    for (let i = 0; i < 12; i++) {
      const session = { "x-session-id": `canary-${i}` };
      const [first, second] = [await ask(key, session), await ask(key, session)];
      expect(first.row.sessionId).not.toBe("");
      expect(second.row.providerId).toBe(first.row.providerId);
      taken.add(first.row.providerId);
    }
    expect(taken).toEqual(new Set(providerIds));
    await put([]);
  });
});
