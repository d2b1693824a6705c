import Anthropic from "@anthropic-ai/sdk";
import { GoogleGenAI } from "@google/genai";
import OpenAI from "openai";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Harness, startHarness } from "./harness.ts";

let harness: Harness;
let openai: OpenAI;
let anthropic: Anthropic;
let genai: GoogleGenAI;

beforeAll(async () => {
  harness = await startHarness({
    prices: [
      "fake@tool",
      "claude@tool",
      "gemini@tool",
      "claude@thinking",
      "fake@error-before,status=400",
      "fake@cut,3",
      "claude@rate-limited",
      "gemini@error-before,status=404",
    ],
  });
  openai = new OpenAI({ apiKey: harness.key.secret, baseURL: `${harness.url}/v1`, maxRetries: 0 });
  anthropic = new Anthropic({ apiKey: harness.key.secret, baseURL: harness.url, maxRetries: 0 });
  genai = new GoogleGenAI({ apiKey: harness.key.secret, httpOptions: { baseUrl: harness.url } });
});
afterAll(() => harness.close());

/** A function that any model may call, in OpenAI's format. */
const parameters = { type: "object", properties: { city: { type: "string" } } };

describe("the openai client", () => {
  it("completes a chat", async () => {
    const answer = await openai.chat.completions.create({ model: "fake-plain", messages: [{ role: "user", content: "hi" }] });
    expect(answer.choices[0]?.message.content).toBeTruthy();
    const { row } = await harness.settled(answer._request_id ?? "");
    expect(row).toMatchObject({ endpoint: "chat", usage: { input: answer.usage?.prompt_tokens, output: answer.usage?.completion_tokens } });
    expect(row.client).toMatch(/^openai-js \d/);
  });

  it("streams a chat, without the usage chunk it did not ask for", async () => {
    const { data: stream, request_id: id } = await openai.chat.completions
      .create({ model: "fake-plain", stream: true, messages: [{ role: "user", content: "hi" }] })
      .withResponse();
    let text = "";
    for await (const chunk of stream) {
      expect(chunk.usage ?? null).toBeNull();
      expect(chunk.choices.length).toBe(1);
      text += chunk.choices[0]?.delta.content ?? "";
    }
    expect(text).toBeTruthy();
    const { row } = await harness.settled(id ?? "");
    expect(row).toMatchObject({ state: "done", flags: [] });
    expect(row.usage.output).toBeGreaterThan(0);
  });

  it("streams a chat with the usage chunk it asked for", async () => {
    const { data: stream, request_id: id } = await openai.chat.completions
      .create({ model: "fake-plain", stream: true, stream_options: { include_usage: true }, messages: [{ role: "user", content: "hi" }] })
      .withResponse();
    let usage: OpenAI.CompletionUsage | null | undefined;
    for await (const chunk of stream) usage = chunk.usage ?? usage;
    const { row } = await harness.settled(id ?? "");
    expect(row.usage.output).toBe(usage?.completion_tokens);
  });

  it("calls tools", async () => {
    const stream = openai.chat.completions.stream({
      model: "fake@tool",
      messages: [{ role: "user", content: "weather?" }],
      tools: [{ type: "function", function: { name: "weather", parameters } }],
    });
    const [call] = (await stream.finalChatCompletion()).choices[0]?.message.tool_calls ?? [];
    expect(call?.type === "function" && JSON.parse(call.function.arguments)).toBeTypeOf("object");
  });

  it("uses responses, streaming and not", async () => {
    const answer = await openai.responses.create({ model: "fake-plain", input: "hi" });
    expect(answer.output_text).toBeTruthy();
    const stream = openai.responses.stream({ model: "fake-plain", input: "hi" });
    const final = await stream.finalResponse();
    expect(final.status).toBe("completed");
  });

  it("embeds", async () => {
    const answer = await openai.embeddings.create({ model: "fake-embedding", input: "hi" });
    expect(answer.data[0]?.embedding.length).toBe(8);
  });

  it("lists models", async () => {
    const ids: string[] = [];
    for await (const model of openai.models.list()) ids.push(model.id);
    expect(ids).toContain("fake-plain");
    // Through conversion; to and from Gemini there is none.
    expect(ids).toContain("claude-fake");
    expect(ids).not.toContain("gemini-fake");
    expect((await openai.models.retrieve("fake-plain")).id).toBe("fake-plain");
    await expect(openai.models.retrieve("nothing")).rejects.toBeInstanceOf(OpenAI.NotFoundError);
  });

  it("gets an error of its type, with the request's id, from a response that breaks off", async () => {
    const { data: stream, request_id: id } = await openai.responses
      .create({ model: "fake@cut,3", input: "hi", stream: true })
      .withResponse();
    const read = async () => {
      for await (const event of stream) expect(event.type).not.toBe("response.failed");
    };
    await expect(read()).rejects.toMatchObject({ code: "upstream_truncated", type: "server_error", requestID: id });
  });

  it("gets typed errors", async () => {
    const stranger = new OpenAI({ apiKey: "sk-sluice-nobody", baseURL: `${harness.url}/v1`, maxRetries: 0 });
    await expect(stranger.chat.completions.create({ model: "fake-plain", messages: [] })).rejects.toBeInstanceOf(
      OpenAI.AuthenticationError,
    );
    await expect(openai.chat.completions.create({ model: "fake@error-before,status=400", messages: [] })).rejects.toBeInstanceOf(
      OpenAI.BadRequestError,
    );
    await expect(openai.chat.completions.create({ model: "unpriced", messages: [] })).rejects.toMatchObject({
      status: 400,
      code: "unpriced_model",
    });
  });
});

describe("the anthropic client", () => {
  const messages: Anthropic.MessageParam[] = [{ role: "user", content: "hi" }];

  it("completes and streams messages", async () => {
    const answer = await anthropic.messages.create({ model: "claude-fake", max_tokens: 100, messages });
    expect(answer.content[0]?.type).toBe("text");
    const { row } = await harness.settled(answer._request_id ?? "");
    expect(row.usage).toMatchObject({ input: answer.usage.input_tokens, output: answer.usage.output_tokens });
    const stream = anthropic.messages.stream({ model: "claude-fake", max_tokens: 100, messages });
    const final = await stream.finalMessage();
    expect(final.stop_reason).toBe("end_turn");
    const streamed = await harness.settled(stream.request_id ?? "");
    expect(streamed.row.usage.output).toBe(final.usage.output_tokens);
  });

  it("calls tools and thinks", async () => {
    const tools: Anthropic.Tool[] = [{ name: "weather", input_schema: { type: "object", properties: parameters.properties } }];
    const final = await anthropic.messages.stream({ model: "claude@tool", max_tokens: 100, messages, tools }).finalMessage();
    expect(final.content.some(({ type }) => type === "tool_use")).toBe(true);
    const thought = await anthropic.messages.stream({ model: "claude@thinking", max_tokens: 100, messages }).finalMessage();
    expect(thought.content.some(({ type }) => type === "thinking")).toBe(true);
  });

  it("counts tokens without charge", async () => {
    const { data, response } = await anthropic.messages.countTokens({ model: "claude-fake", messages }).withResponse();
    expect(data.input_tokens).toBeGreaterThan(0);
    const { row } = await harness.settled(response.headers.get("request-id") ?? "");
    expect(row).toMatchObject({ endpoint: "countTokens", billable: false, costNanoUsd: "0", state: "done" });
  });

  it("lists models", async () => {
    const ids: string[] = [];
    for await (const model of anthropic.models.list()) ids.push(model.id);
    expect(ids).toContain("claude-fake");
    expect(ids).toContain("fake-plain");
    expect(ids).not.toContain("gemini-fake");
  });

  it("gets typed errors with the request's id", async () => {
    const error = await anthropic.messages
      .create({ model: "claude@rate-limited", max_tokens: 1, messages })
      .catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(Anthropic.RateLimitError);
    const limited = error as InstanceType<typeof Anthropic.RateLimitError>;
    expect(limited.headers.get("retry-after")).toBe("7");
    const { row } = await harness.settled(limited.requestID ?? "");
    expect(row).toMatchObject({ state: "error", status: 429, errorCode: "upstream_rate_limited", costNanoUsd: "0" });
  });
});

describe("the google client", () => {
  it("generates, streaming and not", async () => {
    const answer = await genai.models.generateContent({ model: "gemini-fake", contents: "hi" });
    expect(answer.text).toBeTruthy();
    let text = "";
    let last: number | undefined;
    for await (const chunk of await genai.models.generateContentStream({ model: "gemini-fake", contents: "hi" })) {
      text += chunk.text ?? "";
      last = chunk.usageMetadata?.candidatesTokenCount ?? last;
    }
    expect(text).toBeTruthy();
    const row = await harness.findRow((one) => one.dialect === "gemini" && one.stream);
    expect(row.usage.output).toBe(last);
  });

  it("calls tools, counts tokens, lists models", async () => {
    const answer = await genai.models.generateContent({ model: "gemini@tool", contents: "weather?" });
    expect(answer.functionCalls?.[0]?.name).toBeTruthy();
    expect((await genai.models.countTokens({ model: "gemini-fake", contents: "hi" })).totalTokens).toBeGreaterThan(0);
    const names: (string | undefined)[] = [];
    for await (const model of await genai.models.list()) names.push(model.name);
    expect(names).toContain("models/gemini-fake");
  });

  it("gets typed errors", async () => {
    await expect(genai.models.generateContent({ model: "gemini@error-before,status=404", contents: "hi" })).rejects.toMatchObject({
      status: 404,
    });
  });
});

describe("a list of models that is read in pages", () => {
  async function idsOf<T>(list: AsyncIterable<T>, idOf: (one: T) => string | undefined): Promise<(string | undefined)[]> {
    const ids: (string | undefined)[] = [];
    for await (const one of list) ids.push(idOf(one));
    return ids;
  }

  it("has each model once, and all of them", async () => {
    const wanted = (await openai.models.list()).data.map(({ id }) => id);
    expect(wanted.length).toBeGreaterThan(3);
    expect((await anthropic.models.list({ limit: 2 })).data.length).toBe(2);
    expect(await idsOf(anthropic.models.list({ limit: 2 }), ({ id }) => id)).toEqual(wanted);
    // Backwards, from the end: page by page, each in the order of the list.
    const last = wanted.at(-1) ?? "";
    const backwards = await idsOf(anthropic.models.list({ limit: 1, before_id: last }), ({ id }) => id);
    expect(backwards).toEqual(wanted.slice(0, -1).reverse());
    const gemini = await idsOf(await genai.models.list(), ({ name }) => name);
    expect(gemini.length).toBeGreaterThan(1);
    expect((await genai.models.list({ config: { pageSize: 1 } })).page.length).toBe(1);
    expect(await idsOf(await genai.models.list({ config: { pageSize: 1 } }), ({ name }) => name)).toEqual(gemini);
  });
});

describe("what is not served", () => {
  it("is not found, in the words of the client that asks", async () => {
    const files = await anthropic.beta.files.list().catch((thrown: unknown) => thrown);
    expect(files).toBeInstanceOf(Anthropic.NotFoundError);
    expect(files).toMatchObject({ status: 404, type: "not_found_error", requestID: expect.stringMatching(/^[0-9a-f-]{36}$/) });
    await expect(openai.files.list()).rejects.toMatchObject({ status: 404, code: "not_found", type: "invalid_request_error", param: null });
    for (const asked of [genai.files.list(), genai.models.embedContent({ model: "gemini-fake", contents: "hi" })])
      await expect(asked).rejects.toMatchObject({ status: 404, message: expect.stringContaining('"NOT_FOUND"') });
  });

  it("a list of models can be asked for its head; a refused method names the others", async () => {
    const head = await harness.call("/v1/models", { method: "HEAD" });
    expect([head.status, await head.text()]).toEqual([200, ""]);
    expect(Number(head.headers.get("content-length"))).toBeGreaterThan(0);
    expect((await harness.call("/v1/models", { method: "DELETE" })).headers.get("allow")).toBe("GET, HEAD");
    expect((await harness.call("/v1/messages", { method: "HEAD" })).headers.get("allow")).toBe("POST");
  });
});

it("Claude Code's connectivity check is answered", async () => {
  const response = await harness.call("/", { method: "HEAD", key: null });
  expect(response.status).toBe(200);
});
