import { describe, expect, test } from "vitest";
import type { Reading, Route } from "./dialect.ts";
import { dialects } from "./registry.ts";

const routes = {
  messages: { dialect: "anthropic", endpoint: "messages" },
  countTokens: { dialect: "anthropic", endpoint: "countTokens" },
  chat: { dialect: "openai", endpoint: "chat" },
  responses: { dialect: "openai", endpoint: "responses" },
  embeddings: { dialect: "openai", endpoint: "embeddings" },
  gemini: { dialect: "gemini", endpoint: "generateContent", model: "g" },
} as const satisfies Record<string, Route>;
type Kind = keyof typeof routes;

function envelopeOf(kind: Kind, request: object = {}) {
  return dialects[routes[kind].dialect].readEnvelope(Buffer.from(JSON.stringify({ model: "m", ...request })), routes[kind], {});
}

const whole = (kind: Kind, answer: unknown, request: object = {}): Reading =>
  dialects[routes[kind].dialect].readAnswer(
    Buffer.from(typeof answer === "string" ? answer : JSON.stringify(answer)),
    routes[kind],
    envelopeOf(kind, request),
  );

function streamed(kind: Kind, events: readonly string[], request: object = {}): Reading {
  const meter = dialects[routes[kind].dialect].meterStream(routes[kind], envelopeOf(kind, request), { dropUsageChunk: false });
  for (const event of events) meter.feed(Buffer.from(`${event}\n\n`));
  return meter.reading;
}
const named = (name: string, data: object) => `event: ${name}\ndata: ${JSON.stringify({ type: name, ...data })}`;
const data = (body: object) => `data: ${JSON.stringify(body)}`;
const zero = { input: 0, output: 0, cacheWrite5m: 0, cacheWrite1h: 0, cacheRead: 0 };

describe("whole answers", () => {
  test("Anthropic: input excludes cache; the split of cache writes is kept", () => {
    const usage = {
      input_tokens: 10,
      output_tokens: 20,
      cache_read_input_tokens: 30,
      cache_creation_input_tokens: 50,
      cache_creation: { ephemeral_5m_input_tokens: 20, ephemeral_1h_input_tokens: 30 },
    };
    expect(whole("messages", { model: "claude-x", content: [{ type: "text", text: "hi" }], usage })).toMatchObject({
      usage: { input: 10, output: 20, cacheRead: 30, cacheWrite5m: 20, cacheWrite1h: 30 },
      usageReported: true,
      hasContent: true,
      upstreamModel: "claude-x",
      complete: true,
      anomaly: false,
    });
  });

  test("Anthropic: cache writes without a split go to 5 m, unless 1 h was asked for", () => {
    const answer = { content: [], usage: { input_tokens: 1, output_tokens: 1, cache_creation_input_tokens: 50 } };
    expect(whole("messages", answer).usage).toMatchObject({ cacheWrite5m: 50, cacheWrite1h: 0 });
    expect(whole("messages", answer, { cache_control: { type: "ephemeral", ttl: "1h" } }).usage).toMatchObject({
      cacheWrite5m: 0,
      cacheWrite1h: 50,
    });
  });

  test("a byte order mark in front is not part of the JSON: clients leave it out too", () => {
    for (const [kind, answer] of [
      ["messages", { content: [], usage: { input_tokens: 3, output_tokens: 4 } }],
      ["chat", { choices: [], usage: { prompt_tokens: 3, completion_tokens: 4 } }],
      ["gemini", { candidates: [], usageMetadata: { promptTokenCount: 3, candidatesTokenCount: 4 } }],
    ] as const)
      expect(whole(kind, `\ufeff${JSON.stringify(answer)}`)).toMatchObject({ complete: true, usage: { input: 3, output: 4 } });
    const error = Buffer.from(`\ufeff${JSON.stringify({ error: { message: "No." } })}`);
    expect(dialects.openai.readError(400, {}, error).message).toBe("No.");
  });

  test("OpenAI: cached tokens are taken out of the prompt's, at worst down to 0", () => {
    const answer = (prompt: number, cached: number) => ({
      choices: [{ message: { content: "x" } }],
      usage: { prompt_tokens: prompt, completion_tokens: 5, prompt_tokens_details: { cached_tokens: cached } },
    });
    expect(whole("chat", answer(100, 40)).usage).toEqual({ ...zero, input: 60, output: 5, cacheRead: 40 });
    expect(whole("chat", answer(10, 40))).toMatchObject({ usage: { input: 0, cacheRead: 10 }, anomaly: true });
  });

  test("OpenAI: reasoning that is counted beside the completion (xAI) is output, as the total says; else it is in it", () => {
    const answer = (total: number) => ({
      choices: [{ message: { content: "x" } }],
      usage: {
        ...{ prompt_tokens: 32, completion_tokens: 9, total_tokens: total, prompt_tokens_details: { cached_tokens: 2 } },
        completion_tokens_details: { reasoning_tokens: 94 },
      },
    });
    expect(whole("chat", answer(135)).usage).toEqual({ ...zero, input: 30, output: 103, cacheRead: 2 });
    expect(whole("chat", answer(41)).usage).toEqual({ ...zero, input: 30, output: 9, cacheRead: 2 });
    const usage = { input_tokens: 5, output_tokens: 40, total_tokens: 45, output_tokens_details: { reasoning_tokens: 30 } };
    expect(whole("responses", { output: [], usage }).usage).toMatchObject({ input: 5, output: 40 });
  });

  test("OpenAI: tokens written to the cache are a slice of the prompt too", () => {
    const usage = (prompt: number) => ({
      input_tokens: prompt,
      output_tokens: 1,
      input_tokens_details: { cached_tokens: 2000, cache_write_tokens: 400 },
    });
    expect(whole("responses", { output: [], usage: usage(2600) }).usage).toEqual({
      ...zero,
      input: 200,
      output: 1,
      cacheRead: 2000,
      cacheWrite5m: 400,
    });
    expect(whole("responses", { output: [], usage: usage(2100) })).toMatchObject({
      usage: { input: 0, cacheRead: 2000, cacheWrite5m: 100 },
      anomaly: true,
    });
  });

  test("Responses and embeddings", () => {
    const response = {
      output: [{ type: "message", content: [{ text: "x" }] }],
      usage: { input_tokens: 9, output_tokens: 5, input_tokens_details: { cached_tokens: 4 } },
    };
    expect(whole("responses", response)).toMatchObject({ usage: { input: 5, output: 5, cacheRead: 4 }, complete: true, hasContent: true });
    expect(whole("embeddings", { data: [{ embedding: [1] }], usage: { prompt_tokens: 8, total_tokens: 8 } })).toMatchObject({
      usage: { ...zero, input: 8 },
      usageReported: true,
      complete: true,
    });
    const failed = { status: "failed", error: { code: "server_error", message: "no" }, output: [], usage: null };
    expect(whole("responses", failed)).toMatchObject({ complete: true, failure: { code: "upstream_error" } });
  });

  test("Gemini: thoughts are output, tool prompts input, cached tokens apart", () => {
    const usageMetadata = {
      promptTokenCount: 100,
      toolUsePromptTokenCount: 5,
      cachedContentTokenCount: 60,
      candidatesTokenCount: 7,
      thoughtsTokenCount: 9,
    };
    expect(whole("gemini", { candidates: [{ content: { parts: [{ text: "x" }] } }], usageMetadata }).usage).toEqual({
      ...zero,
      input: 45,
      output: 16,
      cacheRead: 60,
    });
  });

  test("counting tokens costs nothing", () => {
    expect(whole("countTokens", { input_tokens: 999 })).toMatchObject({ usage: zero, usageReported: true, complete: true });
  });

  test("a body that is not JSON is not complete; one without usage is estimated", () => {
    expect(whole("messages", "<html>")).toMatchObject({ complete: false, usageReported: false });
    const silent = whole("chat", { choices: [{ message: { content: "abcd".repeat(100) } }] });
    expect(silent).toMatchObject({ complete: true, usageReported: false });
    expect(silent.estimate.output).toBe(100);
    expect(silent.estimate.input).toBeGreaterThan(0);
    expect(whole("chat", { choices: [{ message: { content: "" } }] }).estimate).toEqual(zero);
  });
});

describe("impossible numbers are clamped and flagged", () => {
  test.each<[value: unknown, tokens: number]>([
    [-5, 0],
    ["12", 12],
    ["many", 0],
    [1e18, 1_000_000_000],
    [2.7, 2],
    [true, 0],
    [{}, 0],
    [[], 0],
  ])("%j → %d", (value, tokens) => {
    expect(whole("messages", { content: [], usage: { input_tokens: value, output_tokens: 3 } })).toMatchObject({
      usage: { input: tokens, output: 3 },
      anomaly: true,
    });
    expect(whole("chat", { usage: { prompt_tokens: 3, completion_tokens: value } })).toMatchObject({
      usage: { output: tokens },
      anomaly: true,
    });
    expect(whole("gemini", { usageMetadata: { promptTokenCount: 3, candidatesTokenCount: value } })).toMatchObject({
      usage: { output: tokens },
      anomaly: true,
    });
  });

  test("absent and null are zero without a flag", () => {
    expect(whole("messages", { usage: { input_tokens: 1, output_tokens: 2, cache_read_input_tokens: null } })).toMatchObject({
      usage: { ...zero, input: 1, output: 2 },
      anomaly: false,
    });
  });
});

describe("streams", () => {
  const start = named("message_start", {
    message: { model: "c", usage: { input_tokens: 10, cache_read_input_tokens: 5, output_tokens: 1 } },
  });
  const text = (text: string) => named("content_block_delta", { index: 0, delta: { type: "text_delta", text } });

  test("Anthropic: later counts replace, never add; what message_delta leaves out stays", () => {
    const reading = streamed("messages", [
      start,
      named("message_delta", { delta: {}, usage: { output_tokens: 7 } }),
      named("message_delta", { delta: {}, usage: { output_tokens: 9, input_tokens: 11, cache_creation_input_tokens: 4 } }),
    ]);
    expect(reading.usage).toEqual({ ...zero, input: 11, output: 9, cacheRead: 5, cacheWrite5m: 4 });
  });

  test("Anthropic: an aborted stream has its input exact and its output estimated", () => {
    const reading = streamed("messages", [start, text("abcd".repeat(50))]);
    expect(reading).toMatchObject({ usageReported: false, estimate: { input: 10, cacheRead: 5, output: 50 } });
  });

  test("Gemini: an aborted stream has what the upstream counted so far", () => {
    const part = { candidates: [{ content: { parts: [{ text: "abcd" }] } }] };
    expect(streamed("gemini", [data({ ...part, usageMetadata: { promptTokenCount: 6 } })])).toMatchObject({
      usageReported: false,
      estimate: { input: 6, output: 1 },
    });
    expect(streamed("gemini", [data({ ...part, usageMetadata: { promptTokenCount: 6, candidatesTokenCount: 3 } })])).toMatchObject({
      usageReported: true,
      usage: { input: 6, output: 3 },
    });
  });

  test("what is not content", () => {
    const frames: Record<"messages" | "chat" | "responses" | "gemini", string[]> = {
      messages: [start, named("ping", {}), named("content_block_start", { index: 0, content_block: { type: "text", text: "" } }), text("")],
      chat: [
        ": comment",
        data({ choices: [{ delta: { role: "assistant", content: "" } }] }),
        data({ choices: [{ delta: {}, finish_reason: "stop" }] }),
      ],
      responses: [
        named("response.created", { response: { model: "m" } }),
        named("response.output_item.added", { item: { type: "message", content: [] } }),
        named("response.output_text.delta", { delta: "" }),
      ],
      gemini: [data({ candidates: [{ content: { parts: [{ text: "" }] } }] }), data({ usageMetadata: { promptTokenCount: 4 } })],
    };
    for (const [kind, events] of Object.entries(frames)) expect(streamed(kind as Kind, events).hasContent, kind).toBe(false);
  });

  test("what is content", () => {
    const emptyText = { type: "text", text: "" };
    const frames: [kind: Kind, event: string][] = [
      ["messages", text("x")],
      ["messages", named("content_block_delta", { delta: { type: "thinking_delta", thinking: "x" } })],
      ["messages", named("content_block_delta", { delta: { type: "signature_delta", signature: "x" } })],
      ["messages", named("content_block_delta", { delta: { type: "input_json_delta", partial_json: "{" } })],
      ["messages", named("content_block_start", { content_block: { type: "tool_use", name: "f", input: {} } })],
      ["messages", named("content_block_start", { content_block: { type: "redacted_thinking", data: "x" } })],
      ["messages", named("content_block_start", { content_block: { type: "text", text: "x" } })],
      ["messages", named("content_block_start", { content_block: { type: "tool_use", name: "f", input: { content_block: emptyText } } })],
      ["chat", data({ choices: [{ delta: { content: "x" } }] })],
      ["chat", data({ choices: [{ delta: { reasoning_content: "x" } }] })],
      ["chat", data({ choices: [{ delta: { refusal: "x" } }] })],
      ["chat", data({ choices: [{ delta: { tool_calls: [{ index: 0, id: "c", function: { name: "f", arguments: "" } }] } }] })],
      ["responses", named("response.output_text.delta", { delta: "x" })],
      ["responses", named("response.reasoning_summary_text.delta", { delta: "x" })],
      ["responses", named("response.refusal.delta", { delta: "x" })],
      ["responses", named("response.function_call_arguments.delta", { delta: "{" })],
      ["responses", `data: ${JSON.stringify({ type: "response.output_text.delta", delta: "x" })}`],
      ["gemini", data({ candidates: [{ content: { parts: [{ text: "x" }] } }] })],
      ["gemini", data({ candidates: [{ content: { parts: [{ functionCall: { name: "f", args: {} } }] } }] })],
      ["gemini", data({ candidates: [{ content: { parts: [{ inlineData: { mimeType: "image/png", data: "x" } }] } }] })],
    ];
    for (const [kind, event] of frames) expect(streamed(kind, [event]).hasContent, event).toBe(true);
    expect(streamed("messages", [named("content_block_start", { content_block: emptyText })]).hasContent).toBe(false);
  });

  test("estimates count what a text means, not how it is escaped", () => {
    const plain = streamed("chat", [
      data({ choices: [{ delta: { content: "x" } }] }),
      data({ choices: [{ delta: { content: '"\n\\'.repeat(40) } }] }),
    ]);
    expect(plain.estimate.output).toBe(31);
    const escaped = streamed("responses", [`event: response.output_text.delta\ndata: {"delta": "${"\\u4e2d".repeat(40)}"}`]);
    expect(escaped.estimate.output).toBe(30);
  });

  test.each(["response.completed", "response.incomplete", "response.failed"])("Responses: usage in %s", (name) => {
    const error = name === "response.failed" ? { code: "server_error", message: "broke" } : null;
    const reading = streamed("responses", [
      named(name, { response: { model: "m2", error, usage: { input_tokens: 4, output_tokens: 6 } } }),
    ]);
    expect(reading).toMatchObject({ complete: true, usageReported: true, usage: { input: 4, output: 6 }, upstreamModel: "m2" });
    expect(reading.failure === null).toBe(error === null);
  });

  test("errors inside a 200 stream", () => {
    const cases: [kind: Kind, event: string, code: string, retryable: boolean][] = [
      ["messages", named("error", { error: { type: "overloaded_error", message: "Overloaded" } }), "upstream_overloaded", true],
      ["messages", named("error", { error: { type: "invalid_request_error", message: "bad" } }), "invalid_request", false],
      ["messages", named("error", { error: { type: "api_error", message: "Internal" } }), "upstream_error", true],
      ["chat", data({ error: { type: "server_error", code: "server_is_overloaded", message: "busy" } }), "upstream_overloaded", true],
      ["chat", data({ error: "plain text" }), "upstream_error", true],
      ["chat", data({ error: { type: "invalid_request_error", message: "bad" } }), "invalid_request", false],
      ["responses", named("error", { code: "rate_limit_exceeded", message: "slow down" }), "upstream_rate_limited", true],
      ["responses", data({ error: { type: "server_error", message: "x" } }), "upstream_error", true],
      ["responses", named("response.failed", { response: { error: { code: "invalid_prompt", message: "no" } } }), "invalid_request", false],
      ["gemini", data({ error: { code: 503, status: "UNAVAILABLE", message: "overloaded" } }), "upstream_overloaded", true],
      ["gemini", data({ error: { code: 400, status: "INVALID_ARGUMENT", message: "bad" } }), "invalid_request", false],
    ];
    for (const [kind, event, code, retryable] of cases) {
      const meter = dialects[routes[kind].dialect].meterStream(routes[kind], envelopeOf(kind), { dropUsageChunk: false });
      expect(meter.feed(Buffer.from(`${event}\n\n`)), event).toEqual([]);
      expect(meter.reading.failure, event).toMatchObject({ code, retryable });
      expect(Buffer.concat(meter.rest()).toString()).toBe(`${event}\n\n`);
    }
  });

  test("a Gemini prompt that is blocked ends the stream", () => {
    expect(streamed("gemini", [data({ promptFeedback: { blockReason: "SAFETY" }, usageMetadata: { promptTokenCount: 4 } })])).toMatchObject(
      {
        complete: true,
        usageReported: true,
        hasContent: false,
      },
    );
  });

  test("broken events are passed on and change nothing", () => {
    for (const kind of ["messages", "chat", "responses", "gemini"] as const) {
      expect(
        streamed(kind, [
          'data: {"usage":{',
          "data: [1]",
          "data: null",
          "event: message_delta\ndata: x",
          'data: {"usage":7,"choices":3,"error":null}',
        ]),
      ).toMatchObject({
        complete: false,
        usageReported: false,
        failure: null,
      });
    }
  });
});

describe("why an answer ended", () => {
  const chunk = (choices: object[], rest: object = {}) => data({ model: "m", choices, ...rest });
  const told = (index: number, finish_reason: string | null, content = "x") => ({ index, finish_reason, delta: { content } });

  test("is what the dialect's end says, whole or streamed", () => {
    const message = { role: "assistant", content: "x" };
    const incomplete = { status: "incomplete", incomplete_details: { reason: "max_output_tokens" }, output: [] };
    const readings: [Reading, string[]][] = [
      [whole("messages", { content: [], stop_reason: "tool_use" }), ["tool_use"]],
      [
        streamed("messages", [named("message_delta", { delta: { stop_reason: "max_tokens" }, usage: { output_tokens: 1 } })]),
        ["max_tokens"],
      ],
      [
        whole("chat", { choices: ["stop", "length"].map((finish_reason, index) => ({ index, finish_reason, message })) }),
        ["stop", "length"],
      ],
      [whole("responses", { status: "completed", output: [] }), ["completed"]],
      [whole("responses", incomplete), ["max_output_tokens"]],
      [streamed("responses", [named("response.incomplete", { response: incomplete })]), ["max_output_tokens"]],
      [whole("gemini", { candidates: [{ finishReason: "STOP" }, { finishReason: "SAFETY" }] }), ["STOP", "SAFETY"]],
      [streamed("gemini", [data({ candidates: [{ finishReason: "MAX_TOKENS" }] })]), ["MAX_TOKENS"]],
    ];
    for (const [{ finishReasons }, expected] of readings) expect(finishReasons).toEqual(expected);
  });

  test("is searched for in a chat stream only on request, and then changes nothing else", () => {
    const events = [chunk([told(0, null), told(1, null)]), chunk([told(1, "length", "")]), chunk([told(0, "stop", "")]), "data: [DONE]"];
    const read = (tellsFinish: boolean): Reading => {
      const meter = dialects.openai.meterStream(routes.chat, envelopeOf("chat"), { dropUsageChunk: false, tellsFinish });
      for (const event of events) meter.feed(Buffer.from(`${event}\n\n`));
      return meter.reading;
    };
    expect(read(true).finishReasons).toEqual(["stop", "length"]);
    expect(read(false).finishReasons).toBe(null);
    expect({ ...read(true), finishReasons: null }).toEqual({ ...read(false) });
  });

  test("is ignored if it is not text, or belongs to an impossible choice", () => {
    const choices = [-1, 128, 1e9, "0", 0].map((index) => ({ index, finish_reason: index === 0 ? 7 : "stop", message: {} }));
    expect(whole("chat", { choices }).finishReasons).toBe(null);
  });
});
