import type { DialectName, Endpoint } from "../../requests.ts";
import type { Wire } from "./intermediate.ts";

const wires: Partial<Record<DialectName, Partial<Record<Endpoint, Wire>>>> = {
  anthropic: { messages: "anthropic" },
  openai: { chat: "chat", responses: "responses" },
};

const labels: Record<Wire, string> = { anthropic: "anthropic", chat: "openai chat", responses: "openai responses" };

/**
 * The endpoints of each dialect that a request may be converted to, best first. Chat before Responses, because providers
 * other than OpenAI really serve the former.
 */
const targets: Record<DialectName, readonly Endpoint[]> = { anthropic: ["messages"], openai: ["chat", "responses"], gemini: [] };

/** An `openai` provider states which of these it serves; all other endpoints come with the dialect. */
const selectable: ReadonlySet<Endpoint> = new Set<Endpoint>(["chat", "responses", "embeddings"]);

interface Ask {
  dialect: DialectName;
  endpoint: Endpoint;
}

interface Serving {
  readonly dialect: DialectName;
  readonly serves: readonly string[];
}

/** The wire format of an endpoint; null when it cannot be converted. */
export function wireOf({ dialect, endpoint }: Ask): Wire | null {
  return wires[dialect]?.[endpoint] ?? null;
}

/** Whether a provider serves the request in its own dialect, so that bytes pass unchanged. */
export function isNative(provider: Serving, ask: Ask): boolean {
  return provider.dialect === ask.dialect && isServed(provider, ask.endpoint);
}

function isServed({ serves }: Serving, endpoint: Endpoint): boolean {
  return !selectable.has(endpoint) || serves.includes(endpoint);
}

/**
 * The provider's endpoint that a request is converted to; null when it cannot be. A token count goes where the messages
 * themselves would go.
 */
export function conversionTarget(provider: Serving, ask: Ask): Endpoint | null {
  const endpoint = ask.endpoint === "countTokens" && ask.dialect === "anthropic" ? "messages" : ask.endpoint;
  if (wireOf({ dialect: ask.dialect, endpoint }) === null) return null;
  const isSame = (target: Endpoint) => provider.dialect === ask.dialect && target === endpoint;
  return targets[provider.dialect].find((target) => !isSame(target) && isServed(provider, target)) ?? null;
}

/** "anthropic → openai chat", as shown in rows and decisions. */
export function conversionLabel(from: Ask, to: Ask): string {
  const [source, target] = [wireOf(from), wireOf(to)];
  return `${source ? labels[source] : from.dialect} → ${target ? labels[target] : to.dialect}`;
}

/** False for dialects that nothing is converted from or to yet. */
export function hasConversion(dialect: DialectName): boolean {
  return targets[dialect].length > 0;
}

/** The message for a client whose model is served only in another dialect. */
export function missingConversion(dialect: DialectName): string {
  const pair = hasConversion(dialect) ? "to Gemini" : "from Gemini";
  return `Conversion ${pair} is not available: this model is served by providers of another API only.`;
}
