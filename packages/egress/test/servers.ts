import { once } from "node:events";
import { createServer, type IncomingMessage, type RequestListener, type Server } from "node:http";
import { type AddressInfo, createServer as createTcpServer, type Socket, type Server as TcpServer } from "node:net";
import { setImmediate as nextTurn } from "node:timers/promises";
import type { EgressRequest } from "../src/contract.ts";

/** A local HTTP server, on a free port by default; `close` also ends open connections. */
export async function listen(
  handle: RequestListener,
  askedPort = 0,
): Promise<{ url: string; port: number; server: Server; close(): Promise<void> }> {
  const server = createServer(handle);
  server.listen(askedPort, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    server,
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

/** A raw TCP server for answers that node:http would not write. */
export async function listenRaw(handle: (socket: Socket) => void): Promise<{ url: string; port: number; close(): Promise<void> }> {
  const sockets = new Set<Socket>();
  const server: TcpServer = createTcpServer((socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket)).on("error", () => undefined);
    handle(socket);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    close: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
}

/** A request with short limits that a test may override. */
export function ask(url: string, changes: Partial<EgressRequest> = {}): EgressRequest {
  return { url, method: "GET", headers: {}, connectTimeoutMs: 2_000, headersTimeoutMs: 5_000, idleTimeoutMs: 5_000, ...changes };
}

/** The whole body as text. */
export async function textOf(body: AsyncIterable<Buffer>): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of body) parts.push(part);
  return Buffer.concat(parts).toString("utf8");
}

/** Reads a request to its end before answering. */
export async function bodyOf(request: IncomingMessage): Promise<string> {
  return textOf(request);
}

/** The code of the error that a promise rejects with, "" when it resolves. */
export async function codeOf(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
    return "";
  } catch (error) {
    return error instanceof Error && "code" in error ? String(error.code) : String(error);
  }
}

/** undici hands a connection out again only after a full turn of the event loop. */
export async function reusable(): Promise<void> {
  await nextTurn();
  await nextTurn();
}
