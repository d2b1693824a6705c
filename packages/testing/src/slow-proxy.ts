import { connect, createServer, type Socket } from "node:net";
import { freePort } from "@sluice/db/process-facts";

/** Stands between a client and a server on this machine and keeps what the client sends for a while: a server that is slow to answer, or away. */
export interface SlowProxy {
  port: number;
  /** From now on each piece that a client sends waits so long; 0 = not at all. What waits already is not hurried. */
  delay(ms: number): void;
  /** Nobody is let through any more, and who was is cut off. */
  cut(): Promise<void>;
  /** After that: whoever comes is let through again. */
  restore(): Promise<void>;
  close(): Promise<void>;
}

/** Starts one in front of a port of 127.0.0.1. */
export async function startSlowProxy(target: number): Promise<SlowProxy> {
  let delayMs = 0;
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    const upstream = connect(target, "127.0.0.1");
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on("error", () => undefined);
      socket.once("close", () => {
        sockets.delete(socket);
        client.destroy();
        upstream.destroy();
      });
    }
    upstream.pipe(client);
    // In order: each piece leaves after the one before it.
    let last: Promise<void> = Promise.resolve();
    client.on("data", (piece) => {
      const due = new Promise<void>((resolve) => (delayMs > 0 ? setTimeout(resolve, delayMs).unref() : resolve()));
      last = last.then(() => due).then(() => void upstream.write(piece));
    });
  });
  const port = await freePort();
  const restore = (): Promise<void> => new Promise((resolve) => server.listen(port, "127.0.0.1", resolve));
  async function cut(): Promise<void> {
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    for (const socket of sockets) socket.destroy();
    await closed;
  }
  await restore();
  return {
    port,
    delay(ms) {
      delayMs = ms;
    },
    cut,
    restore,
    close: cut,
  };
}
