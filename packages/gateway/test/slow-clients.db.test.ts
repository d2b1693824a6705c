import { connect, type Socket } from "node:net";
import { until } from "@sluice/testing/deadline";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { serverOptions } from "../src/gateway.ts";
import { type Harness, startHarness } from "./harness.ts";

let harness: Harness;
beforeAll(async () => {
  harness = await startHarness({});
});
afterAll(() => harness.close());

/** A client that goes on sending a byte at a time, and what it was told before it was cut off. */
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
  it("are given 10 s for a head and a minute for all of it", () => {
    expect(serverOptions.headersTimeout).toBeLessThanOrEqual(10_000);
    expect(serverOptions.requestTimeout).toBeLessThanOrEqual(60_000);
  });

  it("hold nobody up, and are cut off, in the head and in the body", async () => {
    // The same server, with shorter times and looked at more often.
    Object.assign(harness.server, { headersTimeout: 1_000, requestTimeout: 2_000 });
    const heads = Array.from({ length: 100 }, () => trickle("POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nx-slow: ", "a"));
    const head = `POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${harness.key.secret}\r\ncontent-type: application/json`;
    const bodies = Array.from({ length: 100 }, () => trickle(`${head}\r\ncontent-length: 100000\r\n\r\n{"model":"`, "a"));
    expect((await harness.call("/v1/models", { method: "GET" })).status).toBe(200);
    const slow = [...heads, ...bodies];
    await until(() => slow.every(({ socket }) => socket.destroyed), { what: "every slow client is cut off" });
    for (const { heard } of slow) expect(heard()).toMatch(/^(HTTP\/1\.1 408 |$)/);
    expect((await harness.call("/v1/models", { method: "GET" })).status).toBe(200);
    await expect.poll(() => harness.gateway.stats()).toMatchObject({ inFlight: 0, bodyBytes: 0 });
  });
});
