import { connect, createServer, type Socket } from "node:net";
import { freePort } from "@sluice/db/process-facts";

/** A local proxy that delays what the client sends: simulates a server that is slow to answer, or away. */
export interface SlowProxy {
  port: number;
  /** Delays each chunk that a client sends from now on; 0 = no delay. Chunks already waiting keep their delay. */
  delay(ms: number): void;
  /** Closes all connections and accepts no new ones. */
  cut(): Promise<void>;
  /** Accepts connections again. */
  restore(): Promise<void>;
  close(): Promise<void>;
}

/** Starts a proxy in front of a port of 127.0.0.1. */
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
    // In order: each chunk leaves after the one before it.
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
