/** The price in force of a model, USD per million tokens as plain decimals; null = derived by core/pricing. */
export interface PriceView {
  id: string;
  model: string;
  inputPerMTok: string;
  outputPerMTok: string;
  cacheWrite5mPerMTok: string | null;
  cacheWrite1hPerMTok: string | null;
  cacheReadPerMTok: string | null;
  /** Where it came from: "shipped 2026-11-01", "config", "console". */
  source: string;
  createdAtMs: number;
}
