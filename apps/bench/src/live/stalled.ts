import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { get, type IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import type { Subject } from "../gateway/processes.ts";
import { settledBytes } from "./settled-bytes.ts";

const MOST_MS = 60_000;

export interface StalledResult {
  /** The longest time from when the kernel accepted no more data until the server closed the connection. */
  goneAfterMs: number;
  /** Maximum additional memory of the process per viewer. */
  bytesEach: number;
  /** Maximum kernel memory per viewer. */
  kernelBytesEach: number;
}

/**
 * Viewers that stop reading, beside others that read: how long the server keeps them, and what they cost meanwhile. Kernel buffers are
 * counted separately from the process. Time counts from when they are full, because until then the server cannot notice that a viewer
 * does not read.
 */
export async function measureStalled(server: Subject, cookie: string, count: number): Promise<StalledResult> {
  const before = await settledBytes(server);
  const sockets = await Promise.all(Array.from({ length: count }, () => openAndStop(server.port, cookie)));
  const began = performance.now();
  const streams = new Map(sockets.map((socket) => [socket.localPort ?? 0, { queued: 0, fullAtMs: began, goneAtMs: 0 }]));
  let watching = true;
  const memory = mostHeld(server, () => watching);
  while (performance.now() - began < MOST_MS && ![...streams.values()].every(({ goneAtMs }) => goneAtMs > 0)) {
    await sleep(100);
    const now = performance.now();
    const queues = await queuedBytes(server.port);
    for (const [port, state] of streams) {
      const queued = queues.get(port);
      if (queued === undefined) state.goneAtMs ||= now;
      else if (queued > state.queued) Object.assign(state, { queued, fullAtMs: now });
    }
  }
  watching = false;
  const held = await memory;
  for (const socket of sockets) socket.destroy();
  const all = [...streams.values()];
  const took = all.map(({ goneAtMs, fullAtMs }) => (goneAtMs || Number.POSITIVE_INFINITY) - fullAtMs);
  const kernelBytes = all.reduce((sum, { queued }) => sum + queued, 0) / count;
  return { goneAfterMs: Math.max(...took), bytesEach: Math.max(0, held - before) / count, kernelBytesEach: kernelBytes };
}

async function mostHeld(server: Subject, watching: () => boolean): Promise<number> {
  let most = 0;
  do most = Math.max(most, await settledBytes(server));
  while (watching());
  return most;
}

async function openAndStop(port: number, cookie: string): Promise<Socket> {
  const call = get({ host: "127.0.0.1", port, path: "/trpc/live.events", agent: false, headers: { accept: "text/event-stream", cookie } });
  call.on("error", () => undefined);
  const [response] = (await once(call, "response")) as [IncomingMessage];
  response.on("error", () => undefined).pause();
  response.socket.pause();
  return response.socket;
}

/** Bytes that the kernel holds for each client port of a server, for connections that the server has not closed. */
async function queuedBytes(serverPort: number): Promise<Map<number, number>> {
  const established = "01";
  const queues = new Map<number, number>();
  for (const line of (await readFile("/proc/net/tcp", "utf8")).split("\n")) {
    const [, local = "", remote = "", state = "", queue = ""] = line.trim().split(/\s+/);
    if (state !== established || Number.parseInt(local.split(":")[1] ?? "", 16) !== serverPort) continue;
    queues.set(Number.parseInt(remote.split(":")[1] ?? "", 16), Number.parseInt(queue.split(":")[0] ?? "", 16));
  }
  return queues;
}
