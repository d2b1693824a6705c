import { useTranslation } from "react-i18next";
import type { NameLookup } from "../../api/names.ts";
import { type FilterField, fields, type LogSearch } from "./search.ts";

/** Filters in words: names instead of ids. */
export function useLogText(names: NameLookup) {
  const { t, i18n } = useTranslation();

  function valueText(field: FilterField, value: string): string {
    if (field === "user") return names.user(value);
    if (field === "key") return names.key(value);
    if (field === "provider") return names.provider(value);
    if (field === "state") return t(`state.${value}` as "state.done");
    if (field === "dialect") return t(`dialect.${value}` as "dialect.openai");
    if (field === "session" || field === "request") return `…${value.slice(-8)}`;
    return value;
  }

  function rangeText(search: LogSearch): string {
    if (search.range) return t(`filter.range.${search.range}`);
    if (search.from === undefined && search.to === undefined) return t("filter.range.all");
    const format = new Intl.DateTimeFormat(i18n.language, { month: "short", day: "numeric", hour: "2-digit", minute: "2-digit" });
    return `${search.from === undefined ? "…" : format.format(search.from)} – ${search.to === undefined ? "…" : format.format(search.to)}`;
  }

  /** "Model gpt-4o, State Error". */
  function describe(search: LogSearch): string {
    const parts = fields.flatMap((field) => {
      const value = search[field];
      return value ? [`${t(`filter.${field}`)} ${valueText(field, value)}`] : [];
    });
    if (search.range || search.from !== undefined || search.to !== undefined) parts.push(rangeText(search));
    return new Intl.ListFormat(i18n.language, { type: "conjunction" }).format(parts);
  }

  return { valueText, rangeText, describe };
}
