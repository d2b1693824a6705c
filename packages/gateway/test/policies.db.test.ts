import type { Policies } from "@sluice/core/inputs/policies";
import { makeUser } from "@sluice/testing/factories";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Harness, startHarness } from "./harness.ts";

let harness: Harness;
beforeAll(async () => {
  harness = await startHarness({ trustedHops: 1 });
});
afterAll(() => harness.close());

const messages = [{ role: "user", content: "hi" }];
/** Each dialect, and the endpoints that answer without a provider. */
const calls = {
  openai: { path: "/v1/chat/completions", body: { model: "fake-plain", messages } },
  responses: { path: "/v1/responses", body: { model: "fake-plain", input: "hi" } },
  embeddings: { path: "/v1/embeddings", body: { model: "fake-embedding", input: "hi" } },
  anthropic: { path: "/v1/messages", body: { model: "claude-fake", max_tokens: 5, messages } },
  countTokens: { path: "/v1/messages/count_tokens", body: { model: "claude-fake", messages } },
  gemini: { path: "/v1beta/models/gemini-fake:generateContent", body: { contents: [{ role: "user", parts: [{ text: "hi" }] }] } },
};
type Dialect = keyof typeof calls;

async function keyWith(policies: Policies, ofOwner: Policies = {}, ends: { expiresAt?: Date } = {}): Promise<string> {
  const owner = await makeUser(harness.database.prisma, { policies: ofOwner, ...ends });
  return (await harness.group([{ dialect: "openai" }, { dialect: "anthropic" }, { dialect: "gemini" }], { policies, userId: owner.id }))
    .key;
}

const ask = (key: string, dialect: Dialect, headers: Record<string, string> = {}) =>
  harness.call(calls[dialect].path, { key, body: calls[dialect].body, headers });

/** The refusal in the shape of its dialect, which also has a row. */
async function refused(key: string, dialect: Dialect, headers: Record<string, string> = {}): Promise<string> {
  const before = harness.upstreamCalls();
  const answer = await ask(key, dialect, headers);
  expect(answer.status, dialect).toBe(403);
  const body = (await answer.json()) as { type?: string; error: { message: string; status?: string; code?: unknown } };
  if (dialect === "anthropic") expect(body).toMatchObject({ type: "error", error: { type: "permission_error" } });
  if (dialect === "gemini") expect(body.error).toMatchObject({ code: 403, status: "PERMISSION_DENIED" });
  const { row } = await harness.settled(answer.headers.get("x-request-id") ?? "");
  expect(row).toMatchObject({ state: "refused", status: 403, costNanoUsd: "0", billable: false, attempts: 0 });
  expect(harness.upstreamCalls()).toBe(before);
  return `${row.errorCode}: ${body.error.message}`;
}

describe("a key's policies", () => {
  it.each(Object.keys(calls) as Dialect[])("hold at %s, and say which one stops it", async (dialect) => {
    const models = await keyWith({ models: ["nothing-*"] });
    expect(await refused(models, dialect)).toMatch(/^model_not_allowed: .*this key \(policy: allowed models\)/);
    const clients = await keyWith({ allowedClients: ["claude-cli/*"] });
    expect(await refused(clients, dialect, { "user-agent": "curl/8" })).toMatch(/^client_not_allowed: .*allowed clients/);
    expect((await ask(clients, dialect, { "user-agent": "claude-cli/2.1 (external)" })).status).toBe(200);
    const blocked = await keyWith({ blockedClients: ["*curl*"] });
    expect(await refused(blocked, dialect, { "user-agent": "libCURL/8" })).toMatch(/^client_not_allowed: .*blocked clients/);
    const addresses = await keyWith({ addresses: ["10.0.0.0/8", "2001:db8::/32"] });
    expect(await refused(addresses, dialect)).toMatch(/^address_not_allowed: .*127\.0\.0\.1/);
    expect(await refused(addresses, dialect, { "x-forwarded-for": "10.0.0.1, 192.0.2.1" })).toMatch(/192\.0\.2\.1/);
    expect((await ask(addresses, dialect, { "x-forwarded-for": "192.0.2.1, 2001:db8::7" })).status).toBe(200);
  });

  it("are its owner's too, and both must allow", async () => {
    const key = await keyWith({ models: ["fake-*", "claude-fake"] }, { models: ["claude-*"] });
    expect(await refused(key, "openai")).toMatch(/^model_not_allowed: .*this key's owner/);
    expect((await ask(key, "anthropic")).status).toBe(200);
    const listed = await harness.call("/v1/models", { method: "GET", key });
    expect(((await listed.json()) as { data: { id: string }[] }).data.map(({ id }) => id)).toEqual(["claude-fake"]);
    expect((await harness.call("/v1/models/fake-plain", { method: "GET", key })).status).toBe(404);
  });

  it("hold from the next request after a change", async () => {
    const made = await harness.group([{ dialect: "openai" }]);
    expect((await ask(made.key, "openai")).status).toBe(200);
    await harness.database.prisma.key.update({ where: { id: made.keyId }, data: { policies: { models: ["gpt-*"] } } });
    await harness.snapshot.refresh();
    expect(await refused(made.key, "openai")).toMatch(/^model_not_allowed/);
    await harness.database.prisma.key.update({ where: { id: made.keyId }, data: { policies: {} } });
    await harness.snapshot.refresh();
    expect((await ask(made.key, "openai")).status).toBe(200);
  });

  it("of an owner who has expired end all keys", async () => {
    const key = await keyWith({}, {}, { expiresAt: new Date(Date.now() - 1_000) });
    expect(await refused(key, "anthropic")).toMatch(/^user_expired/);
  });
});
