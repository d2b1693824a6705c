import { type BookCheck, idsOf, LISTED, type Span } from "./book-check.ts";

/**
 * The stored cost must equal tokens × price version × multipliers, rounded half up once. For a corrected request, the sum of
 * its cost and its corrections is compared, by the version and multipliers of the last row that was priced. Prices are USD
 * per million tokens, so tokens × price × 1,000 gives nano-USD; a missing cache price is 1.25 ×, 2 × or 0.1 × the input price.
 * A row without a cost must be flagged unpriced; a cost of 0 without a price is correct, since nothing was produced.
 */
export function costsCheck(span: Span | null): BookCheck {
  const { where, values } = idsOf(span);
  const multiplier = (name: string, field: string) => `coalesce(l.${name}, r.${name}, (d.detail -> 'cost' ->> '${field}')::numeric)`;
  const tokensOf = (kind: string) => `(r.${kind}_tokens + coalesce(l.${kind}, 0))`;
  const kinds = ["input", "output", "cache_write_5m", "cache_write_1h", "cache_read"];
  const last = (name: string) => `(array_agg(r.${name} ORDER BY r.settled_seq DESC) FILTER (WHERE r.price_id IS NOT NULL))[1] AS ${name}`;
  // A correction is in its original's millisecond and therefore in the same span.
  const text = `
    WITH corrections AS (
      SELECT r.corrects_id AS id, sum(r.cost_nano_usd) AS cost, ${["price_id", "provider_multiplier", "group_multiplier"].map(last).join(", ")},
        ${kinds.map((kind) => `sum(r.${kind}_tokens) AS ${kind}`).join(", ")}
      FROM requests r WHERE r.corrects_id IS NOT NULL AND ${where} GROUP BY 1)
    SELECT id, stored, expected FROM (
      SELECT r.id, (coalesce(r.cost_nano_usd, 0) + coalesce(l.cost, 0))::text AS stored,
        floor((${tokensOf("input")} * p.input_per_mtok + ${tokensOf("output")} * p.output_per_mtok
        + ${tokensOf("cache_write_5m")} * coalesce(p.cache_write_5m_per_mtok, round(p.input_per_mtok * 1.25, 12))
        + ${tokensOf("cache_write_1h")} * coalesce(p.cache_write_1h_per_mtok, p.input_per_mtok * 2)
        + ${tokensOf("cache_read")} * coalesce(p.cache_read_per_mtok, round(p.input_per_mtok * 0.1, 12))) * 1000
        * ${multiplier("provider_multiplier", "providerMultiplier")} * ${multiplier("group_multiplier", "groupMultiplier")} + 0.5)::text AS expected
      FROM requests r LEFT JOIN corrections l ON l.id = r.id LEFT JOIN prices p ON p.id = coalesce(l.price_id, r.price_id)
        LEFT JOIN request_details d ON d.id = r.id AND r.provider_multiplier IS NULL
      WHERE r.corrects_id IS NULL AND r.billable AND (r.cost_nano_usd IS NOT NULL OR l.cost IS NOT NULL) AND ${where}) AS priced
    WHERE stored IS DISTINCT FROM expected AND NOT (expected IS NULL AND stored = '0')
    UNION ALL
    SELECT r.id, 'no cost', 'flag unpriced' FROM requests r
    WHERE r.cost_nano_usd IS NULL AND r.billable AND NOT 'unpriced' = ANY (r.flags) AND ${where}
    LIMIT ${LISTED}`;
  return {
    table: "requests",
    async find(db) {
      const { rows } = await db.query<{ id: string; stored: string; expected: string | null }>(text, values);
      return rows.map(({ id, stored, expected }) => ({
        ...{ invariant: "I5" as const, table: "requests", id, requestId: id, found: stored },
        expected: expected ?? "nothing (no price or breakdown)",
      }));
    },
  };
}
