import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Harness, startHarness } from "./harness.ts";

let harness: Harness;
beforeAll(async () => {
  harness = await startHarness();
});
afterAll(() => harness.close());

const messages = [{ role: "user", content: "hi" }];

describe("a whole answer", () => {
  it("is metered, priced and recorded", async () => {
    const response = await harness.call("/v1/chat/completions", { body: { model: "fake-plain", messages } });
    expect(response.status).toBe(200);
    const body = await response.json();
    expect(body.choices[0].message.content.length).toBeGreaterThan(0);
    const id = response.headers.get("x-request-id") ?? "";
    expect(response.headers.get("request-id")).toBe(id);
    const { row, detail } = await harness.settled(id);
    expect(row).toMatchObject({ state: "done", status: 200, model: "fake-plain", attempts: 1, billable: true, flags: [] });
    expect(row.usage.input).toBe(body.usage.prompt_tokens);
    expect(row.costNanoUsd).toBe(String(row.usage.input * 1_000 + row.usage.output * 2_000));
    expect(detail.attempts[0]).toMatchObject({ outcome: "ok", status: 200 });
  });
});

describe("a stream", () => {
  it("is metered, priced and recorded", async () => {
    const response = await harness.call("/v1/messages", { body: { model: "claude-fake", max_tokens: 100, stream: true, messages } });
    expect(response.status).toBe(200);
    const text = await response.text();
    expect(text).toContain("message_stop");
    const { row } = await harness.settled(response.headers.get("x-request-id") ?? "");
    expect(row).toMatchObject({ state: "done", status: 200, stream: true, dialect: "anthropic" });
    expect(row.ttftMs).not.toBeNull();
  });
});
