import type { StopReason } from "./intermediate.ts";

const fromAnthropic: Record<string, StopReason> = {
  end_turn: "end",
  stop_sequence: "sequence",
  max_tokens: "length",
  model_context_window_exceeded: "context",
  tool_use: "tool",
  refusal: "refusal",
  pause_turn: "pause",
};
const toAnthropic: Record<StopReason, string> = {
  end: "end_turn",
  sequence: "end_turn",
  length: "max_tokens",
  context: "max_tokens",
  tool: "tool_use",
  refusal: "refusal",
  pause: "end_turn",
};
const fromChat: Record<string, StopReason> = {
  stop: "end",
  length: "length",
  tool_calls: "tool",
  function_call: "tool",
  content_filter: "refusal",
};
const toChat: Record<StopReason, string> = {
  end: "stop",
  sequence: "stop",
  length: "length",
  context: "length",
  tool: "tool_calls",
  refusal: "content_filter",
  pause: "stop",
};

/** What an answer contains besides its stop reason. */
interface Holds {
  tool: boolean;
  refusal: boolean;
}

/** Providers that report "stop" after a tool call or with a refusal mean the call or the refusal. */
function corrected(reason: StopReason, holds: Holds): StopReason {
  if (reason !== "end") return reason;
  if (holds.tool) return "tool";
  return holds.refusal ? "refusal" : "end";
}

export function readAnthropicStop(word: unknown): StopReason {
  return (typeof word === "string" && Object.hasOwn(fromAnthropic, word) ? fromAnthropic[word] : undefined) ?? "end";
}

export function writeAnthropicStop(reason: StopReason): string {
  return toAnthropic[reason];
}

export function readChatStop(word: unknown, holds: Holds): StopReason {
  return corrected((typeof word === "string" && Object.hasOwn(fromChat, word) ? fromChat[word] : undefined) ?? "end", holds);
}

/** A refusal in words ended normally; `content_filter` is for text that was cut off. */
export function writeChatStop(reason: StopReason, holds: Pick<Holds, "refusal">): string {
  return reason === "refusal" && holds.refusal ? "stop" : toChat[reason];
}

/** Responses report it by status: completed, or incomplete with a reason. */
export function readResponsesStop(status: unknown, incompleteReason: unknown, holds: Holds): StopReason {
  if (status !== "incomplete") return corrected("end", holds);
  return incompleteReason === "content_filter" ? "refusal" : "length";
}

/** A model that refuses in words has completed; OpenAI reports incomplete only for what its filter stopped. */
export function writeResponsesStop(
  reason: StopReason,
  holds: Pick<Holds, "refusal">,
): { status: "completed" | "incomplete"; reason: string | null } {
  if (reason === "length" || reason === "context") return { status: "incomplete", reason: "max_output_tokens" };
  if (reason === "refusal" && !holds.refusal) return { status: "incomplete", reason: "content_filter" };
  return { status: "completed", reason: null };
}
