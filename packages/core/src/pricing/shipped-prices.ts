import type { TokenPrices } from "./price-usage.ts";

/** A row of the shipped table: the standard tier below any long-context threshold, in USD per million tokens. */
export interface ShippedPrice extends TokenPrices {
  readonly model: string;
}

/**
 * The date for which the table is valid. Sources: the providers' public pricing pages,
 * platform.claude.com/docs/en/about-claude/pricing, developers.openai.com/api/docs/pricing and
 * ai.google.dev/gemini-api/docs/pricing.
 */
export const shippedPricesDate = "2026-11-05";

/**
 * model, input, output, cache read. A missing cache read is 0.1 × input; cache writes always follow the defaults of
 * `priceUsage` (dialects without paid cache writes never report any).
 */
const rows: readonly (readonly [model: string, input: string, output: string, cacheRead?: string])[] = [
  // Anthropic
  ["claude-fable-5-1", "10", "50", "0.25"],
  ["claude-fable-5", "10", "50"],
  ["claude-opus-5-5", "4", "20", "0.2"],
  ["claude-opus-5", "5", "25"],
  ["claude-opus-4-8", "5", "25"],
  ["claude-opus-4-7", "5", "25"],
  ["claude-opus-4-6", "5", "25"],
  ["claude-opus-4-5", "5", "25"],
  ["claude-opus-4-5-20251101", "5", "25"],
  ["claude-sonnet-5-5", "2", "10", "0.1"],
  ["claude-sonnet-5", "2", "10"],
  ["claude-sonnet-4-6", "3", "15"],
  ["claude-sonnet-4-5", "3", "15"],
  ["claude-sonnet-4-5-20250929", "3", "15"],
  // For prompts up to 100,000 tokens; the more expensive tier above requires long-context prices.
  ["claude-haiku-5-5", "0.1", "0.5"],
  ["claude-haiku-4-5", "1", "5"],
  ["claude-haiku-4-5-20251001", "1", "5"],
  // OpenAI
  ["gpt-6.2-astra", "8", "40", "0.4"],
  ["gpt-6.2-sol", "2", "10"],
  ["gpt-6-astra", "10", "50"],
  ["gpt-6-sol", "2", "10"],
  ["gpt-6-luna", "0.1", "0.5"],
  ["gpt-5.6-sol", "4", "20"],
  ["gpt-5.6-terra", "2", "12"],
  ["gpt-5.6-luna", "0.2", "1.2"],
  ["gpt-5.5", "5", "30"],
  ["gpt-5.5-pro", "30", "180", "30"],
  ["gpt-5.4", "2.5", "15"],
  ["gpt-5.4-mini", "0.75", "4.5"],
  ["gpt-5.4-nano", "0.2", "1.25"],
  ["gpt-5.2", "1.75", "14"],
  ["gpt-5.1", "1.25", "10"],
  ["gpt-5", "1.25", "10"],
  ["gpt-5-mini", "0.25", "2"],
  ["gpt-5-nano", "0.05", "0.4"],
  ["gpt-4.1", "2", "8", "0.5"],
  ["gpt-4.1-mini", "0.4", "1.6", "0.1"],
  ["gpt-4.1-nano", "0.1", "0.4", "0.025"],
  ["gpt-4o", "2.5", "10", "1.25"],
  ["gpt-4o-mini", "0.15", "0.6", "0.075"],
  ["text-embedding-3-large", "0.13", "0"],
  ["text-embedding-3-small", "0.02", "0"],
  ["text-embedding-ada-002", "0.1", "0"],
  // Google. The price of 3.8 Flash is valid until 2026-12-31.
  ["gemini-3.8-flash", "0.75", "3.75"],
  ["gemini-3.1-pro-preview", "2", "12"],
  ["gemini-3.1-flash-lite", "0.25", "1.5"],
  ["gemini-3-flash-preview", "0.5", "3"],
  ["gemini-2.5-pro", "1.25", "10"],
  ["gemini-2.5-flash", "0.3", "2.5"],
  ["gemini-2.5-flash-lite", "0.1", "0.4"],
  ["gemini-embedding-001", "0.15", "0"],
];

/**
 * List prices shipped with this version. Each is written to the price table once, for models that have no row there, so an
 * administrator's price is never replaced.
 */
export const shippedPrices: readonly ShippedPrice[] = rows.map(([model, inputPerMTok, outputPerMTok, cacheReadPerMTok]) => ({
  model,
  inputPerMTok,
  outputPerMTok,
  cacheWrite5mPerMTok: null,
  cacheWrite1hPerMTok: null,
  cacheReadPerMTok: cacheReadPerMTok ?? null,
}));
