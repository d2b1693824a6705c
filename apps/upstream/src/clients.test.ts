import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Anthropic from "@anthropic-ai/sdk";
import { GoogleGenAI } from "@google/genai";
import OpenAI from "openai";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { ClosedLine } from "./oracle.ts";
import { startUpstream, type Upstream } from "./server.ts";

/** The official clients are the reference for order and shapes: they throw on anything that a provider would never send. */
let upstream: Upstream;
let folder: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "upstream-"));
  upstream = await startUpstream({ oraclePath: join(folder, "oracle.jsonl") });
});
afterAll(async () => {
  await upstream.stop();
  rmSync(folder, { recursive: true });
});

const anthropic = () => new Anthropic({ apiKey: "sk-up-ok", baseURL: upstream.url, maxRetries: 0 });
const openai = () => new OpenAI({ apiKey: "sk-up-ok", baseURL: `${upstream.url}/v1`, maxRetries: 0 });
const gemini = () => new GoogleGenAI({ apiKey: "sk-up-ok", httpOptions: { baseUrl: upstream.url } });
const messages = [{ role: "user" as const, content: "Hi" }];
const text20 = "the sun set low and far was old day new sky red sea air one dim the sun set low ";

async function collect<T>(stream: AsyncIterable<T>): Promise<T[]> {
  const items: T[] = [];
  for await (const item of stream) items.push(item);
  return items;
}

/** The last closed line of a model, once it has been written. */
async function lineOf(model: string): Promise<ClosedLine> {
  const find = () => upstream.oracle().findLast((line): line is ClosedLine => line.line === "closed" && line.model === model);
  await expect.poll(find).toBeDefined();
  return find() as ClosedLine;
}

const transports = ["plain", "onebyte", "crlf", "cr", "gzip"];

describe("a tool of the client's own", () => {
  const parameters = { type: "object" as const, properties: { path: { type: "string" } } };
  const model = "m@use,read,path=a%2Cb.txt";

  test("is called once with the script's input, where it is offered", async () => {
    const tools = [{ name: "read", input_schema: parameters }];
    const ask = (turns: Anthropic.MessageParam[], offered: Anthropic.Tool[] = tools) =>
      anthropic().messages.create({ model, max_tokens: 100, messages: turns, tools: offered });
    const called = await ask(messages);
    const call = called.content.find((block) => block.type === "tool_use");
    expect(call).toMatchObject({ name: "read", input: { path: "a,b.txt" } });
    const result = { type: "tool_result" as const, tool_use_id: call?.id ?? "", content: "text" };
    const after = await ask([...messages, { role: "assistant", content: called.content }, { role: "user", content: [result] }]);
    expect(after).toMatchObject({ stop_reason: "end_turn", content: [{ text: text20 }] });
    expect(await ask(messages, [])).toMatchObject({ stop_reason: "end_turn" });
  });

  test("gets plain text as its input if it is a custom tool", async () => {
    const tools: OpenAI.Responses.Tool[] = [{ type: "custom", name: "exec" }];
    const stream = openai().responses.stream({ model: "m@use,exec,text=a%28%29", input: "Hi", tools });
    const { output } = await stream.finalResponse();
    expect(output.at(-1)).toMatchObject({ type: "custom_tool_call", name: "exec", input: "a()" });
  });
});

test("an answer that must have a shape has it", async () => {
  const responseJsonSchema = { type: "object", properties: { score: { type: "integer", minimum: 3 }, why: { type: "string" } } };
  const config = { responseMimeType: "application/json", responseJsonSchema };
  const answer = await gemini().models.generateContent({ model: "gemini-x", contents: "Hi", config });
  expect(JSON.parse(answer.text ?? "")).toEqual({ score: 3, why: "the sun" });
});

test("an error may strike the first requests only", async () => {
  const ask = () => anthropic().messages.create({ model: "first-fails@overloaded,first=2", max_tokens: 9, messages });
  await expect(ask()).rejects.toMatchObject({ status: 529, requestID: expect.stringMatching(/^req_upstream_/) });
  await expect(ask()).rejects.toMatchObject({ status: 529 });
  await expect(ask()).resolves.toMatchObject({ stop_reason: "max_tokens" });
});

describe("Anthropic's client", () => {
  test.each(transports)("streams text, %s", async (transport) => {
    const model = `claude-x@${transport}`;
    const final = await anthropic().messages.stream({ model, max_tokens: 100, messages }).finalMessage();
    expect(final.content).toMatchObject([{ type: "text", text: text20 }]);
    expect(final.stop_reason).toBe("end_turn");
    const line = await lineOf(model);
    expect(line).toMatchObject({ status: 200, endedBy: "done", stream: true, dialect: "anthropic", secretTail: "p-ok" });
    expect(line.usage).toEqual({
      input: final.usage.input_tokens,
      output: final.usage.output_tokens,
      cacheRead: 0,
      cacheWrite5m: 0,
      cacheWrite1h: 0,
    });
    expect(line.outputTokensSent).toBe(20);
  });

  test("tools, thinking, cache counts and stop reasons", async () => {
    const tool = await anthropic().messages.stream({ model: "c@tool", max_tokens: 100, messages }).finalMessage();
    expect(tool).toMatchObject({
      stop_reason: "tool_use",
      content: [{ type: "text" }, { type: "tool_use", name: "get_weather", input: { city: "Paris", unit: "celsius" } }],
    });
    const thinking = await anthropic().messages.stream({ model: "c@thinking+cache", max_tokens: 100, messages }).finalMessage();
    expect(thinking.content.map(({ type }) => type)).toEqual(["thinking", "text"]);
    expect(thinking.usage).toMatchObject({ cache_read_input_tokens: 100, cache_creation_input_tokens: 70 });
    const cut = await anthropic().messages.create({ model: "c@long,50", max_tokens: 10, messages });
    expect(cut).toMatchObject({ stop_reason: "max_tokens", usage: { output_tokens: 10 } });
    const empty = await anthropic().messages.stream({ model: "c@empty", max_tokens: 10, messages }).finalMessage();
    expect(empty).toMatchObject({ content: [], usage: { output_tokens: 0 } });
  });

  test("counts tokens, lists models, gets typed errors", async () => {
    expect((await anthropic().messages.countTokens({ model: "c", messages })).input_tokens).toBeGreaterThan(0);
    expect((await anthropic().models.list()).data.length).toBeGreaterThan(0);
    const ask = (script: string) => anthropic().messages.create({ model: `c@${script}`, max_tokens: 9, messages });
    await expect(ask("auth")).rejects.toBeInstanceOf(Anthropic.AuthenticationError);
    await expect(ask("rate-limited,9")).rejects.toBeInstanceOf(Anthropic.RateLimitError);
    await expect(ask("529")).rejects.toMatchObject({ status: 529, type: "overloaded_error" });
    await expect(ask("error-before,400")).rejects.toBeInstanceOf(Anthropic.BadRequestError);
  });

  test.each(["error-first", "error-mid,3"])("sees %s inside the stream", async (script) => {
    const stream = anthropic().messages.stream({ model: `c@${script}`, max_tokens: 100, messages });
    await expect(stream.finalMessage()).rejects.toMatchObject({ type: "overloaded_error" });
    const line = await lineOf(`c@${script}`);
    expect(line).toMatchObject({ endedBy: "scripted", usage: null, inputOnWire: true, outputTokensSent: script === "error-first" ? 0 : 3 });
  });
});

describe("OpenAI's client", () => {
  test.each(transports)("streams a chat, %s", async (transport) => {
    const model = `gpt-x@${transport}`;
    const stream = openai().chat.completions.stream({ model, messages, stream_options: { include_usage: true } });
    const final = await stream.finalChatCompletion();
    expect(final.choices[0]?.message.content).toBe(text20);
    expect((await lineOf(model)).usage).toMatchObject({ input: final.usage?.prompt_tokens, output: final.usage?.completion_tokens });
  });

  test("chat without include_usage has no usage on the wire", async () => {
    const stream = await openai().chat.completions.create({ model: "gpt-y", messages, stream: true });
    for await (const chunk of stream) expect(chunk.usage).toBeUndefined();
    expect(await lineOf("gpt-y")).toMatchObject({ usage: null, endedBy: "done", outputTokensSent: 20 });
  });

  test("tools, whole and streamed", async () => {
    const whole = await openai().chat.completions.create({ model: "g@tool", messages });
    const streamed = await openai().chat.completions.stream({ model: "g@tool", messages }).finalChatCompletion();
    for (const { choices } of [whole, streamed]) {
      expect(choices[0]?.finish_reason).toBe("tool_calls");
      const call = choices[0]?.message.tool_calls?.[0];
      expect(call?.type === "function" && JSON.parse(call.function.arguments)).toEqual({ city: "Paris", unit: "celsius" });
    }
  });

  test.each(transports)("streams a response, %s", async (transport) => {
    const model = `gpt-r@${transport}`;
    const final = await openai().responses.stream({ model, input: "Hi" }).finalResponse();
    expect(final).toMatchObject({ status: "completed", output_text: text20 });
    expect((await lineOf(model)).usage).toMatchObject({ input: final.usage?.input_tokens, output: final.usage?.output_tokens });
  });

  test("cache reads and writes are parts of the input", async () => {
    const { usage } = await openai().responses.create({ model: "r@cache,read=100,write5m=50", input: "Hi" });
    expect(usage?.input_tokens_details).toMatchObject({ cached_tokens: 100, cache_write_tokens: 70 });
    expect((await lineOf("r@cache,read=100,write5m=50")).usage).toMatchObject({
      input: (usage?.input_tokens ?? 0) - 170,
      cacheRead: 100,
      cacheWrite5m: 70,
    });
  });

  test("responses with tools, reasoning, a limit; whole", async () => {
    const tool = await openai().responses.stream({ model: "r@tool", input: "Hi" }).finalResponse();
    expect(tool.output.map(({ type }) => type)).toEqual(["message", "function_call"]);
    const thinking = await openai().responses.stream({ model: "r@thinking+plain,3", input: "Hi" }).finalResponse();
    expect(thinking.output.map(({ type }) => type)).toEqual(["reasoning", "message"]);
    const limited = await openai().responses.create({ model: "r@long", input: "Hi", max_output_tokens: 5 });
    expect(limited).toMatchObject({ status: "incomplete", usage: { output_tokens: 5 } });
  });

  test("embeddings, models and typed errors", async () => {
    const embeddings = await openai().embeddings.create({ model: "e", input: ["a", "b"] });
    expect(embeddings.data.map(({ embedding }) => embedding.length)).toEqual([8, 8]);
    expect((await lineOf("e")).usage).toMatchObject({ input: embeddings.usage.prompt_tokens, output: 0 });
    expect((await openai().models.list()).data.length).toBeGreaterThan(0);
    await expect(openai().chat.completions.create({ model: "g@401", messages })).rejects.toBeInstanceOf(OpenAI.AuthenticationError);
    await expect(openai().chat.completions.create({ model: "g@429", messages })).rejects.toBeInstanceOf(OpenAI.RateLimitError);
    const chat = await openai().chat.completions.create({ model: "g@error-mid,2", messages, stream: true });
    await expect(collect(chat)).rejects.toBeInstanceOf(OpenAI.APIError);
    const response = await openai().responses.create({ model: "g@error-first", input: "Hi", stream: true });
    await expect(collect(response)).rejects.toBeInstanceOf(OpenAI.APIError);
  });
});

describe("Google's client", () => {
  test.each(transports)("streams, %s", async (transport) => {
    const model = `gemini-x@${transport}`;
    const chunks = await collect(await gemini().models.generateContentStream({ model, contents: "Hi" }));
    expect(chunks.map(({ text }) => text ?? "").join("")).toBe(text20);
    const usage = chunks.at(-1)?.usageMetadata;
    expect((await lineOf(model)).usage).toMatchObject({ input: usage?.promptTokenCount, output: usage?.candidatesTokenCount });
  });

  test("tools, thinking, counting and errors", async () => {
    const tool = await gemini().models.generateContent({ model: "gm@tool", contents: "Hi" });
    expect(tool.functionCalls).toMatchObject([{ name: "get_weather", args: { city: "Paris" } }]);
    const thinking = await gemini().models.generateContent({ model: "gm@thinking+cache,read=7", contents: "Hi" });
    expect(thinking.usageMetadata).toMatchObject({ thoughtsTokenCount: 8, candidatesTokenCount: 20, cachedContentTokenCount: 7 });
    expect((await gemini().models.countTokens({ model: "gm", contents: "Hi" })).totalTokens).toBeGreaterThan(0);
    await expect(gemini().models.generateContent({ model: "gm@error-before,503", contents: "Hi" })).rejects.toMatchObject({ status: 503 });
    const stream = await gemini().models.generateContentStream({ model: "gm@error-mid", contents: "Hi" });
    await expect(collect(stream)).rejects.toMatchObject({ status: 503 });
  });
});

test("the oracle's file has an opened and a closed line for each request", async () => {
  const done = await fetch(`${upstream.url}/v1/messages`, {
    method: "POST",
    headers: { "x-api-key": "sk-up-ok", "x-request-id": "0190-test", cookie: "a=b" },
    body: JSON.stringify({ model: "c-file", max_tokens: 5, messages }),
  });
  await done.text();
  await lineOf("c-file");
  const lines = readFileSync(join(folder, "oracle.jsonl"), "utf8")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
  const own = lines.filter(({ id }) => id === "0190-test");
  expect(own.map(({ line }) => line)).toEqual(["opened", "closed"]);
  expect(own[0].headerNames).toContain("cookie");
  expect(own[1]).toMatchObject({ seq: own[0].seq, usage: { output: 5 } });
});
