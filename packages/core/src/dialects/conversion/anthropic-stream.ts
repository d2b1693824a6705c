import { noUsage } from "../../requests.ts";
import { asRecord, asText, type JsonRecord } from "../json.ts";
import type { AnswerContext } from "./answer-context.ts";
import { anthropicMessage, readThinkingTokens, thinkingSignature } from "./anthropic-answer.ts";
import type { AnswerEvent, PartOpening, Seal } from "./intermediate.ts";
import { readSeal } from "./seal.ts";
import { readAnthropicStop, writeAnthropicStop } from "./stop-reasons.ts";
import type { StreamEventReader, StreamEventWriter } from "./stream-events.ts";
import { anthropicToolId } from "./tool-ids.ts";
import { anthropicUsage } from "./usage.ts";

function openingOf(block: JsonRecord): PartOpening | null {
  switch (block.type) {
    case "text":
      return { kind: "text" };
    case "thinking":
    case "redacted_thinking":
      return { kind: "thinking" };
    case "tool_use":
      return { kind: "tool-call", id: asText(block.id), name: asText(block.name) };
    default:
      return null;
  }
}

/** The content a block may already have when it begins: redacted thinking, or the whole input (some relays). */
function* beginningOf(key: string, block: JsonRecord): Generator<AnswerEvent> {
  const text = asText(block.text) || asText(block.thinking);
  if (text !== "") yield { kind: "delta", key, text };
  if (block.type === "redacted_thinking") yield { kind: "seal", key, seal: { maker: "redacted", data: asText(block.data), id: "" } };
  const input = asRecord(block.input);
  if (input && Object.keys(input).length > 0) yield { kind: "delta", key, text: JSON.stringify(input) };
}

function* readDelta(key: string, delta: JsonRecord): Generator<AnswerEvent> {
  switch (delta.type) {
    case "text_delta":
      yield { kind: "delta", key, text: asText(delta.text) };
      break;
    case "thinking_delta":
      yield { kind: "delta", key, text: asText(delta.thinking) };
      break;
    case "input_json_delta":
      yield { kind: "delta", key, text: asText(delta.partial_json) };
      break;
    case "signature_delta": {
      const seal = readSeal(asText(delta.signature), "anthropic");
      if (seal) yield { kind: "seal", key, seal };
      break;
    }
    default:
      break;
  }
}

/** Reads Anthropic's stream. Skips blocks of Anthropic's server tools, which were not offered. */
export function anthropicStreamReader(): StreamEventReader {
  const known = new Set<string>();
  return {
    *read(name, data) {
      const body = data();
      const key = String(body?.index ?? 0);
      switch (name || asText(body?.type)) {
        case "message_start":
          yield { kind: "start", model: asText(asRecord(body?.message)?.model) };
          break;
        case "content_block_start": {
          const block = asRecord(body?.content_block) ?? {};
          const part = openingOf(block);
          if (!part) break;
          known.add(key);
          yield { kind: "part", key, part };
          yield* beginningOf(key, block);
          break;
        }
        case "content_block_delta":
          if (known.has(key)) yield* readDelta(key, asRecord(body?.delta) ?? {});
          break;
        case "content_block_stop":
          if (known.has(key)) yield { kind: "part-end", key };
          break;
        case "message_delta": {
          const reason = asRecord(body?.delta)?.stop_reason;
          if (reason) yield { kind: "stop", reason: readAnthropicStop(reason), reasoningTokens: readThinkingTokens(body?.usage) };
          break;
        }
        case "message_stop":
          yield { kind: "end" };
          break;
        case "ping":
          yield { kind: "ping" };
          break;
        default:
          break;
      }
    },
  };
}

function sse(type: string, body: JsonRecord): string {
  return `event: ${type}\ndata: ${JSON.stringify({ type, ...body })}\n\n`;
}

const openings = {
  text: { type: "text", text: "" },
  refusal: { type: "text", text: "" },
  thinking: { type: "thinking", thinking: "", signature: "" },
};

function deltaOf(part: PartOpening, text: string): JsonRecord {
  if (part.kind === "thinking") return { type: "thinking_delta", thinking: text };
  if (part.kind === "tool-call") return { type: "input_json_delta", partial_json: text };
  return { type: "text_delta", text };
}

/** Writes Anthropic's stream: indices contiguous from 0, one block open at a time. */
export function anthropicStreamWriter(context: AnswerContext): StreamEventWriter {
  let index = -1;
  let open: { part: PartOpening; started: boolean; seal: Seal | null } | null = null;
  let stopReason = "end_turn";

  const start = (block: JsonRecord): string => {
    index += 1;
    return sse("content_block_start", { index, content_block: block });
  };

  /** A thinking block starts with its first text: only then is it known not to be redacted. */
  function begin(part: PartOpening): string {
    open = { part, started: false, seal: null };
    if (part.kind === "thinking") return "";
    open.started = true;
    if (part.kind !== "tool-call") return start(openings[part.kind]);
    return start({ type: "tool_use", id: anthropicToolId(part.id), name: part.name, input: {} });
  }

  function delta(text: string): string {
    if (!open || (open.part.kind === "thinking" && !context.showsThinking)) return "";
    const begun = open.started ? "" : start(openings.thinking);
    open.started = true;
    return begun + sse("content_block_delta", { index, delta: deltaOf(open.part, text) });
  }

  function close(): string {
    const closing = open;
    open = null;
    if (!closing || (closing.part.kind === "thinking" && !context.showsThinking)) return "";
    if (closing.part.kind !== "thinking") return sse("content_block_stop", { index });
    return endThinking(closing.started, closing.seal);
  }

  function endThinking(started: boolean, seal: Seal | null): string {
    if (!started && seal?.maker === "redacted") {
      return start({ type: "redacted_thinking", data: seal.data }) + sse("content_block_stop", { index });
    }
    if (!started && !seal) return "";
    const begun = started ? "" : start(openings.thinking);
    const signature = { type: "signature_delta", signature: thinkingSignature(seal) };
    return begun + sse("content_block_delta", { index, delta: signature }) + sse("content_block_stop", { index });
  }

  return {
    write(event) {
      switch (event.kind) {
        case "start": {
          // OpenAI reports the input only at the end: message_delta carries it.
          const message = { ...anthropicMessage(context, event.model), content: [], stop_reason: null, stop_sequence: null };
          return sse("message_start", { message: { ...message, usage: anthropicUsage(noUsage) } });
        }
        case "part":
          return begin(event.part);
        case "delta":
          return delta(event.text);
        case "seal":
          if (open) open.seal = event.seal;
          return "";
        case "part-end":
          return close();
        case "stop":
          stopReason = writeAnthropicStop(event.reason);
          return "";
        case "end": {
          const usage = anthropicUsage(context.usage());
          return sse("message_delta", { delta: { stop_reason: stopReason, stop_sequence: null }, usage }) + sse("message_stop", {});
        }
        default:
          return sse("ping", {});
      }
    },
  };
}
