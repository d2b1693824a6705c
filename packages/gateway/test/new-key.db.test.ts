import { makeKey, makeProvider, makeUser, uniqueName } from "@sluice/testing/factories";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type Harness, startHarness } from "./harness.ts";

let harness: Harness;
beforeAll(async () => {
  harness = await startHarness();
});
afterAll(() => harness.close());

const body = { model: "claude-fake", max_tokens: 5, messages: [{ role: "user", content: "hi" }] };

it("a key made elsewhere a moment ago works at its first use", async () => {
  const { secret } = await makeKey(harness.database.prisma);
  await harness.database.pool.query("UPDATE config_version SET version = version + 1");
  const response = await harness.call("/v1/messages", { body, key: secret });
  expect(response.status).toBe(200);
});

it("everything created with it applies from its first use: its group's providers, its user's limits and policies", async () => {
  const { prisma, pool } = harness.database;
  const group = uniqueName("group");
  await makeProvider(prisma, { dialect: "anthropic", baseUrl: harness.upstream.url, groups: [group] });
  const user = await makeUser(prisma, { rpm: 2, policies: { models: ["claude-fake"] } });
  const { secret } = await makeKey(prisma, { userId: user.id, group });
  await pool.query("UPDATE config_version SET version = version + 1");
  const ask = (model: string) => harness.call("/v1/messages", { body: { ...body, model }, key: secret });
  const first = await Promise.all([ask("another-model"), ask("claude-fake"), ask("claude-fake"), ask("claude-fake")]);
  expect(first.map(({ status }) => status).sort()).toEqual([200, 200, 403, 429]);
});

it("a provider whose secret cannot be opened is passed over", async () => {
  const { key, providerIds } = await harness.group([{ dialect: "anthropic" }, { dialect: "anthropic", priority: 1 }]);
  await harness.database.prisma.provider.update({ where: { id: providerIds[0] }, data: { secret: "v1:damaged" } });
  await harness.snapshot.refresh();
  const response = await harness.call("/v1/messages", { body, key });
  expect(response.status).toBe(200);
  const { row, detail } = await harness.settled(response.headers.get("x-request-id") ?? "");
  expect(row).toMatchObject({ attempts: 2, providerId: providerIds[1] });
  expect(detail.attempts[0]).toMatchObject({ outcome: "failed", errorCode: "upstream_auth", status: null });
});
