/** The kinds of requests to measure: a chat message, and an agent's turn with its history. */
export interface Shape {
  /** As it appears in metric names. */
  name: "Json1k" | "Json1kUnlimited" | "Sse1k" | "Json76k" | "Sse76k";
  body: string;
  key: string;
}

/** A key without limits, and one with limits that are counted but never reached. */
export const benchKeys = { free: "sk-bench-0123456789abcdef0123456789", limited: "sk-bench-abcdef0123456789abcdef0123" } as const;

const sentence = "Tell me something that takes about a kilobyte to ask. ";

const body = (bytes: number, stream: boolean): string =>
  JSON.stringify({
    ...{ model: "bench-model", max_tokens: 100, ...(stream && { stream }) },
    messages: [{ role: "user", content: sentence.repeat(Math.round(bytes / sentence.length)) }],
  });

/** The shape of all main figures: with limits, metering, the spool and live events. */
export const mainShape: Shape = { name: "Json1k", body: body(900, false), key: benchKeys.limited };

/** With a key without limits: Redis is not used before the provider is called. */
export const unlimitedShape: Shape = { ...mainShape, name: "Json1kUnlimited", key: benchKeys.free };

/** The others, compared with pass-through in process. */
export const otherShapes: readonly Shape[] = [
  unlimitedShape,
  { name: "Sse1k", body: body(900, true), key: benchKeys.limited },
  { name: "Json76k", body: body(76_000, false), key: benchKeys.limited },
  { name: "Sse76k", body: body(76_000, true), key: benchKeys.limited },
];
