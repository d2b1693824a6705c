import type { Outputs } from "../../api/client.ts";
import type { Translate } from "../../text/translator.ts";
import type { Difference } from "../../ui/diff-list.tsx";

export type Price = Outputs["prices"]["list"][number];
export type PriceAmounts = Omit<Price, "id" | "source" | "createdAtMs">;

/** The amounts of a price: label, field, and whether it may be derived. */
export const amountFields = [
  ["input", "inputPerMTok", false],
  ["output", "outputPerMTok", false],
  ["cacheRead", "cacheReadPerMTok", true],
  ["cacheWrite5m", "cacheWrite5mPerMTok", true],
  ["cacheWrite1h", "cacheWrite1hPerMTok", true],
] as const;

/** The origin of a price, in words. */
export function priceSourceText(t: Translate, source: string): string {
  if (source === "console" || source === "config" || source === "cli" || source === "import") return t(`prices.from.${source}`);
  if (source.startsWith("shipped ")) return t("prices.from.shipped", { date: source.slice(8) });
  if (source.startsWith("source ")) return t("prices.from.source", { host: source.slice(7) });
  return source;
}

/** The differences between two versions. */
export function priceDifferences(t: Translate, before: PriceAmounts, after: PriceAmounts): Difference[] {
  const text = (value: string | null): string => (value === null ? t("prices.derived") : `$${value}`);
  return amountFields
    .filter(([, field]) => before[field] !== after[field])
    .map(([name, field]) => ({ id: field, name: t(`prices.${name}`), before: text(before[field]), after: text(after[field]) }));
}
