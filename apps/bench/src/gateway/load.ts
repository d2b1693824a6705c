// Bare-socket load: one core must be able to ask more than the measured core can answer. Run as a process of its own with one JSON
// argument; prints one JSON object. Bounded in time by `ms`.
import { connect, type Socket } from "node:net";

export interface LoadOptions {
  port: number;
  key: string;
  body: string;
  connections: number;
  ms: number;
  /** Requests per second, open loop (latency counts from the planned time); 0 = as fast as answers come. */
  rate: number;
}

export interface LoadResult {
  requests: number;
  errors: number;
  perSecond: number;
  p50Ms: number;
  p95Ms: number;
  p99Ms: number;
  /** Until the first byte of a body, p50. */
  firstByteMsP50: number;
}

interface Connection {
  socket: Socket;
  pending: Buffer;
  sentAt: number;
  /** When the first byte of the answer's body was here; 0 before. */
  firstByteAt: number;
  busy: boolean;
}

/** The bytes of one request. */
export function requestBytes(port: number, key: string, body: string): Buffer {
  return Buffer.from(
    `POST /v1/messages HTTP/1.1\r\nhost: 127.0.0.1:${port}\r\ncontent-type: application/json\r\nanthropic-version: 2023-06-01\r\nx-api-key: ${key}\r\nuser-agent: bench/1\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
}

function percentile(sorted: Float64Array, share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
}

/** Runs one load and measures it. */
export async function load(options: LoadOptions): Promise<LoadResult> {
  const request = requestBytes(options.port, options.key, options.body);
  const latencies: number[] = [];
  const firstBytes: number[] = [];
  let errors = 0;
  const idle: Connection[] = [];
  const planned: number[] = [];
  const end = performance.now() + options.ms;

  const send = (connection: Connection, at: number): void => {
    connection.busy = true;
    connection.sentAt = at;
    connection.firstByteAt = 0;
    connection.socket.write(request);
  };
  const answered = (connection: Connection, status: number): void => {
    connection.busy = false;
    const now = performance.now();
    if (status === 200) {
      latencies.push(now - connection.sentAt);
      firstBytes.push(connection.firstByteAt - connection.sentAt);
    } else errors++;
    if (now >= end) return;
    if (options.rate === 0) send(connection, now);
    else {
      const waiting = planned.shift();
      if (waiting === undefined) idle.push(connection);
      else send(connection, waiting);
    }
  };
  const connections = await Promise.all(Array.from({ length: options.connections }, () => open(options.port, answered)));
  if (options.rate === 0) for (const connection of connections) send(connection, performance.now());
  else {
    idle.push(...connections);
    await plan(options, end, (at) => {
      const connection = idle.pop();
      if (connection) send(connection, at);
      else planned.push(at);
    });
  }
  while (performance.now() < end || connections.some((connection) => connection.busy)) {
    await new Promise((resolve) => setTimeout(resolve, 10));
    if (performance.now() > end + 10_000) break;
  }
  for (const connection of connections) connection.socket.destroy();
  const sorted = Float64Array.from(latencies).sort();
  return {
    requests: latencies.length,
    errors,
    perSecond: latencies.length / (options.ms / 1000),
    p50Ms: percentile(sorted, 0.5),
    p95Ms: percentile(sorted, 0.95),
    p99Ms: percentile(sorted, 0.99),
    firstByteMsP50: percentile(Float64Array.from(firstBytes).sort(), 0.5),
  };
}

/** Calls `fire` at each planned time. A spin on setImmediate: timers of 1 ms would bunch the arrivals. */
async function plan(options: LoadOptions, end: number, fire: (at: number) => void): Promise<void> {
  const step = 1000 / options.rate;
  let next = performance.now() + step;
  while (next < end) {
    while (performance.now() < next) await new Promise((resolve) => setImmediate(resolve));
    fire(next);
    next += step;
  }
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

/** Where an answer ends whose body begins at `bodyAt`; -1 while it has not. Nothing is pipelined: a last chunk is at the very end. */
function answerEnd(bytes: Buffer, bodyAt: number): number {
  const length = /content-length: *(\d+)/i.exec(bytes.toString("latin1", 0, bodyAt))?.[1];
  if (length === undefined) return bytes.subarray(-lastChunk.length).equals(lastChunk) ? bytes.length : -1;
  const end = bodyAt + Number(length);
  return bytes.length < end ? -1 : end;
}

if (process.argv[1]?.endsWith("load.ts") && process.argv[2]) {
  process.stdout.write(`${JSON.stringify(await load(JSON.parse(process.argv[2]) as LoadOptions))}\n`);
  process.exit(0);
}
