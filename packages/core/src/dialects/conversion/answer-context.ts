import type { Usage } from "../../requests.ts";

/** What a writer of answers must know besides the answer. */
export interface AnswerContext {
  /** Our request id; ids of the answer and of its items are made of it. */
  requestId: string;
  /** Seconds since the epoch. */
  createdS: number;
  /** As the client asked; the upstream's own name wins once it is said. */
  model: string;
  /** OpenAI chat streams: the client asked for the usage chunk. */
  includesUsage: boolean;
  /** Anthropic's clients get thinking only when they asked for it, as at Anthropic. */
  showsThinking: boolean;
  /** Tools of the client that take plain text. */
  customTools: ReadonlySet<string>;
  /** The namespaces of those tools of the client that have one. */
  namespaces: ReadonlyMap<string, string>;
  /** What is billed, as far as it is known. */
  usage: () => Usage;
}

/** The request's id as part of an answer's ids: hexadecimal digits only. */
export function bareId({ requestId }: AnswerContext): string {
  return requestId.replaceAll("-", "");
}
