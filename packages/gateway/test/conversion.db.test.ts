import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Harness, type ProviderSpec, startHarness } from "./harness.ts";
import { anthropicStart, anthropicText, type RawProvider, startRawProvider } from "./raw-provider.ts";

let harness: Harness;
let raw: RawProvider;

beforeAll(async () => {
  raw = await startRawProvider((res) => res.end());
  harness = await startHarness({ prices: ["claude-fake@tool"] });
});
afterAll(async () => {
  await harness.close();
  await raw.close();
});

const messages = [{ role: "user", content: "hi" }];
const asked = { model: "claude-fake", max_tokens: 100, messages };
const anthropic: ProviderSpec = { dialect: "anthropic", models: ["claude-fake"] };
const openai: ProviderSpec = { dialect: "openai", models: ["claude-fake"] };

async function ask(specs: ProviderSpec[], path: string, body: object) {
  const arranged = await harness.group(specs);
  const response = await harness.call(path, { body, key: arranged.key });
  const text = await response.text();
  const settled = await harness.settled(response.headers.get("x-request-id") ?? "");
  return { ...arranged, response, text, ...settled };
}

describe("who serves", () => {
  it("the client's own dialect first at the same priority; the decision and the attempt say what would be converted", async () => {
    const { response, row, detail, providerIds } = await ask([openai, anthropic], "/v1/messages", asked);
    expect(row.providerId).toBe(providerIds[1]);
    expect(response.headers.get("x-sluice-converted")).toBeNull();
    expect(detail.decision.candidates.map(({ providerId, converted }) => [providerId, converted])).toEqual([
      [providerIds[1], undefined],
      [providerIds[0], "anthropic → openai chat"],
    ]);
    expect(detail.attempts[0]).not.toHaveProperty("converted");
  });

  it("another dialect when its own fails: the request is converted for the second provider only", async () => {
    for (const stream of [false, true]) {
      const failing: ProviderSpec = { ...anthropic, secret: stream ? "sk@error-first" : "sk@error-before,503" };
      const { response, text, row, detail } = await ask([failing, { ...openai, priority: 1 }], "/v1/messages", { ...asked, stream });
      expect(response.status).toBe(200);
      expect(text.match(/message_start/g)?.length ?? 0).toBe(stream ? 2 : 0);
      expect(text).toContain("end_turn");
      expect(row).toMatchObject({ state: "done", attempts: 2, dialect: "anthropic", endpoint: "messages" });
      expect(detail.attempts.map(({ outcome, converted }) => [outcome, converted])).toEqual([
        ["failed", undefined],
        ["ok", "anthropic → openai chat"],
      ]);
      expect(response.headers.get("x-sluice-converted")).toBe("anthropic -> openai chat");
      expect(response.headers.get("content-type")).toContain(stream ? "text/event-stream" : "application/json");
    }
  });

  it("and back: converted first by priority, then natively", async () => {
    const { response, detail } = await ask(
      [
        { ...openai, secret: "sk@cut,0" },
        { ...anthropic, priority: 1 },
      ],
      "/v1/messages",
      { ...asked, stream: true },
    );
    expect(response.headers.get("x-sluice-converted")).toBeNull();
    expect(detail.attempts.map(({ outcome }) => outcome)).toEqual(["failed", "ok"]);
  });

  it("redirects name the model that is sent", async () => {
    const { detail, row } = await ask([{ dialect: "openai", modelRedirects: { "claude-fake": "gpt-fake" } }], "/v1/messages", asked);
    expect(row.model).toBe("claude-fake");
    expect(detail.attempts[0]).toMatchObject({ upstreamModel: "gpt-fake", converted: "anthropic → openai chat" });
  });

  it("a client error of a converted attempt does not hide why the first provider failed", async () => {
    const failing: ProviderSpec = { ...anthropic, secret: "sk@error-before,503" };
    const { response, text } = await ask(
      [failing, { ...openai, priority: 1, secret: "sk@error-before,status=404" }],
      "/v1/messages",
      asked,
    );
    expect(response.status).toBe(503);
    expect(JSON.parse(text).error.message).toBe("Scripted: 503");
  });
});

describe("what cannot be converted", () => {
  it("is a 400 that names the field, when nobody else serves; nothing is sent and nothing costs", async () => {
    const before = harness.upstreamCalls();
    const { response, text, row, detail, providerIds } = await ask([openai], "/v1/messages", { ...asked, mcp_servers: [{ url: "x" }] });
    expect(response.status).toBe(400);
    expect(JSON.parse(text)).toMatchObject({
      type: "error",
      error: { type: "invalid_request_error", message: expect.stringContaining("'mcp_servers'") },
    });
    expect(row).toMatchObject({ state: "refused", errorCode: "not_convertible", costNanoUsd: "0", attempts: 0 });
    expect(detail.decision.excluded).toContainEqual({ providerId: providerIds[0], reason: "conversion" });
    expect(harness.upstreamCalls()).toBe(before);
  });

  it("goes to the provider of its own dialect, whatever the priority", async () => {
    const { response, row, providerIds } = await ask([openai, { ...anthropic, priority: 5 }], "/v1/messages", {
      ...asked,
      mcp_servers: [{ url: "x" }],
    });
    expect(response.status).toBe(200);
    expect(row).toMatchObject({ providerId: providerIds[1], attempts: 1 });
  });

  it("options without a counterpart are left out, and named to the client and in the log", async () => {
    const { response, detail } = await ask([openai], "/v1/messages", { ...asked, top_k: 5 });
    expect(response.headers.get("x-sluice-dropped")).toBe("top_k");
    expect(detail.attempts[0]?.dropped).toEqual(["top_k"]);
  });

  it.each([
    ["from Gemini", "openai", "/v1beta/models/gemini-fake:generateContent", { contents: [{ parts: [{ text: "hi" }] }] }],
    ["to Gemini", "gemini", "/v1/chat/completions", { model: "gemini-fake", messages }],
    ["to Gemini", "gemini", "/v1/messages", { ...asked, model: "gemini-fake" }],
  ] as const)("conversion %s is not available, and says so", async (pair, dialect, path, body) => {
    const { response, text, row } = await ask([{ dialect }], path, body);
    expect(response.status).toBe(400);
    expect(JSON.parse(text).error.message).toContain(`Conversion ${pair} is not available`);
    expect(row).toMatchObject({ state: "refused", errorCode: "not_convertible" });
  });
});

describe("a converted conversation", () => {
  it("goes on at a provider of the client's own dialect, without the thinking that it could not verify", async () => {
    const key = (await harness.group([{ dialect: "openai", secret: "sk@thinking", models: ["claude-fake"] }])).key;
    const thinking = { type: "enabled", budget_tokens: 2_000 };
    const first = await harness.call("/v1/messages", { key, body: { ...asked, max_tokens: 4_000, thinking } });
    const { content } = (await first.json()) as { content: { type: string }[] };
    expect(content.map(({ type }) => type)).toEqual(["thinking", "text"]);
    const more = { ...asked, max_tokens: 4_000, thinking, messages: [...messages, { role: "assistant", content }, ...messages] };
    const { response, row, providerIds } = await ask([anthropic, { ...openai, priority: 1 }], "/v1/messages", more);
    expect(response.status).toBe(200);
    expect(row.providerId).toBe(providerIds[0]);
  });

  it("continues when the provider that produced that thinking is switched off, or in another group", async () => {
    const thinking = { type: "enabled", budget_tokens: 2_000 };
    const bound = { ...asked, max_tokens: 4_000, thinking };
    const maker: ProviderSpec = { dialect: "openai", secret: "sk@thinking", models: ["claude-fake"] };
    const { key, providerIds } = await harness.group([maker, { ...anthropic, priority: 1 }]);
    const first = await harness.call("/v1/messages", { key, body: bound });
    const { content } = (await first.json()) as { content: { type: string }[] };
    expect(content.map(({ type }) => type)).toEqual(["thinking", "text"]);
    const more = { ...bound, messages: [...messages, { role: "assistant", content }, ...messages] };
    const other = await ask([anthropic], "/v1/messages", more);
    expect(other.response.status).toBe(200);
    await harness.database.prisma.provider.update({ where: { id: providerIds[0] ?? "" }, data: { enabled: false } });
    await harness.database.prisma.configVersion.updateMany({ data: { version: { increment: 1n } } });
    await harness.snapshot.refresh();
    const response = await harness.call("/v1/messages", { key, body: more });
    expect([response.status, response.headers.get("x-sluice-converted")]).toEqual([200, null]);
  });
});

describe("a converted conversation whose converting provider is gone", () => {
  it.each([
    ["is deleted", true],
    ["speaks the client's API itself", false],
  ])("continues when that provider %s", async (_how, isDeleted) => {
    const responses: ProviderSpec = { dialect: "openai", baseUrl: `${raw.url}/v1`, serves: ["responses"], priority: 1 };
    // A separate configuration: any other provider that converts would count.
    const alone = await startHarness({ providers: [{ dialect: "openai", secret: "sk@thinking", serves: ["chat"] }, responses] });
    try {
      const asked = { model: "fake-plain", reasoning: { effort: "low" } };
      const first = await alone.call("/v1/responses", { body: { ...asked, input: "hi" } });
      const { output } = (await first.json()) as { output: object[] };
      expect(output[0]).toMatchObject({ type: "reasoning", encrypted_content: "sluice:chat::" });
      const { provider, configVersion } = alone.database.prisma;
      const where = { id: alone.providerIds[0] ?? "" };
      if (isDeleted) await provider.delete({ where });
      else await provider.update({ where, data: { serves: ["responses"], baseUrl: `${raw.url}/v1` } });
      await configVersion.updateMany({ data: { version: { increment: 1n } } });
      await alone.snapshot.refresh();
      await alone.call("/v1/responses", { body: { ...asked, input: [...output, ...messages] } });
      const { input } = JSON.parse(raw.received.at(-1)?.body ?? "") as { input: { type: string }[] };
      expect(input.map(({ type }) => type)).toEqual(["message", undefined]);
    } finally {
      await alone.close();
    }
  });
});

describe("tokens are counted", () => {
  const body = { model: "claude-fake", messages };

  it("by the client's own dialect where there is one", async () => {
    const { row, detail } = await ask([openai, anthropic], "/v1/messages/count_tokens", body);
    expect(row).toMatchObject({ state: "done", attempts: 1 });
    expect(detail.attempts[0]).not.toHaveProperty("converted");
  });

  it("from here where the messages would be converted: a quarter of the body's bytes", async () => {
    const { response, text, row } = await ask([openai], "/v1/messages/count_tokens", body);
    expect(response.status).toBe(200);
    expect(JSON.parse(text)).toEqual({ input_tokens: Math.ceil(JSON.stringify(body).length / 4) });
    expect(row).toMatchObject({ state: "done", attempts: 0, costNanoUsd: "0" });
  });
});

describe("the end of a converted stream", () => {
  it("comes after the charge is durable; until the first content nothing does", async () => {
    const gate = Promise.withResolvers<void>();
    let finished = false;
    const slow = await startHarness({
      wrapLedger: (ledger) => ({
        start: (record) => ledger.start(record),
        progress: (record) => ledger.progress(record),
        refuse: (record) => ledger.refuse(record),
        onSettled: (listener) => ledger.onSettled(listener),
        unsettled: () => ledger.unsettled(),
        stats: () => ledger.stats(),
        close: (options) => ledger.close(options),
        async finish(record) {
          await gate.promise;
          const detailJson = await ledger.finish(record);
          finished = true;
          return detailJson;
        },
      }),
    });
    try {
      const { key } = await slow.group([anthropic]);
      const response = await slow.call("/v1/chat/completions", { key, body: { ...asked, stream: true } });
      const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
      let text = "";
      const pending = (async () => {
        for (;;) {
          const part = await reader?.read();
          if (!part || part.done) return;
          text += part.value;
          if (text.includes("[DONE]")) expect(finished).toBe(true);
        }
      })();
      await expect.poll(() => text, { timeout: 30_000 }).toContain('"finish_reason":"stop"');
      expect(text).not.toContain("[DONE]");
      gate.resolve();
      await pending;
      expect(text).toMatch(/data: \[DONE\]\n\n$/);
    } finally {
      await slow.close();
    }
  });

  it("is an error in the client's dialect when the provider breaks off, and what passed is billed", async () => {
    for (const [path, mark] of [
      ["/v1/chat/completions", "[DONE]"],
      ["/v1/responses", "response.completed"],
    ] as const) {
      raw.answer = (res) => {
        res.writeHead(200, { "content-type": "text/event-stream" });
        res.end(anthropicStart + anthropicText("hello"));
      };
      const body = {
        ...asked,
        input: "hi",
        stream: true,
        ...(path === "/v1/responses" ? { max_tokens: undefined, messages: undefined } : {}),
      };
      const { text, row } = await ask([{ ...anthropic, baseUrl: raw.url }], path, body);
      expect(text).toContain("hello");
      expect(text).not.toContain(mark);
      expect(text.trimEnd().split("\n\n").at(-1)).toContain("upstream_truncated");
      expect(row).toMatchObject({ state: "error", errorCode: "upstream_truncated" });
      expect(BigInt(row.costNanoUsd ?? "0")).toBeGreaterThan(0n);
    }
  });

  it("is a stream, too, when the provider answers whole", async () => {
    raw.answer = (res) => {
      const message = { role: "assistant", content: "hello" };
      const usage = { prompt_tokens: 9, completion_tokens: 2 };
      res.writeHead(200, { "content-type": "application/json" });
      // A byte order mark, which clients would skip, changes nothing.
      res.end(`\ufeff${JSON.stringify({ id: "c", model: "up", choices: [{ index: 0, message, finish_reason: "stop" }], usage })}`);
    };
    const { response, text, row } = await ask([{ ...openai, baseUrl: `${raw.url}/v1` }], "/v1/messages", { ...asked, stream: true });
    expect(response.headers.get("content-type")).toContain("text/event-stream");
    expect(text).toMatch(/event: message_stop\ndata: {"type":"message_stop"}\n\n$/);
    expect(row.usage).toMatchObject({ input: 9, output: 2 });
  });
});
