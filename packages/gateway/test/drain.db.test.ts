import { once } from "node:events";
import { type IncomingMessage, request } from "node:http";
import { expect, it } from "vitest";
import { type Harness, startHarness } from "./harness.ts";
import { anthropicEnd, anthropicStart, anthropicText, startRawProvider } from "./raw-provider.ts";

const body = { model: "claude-fake", max_tokens: 100, stream: true, messages: [{ role: "user", content: "hi" }] };

async function withGateway(
  run: (harness: Harness, key: string, provider: Awaited<ReturnType<typeof startRawProvider>>) => Promise<void>,
): Promise<void> {
  const provider = await startRawProvider((res) => res.end());
  const harness = await startHarness();
  try {
    const { key } = await harness.group([{ dialect: "anthropic", baseUrl: provider.url }]);
    await run(harness, key, provider);
  } finally {
    await harness.close();
    await provider.close();
  }
}

it("a draining gateway refuses new requests, closes their connections and lets a stream finish", () =>
  withGateway(async (harness, key, provider) => {
    const gate = Promise.withResolvers<void>();
    provider.answer = async (res) => {
      res.writeHead(200, { "content-type": "text/event-stream" });
      res.write(anthropicStart + anthropicText("hello"));
      await gate.promise;
      res.end(anthropicEnd);
    };
    const running = await harness.call("/v1/messages", { body, key });
    const drained = harness.gateway.drain({ graceMs: 60_000 });
    const refused = await harness.call("/v1/messages", { body, key });
    expect(refused.status).toBe(503);
    expect(refused.headers.get("connection")).toBe("close");
    expect(await refused.json()).toMatchObject({ type: "error", error: { code: "draining" } });
    gate.resolve();
    expect(await running.text()).toContain("message_stop");
    await drained;
    const { row } = await harness.settled(running.headers.get("x-request-id") ?? "");
    expect(row.state).toBe("done");
  }));

it("every answer that begins while it drains closes its connection, and no other", () =>
  withGateway(async (harness, key, provider) => {
    const gate = Promise.withResolvers<void>();
    provider.answer = async (res, received) => {
      await gate.promise;
      if (received.body.includes('"stream":true'))
        res.writeHead(200, { "content-type": "text/event-stream" }).end(anthropicStart + anthropicText("hello") + anthropicEnd);
      else res.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify({ type: "message", content: [] }));
    };
    const asked = [true, false].map((stream) => harness.call("/v1/messages", { body: { ...body, stream }, key }));
    await expect.poll(() => provider.received.length).toBe(2);
    const before = await harness.call("/v1/models", { method: "GET", key });
    const drained = harness.gateway.drain({ graceMs: 60_000 });
    const late = [harness.call("/v1/models", { method: "GET", key }), harness.call("/", { method: "HEAD" })];
    gate.resolve();
    for (const answer of await Promise.all([...asked, ...late])) {
      expect(answer.headers.get("connection")).toBe("close");
      await answer.text();
    }
    expect(before.headers.get("connection")).toBe("keep-alive");
    await drained;
  }));

it("a stream that outlives the grace ends with an error event, billed for what passed", () =>
  withGateway(async (harness, key, provider) => {
    provider.answer = (res, received) =>
      received.body.includes('"stream":true') &&
      void res
        .writeHead(200, { "content-type": "text/event-stream" })
        .write(anthropicStart + anthropicText("hello there, this is content"));
    const running = await harness.call("/v1/messages", { body, key });
    const whole = harness.call("/v1/messages", { body: { ...body, stream: false }, key });
    await expect.poll(() => provider.received.length).toBe(2);
    await harness.gateway.drain({ graceMs: 100 });
    const text = await running.text();
    expect(text).toMatch(/event: error\ndata: \{.*"draining".*\}\n\n$/);
    expect((await whole).status).toBe(503);
    const { row } = await harness.settled(running.headers.get("x-request-id") ?? "");
    expect(row).toMatchObject({ state: "error", errorCode: "draining", flags: ["estimated", "partial"] });
    expect(harness.gateway.stats()).toMatchObject({ inFlight: 0, draining: true });
    await expect.poll(() => provider.abandoned).toBeGreaterThanOrEqual(1);
  }));

it("a body that is still coming when the grace ends is refused", () =>
  withGateway(async (harness, key) => {
    const upload = new ReadableStream({
      start(controller) {
        controller.enqueue(new TextEncoder().encode('{"model":'));
      },
    });
    const pending = fetch(`${harness.url}/v1/messages`, {
      method: "POST",
      body: upload,
      duplex: "half",
      headers: { "x-api-key": key, "content-type": "application/json" },
    } as RequestInit).catch(() => null);
    await expect.poll(() => harness.gateway.stats().bodyBytes).toBeGreaterThan(0);
    await harness.gateway.drain({ graceMs: 0 });
    expect(harness.gateway.stats().inFlight).toBe(0);
    const response = await pending;
    if (response) expect(response.status).toBe(503);
  }));

it("an answer that its client is still taking is taken to its end", () =>
  withGateway(async (harness, key, provider) => {
    const content = [{ type: "text", text: "x".repeat(15_000_000) }];
    const message = { id: "msg_1", type: "message", role: "assistant", model: "claude-fake", content, stop_reason: "end_turn" };
    const whole = JSON.stringify({ ...message, usage: { input_tokens: 10, output_tokens: 5 } });
    provider.answer = (res) => void res.writeHead(200, { "content-type": "application/json" }).end(whole);
    const headers = { "x-api-key": key, "content-type": "application/json" };
    const client = request(`${harness.url}/v1/messages`, { method: "POST", agent: false, headers });
    client.end(JSON.stringify({ ...body, stream: false }));
    const [response] = (await once(client, "response")) as [IncomingMessage];
    await harness.settled(String(response.headers["x-request-id"]));
    const drained = harness.gateway.drain({ graceMs: 60_000 }).then(() => {
      // As the server does: this ends connections whose answer has been written, whether the client has read it or not.
      harness.server.close();
    });
    await new Promise(setImmediate);
    let length = 0;
    for await (const part of response as AsyncIterable<Buffer>) length += part.length;
    expect(length).toBe(whole.length);
    await drained;
  }));

it("an answer that its client does not take is not waited for beyond the grace", () =>
  withGateway(async (harness, key, provider) => {
    const content = [{ type: "text", text: "x".repeat(15_000_000) }];
    const whole = JSON.stringify({ type: "message", role: "assistant", model: "claude-fake", content });
    provider.answer = (res) => void res.writeHead(200, { "content-type": "application/json" }).end(whole);
    const headers = { "x-api-key": key, "content-type": "application/json" };
    const client = request(`${harness.url}/v1/messages`, { method: "POST", agent: false, headers });
    client.on("error", () => undefined);
    client.end(JSON.stringify({ ...body, stream: false }));
    const [response] = (await once(client, "response")) as [IncomingMessage];
    response.on("error", () => undefined).pause();
    await harness.settled(String(response.headers["x-request-id"]));
    await harness.gateway.drain({ graceMs: 100 });
    client.destroy();
  }));
