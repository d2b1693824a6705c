import { connect, type Socket } from "node:net";
import { requestBytes } from "./load.ts";
import { residentBytes, type Subject } from "./processes.ts";

/**
 * Resident bytes that each of `count` open event streams costs a process that holds as many already. The process must be fresh (a heap that a load, or earlier
 * streams, have grown takes a thousand more into memory it has already) and collectable: both readings follow a collection, so
 * that neither garbage nor its absence is counted as a stream.
 */
export async function bytesPerOpenStream(subject: Subject, key: string, count: number): Promise<number> {
  const body = JSON.stringify({ model: "bench-model", max_tokens: 100, stream: true, messages: [{ role: "user", content: "hold-open" }] });
  const request = requestBytes(subject.port, key, body);
  // As many stay open from before: they take up the room that starting has left in the heap, which differs between subjects.
  const first = await openAll(subject.port, request, count);
  const before = await settledBytes(subject);
  const sockets = await openAll(subject.port, request, count);
  const after = await settledBytes(subject);
  for (const socket of [...first, ...sockets]) socket.destroy();
  return (after - before) / count;
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
