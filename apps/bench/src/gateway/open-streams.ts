import { connect, type Socket } from "node:net";
import { requestBytes } from "./load.ts";
import { residentBytes, type Subject } from "./processes.ts";

/** Resident bytes that each of `count` open event streams costs a process, from its first event to now. */
export async function bytesPerOpenStream(subject: Subject, key: string, count: number): Promise<number> {
  const pid = subject.child.pid ?? 0;
  const body = JSON.stringify({ model: "bench-model", max_tokens: 100, stream: true, messages: [{ role: "user", content: "hold-open" }] });
  const request = requestBytes(subject.port, key, body);
  // Twice: the first round pays for code and pools that every later stream shares.
  await hold(subject.port, request, Math.ceil(count / 4));
  await settle();
  const before = await residentBytes(pid);
  const sockets = await openAll(subject.port, request, count);
  await settle();
  const after = await residentBytes(pid);
  for (const socket of sockets) socket.destroy();
  await settle();
  return (after - before) / count;
}

const settle = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 1_500));

async function hold(port: number, request: Buffer, count: number): Promise<void> {
  const sockets = await openAll(port, request, count);
  for (const socket of sockets) socket.destroy();
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
