import { type Frame, oddify, type Plan, type Speaker, size } from "./plan.ts";

const words: Record<number, string> = {
  400: "INVALID_ARGUMENT",
  401: "UNAUTHENTICATED",
  403: "PERMISSION_DENIED",
  404: "NOT_FOUND",
  429: "RESOURCE_EXHAUSTED",
  500: "INTERNAL",
  503: "UNAVAILABLE",
  504: "DEADLINE_EXCEEDED",
};

function usageOf(plan: Plan, outputSoFar: number): Record<string, unknown> | undefined {
  const thoughts = Math.ceil(plan.thinking.reduce((sum, piece) => sum + size(piece), 0) / 4);
  const prompt = plan.counts.input + plan.counts.cacheRead;
  const shown = Math.min(thoughts, outputSoFar);
  const usage: Record<string, unknown> = {
    promptTokenCount: prompt,
    candidatesTokenCount: outputSoFar - shown,
    totalTokenCount: prompt + outputSoFar,
    promptTokensDetails: [{ modality: "TEXT", tokenCount: prompt }],
  };
  if (shown > 0) usage.thoughtsTokenCount = shown;
  if (plan.counts.cacheRead > 0) usage.cachedContentTokenCount = plan.counts.cacheRead;
  return oddify(plan, usage);
}

function response(plan: Plan, parts: unknown[], output: number, finish?: string): Record<string, unknown> {
  const candidate: Record<string, unknown> = { content: { parts, role: "model" }, index: 0 };
  if (finish) candidate.finishReason = finish;
  return { candidates: [candidate], usageMetadata: usageOf(plan, output), modelVersion: plan.model, responseId: plan.id };
}

const finishOf = (plan: Plan): string => (plan.finish === "length" ? "MAX_TOKENS" : "STOP");

function* parts(plan: Plan): Generator<{ part: unknown; bytes: number }> {
  for (const text of plan.thinking) yield { part: { text, thought: true }, bytes: size(text) };
  for (const text of plan.text) yield { part: { text }, bytes: size(text) };
  // A functionCall is sent whole: this dialect has no argument fragments.
  for (const { name, input, pieces } of plan.tools) yield { part: { functionCall: { name, args: input } }, bytes: size(pieces.join("")) };
}

function* frames(plan: Plan): Generator<Frame> {
  let sent = 0;
  for (const { part, bytes } of parts(plan)) {
    sent += bytes;
    yield { text: `data: ${JSON.stringify(response(plan, [part], Math.ceil(sent / 4)))}\n\n`, contentBytes: bytes, start: true };
  }
  yield {
    text: `data: ${JSON.stringify(response(plan, [{ text: "" }], plan.counts.output, finishOf(plan)))}\n\n`,
    contentBytes: 0,
    closing: true,
    final: true,
  };
}

const errorOf = (code: number, message: string) => ({ error: { code, message, status: words[code] ?? "UNKNOWN" } });
const eventCodes = { overloaded: 503, internal: 500, invalid: 400 } as const;

/** Gemini generateContent. */
export const gemini: Speaker = {
  frames,
  whole: (plan) =>
    response(
      plan,
      [...parts(plan)].map(({ part }) => part),
      plan.counts.output,
      finishOf(plan),
    ),
  errorBody: errorOf,
  errorFrame: (kind) => `data: ${JSON.stringify(errorOf(eventCodes[kind], `Scripted: ${kind}`))}\n\n`,
};
