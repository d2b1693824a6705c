/** One request by a client program. */
export interface ModelCall {
  dialect: "anthropic" | "chat" | "responses" | "gemini" | "embeddings" | "countTokens";
  model: string;
  stream: boolean;
  key: string;
  /** Disconnects after this many ms; absent = stays to the end. */
  abortAfterMs?: number | undefined;
  /** Disconnects when this aborts. */
  signal?: AbortSignal | undefined;
  session?: string;
}

/** What the client program observed. `id` is empty when it did not even receive a response head. */
export interface Seen {
  /** The gateway's request id. */
  id: string;
  /** complete: a proper end was received, so the charge must be recorded. cut: anything else that had begun. */
  outcome: "complete" | "cut";
  /** For a stream: output tokens as the upstream counts them (four bytes each). */
  outputTokens?: number;
  /** Those of them that arrived at least two seconds before the end. */
  outputTokensEarly?: number;
  status: number;
  text: string;
  /** True when no connection could be opened. */
  refusedConnection: boolean;
  /** Why the answer was not read to its end; empty when it was. */
  failure: string;
}

const EARLY_MS = 2_000;
const messages = [{ role: "user", content: "Tell me something." }];

function target({ dialect, model, stream }: ModelCall): { path: string; body: Record<string, unknown> } {
  switch (dialect) {
    case "anthropic":
      return { path: "/v1/messages", body: { model, max_tokens: 4_000, stream, messages } };
    case "countTokens":
      return { path: "/v1/messages/count_tokens", body: { model, messages } };
    case "chat":
      return { path: "/v1/chat/completions", body: { model, stream, messages } };
    case "responses":
      return { path: "/v1/responses", body: { model, stream, input: "Tell me something." } };
    case "embeddings":
      return { path: "/v1/embeddings", body: { model, input: "Tell me something." } };
    case "gemini": {
      const verb = stream ? "streamGenerateContent?alt=sse" : "generateContent";
      return { path: `/v1beta/models/${model}:${verb}`, body: { contents: [{ role: "user", parts: [{ text: "Tell me something." }] }] } };
    }
  }
}

/** Sends a request and reads the answer as far as it arrives. Never throws. */
export async function callModel(url: string, call: ModelCall): Promise<Seen> {
  const { path, body } = target(call);
  const seen: Seen = { id: "", outcome: "cut", status: 0, text: "", refusedConnection: false, failure: "" };
  const abort = new AbortController();
  call.signal?.addEventListener("abort", () => abort.abort(), { once: true });
  const arrivals: Arrival[] = [];
  const timer = call.abortAfterMs === undefined ? null : setTimeout(() => abort.abort(), call.abortAfterMs);
  try {
    const response = await fetch(`${url}${path}`, {
      method: "POST",
      headers: {
        "content-type": "application/json",
        authorization: `Bearer ${call.key}`,
        "anthropic-version": "2023-06-01",
        ...(call.session && { "x-session-id": call.session }),
      },
      body: JSON.stringify(body),
      signal: abort.signal,
    });
    seen.status = response.status;
    seen.id = response.headers.get("x-request-id") ?? "";
    await read(response, seen, arrivals);
    const isWhole = call.stream ? hasProperEnd(seen.text, call.dialect) : true;
    if (response.status === 200 && isWhole) seen.outcome = "complete";
  } catch (error) {
    seen.refusedConnection = refusedConnection(error);
    seen.failure = error instanceof Error ? `${error.message}: ${String(error.cause)}` : String(error);
  } finally {
    if (timer) clearTimeout(timer);
  }
  if (call.stream) {
    const early = arrivals.findLast(({ atMs }) => atMs < performance.now() - EARLY_MS)?.length ?? 0;
    seen.outputTokens = tokensOf(seen.text);
    seen.outputTokensEarly = early === 0 ? 0 : tokensOf(seen.text.slice(0, early));
  }
  return seen;
}

/** How much text had arrived by a time. */
interface Arrival {
  atMs: number;
  length: number;
}

async function read(response: Response, seen: Seen, arrivals: Arrival[]): Promise<void> {
  const decoder = new TextDecoder();
  for await (const chunk of response.body ?? []) {
    seen.text += decoder.decode(chunk as Uint8Array, { stream: true });
    arrivals.push({ atMs: performance.now(), length: seen.text.length });
  }
}

function tokensOf(text: string): number {
  return Math.ceil(contentBytes(text) / 4);
}

function refusedConnection(error: unknown): boolean {
  const cause = error instanceof Error ? error.cause : null;
  return cause instanceof Error && "code" in cause && cause.code === "ECONNREFUSED";
}

/** The data of complete events. */
function events(text: string): string[] {
  const parts = text.replaceAll(/\r\n?/g, "\n").split("\n\n");
  return parts.slice(0, -1).flatMap((part) => part.split("\n").flatMap((line) => (line.startsWith("data:") ? [line.slice(5).trim()] : [])));
}

interface EventBody {
  type?: string;
  delta?: string | Record<string, unknown>;
  choices?: { delta?: { content?: string; reasoning_content?: string; tool_calls?: { function?: { arguments?: string } }[] } }[];
  candidates?: { finishReason?: string; content?: { parts?: { text?: string }[] } }[];
}

function parse(data: string): EventBody {
  return data.startsWith("{") ? (JSON.parse(data) as EventBody) : {};
}

/** Only a dialect's terminal event proves a stream complete. */
function hasProperEnd(text: string, dialect: ModelCall["dialect"]): boolean {
  const all = events(text);
  if (dialect === "chat") return all.at(-1) === "[DONE]";
  const bodies = all.map(parse);
  if (dialect === "gemini") return bodies.some(({ candidates }) => candidates?.[0]?.finishReason);
  return bodies.some(({ type }) => /^(message_stop|response\.(completed|incomplete))$/.test(type ?? ""));
}

/** Bytes of text, thinking and tool arguments, as a client of that dialect counts them. */
function contentBytes(text: string): number {
  let bytes = 0;
  const add = (piece: unknown): void => {
    if (typeof piece === "string") bytes += Buffer.byteLength(piece);
  };
  for (const { delta, choices, candidates } of events(text).map(parse)) {
    if (typeof delta === "string") add(delta);
    else if (delta) for (const name of ["text", "thinking", "partial_json"]) add(delta[name]);
    const choice = choices?.[0]?.delta;
    add(choice?.content);
    add(choice?.reasoning_content);
    add(choice?.tool_calls?.[0]?.function?.arguments);
    for (const part of candidates?.[0]?.content?.parts ?? []) add(part.text);
  }
  return bytes;
}
