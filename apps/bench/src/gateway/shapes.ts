/** The requests that the gateway is asked with: what a chat is, and what an agent's turn with its history is. */
export interface Shape {
  /** In metrics' names. */
  name: "Json1k" | "Json1kUnlimited" | "Sse1k" | "Json76k" | "Sse76k";
  body: string;
  key: string;
}

/** Without limits, and with limits that are counted and never reached. */
export const benchKeys = { free: "sk-bench-0123456789abcdef0123456789", limited: "sk-bench-abcdef0123456789abcdef0123" } as const;

const sentence = "Tell me something that takes about a kilobyte to ask. ";

const body = (bytes: number, stream: boolean): string =>
  JSON.stringify({
    ...{ model: "bench-model", max_tokens: 100, ...(stream && { stream }) },
    messages: [{ role: "user", content: sentence.repeat(Math.round(bytes / sentence.length)) }],
  });

/** The one that everything is measured with: limits are on, as metering, the spool and live events are. */
export const mainShape: Shape = { name: "Json1k", body: body(900, false), key: benchKeys.limited };

/** Whose key has no limits: nothing is asked of Redis before the provider is called. */
export const unlimitedShape: Shape = { ...mainShape, name: "Json1kUnlimited", key: benchKeys.free };

/** The others, measured beside pass-through in process. */
export const otherShapes: readonly Shape[] = [
  unlimitedShape,
  { name: "Sse1k", body: body(900, true), key: benchKeys.limited },
  { name: "Json76k", body: body(76_000, false), key: benchKeys.limited },
  { name: "Sse76k", body: body(76_000, true), key: benchKeys.limited },
];
