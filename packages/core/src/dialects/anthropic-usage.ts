import { noUsage } from "../requests.ts";
import { find, hasAt } from "../string-methods.ts";
import type { Envelope } from "./dialect.ts";
import { asList, asRecord, asText, type JsonRecord, jsonText, parseRecord } from "./json.ts";
import { stringBytes } from "./json-peek.ts";
import { addContent, largeBytes, newReading, type OpenReading, readCount, readFailure, takeFinish, textBytes } from "./reading.ts";
import { decodeData, type SseEvent } from "./sse.ts";
import { type EventReader, FLOW, HOLD } from "./stream-meter.ts";

const BYTES_PER_TOKEN = 4;
const deltaKeys = ['"text"', '"thinking"', '"partial_json"', '"signature"'] as const;

/** Merges a usage object into what is known. Anthropic's counts are cumulative: they replace and never add. */
function takeUsage(reading: OpenReading, usage: JsonRecord, asksOneHour: boolean): void {
  const known = reading.known;
  if (usage.input_tokens != null) known.input = readCount(usage.input_tokens, reading);
  if (usage.cache_read_input_tokens != null) known.cacheRead = readCount(usage.cache_read_input_tokens, reading);
  const split = asRecord(usage.cache_creation);
  if (split) {
    known.cacheWrite5m = readCount(split.ephemeral_5m_input_tokens, reading);
    known.cacheWrite1h = readCount(split.ephemeral_1h_input_tokens, reading);
  }
  const total = usage.cache_creation_input_tokens;
  if (total == null) return;
  const written = readCount(total, reading);
  const told = (known.cacheWrite5m ?? 0) + (known.cacheWrite1h ?? 0);
  if (written === told || (split && written < told)) return;
  // Without a split, or with one that does not explain the total (older relays send zeros), the rest goes to the requested lifetime.
  const kept = written > told ? known : { cacheWrite5m: 0, cacheWrite1h: 0 };
  const missing = written > told ? written - told : written;
  known.cacheWrite5m = (kept.cacheWrite5m ?? 0) + (asksOneHour ? 0 : missing);
  known.cacheWrite1h = (kept.cacheWrite1h ?? 0) + (asksOneHour ? missing : 0);
}

function takeOutput(reading: OpenReading, usage: JsonRecord): void {
  if (usage.output_tokens == null) return;
  reading.usage = { ...noUsage, ...reading.known, output: readCount(usage.output_tokens, reading) };
  reading.usageReported = true;
}

/** Bytes of a content block that arrived whole: in an answer, or at the start of a block. */
function blockBytes(block: JsonRecord): number {
  switch (block.type) {
    case "text":
      return textBytes(block.text);
    case "thinking":
      return textBytes(block.thinking) + textBytes(block.signature);
    case "redacted_thinking":
      return textBytes(block.data);
    default: {
      const input = asRecord(block.input);
      return textBytes(block.name) + (input && Object.keys(input).length > 0 ? textBytes(JSON.stringify(input)) : 0);
    }
  }
}

const emptyText = '"content_block":{"type":"text","text":""}';

/** Whether the block of a `content_block_start` is an empty text. The first one named so: a tool's input may contain another. */
function startsEmptyText(data: string): boolean {
  const at = find(data, '"content_block"', 0);
  return at >= 0 && hasAt(data, emptyText, at);
}

function failureOf(body: JsonRecord | null): OpenReading["failure"] {
  const error = asRecord(body?.error);
  return readFailure(asText(error?.type), asText(error?.message));
}

/** Reads an Anthropic event stream by event name; only events that carry numbers or may be first content are parsed. */
export function anthropicReader(envelope: Envelope): EventReader {
  const reading = newReading(envelope.inputEstimate, BYTES_PER_TOKEN);
  const typed = (event: SseEvent): JsonRecord | null => parseRecord(decodeData(event));
  function readDelta(event: SseEvent): number {
    addContent(reading, stringBytes(event.data, deltaKeys));
    return FLOW;
  }
  function read(event: SseEvent): number {
    // A relay that omits event names still has the type inside the data.
    const name = event.name || (event.data ? asText(typed(event)?.type) : "");
    switch (name) {
      case "content_block_delta":
        return readDelta(event);
      case "message_start": {
        const message = asRecord(typed(event)?.message);
        reading.upstreamModel = asText(message?.model);
        takeUsage(reading, asRecord(message?.usage) ?? {}, envelope.cacheTtl === "1h");
        return FLOW;
      }
      case "content_block_start":
        // As nearly every answer begins: it has no content yet, and parsing it costs as much as reading all the text that follows.
        if (startsEmptyText(event.data)) return FLOW;
        addContent(reading, blockBytes(asRecord(typed(event)?.content_block) ?? {}));
        return FLOW;
      case "message_delta": {
        const body = typed(event);
        takeFinish(reading, asRecord(body?.delta)?.stop_reason);
        const usage = asRecord(body?.usage);
        if (usage) {
          takeUsage(reading, usage, envelope.cacheTtl === "1h");
          takeOutput(reading, usage);
        }
        return FLOW;
      }
      case "message_stop":
        reading.complete = true;
        return HOLD;
      case "error":
        reading.failure = failureOf(typed(event));
        return HOLD;
      default:
        return FLOW;
    }
  }
  return {
    reading,
    read,
    largePaths: ["type", "message.usage", "message.model", "usage", "error"],
    readLarge(event) {
      if (event.name.startsWith("content_block_")) addContent(reading, largeBytes(event));
      return read(event);
    },
    readUnended(text) {
      if (/^event: ?message_stop\s*\n/.test(text)) reading.complete = true;
    },
  };
}

export function readAnthropicAnswer(body: Buffer, envelope: Envelope, billable: boolean): OpenReading {
  const reading = newReading(envelope.inputEstimate, BYTES_PER_TOKEN);
  const answer = parseRecord(jsonText(body));
  if (!answer) return reading;
  if (answer.type === "error") {
    reading.failure = failureOf(answer);
    return reading;
  }
  reading.complete = billable ? Array.isArray(answer.content) : typeof answer.input_tokens === "number";
  reading.upstreamModel = asText(answer.model);
  if (!billable) {
    reading.usageReported = true;
    return reading;
  }
  takeFinish(reading, answer.stop_reason);
  for (const block of asList(answer.content)) addContent(reading, blockBytes(asRecord(block) ?? {}));
  const usage = asRecord(answer.usage);
  if (usage) {
    takeUsage(reading, usage, envelope.cacheTtl === "1h");
    takeOutput(reading, usage);
  }
  return reading;
}
