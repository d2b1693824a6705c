import { noUsage } from "../requests.ts";
import type { Envelope } from "./dialect.ts";
import { asList, asRecord, asText, type JsonRecord, jsonText, parseRecord } from "./json.ts";
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
import { type EventReader, FLOW, HOLD, RELEASE } from "./stream-meter.ts";

const BYTES_PER_TOKEN = 4;

/** `promptTokenCount` includes cached tokens; thoughts are output although they are counted separately. Counts are cumulative. */
function takeUsage(reading: OpenReading, usage: JsonRecord): void {
  if (usage.promptTokenCount == null && usage.candidatesTokenCount == null && usage.thoughtsTokenCount == null) return;
  const prompt = readCount(usage.promptTokenCount, reading) + readCount(usage.toolUsePromptTokenCount, reading);
  const cached = readCount(usage.cachedContentTokenCount, reading);
  if (cached > prompt) reading.anomaly = true;
  reading.usage = {
    ...noUsage,
    input: Math.max(0, prompt - cached),
    output: readCount(usage.candidatesTokenCount, reading) + readCount(usage.thoughtsTokenCount, reading),
    cacheRead: Math.min(cached, prompt),
  };
}

function partBytes(part: JsonRecord): number {
  let bytes = textBytes(part.text) + binaryBytes(asRecord(part.inlineData)?.data) + textBytes(part.thoughtSignature);
  for (const whole of [part.functionCall, part.executableCode, part.codeExecutionResult, part.fileData]) {
    if (asRecord(whole)) bytes += textBytes(JSON.stringify(whole));
  }
  return bytes;
}

/**
 * Reads one GenerateContentResponse. Returns whether it has content, whether it ends the answer, and which of several
 * candidates have begun but not finished (a bit set; `unfinished` is the one from before).
 */
function takeResponse(reading: OpenReading, response: JsonRecord, unfinished = 0): { content: boolean; ends: boolean; unfinished: number } {
  reading.upstreamModel ||= asText(response.modelVersion);
  let bytes = 0;
  let open = unfinished;
  let finishes = false;
  for (const [position, candidate] of asList(response.candidates).entries()) {
    const record = asRecord(candidate);
    const index = record?.index ?? position;
    const bit = 1 << Number(index);
    const before = bytes;
    for (const part of asList(asRecord(record?.content)?.parts)) bytes += partBytes(asRecord(part) ?? {});
    const reason = asText(record?.finishReason);
    if (reason !== "" && reason !== "FINISH_REASON_UNSPECIFIED") {
      finishes = true;
      open &= ~bit;
      takeFinish(reading, reason, index);
    } else if (bytes > before) open |= bit;
  }
  addContent(reading, bytes);
  const usage = asRecord(response.usageMetadata);
  if (usage) takeUsage(reading, usage);
  const isBlocked = asText(asRecord(response.promptFeedback)?.blockReason) !== "";
  return { content: bytes > 0, ends: isBlocked || (finishes && open === 0), unfinished: open };
}

function takeFailure(reading: OpenReading, error: JsonRecord): void {
  reading.failure = readFailure(asText(error.status) || String(error.code ?? ""), asText(error.message));
}

/**
 * Reads a Gemini stream. Every event is a whole response with the counts so far, a few dozen per stream, so each is
 * parsed; a later count replaces an earlier one.
 */
export function geminiReader(envelope: Envelope): EventReader {
  const reading = newReading(envelope.inputEstimate, BYTES_PER_TOKEN);
  let unfinished = 0;
  function read(event: SseEvent): number {
    if (event.data === "") return FLOW;
    const response = parseRecord(decodeData(event));
    if (!response) return FLOW;
    const error = asRecord(response.error);
    if (error) {
      takeFailure(reading, error);
      return HOLD;
    }
    const taken = takeResponse(reading, response, unfinished);
    const { content, ends } = taken;
    unfinished = taken.unfinished;
    // Some models put a finishReason on every event, or finish one candidate before another: only the last one is the end.
    const resumed = content && reading.complete;
    reading.complete = ends || (reading.complete && !resumed);
    const usage = asRecord(response.usageMetadata);
    if (usage) {
      // Early events may count only the prompt; then the output still has to be estimated.
      reading.usageReported = ends || usage.candidatesTokenCount != null || usage.thoughtsTokenCount != null;
      reading.known = { input: reading.usage.input, cacheRead: reading.usage.cacheRead };
    }
    return (resumed ? RELEASE : FLOW) | (ends ? HOLD : FLOW);
  }
  return {
    reading,
    read,
    largePaths: ["usageMetadata", "modelVersion", "candidates.*.finishReason", "promptFeedback.blockReason", "error"],
    readLarge(event) {
      const resumed = reading.complete ? RELEASE : FLOW;
      reading.complete = false;
      // Which candidates have content, and which of them finish, is no longer known.
      unfinished = 0;
      addContent(reading, largeBytes(event));
      return resumed | read(event);
    },
  };
}

export function readGeminiAnswer(body: Buffer, envelope: Envelope, billable: boolean): OpenReading {
  const reading = newReading(envelope.inputEstimate, BYTES_PER_TOKEN);
  const response = parseRecord(jsonText(body));
  if (!response) return reading;
  const error = asRecord(response.error);
  if (error) {
    takeFailure(reading, error);
    return reading;
  }
  // A blocked prompt has no candidates.
  const isAnswer = Array.isArray(response.candidates) || response.promptFeedback !== undefined || response.usageMetadata !== undefined;
  reading.complete = billable ? isAnswer : typeof response.totalTokens === "number";
  if (billable) takeResponse(reading, response);
  reading.usageReported = !billable || asRecord(response.usageMetadata) !== null;
  return reading;
}
