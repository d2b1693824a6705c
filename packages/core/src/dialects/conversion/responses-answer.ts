import { asList, asRecord, asText, type JsonRecord } from "../json.ts";
import { type AnswerContext, bareId } from "./answer-context.ts";
import { readReasoningTokens } from "./chat-answer.ts";
import { unwrapCustomInput } from "./custom-tools.ts";
import type { Answer, AnswerPart, Seal, StopReason } from "./intermediate.ts";
import { readSeal, writeSeal } from "./seal.ts";
import { readResponsesStop, writeResponsesStop } from "./stop-reasons.ts";
import { splitNamespace } from "./tool-namespaces.ts";
import { responsesUsage } from "./usage.ts";

/** Reads a whole response into the intermediate form. */
export function readResponsesAnswer(body: JsonRecord): Answer {
  const parts = asList(body.output).flatMap((item) => readItem(asRecord(item) ?? {}));
  const holds = { tool: parts.some(({ kind }) => kind === "tool-call"), refusal: parts.some(({ kind }) => kind === "refusal") };
  return {
    model: asText(body.model),
    parts,
    stop: readResponsesStop(body.status, asRecord(body.incomplete_details)?.reason, holds),
    reasoningTokens: readReasoningTokens(body.usage),
  };
}

function readItem(item: JsonRecord): AnswerPart[] {
  switch (item.type) {
    case "message":
      return asList(item.content).flatMap((value): AnswerPart[] => {
        const part = asRecord(value);
        if (part?.type === "refusal") return [{ kind: "refusal", text: asText(part.refusal) }];
        return part?.type === "output_text" ? [{ kind: "text", text: asText(part.text) }] : [];
      });
    case "reasoning":
      return [
        { kind: "thinking", text: reasoningText(item), seal: readSeal(asText(item.encrypted_content), "responses", asText(item.id)) },
      ];
    case "function_call":
      return [{ kind: "tool-call", id: asText(item.call_id), name: asText(item.name), args: asText(item.arguments) }];
    default:
      return [];
  }
}

/** The readable part of a reasoning item: its summaries, or else its text. */
export function reasoningText(item: JsonRecord): string {
  const summary = asList(item.summary).map((part) => asText(asRecord(part)?.text));
  const content = asList(item.content).map((part) => asText(asRecord(part)?.text));
  return (summary.length > 0 ? summary : content).join("\n\n");
}

/** Writes an answer as a response. Nothing of it is stored. */
export function writeResponsesAnswer(answer: Answer, context: AnswerContext): JsonRecord {
  const output = answer.parts.flatMap((part, index) => writeItem(part, context, index));
  const holdsRefusal = answer.parts.some(({ kind }) => kind === "refusal");
  return responseObject(context, { model: answer.model, output, stop: answer.stop, holdsRefusal, reasoningTokens: answer.reasoningTokens });
}

function writeItem(part: AnswerPart, context: AnswerContext, index: number): JsonRecord[] {
  switch (part.kind) {
    case "text":
      return part.text === "" ? [] : [messageItem(context, index, "completed", [textContent(part.text)])];
    case "refusal":
      return [messageItem(context, index, "completed", [refusalContent(part.text)])];
    case "thinking":
      return [reasoningItem(context, index, part.text, part.seal)];
    default:
      return [callItem(context, index, "completed", { ...part, args: part.args || "{}" })];
  }
}

type ItemStatus = "in_progress" | "completed";

export function textContent(text: string): JsonRecord {
  return { type: "output_text", text, annotations: [], logprobs: [] };
}

export function refusalContent(refusal: string): JsonRecord {
  return { type: "refusal", refusal };
}

export function messageItem(context: AnswerContext, index: number, status: ItemStatus, content: JsonRecord[]): JsonRecord {
  return { id: `msg_${bareId(context)}_${index}`, type: "message", status, role: "assistant", content };
}

/** `seal` null: a chat provider's reasoning, which is only text. */
export function reasoningItem(context: AnswerContext, index: number, text: string, seal: Seal | null): JsonRecord {
  return {
    id: `rs_${bareId(context)}_${index}`,
    type: "reasoning",
    summary: text === "" ? [] : [{ type: "summary_text", text }],
    encrypted_content: writeSeal(seal ?? { maker: "chat", data: "", id: "" }, "responses"),
  };
}

export function callItem(
  context: AnswerContext,
  index: number,
  status: ItemStatus,
  call: { id: string; name: string; args: string },
): JsonRecord {
  const { args } = call;
  const names = splitNamespace(call.name, context.namespaces.get(call.name));
  const id = `${bareId(context)}_${index}`;
  if (context.customTools.has(call.name)) {
    return {
      id: `ctc_${id}`,
      type: "custom_tool_call",
      status,
      call_id: call.id,
      ...names,
      input: args === "" ? "" : unwrapCustomInput(args),
    };
  }
  return { id: `fc_${id}`, type: "function_call", status, call_id: call.id, ...names, arguments: args };
}

interface ResponseEnd {
  model: string;
  output: JsonRecord[];
  /** null: the response has only begun. */
  stop: StopReason | null;
  holdsRefusal: boolean;
  reasoningTokens: number | null;
}

/** The response object at any stage. */
export function responseObject(context: AnswerContext, { model, output, stop, holdsRefusal, reasoningTokens }: ResponseEnd): JsonRecord {
  const end = stop === null ? null : writeResponsesStop(stop, { refusal: holdsRefusal });
  return {
    id: `resp_${bareId(context)}`,
    object: "response",
    created_at: context.createdS,
    status: end?.status ?? "in_progress",
    background: false,
    error: null,
    incomplete_details: end?.reason ? { reason: end.reason } : null,
    instructions: null,
    max_output_tokens: null,
    model: model || context.model,
    output,
    parallel_tool_calls: true,
    previous_response_id: null,
    reasoning: { effort: null, summary: null },
    store: false,
    temperature: null,
    text: { format: { type: "text" } },
    tool_choice: "auto",
    tools: [],
    top_p: null,
    truncation: "disabled",
    usage: end ? responsesUsage(context.usage(), reasoningTokens) : null,
    metadata: {},
  };
}
