import type { ServerResponse } from "node:http";
import { setImmediate as nextTurn } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { baseUrlOf, type Harness, startHarness } from "./harness.ts";
import { anthropicEnd, anthropicStart, anthropicText, type RawProvider, startRawProvider } from "./raw-provider.ts";

let harness: Harness;
let provider: RawProvider;

beforeAll(async () => {
  provider = await startRawProvider((res) => res.end());
  harness = await startHarness({
    providers: (["anthropic", "openai", "gemini"] as const).map((dialect) => ({
      dialect,
      baseUrl: baseUrlOf(dialect, provider.url),
      secret: "sk-real-provider",
      modelRedirects: { alias: "claude-fake" },
    })),
    prices: ["alias"],
  });
});
afterAll(async () => {
  await harness.close();
  await provider.close();
});

// Numbers that a JavaScript number cannot hold, unusual spaces, unknown fields, an emoji: none may change.
const odd =
  '{ "model" :"claude-fake", "max_tokens":100,"seed":12345678901234567890,  "unknown":{"ü":"😀\\u0000\\ud83d"},"messages":[ {"role":"user","content":"hi"}]}';
const whole =
  '{"id":"msg_1","type":"message","role":"assistant","model":"claude-fake","content":[{"type":"text","text":"é😀"}],"big":98765432109876543210, "usage":{"input_tokens":3,"output_tokens":4}}';
const stream = `${anthropicStart}event: ping\ndata: {"type":"ping"}\n\n: a comment\n\n${anthropicText("héllo 😀")}${anthropicText("\n\nevent: message_stop\ndata: {}\n\n")}${anthropicEnd}`;

function answerJson(body: string): (res: ServerResponse) => void {
  return (res) =>
    void res
      .writeHead(200, {
        "content-type": "application/json",
        "x-secret": "s",
        "set-cookie": "a=b",
        "anthropic-ratelimit-requests-limit": "7",
      })
      .end(body);
}

function answerSse(text: string, slice: number): (res: ServerResponse) => Promise<void> {
  return async (res) => {
    res.writeHead(200, { "content-type": "text/event-stream; charset=utf-8" });
    const bytes = Buffer.from(text);
    for (let at = 0; at < bytes.length; at += slice) {
      res.write(bytes.subarray(at, at + slice));
      await nextTurn();
    }
    res.end();
  };
}

describe("R42 /v1/messages passes byte for byte", () => {
  it("as JSON, in both directions", async () => {
    provider.answer = answerJson(whole);
    const response = await harness.call("/v1/messages?beta=true&evil=1", {
      body: odd,
      headers: {
        "anthropic-version": "2023-06-01",
        "anthropic-beta": "x",
        cookie: "c=d",
        "x-forwarded-for": "1.2.3.4",
        connection: "keep-alive",
      },
    });
    expect(Buffer.from(await response.arrayBuffer()).toString("utf8")).toBe(whole);
    const sent = provider.received.at(-1);
    expect(sent?.body).toBe(odd);
    expect(sent?.url).toBe("/v1/messages?beta=true");
    expect(sent?.headers).toMatchObject({
      "x-api-key": "sk-real-provider",
      "anthropic-version": "2023-06-01",
      "anthropic-beta": "x",
      "accept-encoding": "identity",
      "x-request-id": response.headers.get("x-request-id"),
    });
    for (const name of ["cookie", "x-forwarded-for", "authorization"]) expect(sent?.headers).not.toHaveProperty(name);
    expect(response.headers.get("anthropic-ratelimit-requests-limit")).toBe("7");
    for (const name of ["x-secret", "set-cookie"]) expect(response.headers.get(name)).toBeNull();
  });

  it.each([1, 2, 3, 7, 16, 64, 100_000])("as SSE in slices of %d bytes", async (slice) => {
    provider.answer = answerSse(stream, slice);
    const response = await harness.call("/v1/messages", { body: odd.replace("{", '{"stream":true,') });
    expect(response.headers.get("content-type")).toBe("text/event-stream; charset=utf-8");
    expect(Buffer.from(await response.arrayBuffer()).toString("utf8")).toBe(stream);
    const { row } = await harness.settled(response.headers.get("x-request-id") ?? "");
    expect(row).toMatchObject({ state: "done", usage: { input: 10, output: 5 }, flags: [] });
  });

  it.each([undefined, "text/plain; charset=utf-8", "application/octet-stream"])("as SSE that its server calls %s", async (type) => {
    provider.answer = (res) => void res.writeHead(200, type === undefined ? {} : { "content-type": type }).end(stream);
    const response = await harness.call("/v1/messages", { body: odd.replace("{", '{"stream":true,') });
    expect(Buffer.from(await response.arrayBuffer()).toString("utf8")).toBe(stream);
    const { row } = await harness.settled(response.headers.get("x-request-id") ?? "");
    expect(row).toMatchObject({ state: "done", usage: { input: 10, output: 5 }, flags: [] });
  });

  it("also with CRLF, and with a line of a megabyte", async () => {
    for (const text of [stream.replaceAll("\n", "\r\n"), anthropicStart + anthropicText("x".repeat(1_000_000)) + anthropicEnd]) {
      provider.answer = answerSse(text, 65_536);
      const response = await harness.call("/v1/messages", { body: odd.replace("{", '{"stream":true,') });
      expect(Buffer.from(await response.arrayBuffer()).equals(Buffer.from(text))).toBe(true);
      expect((await harness.settled(response.headers.get("x-request-id") ?? "")).row).toMatchObject({
        state: "done",
        usage: { input: 10, output: 5 },
      });
    }
  });
});

it("a redirected model is the only thing that changes on the way up", async () => {
  provider.answer = answerJson(whole);
  const body = odd.replace('"claude-fake"', '"alias"');
  const response = await harness.call("/v1/messages", { body });
  expect(response.status).toBe(200);
  expect(provider.received.at(-1)?.body).toBe(odd);
  const { row } = await harness.settled(response.headers.get("x-request-id") ?? "");
  expect(row).toMatchObject({ model: "alias", upstreamModel: "claude-fake" });
});

it("the usage chunk we asked for does not reach a client that did not", async () => {
  const chunk = (data: unknown) =>
    `data: ${JSON.stringify({ id: "c", object: "chat.completion.chunk", model: "fake-plain", ...(data as object) })}\n\n`;
  const content =
    chunk({ choices: [{ index: 0, delta: { role: "assistant", content: "hi" } }] }) +
    chunk({ choices: [{ index: 0, delta: {}, finish_reason: "stop" }] });
  const usage = chunk({ choices: [], usage: { prompt_tokens: 9, completion_tokens: 2, total_tokens: 11 } });
  provider.answer = answerSse(`${content}${usage}data: [DONE]\n\n`, 50);
  const response = await harness.call("/v1/chat/completions", { body: '{"model":"fake-plain","messages":[],"stream":true}' });
  expect(await response.text()).toBe(`${content}data: [DONE]\n\n`);
  expect(provider.received.at(-1)?.body).toBe('{"stream_options":{"include_usage":true},"model":"fake-plain","messages":[],"stream":true}');
  expect((await harness.settled(response.headers.get("x-request-id") ?? "")).row.usage).toMatchObject({ input: 9, output: 2 });
});
