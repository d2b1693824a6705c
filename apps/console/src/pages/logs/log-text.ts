import type { NameLookup } from "../../api/names.ts";
import { useRangeText } from "../../ranges/range-text.ts";
import { useTexts } from "../../text/i18n.ts";
import { type Condition, conditionsOf, type FilterField, type LogSearch } from "./search.ts";

/** Describes filters in words, with names instead of ids. */
export function useLogText(names: NameLookup) {
  const { t, language } = useTexts();
  const rangeText = useRangeText();

  function valueText(field: FilterField, value: string): string {
    if (field === "user") return names.user(value);
    if (field === "key") return names.key(value);
    if (field === "provider") return names.provider(value);
    if (field === "state") return t(`state.${value}` as "state.done");
    if (field === "status") return t(`histogram.class.${value}` as "histogram.class.5xx");
    if (field === "dialect") return t(`dialect.${value}` as "dialect.openai");
    if (field === "attempts") return t("filter.atLeast", { count: Number(value) });
    if (field === "session" || field === "request") return `…${value.slice(-8)}`;
    return value;
  }

  /** "Model gpt-4o", "Model not gpt-4o". */
  function conditionText({ field, value, not }: Condition): string {
    return [t(`filter.${field}`), ...(not ? [t("filter.not")] : []), valueText(field, value)].join(" ");
  }

  /** "Model gpt-4o, State Error". */
  function describe(search: LogSearch): string {
    const parts = conditionsOf(search).map(conditionText);
    if (search.from !== undefined || search.to !== undefined) parts.push(rangeText(search));
    return new Intl.ListFormat(language, { type: "conjunction" }).format(parts);
  }

  return { valueText, conditionText, rangeText, describe };
}
