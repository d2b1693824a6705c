import type { SkipReason } from "@sluice/core/pricing/litellm-prices";
import type { TokenPrices } from "@sluice/core/pricing/price-usage";

/** One version of a model's price. */
export interface PriceView extends TokenPrices {
  id: string;
  model: string;
  /** Most output tokens of one answer; null = unknown. */
  maxOutputTokens: number | null;
  /** Origin: "shipped 2026-11-01", "config", "console", "cli", "import", "source prices.example.com". */
  source: string;
  createdAtMs: number;
}

/** The amounts of a price that is not stored yet. */
export type PriceAmounts = Omit<PriceView, "id" | "source" | "createdAtMs">;

/** What a price table would change, or has changed. */
export interface PriceImport {
  applied: boolean;
  /** Ordered by model name. */
  changed: { before: PriceView; after: PriceAmounts }[];
  created: PriceAmounts[];
  unchanged: number;
  /** Prices set by a person or the configuration file, which stay. */
  kept: { before: PriceView; after: PriceAmounts }[];
  /** Unusable entries by reason: how many, and the first few names. */
  skipped: { reason: SkipReason; count: number; names: string[] }[];
}

/** Why a source returned no table. `status` is the HTTP status, `line` the line of a syntax error. */
export interface PriceSourceFailure {
  reason: "blocked" | "unreachable" | "timeout" | "status" | "too_large" | "not_json" | "not_a_table" | "nothing_priced";
  status?: number;
  line?: number;
  atMs: number;
}

/** Where prices are refreshed from, and the outcome of the last refresh. */
export interface PriceSource {
  /** Empty = the table shipped with this version. */
  url: string;
  /** The last successful refresh: its version and what it changed. */
  refreshed: { atMs: number; version: string; created: number; changed: number } | null;
  /** The last failed refresh, if later than that; the previous prices stay in force. */
  failure: PriceSourceFailure | null;
}

/** Outcome of "Refresh now". A failed source is a result, not an error, and changes nothing. */
export interface PriceRefresh {
  ok: boolean;
  created: number;
  changed: number;
  source: PriceSource;
}
