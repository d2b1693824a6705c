import { noUsage } from "../requests.ts";
import type { Envelope, Route } from "./dialect.ts";
import { asList, asRecord, asText, type JsonRecord, jsonText, parseRecord } from "./json.ts";
import { hasValue, stringBytes } from "./json-peek.ts";
import {
  addContent,
  binaryBytes,
  largeBytes,
  newReading,
  type OpenReading,
  readCount,
  readFailure,
  takeFinish,
  textBytes,
} from "./reading.ts";
import { decodeData, type SseEvent } from "./sse.ts";
import { DROP, type EventReader, FLOW, HOLD } from "./stream-meter.ts";

const BYTES_PER_TOKEN = 4;
const chatKeys = ['"content"', '"arguments"', '"reasoning_content"', '"reasoning"', '"refusal"'] as const;
const responsesKeys = ['"delta"'] as const;

/**
 * `prompt_tokens` (`input_tokens` in Responses) includes what was read from the cache and, since GPT-5.6, what was
 * written to it at 1.25 times the price: both are subtracted, at worst down to 0.
 */
function takeUsage(reading: OpenReading, usage: JsonRecord): void {
  const prompt = usage.prompt_tokens ?? usage.input_tokens;
  const completion = usage.completion_tokens ?? usage.output_tokens;
  if (prompt == null && completion == null) return;
  const details = asRecord(usage.prompt_tokens_details) ?? asRecord(usage.input_tokens_details);
  const total = readCount(prompt, reading);
  const read = readCount(details?.cached_tokens, reading);
  const written = readCount(details?.cache_write_tokens, reading);
  if (read + written > total) reading.anomaly = true;
  const cacheRead = Math.min(read, total);
  const cacheWrite5m = Math.min(written, total - cacheRead);
  const input = total - cacheRead - cacheWrite5m;
  const output = readCount(completion, reading) + reasoningBeside(usage, Number(prompt) + Number(completion));
  reading.usage = { ...noUsage, input, output, cacheRead, cacheWrite5m };
  reading.usageReported = true;
}

/** OpenAI's completion count includes reasoning; xAI counts reasoning separately, which only the total reveals. */
function reasoningBeside(usage: JsonRecord, withoutReasoning: number): number {
  const details = asRecord(usage.completion_tokens_details) ?? asRecord(usage.output_tokens_details);
  const reasoning = details?.reasoning_tokens;
  if (typeof reasoning !== "number" || !(reasoning > 0)) return 0;
  return usage.total_tokens === withoutReasoning + reasoning ? readCount(reasoning, { anomaly: false }) : 0;
}

function takeFailure(reading: OpenReading, error: unknown): void {
  const record = asRecord(error);
  const kind = `${asText(record?.type)} ${asText(record?.code)}`.trim();
  reading.failure = readFailure(kind, asText(record?.message) || asText(error));
}

/** Reads the finish reason of each choice of a chunk or whole answer. */
function takeChoiceFinishes(reading: OpenReading, chunk: JsonRecord): void {
  for (const [index, choice] of asList(chunk.choices).entries()) {
    const record = asRecord(choice);
    takeFinish(reading, record?.finish_reason, record?.index ?? index);
  }
}

/** Bytes of content in a chat delta or message; the name of a tool call counts, a role does not. */
function deltaBytes(delta: JsonRecord): number {
  let bytes = textBytes(delta.reasoning_content) + textBytes(delta.reasoning) + textBytes(delta.refusal);
  if (typeof delta.content === "string") bytes += textBytes(delta.content);
  else for (const part of asList(delta.content)) bytes += textBytes(asRecord(part)?.text);
  const calls = [delta.function_call, ...asList(delta.tool_calls)];
  for (const call of calls) {
    const body = asRecord(asRecord(call)?.function) ?? asRecord(asRecord(call)?.custom) ?? asRecord(call);
    bytes += textBytes(body?.name) + textBytes(body?.arguments) + textBytes(body?.input);
  }
  return bytes + binaryBytes(asRecord(delta.audio)?.data);
}

function choiceBytes(chunk: JsonRecord, field: "delta" | "message"): number {
  let bytes = 0;
  for (const choice of asList(chunk.choices)) bytes += deltaBytes(asRecord(asRecord(choice)?.[field]) ?? {});
  return bytes;
}

interface ChatOptions {
  dropUsageChunk: boolean;
  /** Whether chunks that carry a finish reason are parsed as well. */
  tellsFinish?: boolean | undefined;
}

/** Reads a chat stream: parses chunks until the first content, then only those that carry usage or an error. */
export function chatReader(envelope: Envelope, { dropUsageChunk, tellsFinish = false }: ChatOptions): EventReader {
  const reading = newReading(envelope.inputEstimate, BYTES_PER_TOKEN);
  const isWorthParsing = (data: string): boolean =>
    hasValue(data, '"usage"') || hasValue(data, '"error"') || (tellsFinish && hasValue(data, '"finish_reason"'));
  /** The newest chunk that was not parsed: if it is the last one, it may hold the finish reason. */
  let unread: SseEvent | null = null;
  function read(event: SseEvent): number {
    const { data } = event;
    if (data.charCodeAt(0) === 0x5b && data.trim() === "[DONE]") {
      reading.complete = true;
      return HOLD;
    }
    if (data === "" || reading.complete) return FLOW;
    if (reading.hasContent && event.name !== "error" && !isWorthParsing(data)) {
      addContent(reading, stringBytes(data, chatKeys));
      unread = event;
      return FLOW;
    }
    const chunk = parseRecord(decodeData(event));
    if (!chunk) return FLOW;
    reading.upstreamModel ||= asText(chunk.model);
    if (chunk.error || event.name === "error") {
      takeFailure(reading, chunk.error ?? chunk);
      return HOLD;
    }
    addContent(reading, choiceBytes(chunk, "delta"));
    takeChoiceFinishes(reading, chunk);
    const usage = asRecord(chunk.usage);
    if (!usage) return FLOW;
    takeUsage(reading, usage);
    return dropUsageChunk && Array.isArray(chunk.choices) && chunk.choices.length === 0 ? DROP : FLOW;
  }
  return {
    reading,
    read,
    largePaths: ["model", "usage", "error"],
    readLarge(event) {
      addContent(reading, largeBytes(event));
      return read(event);
    },
    // Several servers (TGI, forks of llama.cpp) close the answer after the finish reason, without `[DONE]`.
    readEnd() {
      const chunk = unread && parseRecord(decodeData(unread));
      if (chunk) takeChoiceFinishes(reading, chunk);
      reading.complete ||= reading.finishReasons !== null && reading.failure === null;
    },
    readUnended(text) {
      if (/^data: ?\[DONE\]\s*$/.test(text)) reading.complete = true;
    },
  };
}

const typeField = /^\s*\{\s*"type"\s*:\s*"([\w.]+)"/;

/** The type of an event without a name; relays that sort its fields put the type last. */
function typeOf(data: string): string {
  return typeField.exec(data.slice(0, 200))?.[1] ?? asText(parseRecord(data)?.type);
}

const endings = new Set(["response.completed", "response.incomplete", "response.failed", "response.cancelled"]);

/** Bytes of a Responses output item that arrived whole. */
function itemBytes(item: JsonRecord): number {
  let bytes = textBytes(item.name) + textBytes(item.arguments) + textBytes(item.input) + binaryBytes(item.result);
  for (const part of [...asList(item.content), ...asList(item.summary)]) {
    const record = asRecord(part);
    bytes += textBytes(record?.text) + textBytes(record?.refusal);
  }
  return bytes;
}

function takeResponse(reading: OpenReading, response: JsonRecord | null): void {
  reading.upstreamModel = asText(response?.model) || reading.upstreamModel;
  const usage = asRecord(response?.usage);
  if (usage) takeUsage(reading, usage);
}

/** Reads why a response ended; the reason why it is incomplete tells more than its status. */
function takeResponseFinish(reading: OpenReading, response: JsonRecord | null): void {
  takeFinish(reading, asText(asRecord(response?.incomplete_details)?.reason) || response?.status);
}

/** Reads a Responses stream by event type; deltas are measured, and only the few events around them are parsed. */
export function responsesReader(envelope: Envelope): EventReader {
  const reading = newReading(envelope.inputEstimate, BYTES_PER_TOKEN);
  function readEnd(name: string, event: SseEvent): number {
    const response = asRecord(parseRecord(decodeData(event))?.response);
    takeResponse(reading, response);
    takeResponseFinish(reading, response);
    reading.complete = true;
    if (name === "response.failed") takeFailure(reading, response?.error);
    return HOLD;
  }
  function read(event: SseEvent): number {
    const { data } = event;
    if (data === "" || reading.complete) return FLOW;
    const name = event.name && event.name !== "message" ? event.name : typeOf(data);
    if (name.endsWith(".delta")) {
      addContent(reading, stringBytes(data, responsesKeys));
      return FLOW;
    }
    if (endings.has(name)) return readEnd(name, event);
    if (name === "response.created") {
      takeResponse(reading, asRecord(parseRecord(decodeData(event))?.response));
    } else if (name === "error") {
      const body = parseRecord(decodeData(event));
      takeFailure(reading, asRecord(body?.error) ?? { ...body, type: asText(body?.code) });
      return HOLD;
    } else if (name === "response.output_item.added" || (name === "response.output_item.done" && !reading.hasContent)) {
      addContent(reading, itemBytes(asRecord(parseRecord(decodeData(event))?.item) ?? {}));
    } else if (name === "" && hasValue(data, '"error"')) {
      const error = parseRecord(decodeData(event))?.error;
      if (!error) return FLOW;
      takeFailure(reading, error);
      return HOLD;
    }
    return FLOW;
  }
  return {
    reading,
    read,
    largePaths: [
      ...["type", "response.model", "response.usage", "response.status", "response.incomplete_details", "response.error"],
      ...["error", "code", "message"],
    ],
    readLarge(event) {
      const fate = read(event);
      // The events at the end repeat the content of the deltas.
      if (!reading.complete && (event.name.endsWith(".delta") || !reading.hasContent)) addContent(reading, largeBytes(event));
      return fate;
    },
  };
}

/** A whole OpenAI answer: a chat completion, a response or embeddings. */
export function readOpenaiAnswer(body: Buffer, route: Route, envelope: Envelope): OpenReading {
  const reading = newReading(envelope.inputEstimate, BYTES_PER_TOKEN);
  const answer = parseRecord(jsonText(body));
  if (!answer) return reading;
  const failed = route.endpoint === "responses" && answer.status === "failed";
  const isAnswer = [answer.choices, answer.output, answer.data].some(Array.isArray);
  if (answer.error && (failed || !isAnswer)) takeFailure(reading, answer.error);
  reading.complete = failed || (isAnswer && !answer.error);
  reading.upstreamModel = asText(answer.model);
  if (route.endpoint === "models") {
    reading.usageReported = true;
    return reading;
  }
  if (route.endpoint === "responses") {
    for (const item of asList(answer.output)) addContent(reading, itemBytes(asRecord(item) ?? {}));
    takeResponseFinish(reading, answer);
  } else if (route.endpoint === "chat") {
    addContent(reading, choiceBytes(answer, "message"));
    takeChoiceFinishes(reading, answer);
  } else if (asList(answer.data).length > 0) reading.hasContent = true;
  const usage = asRecord(answer.usage);
  if (usage) takeUsage(reading, usage);
  return reading;
}
