import { SluiceError } from "../../errors.ts";
import { asList, asRecord, asText, type JsonRecord } from "../json.ts";
import type { AnswerContext } from "./answer-context.ts";
import { readReasoningTokens } from "./chat-answer.ts";
import { unwrapCustomInput } from "./custom-tools.ts";
import type { AnswerEvent, PartOpening, Seal, StopReason } from "./intermediate.ts";
import { callItem, messageItem, reasoningItem, reasoningText, refusalContent, responseObject, textContent } from "./responses-answer.ts";
import { readSeal } from "./seal.ts";
import { readResponsesStop } from "./stop-reasons.ts";
import type { StreamEventReader, StreamEventWriter } from "./stream-events.ts";

/** Reads a Responses stream. Items that arrive whole, without deltas, count too. */
export function responsesStreamReader(): StreamEventReader {
  /** Keys of parts that have begun, and of those that have had text. */
  const opened = new Set<string>();
  const spoken = new Set<string>();
  const holds = { tool: false, refusal: false };

  function* open(key: string, part: PartOpening): Generator<AnswerEvent> {
    if (opened.has(key)) return;
    opened.add(key);
    if (part.kind === "tool-call") holds.tool = true;
    if (part.kind === "refusal") holds.refusal = true;
    yield { kind: "part", key, part };
  }

  function* more(key: string, part: PartOpening, text: string): Generator<AnswerEvent> {
    if (text === "") return;
    yield* open(key, part);
    spoken.add(key);
    yield { kind: "delta", key, text };
  }

  const callOf = (item: JsonRecord): PartOpening => ({ kind: "tool-call", id: asText(item.call_id), name: asText(item.name) });

  function* added(at: string, item: JsonRecord): Generator<AnswerEvent> {
    if (item.type === "function_call") yield* open(at, callOf(item));
    else if (item.type === "reasoning") yield* open(at, { kind: "thinking" });
  }

  function* done(at: string, item: JsonRecord): Generator<AnswerEvent> {
    if (item.type === "function_call") {
      yield* open(at, callOf(item));
      if (!spoken.has(at)) yield* more(at, callOf(item), asText(item.arguments));
      yield { kind: "part-end", key: at };
    } else if (item.type === "reasoning") {
      yield* open(at, { kind: "thinking" });
      if (!spoken.has(at)) yield* more(at, { kind: "thinking" }, reasoningText(item));
      const seal = readSeal(asText(item.encrypted_content), "responses", asText(item.id));
      if (seal) yield { kind: "seal", key: at, seal };
      yield { kind: "part-end", key: at };
    } else if (item.type === "message") {
      for (const [index, value] of asList(item.content).entries()) yield* contentDone(`${at}:${index}`, asRecord(value) ?? {});
    }
  }

  function* contentDone(key: string, part: JsonRecord): Generator<AnswerEvent> {
    const kind = part.type === "refusal" ? "refusal" : "text";
    if (!spoken.has(key)) yield* more(key, { kind }, asText(part.text) || asText(part.refusal));
    if (opened.has(key)) yield { kind: "part-end", key };
  }

  function* end(response: JsonRecord): Generator<AnswerEvent> {
    const reason = readResponsesStop(response.status, asRecord(response.incomplete_details)?.reason, holds);
    yield { kind: "stop", reason, reasoningTokens: readReasoningTokens(response.usage) };
    yield { kind: "end" };
  }

  return {
    *read(name, data) {
      const body = data() ?? {};
      const at = String(body.output_index ?? 0);
      const content = `${at}:${String(body.content_index ?? 0)}`;
      switch (name && name !== "message" ? name : asText(body.type)) {
        case "response.created":
          yield { kind: "start", model: asText(asRecord(body.response)?.model) };
          break;
        case "response.output_item.added":
          yield* added(at, asRecord(body.item) ?? {});
          break;
        case "response.output_text.delta":
          yield* more(content, { kind: "text" }, asText(body.delta));
          break;
        case "response.refusal.delta":
          yield* more(content, { kind: "refusal" }, asText(body.delta));
          break;
        case "response.function_call_arguments.delta":
          yield* more(at, { kind: "tool-call", id: asText(body.item_id), name: "" }, asText(body.delta));
          break;
        case "response.reasoning_summary_part.added":
          // Summaries are separate paragraphs.
          if (spoken.has(at)) yield { kind: "delta", key: at, text: "\n\n" };
          break;
        case "response.reasoning_summary_text.delta":
        case "response.reasoning_text.delta":
          yield* more(at, { kind: "thinking" }, asText(body.delta));
          break;
        case "response.output_item.done":
          yield* done(at, asRecord(body.item) ?? {});
          break;
        case "response.completed":
        case "response.incomplete":
        case "response.cancelled":
          yield* end(asRecord(body.response) ?? {});
          break;
        case "keepalive":
          yield { kind: "ping" };
          break;
        default:
          break;
      }
    },
  };
}

/**
 * Maximum size of one answer, characters. The events at the end of each item and of the response repeat all of it, and
 * clients (openai's `finalResponse`, Codex) read it from there. So here, and only here, a whole answer is kept.
 */
const MAX_KEPT = 16 * 1024 * 1024;

interface OpenItem {
  part: PartOpening;
  text: string;
  seal: Seal | null;
  /** Fields of every event of the item that tell its position. */
  place: JsonRecord;
  isCustom: boolean;
}

type Emit = (type: string, body: JsonRecord) => string;

/** The events that close an item's content, before the item itself is done. */
function closingEvents({ part, text, place, isCustom }: OpenItem, { name }: JsonRecord, emit: Emit): string {
  switch (part.kind) {
    case "text":
      return (
        emit("response.output_text.done", { ...place, text, logprobs: [] }) +
        emit("response.content_part.done", { ...place, part: textContent(text) })
      );
    case "refusal":
      return (
        emit("response.refusal.done", { ...place, refusal: text }) +
        emit("response.content_part.done", { ...place, part: refusalContent(text) })
      );
    case "thinking":
      if (text === "") return "";
      return (
        emit("response.reasoning_summary_text.done", { ...place, text }) +
        emit("response.reasoning_summary_part.done", { ...place, part: { type: "summary_text", text } })
      );
    default: {
      if (!isCustom) return emit("response.function_call_arguments.done", { ...place, name, arguments: text });
      // A custom tool's text is wrapped in JSON and can only be unwrapped when complete.
      const input = unwrapCustomInput(text);
      return (
        emit("response.custom_tool_call_input.delta", { ...place, delta: input }) +
        emit("response.custom_tool_call_input.done", { ...place, input })
      );
    }
  }
}

/** A piece of an item's content. */
function deltaEvent({ part, place, isCustom }: OpenItem, delta: string, emit: Emit): string {
  switch (part.kind) {
    case "text":
      return emit("response.output_text.delta", { ...place, delta, logprobs: [] });
    case "refusal":
      return emit("response.refusal.delta", { ...place, delta });
    case "thinking":
      return emit("response.reasoning_summary_text.delta", { ...place, delta });
    default:
      return isCustom ? "" : emit("response.function_call_arguments.delta", { ...place, delta });
  }
}

export function responsesStreamWriter(context: AnswerContext): StreamEventWriter {
  const output: JsonRecord[] = [];
  let sequence = 0;
  let kept = 0;
  let model = context.model;
  let open: OpenItem | null = null;
  let stop: StopReason = "end";
  let reasoningTokens: number | null = null;
  let holdsRefusal = false;

  const emit: Emit = (type, body) => `event: ${type}\ndata: ${JSON.stringify({ type, sequence_number: sequence++, ...body })}\n\n`;
  const response = (ended: boolean): JsonRecord =>
    responseObject(context, { model, output, stop: ended ? stop : null, holdsRefusal, reasoningTokens });

  /** The item in its current state: just begun, or complete. */
  function itemOf({ part, text, seal }: Pick<OpenItem, "part" | "text" | "seal">, isDone: boolean): JsonRecord {
    const index = output.length;
    const status = isDone ? "completed" : "in_progress";
    switch (part.kind) {
      case "text":
        return messageItem(context, index, status, isDone ? [textContent(text)] : []);
      case "refusal":
        return messageItem(context, index, status, isDone ? [refusalContent(text)] : []);
      case "thinking":
        return isDone ? reasoningItem(context, index, text, seal) : { ...reasoningItem(context, index, "", null), encrypted_content: null };
      default:
        return callItem(context, index, status, { id: part.id, name: part.name, args: text });
    }
  }

  const added = (item: OpenItem): string => emit("response.output_item.added", { output_index: output.length, item: itemOf(item, false) });

  function begin(part: PartOpening): string {
    const item = { part, text: "", seal: null };
    const index = part.kind === "thinking" ? { summary_index: 0 } : part.kind === "tool-call" ? {} : { content_index: 0 };
    const place = { item_id: itemOf(item, false).id, output_index: output.length, ...index };
    open = { ...item, place, isCustom: part.kind === "tool-call" && context.customTools.has(part.name) };
    if (part.kind === "refusal") holdsRefusal = true;
    // Reasoning starts with its first text: without text and seal there is nothing to show.
    if (part.kind === "thinking") return "";
    if (part.kind === "tool-call") return added(open);
    const content = part.kind === "refusal" ? refusalContent("") : textContent("");
    return added(open) + emit("response.content_part.added", { ...place, part: content });
  }

  function more(item: OpenItem, delta: string): string {
    let begun = "";
    if (item.part.kind === "thinking" && item.text === "") {
      begun = added(item) + emit("response.reasoning_summary_part.added", { ...item.place, part: { type: "summary_text", text: "" } });
    }
    item.text += delta;
    kept += delta.length;
    if (kept > MAX_KEPT) throw new SluiceError("upstream_error", { detail: "conversion: an answer of more than 16 MB" });
    return begun + deltaEvent(item, delta, emit);
  }

  function close(item: OpenItem): string {
    open = null;
    const isSilent = item.part.kind === "thinking" && item.text === "";
    if (isSilent && !item.seal) return "";
    const whole = itemOf(item, true);
    const closing = (isSilent ? added(item) : "") + closingEvents(item, whole, emit);
    const done = emit("response.output_item.done", { output_index: output.length, item: whole });
    output.push(whole);
    return closing + done;
  }

  return {
    write(event) {
      switch (event.kind) {
        case "start":
          model = event.model || model;
          return emit("response.created", { response: response(false) }) + emit("response.in_progress", { response: response(false) });
        case "part":
          return begin(event.part);
        case "delta":
          return open ? more(open, event.text) : "";
        case "seal":
          if (open) open.seal = event.seal;
          return "";
        case "part-end":
          return open ? close(open) : "";
        case "stop":
          stop = event.reason;
          reasoningTokens = event.reasoningTokens;
          return "";
        case "end": {
          const final = response(true);
          return emit(`response.${asText(final.status)}`, { response: final });
        }
        default:
          return ": keep-alive\n\n";
      }
    },
  };
}
