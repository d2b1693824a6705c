import { connect, type Socket } from "node:net";
import { residentBytes, type Subject } from "./processes.ts";
import { requestBytes } from "./request-bytes.ts";

/** Requests whose answers have begun and do not end: the provider sends so much of each and then falls silent. */
export interface OpenRequest {
  key: string;
  stream: boolean;
  /** Of an answer so far; 0: a stream's first events. */
  answerBytes: number;
}

/** Requests that a subject has in flight. */
export interface OpenRequests {
  /** Opens so many more. */
  open(count: number): Promise<void>;
  close(): void;
}

/**
 * Holds requests of a subject open. What further ones cost is compared: the first take up the room which starting has left in its heap.
 * The process must be fresh (a heap that a load has grown takes a thousand requests into memory it has already) and collectable:
 * every reading follows a collection, so that neither garbage nor its absence is counted as a request.
 */
export function openRequests(subject: Subject, request: OpenRequest): OpenRequests {
  const { key, stream, answerBytes } = request;
  const messages = [{ role: "user", content: `hold-open ${answerBytes}` }];
  const bytes = requestBytes(subject.port, key, JSON.stringify({ model: "bench-model", max_tokens: 100, stream, messages }));
  const sockets: Socket[] = [];
  return {
    async open(count) {
      for (let left = count; left > 0; left -= 100) {
        const asked = Array.from({ length: Math.min(100, left) }, () => openOne(subject.port, bytes, request));
        sockets.push(...(await Promise.all(asked)));
      }
    },
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

/** Longer than any beginning takes. */
const OPEN_MS = 30_000;

/** Resolves when all that there is of a stream has arrived; of a whole answer nothing comes before its end: when it is asked for. */
function openOne(port: number, request: Buffer, { stream, answerBytes }: OpenRequest): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, "127.0.0.1", () => socket.write(request, () => stream || opened()));
    const opened = (): void => {
      socket.setTimeout(0);
      resolve(socket);
    };
    let hasContent = false;
    let bytes = 0;
    socket.on("data", (chunk) => {
      bytes += chunk.length;
      hasContent ||= chunk.includes("content_block_delta");
      if (hasContent && bytes >= answerBytes) opened();
    });
    socket.once("error", reject);
    socket.setTimeout(OPEN_MS, () => socket.destroy(new Error("the beginning of a stream did not come")));
  });
}
