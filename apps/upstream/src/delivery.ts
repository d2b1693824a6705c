import type { ServerResponse } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { deflateSync, gzipSync } from "node:zlib";
import type { Counts, Frame, Plan, Speaker } from "./answers/plan.ts";
import type { Fault, Scenario } from "./scenario.ts";

/** What was actually sent; updated during the delivery. */
export interface Delivered {
  status: number;
  usage: Counts | null;
  inputOnWire: boolean;
  contentBytes: number;
  endedBy: "done" | "client_closed" | "scripted";
}

type Cut = Extract<Fault, { kind: "cut" }>;

/** Headers that real providers also send and a gateway must strip. */
const chatter = { "set-cookie": "upstream=1; Path=/", "x-internal-host": "upstream-7", "x-ratelimit-remaining-requests": "99" };

/** Ends a connection as the script demands, after everything written has been sent. */
async function cutOff(response: ServerResponse, cut: Cut): Promise<void> {
  await flushed(response);
  if (cut.how === "fin") response.end();
  else if (cut.how === "length") response.socket?.end();
  else {
    // A reset discards data that the other side has not read yet, so give it time to read.
    await sleep(50);
    response.socket?.resetAndDestroy();
  }
}

/** Resolves when the kernel has everything that was written, or the client is gone. */
function flushed(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    response.once("close", resolve);
    response.write("", () => setImmediate(resolve));
  });
}

function drained(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      response.off("drain", done);
      response.off("close", done);
      resolve();
    };
    response.once("drain", done);
    response.once("close", done);
  });
}

/** Resolves when the response is finished: fully written, or the client left. */
function closed(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => (response.closed ? resolve() : response.once("close", resolve)));
}

function head(response: ServerResponse, scenario: Scenario, type: string, length?: number): void {
  const headers: Record<string, string | number> = { "content-type": type, ...chatter };
  const coding = codings[scenario.transport];
  if (coding) headers["content-encoding"] = coding;
  if (scenario.fault?.kind === "cut" && scenario.fault.how === "length") headers["content-length"] = length ?? 10_000_000;
  else if (scenario.fault?.kind === "cut" && scenario.fault.how === "fin") {
    // Neither a length nor chunks: only the FIN ends this body, so that a truncated one looks complete.
    response.useChunkedEncodingByDefault = false;
    headers.connection = "close";
  } else if (length !== undefined) headers["content-length"] = length;
  response.writeHead(200, headers);
}

const codings: Partial<Record<Scenario["transport"], string>> = {
  ...{ gzip: "gzip", deflate: "deflate", br: "br", zstd: "zstd" },
  chained: "gzip, gzip",
  bomb: "gzip",
};

/** Decompresses to 80 MB of zeros. Compressed once. */
let bomb: Buffer | null = null;

function encode(text: string, scenario: Scenario): Buffer {
  if (scenario.transport === "crlf") return Buffer.from(text.replaceAll("\n", "\r\n"));
  if (scenario.transport === "cr") return Buffer.from(text.replaceAll("\n", "\r"));
  if (scenario.transport === "gzip") return gzipSync(text);
  if (scenario.transport === "deflate") return deflateSync(text);
  if (scenario.transport === "chained") return gzipSync(gzipSync(text));
  if (scenario.transport === "bomb") {
    bomb ??= gzipSync(Buffer.alloc(80 * 1024 * 1024));
    return bomb;
  }
  // Deliberately invalid Brotli and Zstandard: decoding them must fail.
  if (scenario.transport === "br" || scenario.transport === "zstd") return Buffer.from(`\x0b\x02\x80${text.length}\x03`);
  return Buffer.from(text);
}

/** A deflate stream cannot be assembled from pieces, and one bomb is enough: these are written at once. */
function atOnce({ transport }: Scenario): boolean {
  return transport === "deflate" || transport === "chained" || transport === "bomb";
}

async function write(response: ServerResponse, bytes: Buffer, scenario: Scenario): Promise<void> {
  if (scenario.transport !== "onebyte") {
    if (!response.write(bytes)) await drained(response);
    return;
  }
  for (let i = 0; i < bytes.length && !response.destroyed; i++) {
    response.write(bytes.subarray(i, i + 1));
    await new Promise((resolve) => setImmediate(resolve));
  }
}

function note(delivered: Delivered, frame: Frame, plan: Plan): void {
  delivered.contentBytes += frame.contentBytes;
  if (plan.oddUsage) return;
  if (frame.start) delivered.inputOnWire = true;
  if (frame.final) delivered.usage = plan.counts;
}

/** Whether a fault is due; if so, it has been carried out. */
async function strike(response: ServerResponse, speaker: Speaker, scenario: Scenario, contentFrames: number): Promise<boolean> {
  const { fault } = scenario;
  if (!fault || !("after" in fault) || contentFrames < fault.after) return false;
  if (fault.kind === "event") {
    await write(response, encode(speaker.errorFrame(fault.error), scenario), scenario);
    response.end();
  } else if (fault.kind === "cut") await cutOff(response, fault);
  else await closed(response);
  return true;
}

/** Streams a plan frame by frame, with the scenario's pauses, faults and encodings. */
export async function deliverStream(
  response: ServerResponse,
  speaker: Speaker,
  plan: Plan,
  scenario: Scenario,
  delivered: Delivered,
): Promise<void> {
  head(response, scenario, "text/event-stream; charset=utf-8");
  response.flushHeaders();
  delivered.status = 200;
  let contentFrames = 0;
  if (scenario.transport === "bom") response.write("\ufeff");
  if (atOnce(scenario)) {
    const frames = [...speaker.frames(plan)];
    await write(response, encode(frames.map(({ text }) => text).join(""), scenario), scenario);
    for (const frame of frames) note(delivered, frame, plan);
  }
  for (const frame of atOnce(scenario) ? [] : speaker.frames(plan)) {
    if (response.destroyed) return;
    // Faults strike before a content frame, or before the end when there was too little content.
    const isContent = frame.contentBytes > 0;
    if ((isContent || frame.closing) && (await strike(response, speaker, frame.closing ? dueNow(scenario) : scenario, contentFrames))) {
      if (scenario.fault?.kind !== "stall") delivered.endedBy = "scripted";
      return;
    }
    if (isContent && scenario.chunkMs > 0) await sleep(scenario.chunkMs);
    if (response.destroyed) return;
    await write(response, encode(frame.text, scenario), scenario);
    if (response.destroyed) return;
    if (isContent) contentFrames++;
    note(delivered, frame, plan);
  }
  response.end();
  await closed(response);
  if (response.writableFinished) delivered.endedBy = "done";
}

const endlessPiece = Buffer.alloc(16 * 1024, "x");

/** A status 200 with a useless body. */
export async function deliverNonsense(response: ServerResponse, what: "html" | "json" | "endless", stream: boolean): Promise<void> {
  if (what !== "endless" || !stream) {
    response.writeHead(200, { "content-type": what === "html" ? "text/html" : "application/json" });
    response.end(what === "html" ? "<html><h1>It works!</h1></html>" : '{"it":"works"}');
    return closed(response);
  }
  response.writeHead(200, { "content-type": "text/event-stream" }).write("data: ");
  for (let pieces = 0; pieces < 128 && !response.destroyed; pieces++) {
    if (!response.write(endlessPiece)) await drained(response);
  }
  response.end();
  await closed(response);
}

/** The same scenario with its fault due at once, so that a short answer does not escape it. */
function dueNow(scenario: Scenario): Scenario {
  return scenario.fault && "after" in scenario.fault ? { ...scenario, fault: { ...scenario.fault, after: 0 } } : scenario;
}

/** Sends a whole answer; cuts and stalls strike halfway. */
export async function deliverWhole(
  response: ServerResponse,
  answer: Record<string, unknown>,
  options: { plan: Plan | null; scenario: Scenario; delivered: Delivered },
): Promise<void> {
  const { plan, scenario, delivered } = options;
  const text = JSON.stringify(answer);
  const bytes = encode(text, scenario);
  if (scenario.chunkMs > 0 && plan) await sleep(Math.min(scenario.chunkMs * plan.text.length, 60_000));
  if (response.destroyed) return;
  head(response, scenario, "application/json", bytes.length);
  delivered.status = 200;
  const { fault } = scenario;
  if (fault?.kind === "cut" || fault?.kind === "stall") {
    response.write(bytes.subarray(0, bytes.length >> 1));
    if (fault.kind === "stall") return closed(response);
    delivered.endedBy = "scripted";
    return cutOff(response, fault);
  }
  await write(response, bytes, scenario);
  response.end();
  await closed(response);
  if (!response.writableFinished) return;
  delivered.endedBy = "done";
  if (!plan) return;
  delivered.contentBytes = [...plan.thinking, ...plan.text, ...plan.tools.flatMap(({ pieces }) => pieces)].reduce(
    (sum, piece) => sum + Buffer.byteLength(piece),
    0,
  );
  if (!plan.oddUsage) delivered.usage = plan.counts;
}
