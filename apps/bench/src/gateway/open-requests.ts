import { connect, type Socket } from "node:net";
import { residentBytes, type Subject } from "./processes.ts";
import { requestBytes } from "./request-bytes.ts";

/** Requests whose answers begin but do not end: the provider sends part of each and then falls silent. */
export interface OpenRequest {
  key: string;
  stream: boolean;
  /** Bytes of the answer so far; 0: only a stream's first events. */
  answerBytes: number;
}

/** Open requests of a subject. */
export interface OpenRequests {
  /** Opens `count` more. */
  open(count: number): Promise<void>;
  close(): void;
}

/**
 * Holds requests of a subject open. Only the cost of later ones is compared, since the first fill the free heap left from the start. The
 * process must be fresh (a heap grown under load has room for a thousand requests) and collectable: every read follows a collection, so
 * that garbage does not count.
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

/** Resident memory after a collection, once pending work has ended. */
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

/**
 * Resolves when the beginning of a stream has arrived; for a whole answer, which sends nothing before its end, when the request is sent.
 */
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
