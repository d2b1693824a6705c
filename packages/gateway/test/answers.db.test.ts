import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { baseUrlOf, type Harness, startHarness } from "./harness.ts";
import { anthropicEnd, anthropicStart, anthropicText, type RawProvider, startRawProvider } from "./raw-provider.ts";

let harness: Harness;
let raw: RawProvider;
beforeAll(async () => {
  raw = await startRawProvider((res) => res.end());
  harness = await startHarness({
    settings: { "pricing.unknownModel": "record" },
    limits: { answerBytes: 64 * 1024 },
    prices: [
      "fake@odd-usage,negative",
      "fake@odd-usage,missing",
      "fake@odd-usage,huge",
      "claude@cache",
      "fake@gzip",
      "claude@empty",
      "fake@trick",
      "gemini@crlf",
    ],
  });
});
afterAll(async () => {
  await harness.close();
  await raw.close();
});

const messages = [{ role: "user", content: "hi" }];

async function chat(model: string, stream = false) {
  const response = await harness.call("/v1/chat/completions", { body: { model, messages, stream } });
  const text = await response.text();
  return { response, text, ...(await harness.settled(response.headers.get("x-request-id") ?? "")) };
}

describe("what is billed", () => {
  const large = "y".repeat(400_000);
  const image = Buffer.alloc(300_000, 7).toString("base64");
  const parts = [{ text: "Here it is." }, { inlineData: { mimeType: "image/png", data: image } }];
  it.each([
    [
      "openai",
      "/v1/chat/completions",
      { model: "fake-plain", messages },
      { id: "x", model: "up", choices: [{ message: { content: large } }], usage: { prompt_tokens: 7, completion_tokens: 5 } },
    ],
    [
      "openai",
      "/v1/responses",
      { model: "fake-plain", input: "hi" },
      { id: "x", model: "up", output: [{ content: [{ text: large }] }], usage: { input_tokens: 7, output_tokens: 5 } },
    ],
    [
      "anthropic",
      "/v1/messages",
      { model: "claude-fake", max_tokens: 9, messages },
      { type: "message", model: "up", content: [{ type: "text", text: large }], usage: { input_tokens: 7, output_tokens: 5 } },
    ],
    [
      "gemini",
      "/v1beta/models/gemini-fake:generateContent",
      { contents: [] },
      { candidates: [{ content: { parts } }], usageMetadata: { promptTokenCount: 7, candidatesTokenCount: 5 }, modelVersion: "up" },
    ],
  ] as const)(
    "an answer of %s at %s, larger than what is held, streams, and its usage is what it says",
    async (dialect, path, body, answer) => {
      const text = JSON.stringify(answer);
      raw.answer = (res) => res.writeHead(200, { "content-type": "application/json" }).end(text);
      const { key } = await harness.group([{ dialect, baseUrl: baseUrlOf(dialect, raw.url) }]);
      const response = await harness.call(path, { key, body });
      expect(await response.text()).toBe(text);
      const { row } = await harness.settled(response.headers.get("x-request-id") ?? "");
      expect(row).toMatchObject({ state: "done", flags: [], upstreamModel: "up", usage: { input: 7, output: 5 } });
    },
  );

  it("one without usage is estimated, and its picture counts as one whatever its size", async () => {
    const usageOf = async (text: string) => {
      raw.answer = (res) => res.writeHead(200, { "content-type": "application/json" }).end(text);
      const { key } = await harness.group([{ dialect: "openai", baseUrl: baseUrlOf("openai", raw.url) }]);
      const response = await harness.call("/v1/chat/completions", { key, body: { model: "fake-plain", messages } });
      expect(await response.text()).toBe(text);
      const { row } = await harness.settled(response.headers.get("x-request-id") ?? "");
      expect(row).toMatchObject({ state: "done", flags: ["estimated"] });
      return row.usage.output;
    };
    expect(await usageOf(`{"choices":[{"message":{"content":"${"word ".repeat(80_000)}"}}]}`)).toBeGreaterThan(60_000);
    expect(await usageOf(`{"data":[{"b64_json":"${Buffer.alloc(3_000_000, 7).toString("base64")}"}]}`)).toBeLessThan(60_000);
  });

  it("a Gemini stream that calls every event its last passes whole, however slowly it comes", async () => {
    const event = (text: string): string =>
      `data: ${JSON.stringify({ candidates: [{ content: { role: "model", parts: [{ text }] }, finishReason: "STOP" }], usageMetadata: { promptTokenCount: 3, candidatesTokenCount: text.length } })}\r\n\r\n`;
    const texts = ["a", "ab", "abc"];
    raw.answer = (res) => {
      res.writeHead(200, { "content-type": "text/event-stream" });
      for (const [index, text] of texts.entries()) setTimeout(() => res.write(event(text)), index * 700);
      setTimeout(() => res.end(), texts.length * 700);
    };
    const { key } = await harness.group([{ dialect: "gemini", baseUrl: baseUrlOf("gemini", raw.url) }]);
    const response = await harness.call("/v1beta/models/gemini-fake:streamGenerateContent?alt=sse", { key, body: { contents: [] } });
    expect(await response.text()).toBe(texts.map(event).join(""));
    const { row } = await harness.settled(response.headers.get("x-request-id") ?? "");
    expect(row).toMatchObject({ state: "done", usage: { output: 3 } });
  });

  it("a Gemini stream of two candidates is over when both are, however long the second one takes", async () => {
    const event = (index: number, text: string, finish: object = {}): string =>
      `data: ${JSON.stringify({ candidates: [{ index, content: { role: "model", parts: [{ text }] }, ...finish }], usageMetadata: { promptTokenCount: 3, candidatesTokenCount: text.length } })}\r\n\r\n`;
    const stop = { finishReason: "STOP" };
    const first = event(0, "a") + event(1, "ab") + event(0, "abc", stop);
    const last = event(1, "abcd", stop);
    raw.answer = (res) => {
      res.writeHead(200, { "content-type": "text/event-stream" }).write(first);
      setTimeout(() => res.end(last), 1_500);
    };
    const { key } = await harness.group([{ dialect: "gemini", baseUrl: baseUrlOf("gemini", raw.url) }]);
    const body = { contents: [], generationConfig: { candidateCount: 2 } };
    const response = await harness.call("/v1beta/models/gemini-fake:streamGenerateContent?alt=sse", { key, body });
    expect(await response.text()).toBe(first + last);
    const { row } = await harness.settled(response.headers.get("x-request-id") ?? "");
    expect(row).toMatchObject({ state: "done", usage: { output: 4 } });
  });

  it("a stream whose last event has no empty line is whole, also converted", async () => {
    const usage = { input_tokens: 3, output_tokens: 2 };
    const text = { type: "response.output_text.delta", output_index: 0, content_index: 0, delta: "hello" };
    const end = { type: "response.completed", response: { status: "completed", output: [], usage } };
    const responses = `data: ${JSON.stringify(text)}\n\ndata: ${JSON.stringify(end)}\n`;
    const candidate = { content: { parts: [{ text: "hello" }] }, finishReason: "STOP" };
    const gemini = `data: ${JSON.stringify({ candidates: [candidate], usageMetadata: { promptTokenCount: 3, candidatesTokenCount: 2 } })}\r\n`;
    const input = [{ role: "user", content: "hi" }];
    for (const [dialect, stream, path, body] of [
      ["gemini", gemini, "/v1beta/models/gemini-fake:streamGenerateContent?alt=sse", { contents: [] }],
      ["openai", responses, "/v1/responses", { model: "fake-plain", stream: true, input }],
      ["openai", responses, "/v1/messages", { model: "fake-plain", max_tokens: 9, stream: true, messages }],
    ] as const) {
      raw.answer = (res) => res.writeHead(200, { "content-type": "text/event-stream" }).end(stream);
      const { key } = await harness.group([{ dialect, baseUrl: baseUrlOf(dialect, raw.url), serves: ["responses"] }]);
      const response = await harness.call(path, { key, body });
      const got = await response.text();
      if (path === "/v1/messages") expect(got).toMatch(/event: message_stop\n.*\n\n$/);
      else expect(got).toBe(stream);
      const { row } = await harness.settled(response.headers.get("x-request-id") ?? "");
      expect(row).toMatchObject({ state: "done", usage: { input: 3, output: 2 } });
    }
  });

  it("a stream whose connection breaks behind its terminal event is whole", async () => {
    const stream = anthropicStart + anthropicText("hello") + anthropicEnd;
    raw.answer = (res) => {
      res.writeHead(200, { "content-type": "text/event-stream" }).write(stream);
      setTimeout(() => res.destroy(), 50);
    };
    const { key } = await harness.group([{ dialect: "anthropic", baseUrl: raw.url }]);
    const response = await harness.call("/v1/messages", { key, body: { model: "claude-fake", max_tokens: 9, stream: true, messages } });
    expect(await response.text()).toBe(stream);
    const { row, detail } = await harness.settled(response.headers.get("x-request-id") ?? "");
    expect(row).toMatchObject({ state: "done", usage: { input: 10, output: 5 }, flags: [] });
    expect(detail.attempts).toMatchObject([{ outcome: "ok" }]);
  });

  it.each(["stays open", "breaks"])(
    "an error inside a stream is sent on when it arrives, and is the failure, even if its connection %s",
    async (what) => {
      const error = { type: "error", error: { type: "overloaded_error", message: "Overloaded" } };
      const stream = `${anthropicStart}${anthropicText("hello")}event: error\ndata: ${JSON.stringify(error)}\n\n`;
      raw.answer = (res) => {
        res.writeHead(200, { "content-type": "text/event-stream" }).write(stream);
        if (what === "breaks") setTimeout(() => res.destroy(), 50);
      };
      const { key } = await harness.group([{ dialect: "anthropic", baseUrl: raw.url, timeouts: { idleMs: 300_000 } }]);
      const response = await harness.call("/v1/messages", { key, body: { model: "claude-fake", max_tokens: 9, stream: true, messages } });
      expect(await response.text()).toBe(stream);
      const { row } = await harness.settled(response.headers.get("x-request-id") ?? "");
      expect(row).toMatchObject({ state: "error", errorCode: "upstream_overloaded", flags: ["estimated", "partial"] });
    },
  );

  it("a large answer that breaks off cuts the client's connection too", async () => {
    raw.answer = (res) => {
      res.writeHead(200, { "content-type": "application/json", "content-length": 1_000_000 });
      res.write("x".repeat(300_000));
      setTimeout(() => res.destroy(), 50);
    };
    const { key } = await harness.group([{ dialect: "openai", baseUrl: baseUrlOf("openai", raw.url) }]);
    const response = await harness.call("/v1/chat/completions", { key, body: { model: "fake-plain", messages } });
    await expect(response.text()).rejects.toThrow();
    const { row } = await harness.settled(response.headers.get("x-request-id") ?? "");
    expect(row).toMatchObject({ state: "error", errorCode: "upstream_truncated", flags: ["estimated", "partial"] });
  });

  it("a chat stream is whole when its provider closes it after the finish reason, without [DONE]", async () => {
    const chunk = (delta: object, finish: string | null = null) =>
      `data: ${JSON.stringify({ id: "c", choices: [{ index: 0, delta, finish_reason: finish }] })}\n\n`;
    const text = chunk({ role: "assistant", content: "hel" }) + chunk({ content: "lo" });
    const { key } = await harness.group([{ dialect: "openai", baseUrl: baseUrlOf("openai", raw.url) }]);
    const ask = async (stream: string, breaks: boolean) => {
      raw.answer = (res) => {
        res.writeHead(200, { "content-type": "text/event-stream" });
        res.write(stream, () => (breaks ? res.destroy() : res.end()));
      };
      const response = await harness.call("/v1/chat/completions", { key, body: { model: "fake-plain", messages, stream: true } });
      return { text: await response.text(), ...(await harness.settled(response.headers.get("x-request-id") ?? "")) };
    };
    const closed = await ask(text + chunk({}, "stop"), false);
    expect(closed.text).toBe(text + chunk({}, "stop"));
    expect(closed.row).toMatchObject({ state: "done", status: 200, errorCode: "", flags: ["estimated"] });
    expect((await ask(text, false)).row).toMatchObject({ state: "error", errorCode: "upstream_truncated" });
    expect((await ask(text + chunk({}, "stop"), true)).row).toMatchObject({ state: "error", errorCode: "upstream_truncated" });
  });

  it("impossible usage is clamped and flagged, missing usage is estimated", async () => {
    for (const stream of [false, true]) {
      const negative = await chat("fake@odd-usage,negative", stream);
      expect(negative.row.flags).toContain("anomaly");
      expect(BigInt(negative.row.costNanoUsd ?? "0")).toBeGreaterThanOrEqual(0n);
      expect((await chat("fake@odd-usage,huge", stream)).row.flags).toContain("anomaly");
      const missing = await chat("fake@odd-usage,missing", stream);
      expect(missing.row.flags).toEqual(["estimated"]);
      expect(missing.row.usage.output).toBeGreaterThan(0);
    }
  });

  it("a model without a price is recorded as unpriced when the admin chose so", async () => {
    const { row } = await chat("fake-unpriced");
    expect(row).toMatchObject({ state: "done", costNanoUsd: null, flags: ["unpriced"] });
  });

  it("cache reads and writes have their own prices", async () => {
    const response = await harness.call("/v1/messages", { body: { model: "claude@cache", max_tokens: 100, stream: true, messages } });
    await response.text();
    const { row } = await harness.settled(response.headers.get("x-request-id") ?? "");
    expect(row.usage).toMatchObject({ cacheRead: 100, cacheWrite5m: 50, cacheWrite1h: 20 });
    const { input, output } = row.usage;
    expect(row.costNanoUsd).toBe(String(input * 1_000 + output * 2_000 + 100 * 100 + 50 * 1_250 + 20 * 2_000));
  });

  it("the provider's multiplier applies, and is what the upstream cost", async () => {
    const { key } = await harness.group([{ dialect: "openai", costMultiplier: "1.5" }]);
    const response = await harness.call("/v1/chat/completions", { key, body: { model: "fake-plain", messages } });
    await response.text();
    const { row, detail } = await harness.settled(response.headers.get("x-request-id") ?? "");
    expect(row.costNanoUsd).toBe(String((row.usage.input * 1_000 + row.usage.output * 2_000) * 1.5));
    expect(detail.attempts[0]?.upstreamCostNanoUsd).toBe(row.costNanoUsd);
  });

  it("nothing of what a model writes is taken for usage or an end", async () => {
    const { row, text } = await chat("fake@trick", true);
    expect(text).toContain("[DONE]");
    const oracle = harness.upstream.oracle().find((line) => line.line === "closed" && line.id === row.id);
    expect(oracle?.line === "closed" && oracle.usage).toMatchObject({ input: row.usage.input, output: row.usage.output });
  });

  it("a gzip answer is opened, metered and sent plain", async () => {
    const { response, text, row } = await chat("fake@gzip");
    expect(response.headers.get("content-encoding")).toBeNull();
    expect(JSON.parse(text).usage.prompt_tokens).toBe(row.usage.input);
  });
});

describe("each dialect's tokens are the oracle's", () => {
  it.each([
    ["/v1/chat/completions", { model: "fake-plain", messages }],
    ["/v1/chat/completions", { model: "fake-plain", messages, stream: true }],
    ["/v1/responses", { model: "fake-plain", input: "hi" }],
    ["/v1/responses", { model: "fake-plain", input: "hi", stream: true }],
    ["/v1/embeddings", { model: "fake-embedding", input: "hi" }],
    ["/v1/messages", { model: "claude-fake", max_tokens: 50, messages }],
    ["/v1/messages", { model: "claude@empty", max_tokens: 50, messages, stream: true }],
    ["/v1beta/models/gemini-fake:generateContent", { contents: [] }],
    ["/v1beta/models/gemini@crlf:streamGenerateContent?alt=sse", { contents: [] }],
  ])("%s %j", async (path, body) => {
    const response = await harness.call(path, { body });
    expect(response.status).toBe(200);
    await response.text();
    const id = response.headers.get("x-request-id") ?? "";
    const { row } = await harness.settled(id);
    const oracle = harness.upstream.oracle().find((line) => line.line === "closed" && line.id === id);
    expect(row.state).toBe("done");
    expect(oracle?.line === "closed" && oracle.usage).toEqual(row.usage);
    expect(row.flags).toEqual([]);
  });
});

describe("the models of a key", () => {
  it("are those its group can reach, in the caller's flavour", async () => {
    const { key } = await harness.group([
      { dialect: "openai", models: ["fake-plain"], modelRedirects: { "my-alias": "fake-plain" } },
      { dialect: "anthropic", enabled: false, models: ["claude-hidden"] },
    ]);
    const get = async (path: string, headers: Record<string, string> = {}) =>
      (await harness.call(path, { method: "GET", key, headers })).json();
    expect((await get("/v1/models")).data.map(({ id }: { id: string }) => id)).toEqual(["fake-plain", "my-alias"]);
    // Through conversion, Anthropic's clients can use the same models.
    expect(await get("/v1/models", { "anthropic-version": "2023-06-01" })).toMatchObject({
      data: [{ type: "model", id: "fake-plain" }, { id: "my-alias" }],
      has_more: false,
    });
    expect(await get("/v1beta/models")).toEqual({ models: [] });
    expect(await get("/v1/models/my-alias")).toMatchObject({ id: "my-alias", object: "model" });
    const row = await harness.findRow(({ endpoint, model }) => endpoint === "models" && model === "my-alias");
    expect(row).toMatchObject({ state: "done", status: 200, billable: false, costNanoUsd: "0" });
  });
});

describe("who watches", () => {
  it("sees a stream begin, move and end, and its conversation", async () => {
    const gate = Promise.withResolvers<void>();
    raw.answer = async (res) => {
      res.writeHead(200, { "content-type": "text/event-stream" });
      res.write(
        `data: ${JSON.stringify({ id: "c", object: "chat.completion.chunk", choices: [{ index: 0, delta: { content: "hello" } }] })}\n\n`,
      );
      await gate.promise;
      res.end("data: [DONE]\n\n");
    };
    const { key } = await harness.group([{ dialect: "openai", baseUrl: baseUrlOf("openai", raw.url) }]);
    const response = await harness.call("/v1/chat/completions", {
      key,
      body: { model: "fake-plain", messages, stream: true },
      headers: { "x-session-id": "watched" },
    });
    const id = response.headers.get("x-request-id") ?? "";
    await expect
      .poll(async () => (await harness.live.registry.find(id))?.row)
      .toMatchObject({ state: "in_flight", status: 0, ttftMs: expect.any(Number) });
    await expect.poll(async () => (await harness.live.sessions.list()).some(({ inFlight }) => inFlight === 1)).toBe(true);
    gate.resolve();
    await response.text();
    const { row } = await harness.settled(id);
    await expect
      .poll(async () => (await harness.live.sessions.list()).find((session) => session.id === row.sessionId))
      .toMatchObject({
        inFlight: 0,
        requests: 1,
      });
  });
});
