/**
 * Shortens tool names that are too long for a provider: OpenAI refuses the whole request because of a name of more than 64 characters,
 * Anthropic accepts 128, and a name joined with its namespace may be longer still. The mapping is deterministic, so the tool, the choice
 * and earlier calls get the same name. Answers get the client's own names back.
 */
import { hash } from "node:crypto";
import type { Answer, AnswerEvent, AnswerPart, Conversation, PartOpening, Wire } from "./intermediate.ts";
import type { StreamEventReader } from "./stream-events.ts";

const longest: Record<Wire, number> = { anthropic: 128, chat: 64, responses: 64 };

/** The client's names by the shorter ones that replace them. */
export type ShortNames = ReadonlyMap<string, string>;

/** Replaces the names that are too long, in place. */
export function shortenToolNames({ tools, toolChoice, turns }: Conversation, to: Wire): ShortNames {
  const names = new Map<string, string>();
  const fit = (name: string): string => {
    if (name.length <= longest[to]) return name;
    const short = `${name.slice(0, longest[to] - 17)}_${hash("sha256", name, "hex").slice(0, 16)}`;
    names.set(short, name);
    return short;
  };
  for (const tool of tools) tool.name = fit(tool.name);
  if (toolChoice !== null && typeof toolChoice === "object") toolChoice.tool = fit(toolChoice.tool);
  for (const { parts } of turns) for (const part of parts) if (part.kind === "tool-call") part.name = fit(part.name);
  return names;
}

/** A part of an answer with the client's own name for its tool. */
function renamed<P extends AnswerPart | PartOpening>(part: P, names: ShortNames): P {
  const name = part.kind === "tool-call" ? names.get(part.name) : undefined;
  return name === undefined ? part : { ...part, name };
}

/** A whole answer with the client's own tool names. */
export function restoreToolNames(answer: Answer, names: ShortNames): Answer {
  return names.size === 0 ? answer : { ...answer, parts: answer.parts.map((part) => renamed(part, names)) };
}

/** A reader whose events have the client's own tool names. */
export function restoringToolNames(reader: StreamEventReader, names: ShortNames): StreamEventReader {
  if (names.size === 0) return reader;
  return {
    *read(name, data, text) {
      for (const event of reader.read(name, data, text)) yield restored(event, names);
    },
  };
}

function restored(event: AnswerEvent, names: ShortNames): AnswerEvent {
  return event.kind === "part" ? { ...event, part: renamed(event.part, names) } : event;
}
