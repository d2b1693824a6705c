import type { Route, StreamMeter } from "../../dialect.ts";
import { dialects } from "../../registry.ts";
import { type Conversion, convert } from "../convert.ts";
import type { Wire } from "../intermediate.ts";

export const wires: readonly Wire[] = ["anthropic", "chat", "responses"];
/** All directed pairs: from the client's dialect to the provider's. */
export const pairs: readonly [from: Wire, to: Wire][] = wires.flatMap((from) =>
  wires.flatMap((to): [Wire, Wire][] => (from === to ? [] : [[from, to]])),
);

export const routes: Record<Wire, Route> = {
  anthropic: { dialect: "anthropic", endpoint: "messages" },
  chat: { dialect: "openai", endpoint: "chat" },
  responses: { dialect: "openai", endpoint: "responses" },
};

const requestId = "01933e5a-0000-7000-8000-000000000001";

const upstreamModels: Record<Wire, string> = { anthropic: "claude-sonnet-4-5", chat: "gpt-5-mini", responses: "gpt-5-mini" };

export function convertRequest([from, to]: [Wire, Wire], request: unknown, model = upstreamModels[to]): Conversion {
  return convert({ from, to, model, requestId, nowMs: 1_800_000_000_000, body: Buffer.from(JSON.stringify(request)) });
}

/** The smallest request of each dialect. */
export const messages = [{ role: "user", content: "Hi" }];
export const base: Record<Wire, Record<string, unknown>> = {
  anthropic: { model: "m", max_tokens: 10, messages },
  chat: { model: "m", messages },
  responses: { model: "m", input: "Hi" },
};

/** The converted request, parsed. */
export function sent(pair: [Wire, Wire], request: object, model?: string) {
  return JSON.parse(convertRequest(pair, request, model).body.toString());
}

function upstream(from: Wire, to: Wire, request: unknown) {
  const envelope = dialects[routes[from].dialect].readEnvelope(Buffer.from(JSON.stringify(request)), routes[from], {});
  return { dialect: dialects[routes[to].dialect], envelope };
}

/** A complete answer of the provider, as the client receives it. */
export function convertAnswer(pair: [Wire, Wire], request: unknown, answer: unknown): string {
  const [from, to] = pair;
  const { dialect, envelope } = upstream(from, to, request);
  const body = Buffer.from(JSON.stringify(answer));
  const reading = dialect.readAnswer(body, routes[to], envelope);
  return convertRequest(pair, request).answer(body, reading)?.toString("utf8") ?? "";
}

export function openMeter(pair: [Wire, Wire], request: unknown): StreamMeter {
  const [from, to] = pair;
  const { dialect, envelope } = upstream(from, to, request);
  const client = dialects[routes[from].dialect];
  const inner = dialect.meterStream(routes[to], envelope, { dropUsageChunk: false });
  return convertRequest(pair, request).meter(inner, (error) => client.errorEvent(error, requestId, routes[from].endpoint));
}

/** A stream of the provider, as the client receives it: what comes before the charge, and what is held back for it. */
export function convertStream(pair: [Wire, Wire], request: unknown, stream: string | Buffer, slice = Number.POSITIVE_INFINITY) {
  const meter = openMeter(pair, request);
  const bytes = Buffer.from(stream);
  const before: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += Math.min(slice, bytes.length))
    before.push(...meter.feed(bytes.subarray(at, Math.min(bytes.length, at + slice))));
  const early = Buffer.concat(before).toString("utf8");
  const late = Buffer.concat(meter.rest()).toString("utf8");
  return { early, late, text: early + late, reading: meter.reading };
}
