/**
 * Conversion: a request of one dialect served by a provider of another. Each dialect reads its requests, answers and
 * streams into the intermediate form below and writes them from it, so three dialects need three readers and three
 * writers instead of six each. Nothing is silently altered: what the other side cannot express is refused with a 400 that
 * names the field, or left out by a rule of docs/conversion.md and listed in `dropped`. Pure, without I/O; streams are
 * converted event by event. Requests that stay in one dialect never pass through here: their bytes are forwarded unchanged.
 */

/** The formats between which requests are converted; OpenAI has two. */
export type Wire = "anthropic" | "chat" | "responses";

/** Reasoning that only its maker accepts back: identified by a signature, an encrypted item, or just the maker. */
export interface Seal {
  /** Who made it; `redacted` is Anthropic's thinking that is not readable. */
  maker: Wire | "redacted";
  /** Signature or encrypted content as the maker sent it; '' for a chat provider's reasoning. */
  data: string;
  /** The maker's id of the item; '' when it has none. */
  id: string;
}

export interface TextPart {
  kind: "text";
  text: string;
  /** Anthropic's `cache_control`, unchanged. */
  cache?: unknown;
}

export interface ImagePart {
  kind: "image";
  source: { mediaType: string; base64: string } | { url: string };
  /** OpenAI's low, high, auto; '' when absent. */
  detail: string;
  cache?: unknown;
}

/** A PDF or similar. */
export interface FilePart {
  kind: "file";
  source: { mediaType: string; base64: string } | { url: string };
  name: string;
  cache?: unknown;
}

export interface RefusalPart {
  kind: "refusal";
  text: string;
}

export interface ThinkingPart {
  kind: "thinking";
  text: string;
  /** null: its maker did not seal it. */
  seal: Seal | null;
}

export interface ToolCallPart {
  kind: "tool-call";
  id: string;
  name: string;
  /** JSON text, exactly as the model wrote it where the dialect carries text; '' = no arguments. */
  args: string;
  /** A call of a custom tool: `args` is plain text. */
  isCustom?: boolean;
  cache?: unknown;
}

export interface ToolResultPart {
  kind: "tool-result";
  callId: string;
  parts: (TextPart | ImagePart | FilePart)[];
  isError: boolean;
  cache?: unknown;
}

export type AnswerPart = TextPart | RefusalPart | ThinkingPart | ToolCallPart;
export type Part = AnswerPart | ImagePart | FilePart | ToolResultPart;

export interface Turn {
  /** `system`: instructions in the middle of a conversation. */
  role: "user" | "assistant" | "system";
  parts: Part[];
}

export interface Tool {
  name: string;
  /** Responses only; it is part of the name. */
  namespace?: string;
  description: string;
  /** JSON schema of the arguments; null for a custom tool, whose input is plain text. */
  schema: Record<string, unknown> | null;
  strict: boolean;
  cache?: unknown;
}

export type Effort = "none" | "minimal" | "low" | "medium" | "high" | "xhigh" | "max";

export interface Reasoning {
  effort: Effort | null;
  /** Anthropic's `budget_tokens`. */
  budgetTokens: number | null;
}

export type Format = { kind: "json" } | { kind: "schema"; name: string; schema: Record<string, unknown>; strict: boolean };

/** Options whose names differ by dialect: the client's name is used in refusals and in `dropped`. */
export type OptionName = "stop" | "maxTokens" | "reasoning" | "format" | "topK" | "verbosity" | "serviceTier" | "user" | "cacheKey";

/** A request in the intermediate form. null = the client did not set it. */
export interface Conversation {
  model: string;
  stream: boolean;
  /** The client asked for OpenAI chat's usage chunk. */
  includesUsage: boolean;
  system: TextPart[];
  turns: Turn[];
  tools: Tool[];
  toolChoice: "auto" | "none" | "required" | { tool: string } | null;
  parallelTools: boolean | null;
  maxTokens: number | null;
  temperature: number | null;
  topP: number | null;
  topK: number | null;
  stop: string[];
  reasoning: Reasoning | null;
  format: Format | null;
  verbosity: string | null;
  serviceTier: string | null;
  user: string | null;
  cacheKey: string | null;
  /** Fields left out by rule, named as in the client's request. */
  dropped: string[];
  names: Readonly<Record<OptionName, string>>;
}

/** `end`: the model stopped; `sequence`: at a stop sequence; `context`: the context window was full. */
export type StopReason = "end" | "sequence" | "length" | "context" | "tool" | "refusal" | "pause";

/** A whole answer in the intermediate form; its usage comes from the meter's reading. */
export interface Answer {
  model: string;
  parts: AnswerPart[];
  stop: StopReason;
  /** Reasoning tokens within the output; null when not reported. */
  reasoningTokens: number | null;
}

/** What a part of a streamed answer is, known when it begins. */
export type PartOpening = { kind: "text" } | { kind: "refusal" } | { kind: "thinking" } | { kind: "tool-call"; id: string; name: string };

/**
 * One step of a streamed answer. Parts have keys: a reader may leave several open at once and omit ends; after the sequencer,
 * one part is open at a time and every part ends.
 */
export type AnswerEvent =
  | { kind: "start"; model: string }
  | { kind: "part"; key: string; part: PartOpening }
  | { kind: "delta"; key: string; text: string }
  | { kind: "seal"; key: string; seal: Seal }
  | { kind: "part-end"; key: string }
  | { kind: "stop"; reason: StopReason; reasoningTokens: number | null }
  | { kind: "end" }
  | { kind: "ping" };
