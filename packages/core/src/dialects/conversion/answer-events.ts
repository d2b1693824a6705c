import type { Answer, AnswerEvent, AnswerPart, PartOpening } from "./intermediate.ts";

function openingOf(part: AnswerPart): PartOpening {
  return part.kind === "tool-call" ? { kind: "tool-call", id: part.id, name: part.name } : { kind: part.kind };
}

/** A whole answer as stream events: for a client that asked for a stream when the provider did not send one. */
export function answerEvents(answer: Answer): AnswerEvent[] {
  const events: AnswerEvent[] = [{ kind: "start", model: answer.model }];
  for (const [index, part] of answer.parts.entries()) {
    const key = String(index);
    const text = part.kind === "tool-call" ? part.args || "{}" : part.text;
    events.push({ kind: "part", key, part: openingOf(part) });
    if (text !== "") events.push({ kind: "delta", key, text });
    if (part.kind === "thinking" && part.seal) events.push({ kind: "seal", key, seal: part.seal });
    events.push({ kind: "part-end", key });
  }
  events.push({ kind: "stop", reason: answer.stop, reasoningTokens: answer.reasoningTokens }, { kind: "end" });
  return events;
}
