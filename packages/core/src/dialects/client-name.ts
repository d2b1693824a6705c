/** User agents of well-known clients and their common short names. */
const known: readonly [pattern: RegExp, name: string][] = [
  [/^claude-(?:cli|code)\/([\d.]+)/i, "claude-code"],
  [/^codex[\w-]*\/([\d.]+)/i, "codex"],
  [/^GeminiCLI[\w-]*\/(?:v)?([\d.]+)/i, "gemini-cli"],
  [/^(?:OpenAI|AsyncOpenAI)\/Python ([\d.]+)/i, "openai-python"],
  [/^OpenAI\/JS ([\d.]+)/i, "openai-js"],
  [/^(?:Anthropic|AsyncAnthropic)\/Python ([\d.]+)/i, "anthropic-python"],
  [/^Anthropic\/JS ([\d.]+)/i, "anthropic-js"],
  [/google-genai-sdk\/([\d.]+).*gl-node/i, "genai-js"],
  [/google-genai-sdk\/([\d.]+)/i, "genai-python"],
  [/^(?:Mozilla)\//i, "browser"],
];

function short(name: string, version: string | undefined): string {
  const numbers = version?.split(".").filter(Boolean).slice(0, 2).join(".");
  return numbers ? `${name} ${numbers}` : name;
}

/** A client sends the same user agent with every request. Anyone can send arbitrary ones, so a full map is cleared. */
const names = new Map<string, string>();
const MAX_NAMES = 1_000;

/** Short client name from a user agent: "claude-code 2.1"; for an unknown client its first product; '' when there is none. */
export function clientName(userAgent: string | undefined): string {
  const agent = (userAgent ?? "").trim().slice(0, 256);
  let name = names.get(agent);
  if (name === undefined) {
    name = readName(agent);
    if (names.size >= MAX_NAMES) names.clear();
    names.set(agent, name);
  }
  return name;
}

function readName(agent: string): string {
  for (const [pattern, name] of known) {
    const match = pattern.exec(agent);
    if (match) return short(name, match[1]);
  }
  const product = /^([A-Za-z][\w.-]{0,31})(?:\/v?(\d[\d.]*))?/.exec(agent);
  return product?.[1] ? short(product[1].toLowerCase(), product[2]) : "";
}
