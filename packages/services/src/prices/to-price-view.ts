import type { Price } from "@sluice/db/generated/client";
import type { PriceView } from "./price-view.ts";

/** A stored price, with decimals as text. */
export function toPriceView(row: Price): PriceView {
  return {
    id: row.id,
    model: row.model,
    inputPerMTok: row.inputPerMTok.toFixed(),
    outputPerMTok: row.outputPerMTok.toFixed(),
    cacheWrite5mPerMTok: row.cacheWrite5mPerMTok?.toFixed() ?? null,
    cacheWrite1hPerMTok: row.cacheWrite1hPerMTok?.toFixed() ?? null,
    cacheReadPerMTok: row.cacheReadPerMTok?.toFixed() ?? null,
    maxOutputTokens: row.maxOutputTokens,
    source: row.source,
    createdAtMs: row.createdAt.getTime(),
  };
}
