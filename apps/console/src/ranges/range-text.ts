import { useTexts } from "../text/i18n.ts";
import { isRangeName, type RangeSearch } from "./range-search.ts";

/** A range in words: "Last 24 h", "Nov 21, 10:00 – Nov 22, 12:00". */
export function useRangeText(): (range: RangeSearch) => string {
  const { t, language } = useTexts();
  return ({ from, to }) => {
    if (from === undefined && to === undefined) return t("filter.range.all");
    if (typeof from === "string" && to === undefined)
      return isRangeName(from) ? t(`filter.range.${from}`) : t("filter.since", { length: from.slice("now-".length) });
    const format = new Intl.DateTimeFormat(language, { month: "short", day: "numeric", hour: "2-digit", minute: "2-digit" });
    const start = typeof from === "number" ? format.format(from) : (from ?? "…");
    return `${start} – ${to === undefined ? "…" : format.format(to)}`;
  };
}
