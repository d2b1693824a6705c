import { once } from "node:events";
import { type ClientRequest, type IncomingMessage, request, type ServerResponse } from "node:http";
import { silentLog } from "@sluice/core/log";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Harness, startHarness } from "./harness.ts";
import { anthropicEnd, anthropicStart, anthropicText, type RawProvider, startRawProvider } from "./raw-provider.ts";

let harness: Harness;
let raw: RawProvider;
let key: string;
const errors: string[] = [];
beforeAll(async () => {
  raw = await startRawProvider((res) => res.end());
  const log = { ...silentLog, error: (_fields: object, message: string) => void errors.push(message) };
  harness = await startHarness({ limits: { stalledClientMs: 300 }, log });
  ({ key } = await harness.group(
    [
      { dialect: "anthropic", baseUrl: raw.url },
      { dialect: "openai", baseUrl: `${raw.url}/v1` },
    ],
    { inFlight: 3 },
  ));
});
afterAll(async () => {
  await harness.close();
  await raw.close();
});

function post(path: string, body: unknown): ClientRequest {
  const text = JSON.stringify(body);
  const client = request(`${harness.url}${path}`, {
    method: "POST",
    agent: false,
    headers: { "x-api-key": key, "content-type": "application/json", "content-length": Buffer.byteLength(text) },
  });
  client.on("error", () => undefined);
  client.end(text);
  return client;
}

const streaming = (model = "claude-fake") => ({ model, max_tokens: 100, stream: true, messages: [{ role: "user", content: "hi" }] });

/** The row, once it is settled; also checks that nothing of the request is left. */
async function ended(id: string) {
  const found = await harness.settled(id);
  await expect.poll(() => harness.gateway.stats().inFlight).toBe(0);
  expect(harness.live.registry.inFlight()).toBe(0);
  expect(harness.gateway.stats().bodyBytes).toBe(0);
  return found;
}

describe("a client that leaves", () => {
  it("in the middle of a stream ends the upstream's at once, and what passed is billed", async () => {
    raw.answer = (res) =>
      void res.writeHead(200, { "content-type": "text/event-stream" }).write(anthropicStart + anthropicText("x".repeat(400)));
    const before = raw.abandoned;
    const client = post("/v1/messages", streaming());
    const [response] = (await once(client, "response")) as [IncomingMessage];
    await once(response, "data");
    const left = performance.now();
    client.destroy();
    await expect.poll(() => raw.abandoned, { interval: 1 }).toBe(before + 1);
    // The promise is 50 ms; the test leaves room for a busy machine.
    expect(performance.now() - left).toBeLessThan(1_000);
    const { row, detail } = await ended(String(response.headers["x-request-id"]));
    expect(row).toMatchObject({ state: "aborted", status: 200, flags: ["estimated", "partial"], errorCode: "" });
    expect(row.usage.input).toBe(10);
    expect(row.usage.output).toBeGreaterThanOrEqual(60);
    expect(row.usage.output).toBeLessThanOrEqual(140);
    expect(detail).toMatchObject({ endReason: "client_gone" });
    expect(detail.attempts[0]).toMatchObject({ outcome: "aborted", errorCode: "" });
  });

  it("before any answer ends the upstream's at once, and pays nothing", async () => {
    raw.answer = () => undefined;
    const before = raw.abandoned;
    const count = raw.received.length;
    const client = post("/v1/messages", streaming());
    await expect.poll(() => raw.received.length).toBe(count + 1);
    client.destroy();
    await expect.poll(() => raw.abandoned).toBe(before + 1);
    const { row } = await ended(String(raw.received.at(-1)?.headers["x-request-id"]));
    expect(row).toMatchObject({ state: "aborted", status: 0, costNanoUsd: "0", flags: [] });
    // Clients disconnect all day: that must not alarm an operator.
    expect(errors).toEqual([]);
  });

  it("while a whole answer is being made ends the upstream's, and no other provider is asked", async () => {
    raw.answer = (res) => void res.writeHead(200, { "content-type": "application/json" }).write('{"id":');
    const before = raw.abandoned;
    const count = raw.received.length;
    const client = post("/v1/chat/completions", { model: "fake-plain", messages: [] });
    await expect.poll(() => raw.received.length).toBe(count + 1);
    client.destroy();
    await expect.poll(() => raw.abandoned).toBe(before + 1);
    const { row } = await ended(String(raw.received.at(-1)?.headers["x-request-id"]));
    expect(row).toMatchObject({ state: "aborted", attempts: 1 });
    expect(raw.received.length).toBe(count + 1);
  });

  it("while its body is being read leaves no row, and no memory", async () => {
    const count = raw.received.length;
    const client = request(`${harness.url}/v1/messages`, {
      method: "POST",
      agent: false,
      headers: { "x-api-key": key, "content-type": "application/json", "content-length": 1_000 },
    });
    client.on("error", () => undefined);
    client.write("{");
    await expect.poll(() => harness.gateway.stats().bodyBytes).toBeGreaterThan(0);
    client.destroy();
    await expect.poll(() => harness.gateway.stats().inFlight).toBe(0);
    expect(harness.gateway.stats().bodyBytes).toBe(0);
    expect(raw.received.length).toBe(count);
  });

  it("gives its place in flight back", async () => {
    raw.answer = () => undefined;
    for (let round = 0; round < 3; round += 1) {
      const count = raw.received.length;
      const clients = [post("/v1/messages", streaming()), post("/v1/messages", streaming()), post("/v1/messages", streaming())];
      await expect.poll(() => raw.received.length).toBe(count + 3);
      const refused = await harness.call("/v1/messages", { body: streaming(), key });
      expect(refused.status).toBe(429);
      for (const client of clients) client.destroy();
      await expect.poll(() => harness.gateway.stats().inFlight).toBe(0);
    }
  });
});

describe("a client that does not read", () => {
  it("holds the upstream back, and is let go after a while", async () => {
    let written = 0;
    raw.answer = (res) => {
      res.writeHead(200, { "content-type": "text/event-stream" });
      res.write(anthropicStart);
      const chunk = anthropicText("x".repeat(64 * 1024));
      const pump = (): void => {
        while (!res.destroyed && written < 500_000_000) {
          written += chunk.length;
          if (!res.write(chunk)) {
            res.once("drain", pump);
            return;
          }
        }
      };
      pump();
    };
    const before = raw.abandoned;
    const client = post("/v1/messages", streaming());
    const [response] = (await once(client, "response")) as [IncomingMessage];
    response.pause();
    await expect.poll(() => raw.abandoned, { timeout: 20_000 }).toBe(before + 1);
    expect(written).toBeLessThan(100_000_000);
    client.destroy();
    const { row } = await ended(String(response.headers["x-request-id"]));
    expect(row.state).toBe("aborted");
  });

  it.each([
    ["leaves", (client: ClientRequest, _id: string) => void client.destroy()],
    ["is let go", () => undefined],
    ["is cancelled", (_client: ClientRequest, id: string) => harness.live.commands.send({ kind: "request.cancel", requestId: id })],
  ])("and %s, is over although its upstream had already sent everything", async (_how, leave) => {
    const served = once(harness.server, "request") as Promise<[IncomingMessage, ServerResponse]>;
    const told = Promise.withResolvers<void>();
    raw.answer = async (res) => {
      const [, out] = await served;
      res.writeHead(200, { "content-type": "text/event-stream" });
      res.write(anthropicStart);
      const chunk = anthropicText("x".repeat(16 * 1024));
      // Until the client's connection accepts no more; then the end, which waits in the gateway.
      while (!out.writableNeedDrain || (await once(out, "drain", { signal: AbortSignal.timeout(100) }).then(Boolean, () => false))) {
        res.write(chunk);
        await new Promise(setImmediate);
      }
      res.end(anthropicEnd, () => told.resolve());
    };
    const client = post("/v1/messages", streaming());
    const [response] = (await once(client, "response")) as [IncomingMessage];
    response.pause();
    await told.promise;
    // Enough turns of the event loop for the gateway to have read it.
    await harness.call("/v1/models", { method: "GET" });
    const id = String(response.headers["x-request-id"]);
    await leave(client, id);
    const { row } = await ended(id);
    client.destroy();
    expect(row.state).not.toBe("done");
  });

  it("is let go with a whole answer, too", async () => {
    const content = [{ type: "text", text: "x".repeat(15_000_000) }];
    const message = { id: "msg_1", type: "message", role: "assistant", model: "claude-fake", content, stop_reason: "end_turn" };
    const whole = JSON.stringify({ ...message, usage: { input_tokens: 10, output_tokens: 5 } });
    raw.answer = (res) => void res.writeHead(200, { "content-type": "application/json" }).end(whole);
    const served = once(harness.server, "request") as Promise<[IncomingMessage, ServerResponse]>;
    const client = post("/v1/messages", { ...streaming(), stream: false });
    const [response] = (await once(client, "response")) as [IncomingMessage];
    response.pause().on("error", () => undefined);
    const [{ socket }] = await served;
    const { row } = await ended(String(response.headers["x-request-id"]));
    expect(row.state).toBe("done");
    await expect.poll(() => socket.destroyed, { timeout: 10_000 }).toBe(true);
    client.destroy();
  });

  it("for a moment loses nothing", async () => {
    const text = anthropicText("x".repeat(1_000));
    raw.answer = (res) => {
      res.writeHead(200, { "content-type": "text/event-stream" });
      res.write(anthropicStart);
      for (let i = 0; i < 8_000; i += 1) res.write(text);
      res.end('event: message_stop\ndata: {"type":"message_stop"}\n\n');
    };
    const client = post("/v1/messages", streaming());
    const [response] = (await once(client, "response")) as [IncomingMessage];
    let length = 0;
    for await (const chunk of response as AsyncIterable<Buffer>) {
      if (length === 0) await new Promise((resolve) => setTimeout(resolve, 100));
      length += chunk.length;
    }
    expect(length).toBe(anthropicStart.length + 8_000 * text.length + 'event: message_stop\ndata: {"type":"message_stop"}\n\n'.length);
    const { row } = await ended(String(response.headers["x-request-id"]));
    expect(row.state).toBe("done");
  });
});
