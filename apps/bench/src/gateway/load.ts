// Load generator on bare sockets: one core must be able to ask for more than the measured core can answer. Runs as a process for the
// whole benchmark, so that its code is compiled once: receives loads as messages and answers with their results. Bounded in time by `ms`.
import { connect, type Socket } from "node:net";
import { setTimeout as wait } from "node:timers/promises";
import { ask } from "./ask.ts";
import { requestBytes } from "./request-bytes.ts";

export interface LoadOptions {
  port: number;
  key: string;
  body: string;
  connections: number;
  ms: number;
  /** Requests per second in an open loop (latency counts from when a request was due); 0 = at full speed. */
  rate: number;
}

export interface LoadResult {
  /** From the first request to the last answer. */
  ms: number;
  errors: number;
  /** Of each answered request, to the end of the answer and to the first byte of its body. */
  latenciesMs: number[];
  firstBytesMs: number[];
}

interface Connection {
  socket: Socket;
  pending: Buffer;
  sentAt: number;
  /** When the first byte of the answer's body arrived; 0 before. */
  firstByteAt: number;
  busy: boolean;
}

/** Runs one load and measures it. */
async function load(options: LoadOptions): Promise<LoadResult> {
  const request = requestBytes(options.port, options.key, options.body);
  const result: LoadResult = { ms: 0, errors: 0, latenciesMs: [], firstBytesMs: [] };
  const idle: Connection[] = [];
  const due: number[] = [];
  let began = 0;
  let end = 0;

  const send = (connection: Connection, at: number): void => {
    connection.busy = true;
    connection.sentAt = at;
    connection.firstByteAt = 0;
    connection.socket.write(request);
  };
  const answered = (connection: Connection, status: number): void => {
    connection.busy = false;
    const now = performance.now();
    result.ms = now - began;
    if (status === 200) {
      result.latenciesMs.push(now - connection.sentAt);
      result.firstBytesMs.push(connection.firstByteAt - connection.sentAt);
    } else result.errors++;
    if (now >= end) return;
    if (options.rate === 0) send(connection, now);
    else {
      const waiting = due.shift();
      if (waiting === undefined) idle.push(connection);
      else send(connection, waiting);
    }
  };
  const connections = await Promise.all(Array.from({ length: options.connections }, () => open(options.port, answered)));
  began = performance.now();
  end = began + options.ms;
  if (options.rate === 0) for (const connection of connections) send(connection, performance.now());
  else {
    idle.push(...connections);
    await ask(options.rate, end, (at) => {
      const connection = idle.pop();
      if (connection) send(connection, at);
      else due.push(at);
    });
  }
  while (performance.now() < end || connections.some((connection) => connection.busy)) {
    await wait(5);
    if (performance.now() > end + 10_000) break;
  }
  for (const connection of connections) connection.socket.destroy();
  return result;
}

function open(port: number, answered: (connection: Connection, status: number) => void): Promise<Connection> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, "127.0.0.1");
    const connection: Connection = { socket, pending: Buffer.alloc(0), sentAt: 0, firstByteAt: 0, busy: false };
    socket.setNoDelay(true);
    socket.once("connect", () => resolve(connection));
    socket.once("error", reject);
    socket.on("data", (chunk) => {
      const bytes = connection.pending.length === 0 ? chunk : Buffer.concat([connection.pending, chunk]);
      const bodyAt = bytes.indexOf("\r\n\r\n") + 4;
      if (bodyAt > 3 && bytes.length > bodyAt && connection.firstByteAt === 0) connection.firstByteAt = performance.now();
      const end = bodyAt > 3 ? answerEnd(bytes, bodyAt) : -1;
      connection.pending = end < 0 ? bytes : bytes.subarray(end);
      if (end >= 0) answered(connection, Number(bytes.toString("latin1", 9, 12)));
    });
  });
}

const lastChunk = Buffer.from("\r\n0\r\n\r\n");

/**
 * The end of an answer whose body begins at `bodyAt`, or -1 while it is incomplete. Without pipelining, the last chunk is at the very
 * end.
 */
function answerEnd(bytes: Buffer, bodyAt: number): number {
  const length = /content-length: *(\d+)/i.exec(bytes.toString("latin1", 0, bodyAt))?.[1];
  if (length === undefined) return bytes.subarray(-lastChunk.length).equals(lastChunk) ? bytes.length : -1;
  const end = bodyAt + Number(length);
  return bytes.length < end ? -1 : end;
}

process.on("message", async (options: LoadOptions) => {
  process.send?.(await load(options));
});
