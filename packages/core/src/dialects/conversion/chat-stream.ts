import { asList, asRecord, asText, type JsonRecord } from "../json.ts";
import { type AnswerContext, bareId } from "./answer-context.ts";
import { argumentsText, contentText, readReasoningTokens, reasoningDetail } from "./chat-answer.ts";
import { unwrapCustomInput } from "./custom-tools.ts";
import type { AnswerEvent, PartOpening } from "./intermediate.ts";
import { readChatStop, writeChatStop } from "./stop-reasons.ts";
import type { StreamEventReader, StreamEventWriter } from "./stream-events.ts";
import { chatUsage } from "./usage.ts";

/** How many characters of arguments wait for a call's name. */
const MAX_EARLY = 64 * 1024;

interface KnownCall {
  key: string;
  id: string;
  /** Arguments that came before the name; null once the call has begun. */
  early: string | null;
}

/**
 * Reads a chat stream. Calls are identified by their index; by a new id when a provider gives every call the same index; by
 * their order when the index is missing. A call begins with its name, which may come after its id.
 */
export function chatStreamReader(): StreamEventReader {
  const calls = new Map<number, KnownCall>();
  const opened = new Set<string>();
  const holds = { tool: false, refusal: false };
  let started = false;
  let finish: unknown = null;
  let isStopped = false;
  let reasoningTokens: number | null = null;

  function* part(key: "thinking" | "text" | "refusal", text: string): Generator<AnswerEvent> {
    if (text === "") return;
    if (!opened.has(key)) yield { kind: "part", key, part: { kind: key } };
    opened.add(key);
    yield { kind: "delta", key, text };
  }

  function* toolDelta(value: unknown, position: number): Generator<AnswerEvent> {
    const fragment = asRecord(value);
    const spec = asRecord(fragment?.function);
    const index = typeof fragment?.index === "number" ? fragment.index : position;
    const id = asText(fragment?.id);
    const name = asText(spec?.name);
    let call = calls.get(index);
    if (!call || (id !== "" && id !== call.id && name !== "")) {
      call = { key: `tool:${opened.size}`, id: id || `call_${opened.size}`, early: "" };
      calls.set(index, call);
      opened.add(call.key);
      holds.tool = true;
    }
    const text = argumentsText(spec?.arguments);
    if (call.early === null) yield { kind: "delta", key: call.key, text };
    else {
      call.early += text;
      if (name !== "" || call.early.length > MAX_EARLY) yield* beginCall(call, name);
    }
  }

  function* beginCall(call: KnownCall, name: string): Generator<AnswerEvent> {
    yield { kind: "part", key: call.key, part: { kind: "tool-call", id: call.id, name } };
    yield { kind: "delta", key: call.key, text: call.early ?? "" };
    call.early = null;
  }

  function* delta(body: JsonRecord): Generator<AnswerEvent> {
    yield* part("thinking", asText(body.reasoning_content) || asText(body.reasoning));
    yield* part("text", contentText(body.content));
    if (asText(body.refusal) !== "") holds.refusal = true;
    yield* part("refusal", asText(body.refusal));
    const fragments = [...asList(body.tool_calls), ...(body.function_call ? [{ index: -1, function: body.function_call }] : [])];
    for (const [position, fragment] of fragments.entries()) yield* toolDelta(fragment, position);
  }

  function* stop(): Generator<AnswerEvent> {
    if (isStopped) return;
    isStopped = true;
    for (const call of calls.values()) if (call.early !== null) yield* beginCall(call, "");
    yield { kind: "stop", reason: readChatStop(finish, holds), reasoningTokens };
  }

  function* end(): Generator<AnswerEvent> {
    yield* stop();
    yield { kind: "end" };
  }

  return {
    end,
    *read(_name, data, text) {
      if (text.trim() === "[DONE]") {
        yield* end();
        return;
      }
      const chunk = data();
      if (!chunk || chunk.error) return;
      if (!started) yield { kind: "start", model: asText(chunk.model) };
      started = true;
      const choice = asRecord(asList(chunk.choices).find((one) => (asRecord(one)?.index ?? 0) === 0));
      yield* delta(asRecord(choice?.delta) ?? {});
      finish = choice?.finish_reason ?? finish;
      reasoningTokens = readReasoningTokens(chunk.usage) ?? reasoningTokens;
    },
  };
}

/** Writes a chat stream: a role chunk, deltas, the finish chunk, the usage chunk if requested, `[DONE]`. */
export function chatStreamWriter(context: AnswerContext): StreamEventWriter {
  let model = context.model;
  let toolIndex = -1;
  let thoughts = 0;
  let open: PartOpening | null = null;
  let thought = "";
  let custom: string | null = null;
  let holdsRefusal = false;
  let reasoningTokens: number | null = null;

  const chunk = (choices: JsonRecord[], rest: JsonRecord = {}): string => {
    const body = { id: `chatcmpl-${bareId(context)}`, object: "chat.completion.chunk", created: context.createdS, model, choices };
    return `data: ${JSON.stringify({ ...body, ...(context.includesUsage ? { usage: null } : {}), ...rest })}\n\n`;
  };
  const delta = (body: JsonRecord, finish: string | null = null): string =>
    chunk([{ index: 0, delta: body, logprobs: null, finish_reason: finish }]);

  function begin(part: PartOpening): string {
    open = part;
    thought = "";
    if (part.kind === "refusal") holdsRefusal = true;
    if (part.kind !== "tool-call") return "";
    toolIndex += 1;
    // A custom tool's text is wrapped in JSON and can only be unwrapped when complete.
    custom = context.customTools.has(part.name) ? "" : null;
    if (custom !== null) return "";
    const call = { index: toolIndex, id: part.id, type: "function", function: { name: part.name, arguments: "" } };
    return delta({ tool_calls: [call] });
  }

  function more(text: string): string {
    switch (open?.kind) {
      case "text":
        return delta({ content: text });
      case "refusal":
        return delta({ refusal: text });
      case "thinking":
        // Kept for the seal, which is useless without the text it seals.
        thought += text;
        return delta({ reasoning_content: text });
      case "tool-call":
        if (custom === null) return delta({ tool_calls: [{ index: toolIndex, function: { arguments: text } }] });
        custom += text;
        return "";
      default:
        return "";
    }
  }

  function close(): string {
    const part = open;
    open = null;
    if (part?.kind !== "tool-call" || custom === null) return "";
    const input = unwrapCustomInput(custom);
    custom = null;
    return delta({ tool_calls: [{ index: toolIndex, id: part.id, type: "custom", custom: { name: part.name, input } }] });
  }

  return {
    write(event) {
      switch (event.kind) {
        case "start":
          model = event.model || model;
          return delta({ role: "assistant", content: "", refusal: null });
        case "part":
          return begin(event.part);
        case "delta":
          return more(event.text);
        case "seal":
          return delta({ reasoning_details: [reasoningDetail(event.seal, thought, thoughts++)] });
        case "part-end":
          return close();
        case "stop":
          reasoningTokens = event.reasoningTokens;
          return delta({}, writeChatStop(event.reason, { refusal: holdsRefusal }));
        case "end": {
          const usage = context.includesUsage ? chunk([], { usage: chatUsage(context.usage(), reasoningTokens) }) : "";
          return `${usage}data: [DONE]\n\n`;
        }
        default:
          return ": keep-alive\n\n";
      }
    },
  };
}
