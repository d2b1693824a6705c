import { connect, type Socket } from "node:net";
import { residentBytes, type Subject } from "./processes.ts";
import { requestBytes } from "./request-bytes.ts";

/** Event streams that a subject holds open. */
export interface OpenStreams {
  /** Opens so many more; resolves with the resident bytes that each of those opened by this costs the process. */
  more(count: number): Promise<number>;
  /** Resident bytes of the process now. */
  resident(): Promise<number>;
  close(): void;
}

/**
 * Opens the `first` event streams of a subject, so that they take up the room which starting has left in its heap: what further ones cost is
 * compared. The process must be fresh (a heap that a load has grown takes a thousand streams into memory it has already) and collectable:
 * every reading follows a collection, so that neither garbage nor its absence is counted as a stream.
 */
export async function openStreams(subject: Subject, key: string, first: number): Promise<OpenStreams> {
  const body = JSON.stringify({ model: "bench-model", max_tokens: 100, stream: true, messages: [{ role: "user", content: "hold-open" }] });
  const request = requestBytes(subject.port, key, body);
  const sockets = await openAll(subject.port, request, first);
  const before = await settledBytes(subject);
  return {
    async more(count) {
      sockets.push(...(await openAll(subject.port, request, count)));
      return ((await settledBytes(subject)) - before) / (sockets.length - first);
    },
    resident: () => settledBytes(subject),
    close() {
      for (const socket of sockets) socket.destroy();
    },
  };
}

/** What is resident after a collection, once whatever was under way has ended. */
export async function settledBytes(subject: Subject): Promise<number> {
  for (let times = 0; times < 2; times++) {
    await new Promise((resolve) => setTimeout(resolve, 250));
    subject.child.kill("SIGUSR2");
  }
  await new Promise((resolve) => setTimeout(resolve, 250));
  return residentBytes(subject.child.pid ?? 0);
}

async function openAll(port: number, request: Buffer, count: number): Promise<Socket[]> {
  const sockets: Socket[] = [];
  for (let done = 0; done < count; done += 100) {
    const batch = await Promise.all(Array.from({ length: Math.min(100, count - done) }, () => openOne(port, request)));
    sockets.push(...batch);
  }
  return sockets;
}

/** Resolves when the stream's first content has arrived. */
function openOne(port: number, request: Buffer): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, "127.0.0.1", () => socket.write(request));
    let seen = "";
    socket.on("data", (chunk) => {
      if (seen === "done") return;
      seen += chunk.toString("latin1");
      if (!seen.includes("content_block_delta")) return;
      seen = "done";
      resolve(socket);
    });
    socket.once("error", reject);
  });
}
