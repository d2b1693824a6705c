import type { FilterOptions } from "@sluice/core/statistics";
import { X } from "lucide-react";
import { longRanges } from "../ranges/range-search.ts";
import { TimeRange } from "../ranges/time-range.tsx";
import { useTexts } from "../text/i18n.ts";
import { Button } from "../ui/button.tsx";
import { FilterSelect } from "../ui/filter-select.tsx";
import { DEFAULT_RANGE, dialects, type FilterSearch, type SpanSearch, statuses } from "./search.ts";
import { useFilterOptions } from "./use-filter-options.ts";

interface SpanBarProps {
  search: SpanSearch;
  /** Zone of the answer that is shown. */
  zone: string | undefined;
  onChange(change: Partial<SpanSearch>): void;
}

const steps = ["5m", "15m", "30m", "hour", "day", "week", "month"] as const;

const localZone = Intl.DateTimeFormat().resolvedOptions().timeZone;

/** The range, its step and its time zone. */
export function SpanBar({ search, zone, onChange }: SpanBarProps) {
  const { t } = useTexts();
  const { from = DEFAULT_RANGE, to, step, zone: chosen = "" } = search;
  const zones = [...new Set([localZone, "UTC", chosen].filter(Boolean))];
  return (
    <>
      <TimeRange search={{ from, to }} ranges={longRanges} onChange={({ from: start, to: end }) => onChange({ from: start, to: end })} />
      <FilterSelect
        label={t("statistics.step")}
        className="h-7 text-xs"
        value={step}
        any={t("statistics.steps.auto")}
        options={steps.map((one) => ({ value: one, label: t(`statistics.steps.${one}`) }))}
        onChange={(one) => onChange({ step: one })}
      />
      <FilterSelect
        label={t("statistics.zone")}
        className="h-7 max-w-48 text-xs"
        value={chosen}
        any={chosen || !zone ? t("statistics.settingsZone") : t("statistics.settingsZoneOf", { zone })}
        options={zones.map((one) => ({ value: one, label: one }))}
        onChange={(one) => onChange({ zone: one })}
      />
    </>
  );
}

interface FilterBarProps {
  search: FilterSearch;
  /** The filters to offer; absent = all. */
  fields?: readonly (keyof FilterSearch)[];
  onChange(change: Partial<FilterSearch>): void;
}

type Field = keyof FilterSearch;
interface Choice {
  id: string;
  name: string;
}

/** Filters requests: one control for each field that has more than one value. */
export function FilterBar({ search, fields, onChange }: FilterBarProps) {
  const { t } = useTexts();
  const data = useFilterOptions();
  const choices = choicesOf(
    data,
    (dialect) => t(`dialect.${dialect}`),
    (status) => t(`histogram.class.${status}`),
  ).filter(([field]) => fields?.includes(field) ?? true);
  const active = choices.filter(([field]) => search[field]);
  return (
    <>
      {choices
        .filter(([field, options]) => options.length > 1 || search[field])
        .map(([field, options]) => (
          <FilterSelect
            key={field}
            label={t(`statistics.field.${field}`)}
            className="h-7 max-w-44 text-xs"
            value={search[field]}
            any={t(`statistics.any.${field}`)}
            options={withChosen(options, search[field]).map(({ id, name }) => ({ value: id, label: name }))}
            onChange={(id) => onChange({ [field]: id })}
          />
        ))}
      {active.length > 0 && (
        <Button variant="ghost" size="sm" onClick={() => onChange(Object.fromEntries(active.map(([field]) => [field, undefined])))}>
          <X aria-hidden="true" />
          {t("logs.clearFilters")}
        </Button>
      )}
    </>
  );
}

function choicesOf(
  options: FilterOptions | undefined,
  dialectName: (dialect: (typeof dialects)[number]) => string,
  statusName: (status: (typeof statuses)[number]) => string,
): [Field, Choice[]][] {
  const plain = (values: readonly string[] = []): Choice[] => values.map((id) => ({ id, name: id }));
  return [
    ["model", plain(options?.models)],
    ["key", options?.keys ?? []],
    ["user", options?.users ?? []],
    ["provider", options?.providers ?? []],
    ["tag", plain(options?.tags)],
    ["group", plain(options?.groups)],
    ["dialect", dialects.map((id) => ({ id, name: dialectName(id) }))],
    ["status", statuses.map((id) => ({ id, name: statusName(id) }))],
  ];
}

/** The chosen value is always an option, even if it is no longer offered. */
function withChosen(options: readonly Choice[], chosen: string | undefined): readonly Choice[] {
  return !chosen || options.some(({ id }) => id === chosen) ? options : [...options, { id: chosen, name: chosen.slice(-12) }];
}
