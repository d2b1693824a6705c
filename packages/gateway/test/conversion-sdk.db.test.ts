import Anthropic from "@anthropic-ai/sdk";
import OpenAI from "openai";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Harness, type ProviderSpec, startHarness } from "./harness.ts";

type Client = "anthropic" | "chat" | "responses";
type Upstream = Client;

/** What a client of any dialect sees of one answer. */
interface Seen {
  text: string;
  thinking: string;
  calls: { name: string; args: unknown }[];
  stop: string;
  input: number;
  cacheRead: number;
  cacheWrite: number;
  output: number;
  /** The assistant's turn as the client would send it in the next request. */
  turn: unknown[];
}

const models = [
  "plain",
  "tool",
  "tool,3",
  "thinking",
  "cache",
  "long,50",
  "error-mid,3",
  "cut,3",
  "cut,3,how=fin",
  "error-before,404",
  "rate-limited,9",
];
const providers: Record<Upstream, ProviderSpec> = {
  anthropic: { dialect: "anthropic" },
  chat: { dialect: "openai", serves: ["chat"] },
  responses: { dialect: "openai", serves: ["responses"] },
};
const clients: readonly Client[] = ["anthropic", "chat", "responses"];
const pairs = clients.flatMap((client) => clients.map((upstream): [Client, Upstream] => [client, upstream]));

let harness: Harness;
/** A key per pair, to tell their rows apart. */
const keys = new Map<string, { key: string; keyId: string }>();
const nameOf = (client: Client, upstream: Upstream) => `${client}|${upstream}`;

beforeAll(async () => {
  harness = await startHarness({ prices: models.map((script) => `m@${script}`) });
  for (const [client, upstream] of pairs) keys.set(nameOf(client, upstream), await harness.group([providers[upstream]]));
});
afterAll(() => harness.close());

const city = { type: "object" as const, properties: { city: { type: "string" } } };
const keyOf = (client: Client, upstream: Upstream) => keys.get(nameOf(client, upstream)) ?? { key: "", keyId: "" };
const openaiOf = (client: Client, upstream: Upstream) =>
  new OpenAI({ apiKey: keyOf(client, upstream).key, baseURL: `${harness.url}/v1`, maxRetries: 0 });
const anthropicOf = (upstream: Upstream) =>
  new Anthropic({ apiKey: keyOf("anthropic", upstream).key, baseURL: harness.url, maxRetries: 0 });

interface Asking {
  upstream: Upstream;
  script: string;
  stream: boolean;
  maxTokens?: number;
  /** Earlier turns of the assistant and their replies. */
  more?: unknown[];
}

async function askAnthropic({ upstream, script, stream, maxTokens = 4_000, more = [] }: Asking): Promise<Seen> {
  const request: Anthropic.MessageCreateParamsNonStreaming = {
    ...{ model: `m@${script}`, max_tokens: maxTokens },
    system: "Be brief.",
    ...(script === "thinking" ? { thinking: { type: "enabled" as const, budget_tokens: 2_000 } } : {}),
    tools: [{ name: "get_weather", input_schema: city }],
    messages: [{ role: "user", content: "Weather?" }, ...(more as Anthropic.MessageParam[])],
  };
  const client = anthropicOf(upstream);
  const running = stream ? client.messages.stream(request) : null;
  const message = running ? await running.finalMessage() : await client.messages.create(request);
  const { content, usage } = message;
  return {
    text: content.map((block) => (block.type === "text" ? block.text : "")).join(""),
    thinking: content.map((block) => (block.type === "thinking" ? block.thinking : "")).join(""),
    calls: content.flatMap((block) => (block.type === "tool_use" ? [{ name: block.name, args: block.input }] : [])),
    stop: message.stop_reason ?? "",
    ...{ input: usage.input_tokens, output: usage.output_tokens },
    ...{ cacheRead: usage.cache_read_input_tokens ?? 0, cacheWrite: usage.cache_creation_input_tokens ?? 0 },
    turn: [{ role: "assistant", content }],
  };
}

interface Reasoned {
  reasoning_content?: string;
  reasoning_details?: unknown[];
}

async function askChat({ upstream, script, stream, maxTokens, more = [] }: Asking): Promise<Seen> {
  const request = {
    ...{ model: `m@${script}`, max_tokens: maxTokens },
    ...(script === "thinking" ? { reasoning_effort: "medium" as const } : {}),
    tools: [{ type: "function" as const, function: { name: "get_weather", parameters: city } }],
    messages: [
      { role: "system", content: "Be brief." },
      { role: "user", content: "Weather?" },
      ...more,
    ] as OpenAI.ChatCompletionMessageParam[],
  };
  const client = openaiOf("chat", upstream);
  const running = stream ? client.chat.completions.stream({ ...request, stream_options: { include_usage: true } }) : null;
  // For fields unknown to OpenAI, the helper keeps only the last piece.
  const pieces: Reasoned[] = [];
  running?.on("chunk", (chunk) => pieces.push((chunk.choices[0]?.delta ?? {}) as Reasoned));
  const completion = running ? await running.finalChatCompletion() : await client.chat.completions.create(request);
  const choice = completion.choices[0];
  const message = choice?.message as OpenAI.ChatCompletionMessage & Reasoned;
  if (running) {
    message.reasoning_content = pieces.map(({ reasoning_content = "" }) => reasoning_content).join("");
    message.reasoning_details = pieces.flatMap(({ reasoning_details = [] }) => reasoning_details);
  }
  const read = completion.usage?.prompt_tokens_details?.cached_tokens ?? 0;
  const written = completion.usage?.prompt_tokens_details?.cache_write_tokens ?? 0;
  return {
    text: message.content ?? "",
    thinking: message.reasoning_content ?? "",
    calls: (message.tool_calls ?? []).flatMap((call) =>
      call.type === "function" ? [{ name: call.function.name, args: JSON.parse(call.function.arguments) }] : [],
    ),
    stop: choice?.finish_reason ?? "",
    input: (completion.usage?.prompt_tokens ?? 0) - read - written,
    ...{ cacheRead: read, cacheWrite: written, output: completion.usage?.completion_tokens ?? 0 },
    turn: [message],
  };
}

async function askResponses({ upstream, script, stream, maxTokens, more = [] }: Asking): Promise<Seen> {
  const request: Omit<OpenAI.Responses.ResponseCreateParamsNonStreaming, "stream"> = {
    ...{ model: `m@${script}`, max_output_tokens: maxTokens, instructions: "Be brief." },
    ...(script === "thinking"
      ? { reasoning: { effort: "medium" as const, summary: "auto" as const }, include: ["reasoning.encrypted_content" as const] }
      : {}),
    tools: [{ type: "function", name: "get_weather", parameters: city, strict: false }],
    input: [{ role: "user", content: "Weather?" }, ...(more as OpenAI.Responses.ResponseInputItem[])],
  };
  const client = openaiOf("responses", upstream);
  const response = stream ? await client.responses.stream(request).finalResponse() : await client.responses.create(request);
  const read = response.usage?.input_tokens_details.cached_tokens ?? 0;
  const written = response.usage?.input_tokens_details.cache_write_tokens ?? 0;
  const { output } = response;
  return {
    text: response.output_text,
    thinking: output.flatMap((item) => (item.type === "reasoning" ? item.summary.map(({ text }) => text) : [])).join(""),
    calls: output.flatMap((item) => (item.type === "function_call" ? [{ name: item.name, args: JSON.parse(item.arguments) }] : [])),
    stop: response.incomplete_details?.reason ?? response.status ?? "",
    input: (response.usage?.input_tokens ?? 0) - read - written,
    ...{ cacheRead: read, cacheWrite: written, output: response.usage?.output_tokens ?? 0 },
    turn: output,
  };
}

const asks: Record<Client, (asking: Asking) => Promise<Seen>> = { anthropic: askAnthropic, chat: askChat, responses: askResponses };
const ends: Record<Client, Record<"stop" | "length" | "tool", string>> = {
  anthropic: { stop: "end_turn", length: "max_tokens", tool: "tool_use" },
  chat: { stop: "stop", length: "length", tool: "tool_calls" },
  responses: { stop: "completed", length: "max_output_tokens", tool: "completed" },
};
const words = "the sun set low and far was old day new sky red sea air one dim the sun set low ";
const weather = { name: "get_weather", args: { city: "Paris", unit: "celsius" } };

describe.each(pairs)("%s client, %s provider", (client, upstream) => {
  const ask = (script: string, stream: boolean, maxTokens?: number) => asks[client]({ upstream, script, stream, maxTokens });
  /** The charge for the one request of this pair with that script. */
  const rowOf = (script: string, stream: boolean) =>
    harness.findRow((row) => row.model === `m@${script}` && row.stream === stream && row.keyId === keyOf(client, upstream).keyId);

  it.each([false, true])("text, usage and the end; stream: %s", async (stream) => {
    const seen = await ask("plain", stream);
    expect(seen).toMatchObject({ text: words, calls: [], stop: ends[client].stop });
    const { usage, state, flags } = await rowOf("plain", stream);
    expect({ state, flags }).toEqual({ state: "done", flags: [] });
    expect(seen).toMatchObject({ input: usage.input, output: usage.output });
  });

  it.each([false, true])("text beside one call, and three calls at once; stream: %s", async (stream) => {
    const one = await ask("tool", stream);
    expect(one).toMatchObject({ text: "the sun set low ", calls: [weather], stop: ends[client].tool });
    expect((await ask("tool,3", stream)).calls).toEqual([weather, weather, weather]);
  });

  it.each([false, true])("cache reads and writes apart; stream: %s", async (stream) => {
    const seen = await ask("cache", stream);
    expect(seen).toMatchObject({ cacheRead: 100, cacheWrite: 70 });
    const { usage } = await rowOf("cache", stream);
    expect(seen).toMatchObject({ input: usage.input, output: usage.output });
    expect(usage).toMatchObject({ cacheRead: 100 });
    expect(usage.cacheWrite5m + usage.cacheWrite1h).toBe(70);
  });

  it.each([false, true])("the limit of tokens; stream: %s", async (stream) => {
    // OpenAI's Responses API accepts no limit below 16.
    expect(await ask("long,50", stream, 20)).toMatchObject({ stop: ends[client].length, output: 20 });
  });

  it.each([false, true])("thinking, handed back to who sealed it; stream: %s", async (stream) => {
    const seen = await ask("thinking", stream);
    expect(seen).toMatchObject({ text: words, thinking: "the sun set low and far was old " });
    const follow = { role: "user", content: "Go on." };
    const next = await asks[client]({ upstream, script: "thinking", stream, more: [...seen.turn, follow] });
    expect(next.text).toBe(words);
  });

  it("an error before the answer has the client's type", async () => {
    await expect(ask("error-before,404", false)).rejects.toBeInstanceOf(
      client === "anthropic" ? Anthropic.NotFoundError : OpenAI.NotFoundError,
    );
    await expect(ask("error-before,404", true)).rejects.toMatchObject({ status: 404, message: expect.stringContaining("Scripted: 404") });
    await expect(ask("rate-limited,9", false)).rejects.toMatchObject({ status: 429 });
  });

  it.each(["error-mid,3", "cut,3", "cut,3,how=fin"])("%s inside a stream is an error, never an end", async (script) => {
    await expect(ask(script, true)).rejects.toBeInstanceOf(client === "anthropic" ? Anthropic.APIError : OpenAI.APIError);
    expect(await rowOf(script, true)).toMatchObject({ state: "error" });
  });
});
