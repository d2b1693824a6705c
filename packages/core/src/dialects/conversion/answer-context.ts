import type { Usage } from "../../requests.ts";

/** What a writer of answers needs besides the answer. */
export interface AnswerContext {
  /** Our request id; the ids of the answer and its items are derived from it. */
  requestId: string;
  /** Seconds since the epoch. */
  createdS: number;
  /** As the client requested; the upstream's own name replaces it once known. */
  model: string;
  /** OpenAI chat streams: the client asked for the usage chunk. */
  includesUsage: boolean;
  /** As with Anthropic itself, its clients get thinking only when they asked for it. */
  showsThinking: boolean;
  /** The client's tools that take plain text. */
  customTools: ReadonlySet<string>;
  /** Namespaces of the client's tools that have one. */
  namespaces: ReadonlyMap<string, string>;
  /** What is billed, as far as it is known yet. */
  usage: () => Usage;
}

/** The request id for use in an answer's ids: hexadecimal digits only. */
export function bareId({ requestId }: AnswerContext): string {
  return requestId.replaceAll("-", "");
}
