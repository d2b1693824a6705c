import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { createServer, type IncomingMessage, request, type ServerResponse } from "node:http";
import { release } from "node:os";
import { parseArgs } from "node:util";
import { readBody } from "./call.ts";
import { startUpstream } from "./server.ts";

/**
 * Runs a client against a scripted provider and records what went over the wire, to be replayed:
 *
 *   node apps/upstream/src/record.ts --out FILE --client "codex 0.171.0" --script "rate-limited,1,first=2" -- codex exec "Hi"
 *
 * How to point each client at this address is in `packages/gateway/test/recorded/README.md`.
 */
const { values, positionals } = parseArgs({
  options: {
    out: { type: "string" },
    client: { type: "string" },
    script: { type: "string", default: "plain" },
    port: { type: "string", default: "4101" },
  },
  allowPositionals: true,
});

type Headers = [name: string, value: string][];
interface Exchange {
  method: string;
  target: string;
  headers: Headers;
  /** Index into the recording's bodies: a client that retries sends the same one. */
  body: number;
  answer: { status: number; headers: Headers; body: string } | null;
}

/** Headers of the connection, not of the message: a replay creates its own. */
const ofTheConnection = new Set(["host", "connection", "keep-alive", "date", "content-length", "transfer-encoding"]);

function headersOf({ rawHeaders }: IncomingMessage): Headers {
  const pairs = rawHeaders.flatMap((name, i): Headers => (i % 2 === 0 ? [[name.toLowerCase(), rawHeaders[i + 1] ?? ""]] : []));
  return pairs.filter(([name]) => !ofTheConnection.has(name));
}

const exchanges: Exchange[] = [];
const bodies: string[] = [];

function keep(body: string): number {
  const known = bodies.indexOf(body);
  return known >= 0 ? known : bodies.push(body) - 1;
}

/** Forwards a request to the provider and records both sides. */
async function relay(from: IncomingMessage, to: ServerResponse, provider: string): Promise<void> {
  const exchange: Exchange = { method: from.method ?? "", target: from.url ?? "", headers: headersOf(from), body: -1, answer: null };
  exchanges.push(exchange);
  const body = await readBody(from);
  exchange.body = keep(body.toString("utf8"));
  const up = request(new URL(exchange.target, provider), { method: exchange.method, headers: from.headers }).end(body);
  const [answer] = (await once(up, "response")) as [IncomingMessage];
  to.writeHead(answer.statusCode ?? 0, answer.headers);
  const parts: Buffer[] = [];
  for await (const part of answer as AsyncIterable<Buffer>) {
    parts.push(part);
    to.write(part);
  }
  exchange.answer = { status: answer.statusCode ?? 0, headers: headersOf(answer), body: Buffer.concat(parts).toString("utf8") };
  to.end();
}

/** Starts the client and returns everything it printed. */
async function run(): Promise<string> {
  const [command = "", ...args] = positionals;
  const child = spawn(command, args, { stdio: ["ignore", "pipe", "pipe"] });
  let printed = "";
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8").on("data", (text: string) => (printed += text));
  await once(child, "close");
  return printed;
}

const upstream = await startUpstream();
upstream.control("*", values.script);
const proxy = createServer((from, to) => void relay(from, to, upstream.url).catch(() => to.destroy())).listen(
  Number(values.port),
  "127.0.0.1",
);
await once(proxy, "listening");
const printed = await run();
const recording = {
  client: values.client,
  recordedOn: new Date().toISOString().slice(0, 10),
  script: values.script,
  printed,
  bodies,
  exchanges,
};
// Clients tell models their kernel version; do not publish that of the recording machine.
const text = JSON.stringify(recording, null, 1).replaceAll(release(), "6.8.0");
writeFileSync(values.out ?? "recording.json", `${text}\n`);
proxy.closeAllConnections();
proxy.close();
await upstream.stop();
