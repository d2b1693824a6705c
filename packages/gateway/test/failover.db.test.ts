import type { ServerResponse } from "node:http";
import { brotliCompressSync } from "node:zlib";
import { errorCatalogue } from "@sluice/core/errors";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { baseUrlOf, type Harness, type ProviderSpec, startHarness } from "./harness.ts";
import { anthropicEnd, anthropicStart, anthropicText, type RawProvider, startRawProvider } from "./raw-provider.ts";

let harness: Harness;
let raw: RawProvider;
beforeAll(async () => {
  raw = await startRawProvider((res) => res.end());
  harness = await startHarness({
    settings: {
      "upstream.firstContentTimeoutMs": 1_000,
      "upstream.idleTimeoutMs": 1_000,
      "upstream.connectTimeoutMs": 1_000,
      "breaker.failures": 0,
    },
  });
});
afterAll(async () => {
  await harness.close();
  await raw.close();
});

const body = (stream: boolean) => ({ model: "claude-fake", max_tokens: 100, stream, messages: [{ role: "user", content: "hi" }] });
const good: ProviderSpec = { dialect: "anthropic", secret: "sk-good", priority: 1 };

const json = { "content-type": "application/json", "retry-after": "9" };

async function ask(providers: ProviderSpec[], stream: boolean) {
  const arranged = await harness.group(providers);
  const response = await harness.call("/v1/messages", { body: body(stream), key: arranged.key });
  const text = await response.text();
  const settled = await harness.settled(response.headers.get("x-request-id") ?? "");
  return { ...arranged, response, text, ...settled };
}

describe("the next provider serves, and nothing of the first is seen, when it", () => {
  it.each([
    ["answers 500", "error-before", "upstream_error"],
    ["answers 503", "error-before,status=503", "upstream_overloaded"],
    ["answers 429", "rate-limited", "upstream_rate_limited"],
    ["answers 529", "overloaded", "upstream_overloaded"],
    ["refuses our credentials", "auth", "upstream_auth"],
    ["redirects", "redirect", "upstream_error"],
    ["answers in Brotli", "br", "upstream_encoding"],
    ["says nothing", "hang", "upstream_timeout"],
  ])("%s", async (_what, script, code) => {
    for (const stream of [false, true]) {
      const { response, row, detail, providerIds } = await ask([{ dialect: "anthropic", secret: `sk@${script}` }, good], stream);
      expect(response.status).toBe(200);
      expect(row).toMatchObject({ state: "done", status: 200, attempts: 2, providerId: providerIds[1], errorCode: "" });
      expect(detail.attempts.map(({ outcome, errorCode }) => [outcome, errorCode])).toEqual([
        ["failed", code],
        ["ok", ""],
      ]);
    }
  });

  it.each([
    ["sends an error before content", "error-first", "upstream_overloaded"],
    ["breaks off before content", "cut,0", "upstream_truncated"],
    ["ends without a terminal event before content", "cut,0,how=fin", "upstream_truncated"],
    ["stalls before content", "stall,0", "upstream_timeout"],
  ])("%s in a stream", async (_what, script, code) => {
    const { response, text, row, detail } = await ask([{ dialect: "anthropic", secret: `sk@${script}` }, good], true);
    expect(response.status).toBe(200);
    expect(text.match(/message_start/g)?.length).toBe(2);
    expect(text).toContain("message_stop");
    expect(row).toMatchObject({ state: "done", attempts: 2 });
    expect(detail.attempts[0]).toMatchObject({ outcome: "failed", errorCode: code });
    // Its input was counted before it failed: we bear that cost, not the client.
    expect(BigInt(detail.attempts[0]?.upstreamCostNanoUsd ?? "0")).toBeGreaterThan(0n);
    expect(row.usage).toEqual(detail.attempts[1]?.usage);
  });

  it("cannot be reached, or may not be", async () => {
    for (const baseUrl of ["http://127.0.0.1:1", "http://169.254.169.254", "http://10.0.0.1:8080"]) {
      const { response, row } = await ask([{ dialect: "anthropic", baseUrl }, good], false);
      expect(response.status).toBe(200);
      expect(row).toMatchObject({ state: "done", attempts: 2 });
    }
  });

  it("answers 200 with something that is no answer", async () => {
    raw.answer = (res) => res.writeHead(200, { "content-type": "text/html" }).end("<html>");
    const { response, row, detail } = await ask([{ dialect: "anthropic", baseUrl: raw.url }, good], false);
    expect(response.status).toBe(200);
    expect(row.attempts).toBe(2);
    expect(detail.attempts[0]?.errorCode).toBe("upstream_error");
  });
});

describe("no other provider is tried", () => {
  it.each([400, 404, 413, 422])("after %d, which is passed on as it came", async (status) => {
    const { response, text, row } = await ask([{ dialect: "anthropic", secret: `sk@error-before,status=${status}` }, good], false);
    expect(response.status).toBe(status);
    expect(JSON.parse(text)).toMatchObject({ type: "error", error: { message: `Scripted: ${status}` } });
    expect(row).toMatchObject({ state: "error", status, attempts: 1, costNanoUsd: "0" });
  });

  it("after the first content: the error is told in the stream, and what passed is billed", async () => {
    for (const script of ["cut,3", "cut,3,how=fin", "stall,3"]) {
      const { text, row } = await ask([{ dialect: "anthropic", secret: `sk@${script}` }, good], true);
      expect(text).toMatch(/event: error\ndata: .*\n\n$/);
      expect(text).not.toContain("message_stop");
      expect(row).toMatchObject({
        state: "error",
        status: 200,
        attempts: 1,
        errorCode: script.startsWith("stall") ? "upstream_timeout" : "upstream_truncated",
      });
      expect(row.flags).toEqual(["estimated", "partial"]);
      expect(row.usage.output).toBeGreaterThan(0);
      expect(BigInt(row.costNanoUsd ?? "0")).toBeGreaterThan(0n);
    }
  });

  it("after the provider's own error in the middle, which is passed on", async () => {
    const { text, row } = await ask([{ dialect: "anthropic", secret: "sk@error-mid,3" }, good], true);
    expect(text.match(/event: error/g)?.length).toBe(1);
    expect(row).toMatchObject({ state: "error", errorCode: "upstream_overloaded" });
  });

  it("beyond routing.maxAttempts", async () => {
    const bad = (n: number): ProviderSpec => ({ dialect: "anthropic", secret: "sk@error-before", priority: n });
    const { response, row } = await ask([bad(0), bad(0), bad(0), bad(0), { ...good, priority: 9 }], false);
    expect(response.status).toBe(500);
    expect(row).toMatchObject({ attempts: 3, state: "error" });
  });
});

describe("when nobody is left", () => {
  it("the provider's 429 is passed on with its retry-after", async () => {
    const { response, text } = await ask([{ dialect: "anthropic", secret: "sk@rate-limited,retry=9" }], false);
    expect(response.status).toBe(429);
    expect(response.headers.get("retry-after")).toBe("9");
    expect(JSON.parse(text).error.message).toBe("Scripted: 429");
  });

  it("refused credentials are reported in our words, without the provider's", async () => {
    const { response, text, row } = await ask([{ dialect: "anthropic", secret: "sk@auth" }], false);
    expect(response.status).toBe(502);
    expect(text).not.toContain("Scripted");
    expect(row.errorCode).toBe("upstream_auth");
  });

  it("an error that quotes our secret is not passed on", async () => {
    raw.answer = (res, { headers }) =>
      res
        .writeHead(500, { "content-type": "application/json" })
        .end(JSON.stringify({ type: "error", error: { type: "api_error", message: `bad key ${headers["x-api-key"]}` } }));
    const { response, text, detail } = await ask([{ dialect: "anthropic", baseUrl: raw.url, secret: "sk-very-secret-value" }], false);
    expect(response.status).toBe(502);
    expect(text).not.toContain("sk-very-secret-value");
    expect(JSON.stringify(detail)).not.toContain("sk-very-secret-value");
  });

  it("an error page becomes an error of the dialect", async () => {
    raw.answer = (res) => res.writeHead(502, { "content-type": "text/html" }).end("<h1>nginx</h1>");
    const { response, text } = await ask([{ dialect: "anthropic", baseUrl: raw.url }], false);
    expect(response.status).toBe(502);
    expect(JSON.parse(text)).toMatchObject({ type: "error" });
  });

  const bodies: [string, (res: ServerResponse, status: number) => void][] = [
    ["in Brotli", (res, status) => res.writeHead(status, { ...json, "content-encoding": "br" }).end(brotliCompressSync("{}"))],
    ["that is no gzip", (res, status) => res.writeHead(status, { ...json, "content-encoding": "gzip" }).end("{}")],
    ["that breaks off", (res, status) => res.writeHead(status, json).write("{", () => res.destroy())],
    ["that never ends", (res, status) => res.writeHead(status, json).write("{")],
    ["too long to be read", (res, status) => res.writeHead(status, json).end(`{"error":"${"x".repeat(300_000)}"}`)],
  ];
  it.each(bodies)("of an error with a body %s, the status and the advice are passed on", async (_what, answer) => {
    for (const [status, code] of [
      [429, "upstream_rate_limited"],
      [451, "invalid_request"],
      [529, "upstream_overloaded"],
    ] as const) {
      raw.answer = (res) => answer(res, status);
      const { response, text, row, detail } = await ask([{ dialect: "anthropic", baseUrl: raw.url }], false);
      expect(response.status).toBe(status);
      expect(response.headers.get("retry-after")).toBe("9");
      expect(response.headers.get("content-type")).toBe("application/json");
      expect(JSON.parse(text)).toMatchObject({ type: "error", error: { code, message: errorCatalogue[code].message } });
      expect(row).toMatchObject({ state: "error", status, errorCode: code });
      expect(detail.attempts[0]).toMatchObject({ status, errorCode: code });
    }
  });

  it("closed and forbidden addresses look the same", async () => {
    const texts: string[] = [];
    for (const baseUrl of ["http://127.0.0.1:1", "http://169.254.169.254"]) {
      const { response, text, row } = await ask([{ dialect: "anthropic", baseUrl }], false);
      expect(response.status).toBe(502);
      expect(row.errorCode).toBe("upstream_error");
      texts.push(text.replace(row.id, ""));
    }
    expect(texts[0]).toBe(texts[1]);
  });
});

describe("until the first content nothing is sent", () => {
  it("then the held start and the content come together", async () => {
    const gate = Promise.withResolvers<void>();
    raw.answer = async (res) => {
      res.writeHead(200, { "content-type": "text/event-stream" });
      res.write(`${anthropicStart}event: ping\ndata: {"type":"ping"}\n\n`);
      await gate.promise;
      res.end(anthropicText("hello") + anthropicEnd);
    };
    const { key } = await harness.group([{ dialect: "anthropic", baseUrl: raw.url }]);
    let head = false;
    const pending = harness.call("/v1/messages", { body: body(true), key }).then((response) => {
      head = true;
      return response.text();
    });
    await expect.poll(() => raw.received.length).toBeGreaterThan(0);
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(head).toBe(false);
    gate.resolve();
    expect(await pending).toContain("hello");
  });

  it("but not longer than the hold", async () => {
    const held = await startHarness({ limits: { holdMs: 100 } });
    try {
      const gate = Promise.withResolvers<void>();
      raw.answer = async (res) => {
        res.writeHead(200, { "content-type": "text/event-stream" });
        res.write(anthropicStart);
        await gate.promise;
        res.end(anthropicText("hello") + anthropicEnd);
      };
      const { key } = await held.group([{ dialect: "anthropic", baseUrl: baseUrlOf("anthropic", raw.url) }]);
      const response = await held.call("/v1/messages", { body: body(true), key });
      expect(response.status).toBe(200);
      gate.resolve();
      expect(await response.text()).toContain("message_stop");
      const { row } = await held.settled(response.headers.get("x-request-id") ?? "");
      expect(row.state).toBe("done");
    } finally {
      await held.close();
    }
  });

  it("nor more than 64 KB", async () => {
    const gate = Promise.withResolvers<void>();
    const ping = `event: ping\ndata: {"type":"ping"}\n\n`;
    raw.answer = async (res) => {
      res.writeHead(200, { "content-type": "text/event-stream" });
      res.write(anthropicStart + ping.repeat(3_000));
      await gate.promise;
      res.end(anthropicText("hello") + anthropicEnd);
    };
    const { key } = await harness.group([{ dialect: "anthropic", baseUrl: raw.url }]);
    const response = await harness.call("/v1/messages", { body: body(true), key });
    gate.resolve();
    expect((await response.text()).length).toBeGreaterThan(64 * 1024);
  });
});

it("a breaker opens after its failures, keeps the provider out, and lets one probe in", async () => {
  const breaking = await startHarness({ settings: { "breaker.failures": 2, "breaker.openSeconds": 1 } });
  try {
    const { key, providerIds } = await breaking.group([{ dialect: "anthropic", secret: "sk-flaky" }]);
    const ask = async () => (await breaking.call("/v1/messages", { body: body(false), key })).status;
    breaking.upstream.control("sk-flaky", "error-before");
    expect([await ask(), await ask()]).toEqual([500, 500]);
    const before = breaking.upstreamCalls();
    expect(await ask()).toBe(503);
    expect(breaking.upstreamCalls()).toBe(before);
    const refused = await breaking.findRow(({ state }) => state === "refused");
    expect(refused).toMatchObject({ errorCode: "no_provider", costNanoUsd: "0" });
    breaking.upstream.control("sk-flaky", null);
    await expect.poll(ask, { timeout: 10_000, interval: 200 }).toBe(200);
    expect(breaking.admission.breakers.stateOf(providerIds[0] ?? "", "claude-fake")).not.toBe("open");
  } finally {
    await breaking.close();
  }
});

it("a conversation stays with the provider that served it", async () => {
  const twins: ProviderSpec[] = Array.from({ length: 5 }, () => ({ dialect: "anthropic" }));
  const { key } = await harness.group(twins);
  const used = new Set<string>();
  for (let i = 0; i < 8; i += 1) {
    const response = await harness.call("/v1/messages", { body: body(i % 2 === 0), key, headers: { "x-session-id": "conversation-1" } });
    await response.text();
    const { row, detail } = await harness.settled(response.headers.get("x-request-id") ?? "");
    used.add(row.providerId);
    if (i > 0) expect(detail.decision.chosenBy).toBe("sticky");
  }
  expect(used.size).toBe(1);
});
