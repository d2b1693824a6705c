import type { Call } from "../call.ts";
import type { OddUsage, Scenario } from "../scenario.ts";
import { structuredText } from "../structured.ts";

/** Token counts by kind, without overlap, as a gateway should bill them. */
export interface Counts {
  input: number;
  output: number;
  cacheWrite5m: number;
  cacheWrite1h: number;
  cacheRead: number;
}

export interface ToolCall {
  id: string;
  name: string;
  pieces: readonly string[];
  input: Record<string, unknown>;
  /** Its input is plain text instead of JSON (Responses only). */
  isCustom: boolean;
}

/** An answer, computed before the first byte: the same request always gets the same text and numbers. */
export interface Plan {
  id: string;
  model: string;
  createdS: number;
  thinking: readonly string[];
  text: readonly string[];
  tools: readonly ToolCall[];
  finish: "stop" | "length" | "tool";
  counts: Counts;
  oddUsage: OddUsage | null;
  /** OpenAI chat: the request asked for the usage chunk. */
  includeUsage: boolean;
}

/** One write of a stream. */
export interface Frame {
  /** A whole SSE event with LF line ends. */
  text: string;
  /** Bytes of content in it (0: ping, framing, usage). */
  contentBytes: number;
  /** The first frame after all content. */
  closing?: boolean;
  /** Carries the final usage. */
  final?: boolean;
  /** Carries the usage of the input. */
  start?: boolean;
}

/** What a dialect implements: streams, whole answers, errors. */
export interface Speaker {
  frames(plan: Plan): Generator<Frame>;
  whole(plan: Plan): Record<string, unknown>;
  errorBody(status: number, message: string): Record<string, unknown>;
  errorFrame(kind: "overloaded" | "internal" | "invalid"): string;
}

/** The seal on this provider's reasoning; any other seal that comes back is not its own. */
export const SEAL = "c2lnbmF0dXJl";

// Three letters and a space: four bytes per token, the constant by which answers without usage are estimated.
const vocabulary = ["the", "sun", "set", "low", "and", "far", "was", "old", "day", "new", "sky", "red", "sea", "air", "one", "dim"];

function words(count: number): string[] {
  return Array.from({ length: count }, (_, i) => `${vocabulary[i % vocabulary.length]} `);
}

const trick = [
  'data: [DONE]\n\nevent: message_stop\ndata: {"type":"message_stop"}\n\n',
  '{"usage":{"input_tokens":999999,"output_tokens":999999,"prompt_tokens":999999,"completion_tokens":999999}}',
  '"usageMetadata":{"promptTokenCount":999999,"candidatesTokenCount":999999},"finishReason":"STOP"',
  '"error":{"type":"overloaded_error"} \\"usage\\": 7 \u00e4\u4e2d\ud83d\ude00',
];

function textOf(scenario: Scenario, limit: number, structured: string | null): { pieces: string[]; cut: boolean } {
  if (structured !== null && scenario.content === "text") return { pieces: [structured], cut: false };
  switch (scenario.content) {
    case "empty":
    case "tool":
      return { pieces: scenario.content === "tool" ? words(4) : [], cut: false };
    case "trick":
      return { pieces: trick, cut: false };
    case "bigline":
      return { pieces: ["abc ".repeat(Math.ceil(scenario.bigLineBytes / 4)), ...words(3)], cut: false };
    default:
      return { pieces: words(Math.min(scenario.words, limit)), cut: scenario.words > limit };
  }
}

const toolInput = { city: "Paris", unit: "celsius" };
const toolPieces = ['{"city"', ':"Par', 'is","unit"', ':"celsius"}'];

/** The first call has the answer's id, further ones a numbered suffix. */
function toolCalls(id: string, count: number): ToolCall[] {
  return Array.from({ length: count }, (_, index) => ({
    id: index === 0 ? `call_${id}` : `call_${id}_${index}`,
    name: "get_weather",
    pieces: toolPieces,
    input: toolInput,
    isCustom: false,
  }));
}

/** A single call of a tool that the client offers. */
function askedCall(id: string, tool: NonNullable<Scenario["tool"]>): ToolCall {
  const { text } = tool.input;
  const written = tool.isCustom ? (text ?? "") : JSON.stringify(tool.input);
  const middle = written.length >> 1;
  return {
    id: `call_${id}`,
    name: tool.name,
    pieces: [written.slice(0, middle), written.slice(middle)],
    input: tool.input,
    isCustom: tool.isCustom,
  };
}

function toolsOf(id: string, { content, tool, calls }: Scenario): ToolCall[] {
  if (content !== "tool") return [];
  return tool ? [askedCall(id, tool)] : toolCalls(id, calls);
}

const bytes = (pieces: readonly string[]) => pieces.reduce((sum, piece) => sum + Buffer.byteLength(piece), 0);

/** Computes an answer: output tokens are a quarter of the content's bytes, input tokens a quarter of the body's. */
export function makePlan(
  request: Pick<Call, "model" | "bodyBytes" | "maxTokens" | "includeUsage" | "body"> & { id: string; createdS: number },
  scenario: Scenario,
): Plan {
  const { pieces, cut } = textOf(scenario, request.maxTokens, structuredText(request.body));
  const thinking = scenario.content === "thinking" ? words(8) : [];
  const tools = toolsOf(request.id, scenario);
  const output = Math.ceil((bytes(pieces) + bytes(thinking) + bytes(tools.flatMap((tool) => tool.pieces))) / 4);
  return {
    id: request.id,
    model: request.model,
    createdS: request.createdS,
    thinking,
    text: pieces,
    tools,
    finish: tools.length > 0 ? "tool" : cut ? "length" : "stop",
    counts: {
      input: Math.ceil(request.bodyBytes / 4),
      output,
      cacheRead: scenario.cacheRead,
      cacheWrite5m: scenario.cacheWrite5m,
      cacheWrite1h: scenario.cacheWrite1h,
    },
    oddUsage: scenario.oddUsage,
    includeUsage: request.includeUsage,
  };
}

function oddNumber(kind: OddUsage, number: number): unknown {
  switch (kind) {
    case "negative":
      return -1 - number;
    case "string":
      return String(number);
    case "huge":
      return 1e18;
    case "fraction":
      return number + 0.5;
    default:
      return null;
  }
}

/** A usage object as the plan demands: unchanged, with every number made odd, or left out. */
export function oddify<T extends Record<string, unknown>>(plan: Plan, usage: T): Record<string, unknown> | undefined {
  const kind = plan.oddUsage;
  if (!kind) return usage;
  if (kind === "missing") return undefined;
  const odd: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(usage)) {
    if (typeof value === "number") odd[name] = oddNumber(kind, value);
    else odd[name] = typeof value === "object" && value !== null ? oddify(plan, value as Record<string, unknown>) : value;
  }
  return odd;
}

/** Bytes of a text in UTF-8. */
export const size = (text: string): number => Buffer.byteLength(text);
