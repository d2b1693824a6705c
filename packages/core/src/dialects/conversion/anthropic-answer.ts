import { asList, asRecord, asText, type JsonRecord } from "../json.ts";
import { type AnswerContext, bareId } from "./answer-context.ts";
import { parseArguments } from "./exact-json.ts";
import type { Answer, AnswerPart, Seal } from "./intermediate.ts";
import { readSeal, writeSeal } from "./seal.ts";
import { readAnthropicStop, writeAnthropicStop } from "./stop-reasons.ts";
import { anthropicToolId } from "./tool-ids.ts";
import { anthropicUsage } from "./usage.ts";

/** Reads a whole Anthropic answer into the intermediate form. */
export function readAnthropicAnswer(body: JsonRecord): Answer {
  return {
    model: asText(body.model),
    parts: asList(body.content).flatMap((block) => readBlock(asRecord(block))),
    stop: readAnthropicStop(body.stop_reason),
    reasoningTokens: readThinkingTokens(body.usage),
  };
}

/** Thinking tokens within the output; null when not reported. */
export function readThinkingTokens(usage: unknown): number | null {
  const tokens = asRecord(asRecord(usage)?.output_tokens_details)?.thinking_tokens;
  return typeof tokens === "number" ? tokens : null;
}

function readBlock(block: JsonRecord | null): AnswerPart[] {
  switch (block?.type) {
    case "text":
      return [{ kind: "text", text: asText(block.text) }];
    case "thinking":
      return [{ kind: "thinking", text: asText(block.thinking), seal: readSeal(asText(block.signature), "anthropic") }];
    case "redacted_thinking":
      return [{ kind: "thinking", text: "", seal: { maker: "redacted", data: asText(block.data), id: "" } }];
    case "tool_use":
      return [{ kind: "tool-call", id: asText(block.id), name: asText(block.name), args: JSON.stringify(block.input ?? {}) }];
    default:
      // Blocks of Anthropic's server tools: they were not offered, so no client expects them.
      return [];
  }
}

/** A chat provider's thinking has no seal; the mark records where it came from. */
const chatSeal: Seal = { maker: "chat", data: "", id: "" };

/** The signature of a thinking block as Anthropic's clients keep it. */
export function thinkingSignature(seal: Seal | null): string {
  return writeSeal(seal ?? chatSeal, "anthropic");
}

/** Writes an answer as an Anthropic message. */
export function writeAnthropicAnswer(answer: Answer, context: AnswerContext): JsonRecord {
  return {
    ...anthropicMessage(context, answer.model),
    content: answer.parts.flatMap((part) => writeBlock(part, context)),
    stop_reason: writeAnthropicStop(answer.stop),
    stop_sequence: null,
    usage: anthropicUsage(context.usage()),
  };
}

/** The fields of a message that are known when it begins. */
export function anthropicMessage(context: AnswerContext, model: string): JsonRecord {
  return { id: `msg_${bareId(context)}`, type: "message", role: "assistant", model: model || context.model };
}

function writeBlock(part: AnswerPart, { showsThinking }: AnswerContext): JsonRecord[] {
  switch (part.kind) {
    case "text":
    case "refusal":
      return part.text === "" ? [] : [{ type: "text", text: part.text }];
    case "thinking":
      if (!showsThinking) return [];
      if (part.seal?.maker === "redacted") return [{ type: "redacted_thinking", data: part.seal.data }];
      return [{ type: "thinking", thinking: part.text, signature: thinkingSignature(part.seal) }];
    default:
      // Arguments that are not a JSON object (a model cut off at its limit) are passed on rather than lost.
      return [
        { type: "tool_use", id: anthropicToolId(part.id), name: part.name, input: parseArguments(part.args) ?? { arguments: part.args } },
      ];
  }
}
