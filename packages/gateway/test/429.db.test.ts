import { afterAll, beforeAll, expect, it } from "vitest";
import { type Harness, type ProviderSpec, startHarness } from "./harness.ts";

let harness: Harness;
beforeAll(async () => {
  harness = await startHarness({ prices: ["claude@slow,200"] });
});
afterAll(() => harness.close());

const providers: ProviderSpec[] = [{ dialect: "anthropic" }, { dialect: "openai" }, { dialect: "gemini" }];
const messages = [{ role: "user", content: "hi" }];

it("the requests of a minute are counted, and the next is told when to come back", async () => {
  const { key, keyId } = await harness.group(providers, { rpm: 2 });
  const ask = () => harness.call("/v1/chat/completions", { key, body: { model: "fake-plain", messages } });
  for (let i = 0; i < 2; i += 1) expect((await ask()).status).toBe(200);
  const before = harness.upstreamCalls();
  const refused = await ask();
  expect(refused.status).toBe(429);
  expect(Number(refused.headers.get("retry-after"))).toBeGreaterThan(0);
  expect(await refused.json()).toMatchObject({
    error: { type: "rate_limit_error", code: "rate_limit_exceeded", message: expect.stringContaining("2 requests per minute") },
  });
  expect(harness.upstreamCalls()).toBe(before);
  const { row } = await harness.settled(refused.headers.get("x-request-id") ?? "");
  expect(row).toMatchObject({
    state: "refused",
    status: 429,
    errorCode: "rate_limited",
    keyId,
    billable: false,
    costNanoUsd: "0",
    model: "fake-plain",
  });
});

it.each([
  ["/v1/messages", { model: "claude-fake", max_tokens: 1, messages }, { type: "error", error: { type: "rate_limit_error" } }],
  ["/v1beta/models/gemini-fake:generateContent", { contents: [] }, { error: { code: 429, status: "RESOURCE_EXHAUSTED" } }],
])("in the shape of %s", async (path, body, shape) => {
  const { key } = await harness.group(providers, { rpm: 1 });
  expect((await harness.call(path, { key, body })).status).toBe(200);
  const refused = await harness.call(path, { key, body });
  expect(refused.status).toBe(429);
  expect(await refused.json()).toMatchObject(shape);
});

it("a place in flight is held until the stream ends, and is free afterwards", async () => {
  const { key } = await harness.group(providers, { inFlight: 1 });
  const slow = { model: "claude@slow,200", max_tokens: 100, stream: true, messages };
  const first = await harness.call("/v1/messages", { key, body: slow });
  const second = await harness.call("/v1/messages", { key, body: { ...slow, model: "claude-fake" } });
  expect(second.status).toBe(429);
  expect(await second.json()).toMatchObject({ error: { message: expect.stringContaining("1 requests in flight") } });
  await first.text();
  await expect.poll(async () => (await harness.call("/v1/messages", { key, body: { ...slow, model: "claude-fake" } })).status).toBe(200);
});

it("a refused request gives nothing back that it did not take", async () => {
  const { key } = await harness.group(providers, { inFlight: 1 });
  const slow = { model: "claude@slow,200", max_tokens: 100, stream: true, messages };
  const first = await harness.call("/v1/messages", { key, body: slow });
  for (let i = 0; i < 3; i += 1) expect((await harness.call("/v1/messages", { key, body: slow })).status).toBe(429);
  await first.text();
});
