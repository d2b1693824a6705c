import { makeKey } from "@sluice/testing/factories";
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
