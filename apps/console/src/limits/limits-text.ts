import { formatCost, formatExact } from "../format.ts";
import type { Translate } from "../text/translator.ts";
import { isCost, type LimitName, limitFieldsOf, type SetLimits } from "./limit-form.ts";

/** A limit's value or use, formatted; costs are in nano-USD. */
export function limitAmount(limit: LimitName, value: number, language: string): string {
  return isCost(limit) ? formatCost(String(Math.round(value))) : formatExact(value, language);
}

/** An owner's own limits, abbreviated; empty when there are none. */
export function limitsInShort(t: Translate, set: SetLimits, language: string): string {
  return limitFieldsOf
    .flatMap(([limit, field, unit]) => {
      const value = set[field];
      if (value === null || value === undefined || Number(value) === 0) return [];
      return t(`limits.short.${limit}`, { value: unit === "cost" ? `$${value}` : formatExact(Number(value), language) });
    })
    .join(" · ");
}
