import type { SkipReason } from "@sluice/core/pricing/litellm-prices";

/** One version of a model's price, USD per million tokens as plain decimals; null = derived by core/pricing. */
export interface PriceView {
  id: string;
  model: string;
  inputPerMTok: string;
  outputPerMTok: string;
  cacheWrite5mPerMTok: string | null;
  cacheWrite1hPerMTok: string | null;
  cacheReadPerMTok: string | null;
  /** The most the model gives out in one answer; null = not known. */
  maxOutputTokens: number | null;
  /** Where it came from: "shipped 2026-11-01", "config", "console", "cli", "import", "source prices.example.com". */
  source: string;
  createdAtMs: number;
}

/** The amounts of a price that is not stored yet. */
export type PriceAmounts = Omit<PriceView, "id" | "source" | "createdAtMs">;

/** What a price table would change, or has changed. */
export interface PriceImport {
  applied: boolean;
  /** Changes the most expensive lists first: changed models, then new ones, by name. */
  changed: { before: PriceView; after: PriceAmounts }[];
  created: PriceAmounts[];
  unchanged: number;
  /** Prices of a person or of the configuration file, which stay. */
  kept: { before: PriceView; after: PriceAmounts }[];
  /** Entries that are not used: how many, and the first names. */
  skipped: { reason: SkipReason; count: number; names: string[] }[];
}

/** Why a source gave no table. `status` is HTTP's, `line` where its text is wrong. */
export interface PriceSourceFailure {
  reason: "blocked" | "unreachable" | "timeout" | "status" | "too_large" | "not_json" | "not_a_table" | "nothing_priced";
  status?: number;
  line?: number;
  atMs: number;
}

/** Where prices are refreshed from, and how the last time went. */
export interface PriceSource {
  /** '' = the table shipped with this version. */
  url: string;
  /** The last refresh that worked: of what, and what it changed. */
  refreshed: { atMs: number; version: string; created: number; changed: number } | null;
  /** The last one that did not, if that was later; the prices before it stay in force. */
  failure: PriceSourceFailure | null;
}

/** What "Refresh now" did. A source that fails is a result, not an error: nothing changed. */
export interface PriceRefresh {
  ok: boolean;
  created: number;
  changed: number;
  source: PriceSource;
}
