import { setTimeout as sleep } from "node:timers/promises";

/**
 * Gentle, mixed traffic for a demo: dialects, conversations, streams, some errors and some clients that leave. It calls a gateway over
 * HTTP like any client; the variety of answers comes from the provider (use the secret `…@mixed`).
 */
export interface TrafficOptions {
  /** The gateway's origin, without a path. */
  baseUrl: string;
  /** Client keys, used in turn. */
  keys: readonly string[];
  /** Requests per second on average. */
  rps: number;
  /** Ends the traffic: no new requests, and those in flight are aborted. */
  signal: AbortSignal;
  models?: { anthropic: string; openai: string; gemini: string };
  /** Returns 0 ≤ x < 1; a seeded one makes the mix repeatable. */
  random?: () => number;
  onResult?: (result: { status: number; aborted: boolean }) => void;
}

const defaultModels = { anthropic: "claude-sonnet-4-5", openai: "gpt-5-mini", gemini: "gemini-2.5-flash" };
const questions = [
  "How high is the bridge?",
  "Name three rivers.",
  "Write a haiku about rain.",
  "What is a sluice?",
  "Why is the sky blue?",
];

interface Shot {
  path: string;
  headers: Record<string, string>;
  body: unknown;
}

function pick<T>(list: readonly T[], random: () => number): T {
  return list[Math.min(list.length - 1, Math.floor(random() * list.length))] as T;
}

function compose(options: TrafficOptions, random: () => number): Shot {
  const models = { ...(options.models ?? defaultModels) };
  // One call in forty names an unknown model.
  if (random() < 0.025) models.openai = "gpt-unknown";
  const key = pick(options.keys, random);
  const session = Math.floor(random() * 8);
  const text = pick(questions, random);
  const stream = random() < 0.8;
  const kind = Math.floor(random() * 4);
  if (kind === 0) {
    const user_id = `user_demo_account__session_00000000-0000-4000-8000-00000000000${session}`;
    const body = {
      model: models.anthropic,
      max_tokens: 4096,
      stream,
      metadata: { user_id },
      messages: [{ role: "user", content: text }],
    };
    return {
      path: "/v1/messages",
      headers: { "x-api-key": key, "anthropic-version": "2023-06-01", "user-agent": "claude-cli/2.1.0 (external, cli)" },
      body,
    };
  }
  const bearer = { authorization: `Bearer ${key}` };
  if (kind === 1) {
    const body = { model: models.openai, stream, messages: [{ role: "user", content: text }] };
    return {
      path: "/v1/chat/completions",
      headers: { ...bearer, "user-agent": "OpenAI/JS 6.1.0", "x-session-id": `demo-chat-${session}` },
      body,
    };
  }
  if (kind === 2) {
    const body = { model: models.openai, stream, input: text, prompt_cache_key: `demo-codex-${session}` };
    return { path: "/v1/responses", headers: { ...bearer, "user-agent": "codex_cli_rs/0.50.0 (Linux)" }, body };
  }
  const method = stream ? "streamGenerateContent?alt=sse" : "generateContent";
  return {
    path: `/v1beta/models/${encodeURIComponent(models.gemini)}:${method}`,
    headers: {
      "x-goog-api-key": key,
      "user-agent": "GeminiCLI/0.9.0/gemini-2.5-flash (linux; x64)",
      "x-session-id": `demo-gemini-${session}`,
    },
    body: { contents: [{ role: "user", parts: [{ text }] }] },
  };
}

async function shoot(options: TrafficOptions, random: () => number): Promise<void> {
  const { path, headers, body } = compose(options, random);
  const leaving = new AbortController();
  // One client in twenty gives up early.
  const timer = random() < 0.05 ? setTimeout(() => leaving.abort(), 300 + random() * 1500) : undefined;
  let status = 0;
  let aborted = false;
  try {
    const response = await fetch(new URL(path, options.baseUrl), {
      method: "POST",
      headers: { "content-type": "application/json", ...headers },
      body: JSON.stringify(body),
      signal: AbortSignal.any([options.signal, leaving.signal]),
    });
    status = response.status;
    for await (const _ of response.body ?? []);
  } catch {
    aborted = true;
  } finally {
    clearTimeout(timer);
  }
  options.onResult?.({ status, aborted });
}

/** Sends requests until the signal fires, at most 64 concurrently; resolves when the last one is over. Never throws. */
export async function startTraffic(options: TrafficOptions): Promise<void> {
  const random = options.random ?? Math.random;
  const running = new Set<Promise<void>>();
  while (!options.signal.aborted) {
    // Exponential intervals, as from independent clients.
    await sleep(Math.min(10_000, (-Math.log(1 - random()) / options.rps) * 1000), undefined, { signal: options.signal }).catch(
      () => undefined,
    );
    if (options.signal.aborted || running.size >= 64) continue;
    const shot = shoot(options, random).finally(() => running.delete(shot));
    running.add(shot);
  }
  await Promise.all(running);
}
