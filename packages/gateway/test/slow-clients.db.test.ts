import { once } from "node:events";
import { type IncomingMessage, request } from "node:http";
import { connect, type Socket } from "node:net";
import { pipeline } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { until } from "@sluice/testing/deadline";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { defaultLimits } from "../src/context.ts";
import { serverOptions } from "../src/gateway.ts";
import { type Harness, startHarness } from "./harness.ts";
import { startRawProvider } from "./raw-provider.ts";

const stalledClientMs = 2_000;
let harness: Harness;
beforeAll(async () => {
  // An answer that exceeds this limit while it is still held must not fit into the connection's buffers.
  harness = await startHarness({ limits: { stalledClientMs, answerBytes: 64_000_000, bodyPeriodMs: 1_000, bodyPeriodBytes: 10_000 } });
});
afterAll(() => harness.close());

/** A client that keeps sending one byte at a time, and what it received before it was cut off. */
interface Slow {
  socket: Socket;
  heard(): string;
}

const trickles: NodeJS.Timeout[] = [];
afterAll(() => trickles.forEach(clearInterval));

function trickle(head: string, byte: string): Slow {
  const socket = connect(Number(new URL(harness.url).port), "127.0.0.1");
  let heard = "";
  socket.on("data", (part) => {
    heard += part.toString("latin1");
  });
  socket.on("error", () => undefined);
  socket.write(head);
  trickles.push(setInterval(() => socket.write(byte), 100));
  return { socket, heard: () => heard };
}

describe("clients that never finish what they send", () => {
  it("are given 10 s for a head, and for a body as long as it comes at a megabyte a minute", () => {
    expect(serverOptions.headersTimeout).toBeLessThanOrEqual(10_000);
    const { bodyBytes, bodyPeriodMs, bodyPeriodBytes } = defaultLimits;
    expect((bodyPeriodBytes / bodyPeriodMs) * 60_000).toBe(1024 * 1024);
    // A line of 0.5 Mbit/s has time for the largest body.
    expect(serverOptions.requestTimeout).toBeGreaterThan((bodyBytes * 8) / 500);
  });

  it("delay nobody, and are cut off, in the head and in the body", async () => {
    // The same server, with a shorter timeout that is checked more often.
    Object.assign(harness.server, { headersTimeout: 1_000 });
    const heads = Array.from({ length: 100 }, () => trickle("POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nx-slow: ", "a"));
    const head = `POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${harness.key.secret}\r\ncontent-type: application/json`;
    const bodies = Array.from({ length: 100 }, () => trickle(`${head}\r\ncontent-length: 100000\r\n\r\n{"model":"`, "a"));
    expect((await harness.call("/v1/models", { method: "GET" })).status).toBe(200);
    const slow = [...heads, ...bodies];
    await until(() => slow.every(({ socket }) => socket.destroyed), { what: "every slow client is cut off" });
    for (const { heard } of heads) expect(heard()).toMatch(/^(HTTP\/1\.1 408 |$)/);
    for (const { heard } of bodies) expect(heard()).toMatch(/^HTTP\/1\.1 400 .*too slowly/s);
    expect((await harness.call("/v1/models", { method: "GET" })).status).toBe(200);
    await expect.poll(() => harness.gateway.stats()).toMatchObject({ inFlight: 0, bodyBytes: 0 });
  });
});

describe("a client that steadily sends", () => {
  it("has more than one period for its body", async () => {
    const body = JSON.stringify({ model: "fake-plain", messages: [{ role: "user", content: "x".repeat(400_000) }] });
    const headers = { authorization: `Bearer ${harness.key.secret}`, "content-type": "application/json" };
    const client = request(`${harness.url}/v1/chat/completions`, { method: "POST", agent: false, headers });
    const answered = once(client, "response") as Promise<[IncomingMessage]>;
    const startedAt = performance.now();
    for (let at = 0; at < body.length; at += 20_000) {
      client.write(body.slice(at, at + 20_000));
      await sleep(100);
    }
    client.end();
    const [response] = await answered;
    response.resume();
    expect(performance.now() - startedAt).toBeGreaterThan(1_000);
    expect(response.statusCode).toBe(200);
  });
});

describe("clients that slowly read an answer too large to be held", () => {
  /** Reads a megabyte and pauses briefly, repeatedly, up to `bytes`. */
  async function take(bytes: number) {
    const provider = await startRawProvider((res) => {
      res.writeHead(200, { "content-type": "application/json" });
      pipeline(Array(70).fill("x".repeat(1_000_000)), res, () => undefined);
    });
    const { key } = await harness.group([{ dialect: "anthropic", baseUrl: provider.url }]);
    const headers = { "x-api-key": key, "content-type": "application/json" };
    const client = request(`${harness.url}/v1/messages`, { method: "POST", agent: false, headers });
    client.on("error", () => undefined);
    client.end(JSON.stringify({ model: "claude-fake", max_tokens: 100, messages: [{ role: "user", content: "hi" }] }));
    const [response] = (await once(client, "response")) as [IncomingMessage];
    const startedAt = performance.now();
    let taken = 0;
    let pauseAt = 1_000_000;
    response.on("error", () => undefined);
    response.on("data", (part: Buffer) => {
      taken += part.length;
      if (taken < pauseAt) return;
      pauseAt += 1_000_000;
      response.pause();
      if (taken < bytes) setTimeout(() => response.resume(), 50);
    });
    const { row } = await harness.settled(String(response.headers["x-request-id"]));
    if (row.state === "done" && !response.readableEnded) await once(response, "end");
    client.destroy();
    await provider.close();
    return { row, taken, tookMs: performance.now() - startedAt };
  }

  it("are given all of it", async () => {
    const { row, taken, tookMs } = await take(Number.POSITIVE_INFINITY);
    expect(tookMs).toBeGreaterThan(stalledClientMs);
    expect(taken).toBe(70_000_000);
    expect(row.state).toBe("done");
  });

  it("are let go when they stop taking", async () => {
    const { row } = await take(5_000_000);
    expect(row.state).toBe("aborted");
  });
});
