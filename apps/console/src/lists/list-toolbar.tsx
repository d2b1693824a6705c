import { type SortName, sortNames } from "@sluice/core/sort-names";
import { ArrowDown, ArrowUp, Search } from "lucide-react";
import { type ReactNode, useEffect, useState } from "react";
import { useTexts } from "../text/i18n.ts";
import { Button } from "../ui/button.tsx";
import { Input, NativeSelect } from "../ui/field.tsx";
import { type ListSearch, orderOf } from "./list-search.ts";

/** Typing takes effect after a pause of this length. */
const REST_MS = 250;

interface ListToolbarProps {
  search: ListSearch;
  hint: string;
  statuses: readonly { value: string; label: string }[];
  onChange(change: Partial<ListSearch>): void;
  children?: ReactNode;
}

/** Search, state and order above a list. Where there is room, column headers also set the order. */
export function ListToolbar({ search, hint, statuses, onChange, children }: ListToolbarProps) {
  const { t } = useTexts();
  const { sort, order } = orderOf(search);
  const Arrow = order === "asc" ? ArrowUp : ArrowDown;
  return (
    <search className="flex flex-wrap items-center gap-2">
      <SearchField value={search.q ?? ""} hint={hint} onChange={(q) => onChange({ q: q || undefined })} />
      <NativeSelect
        aria-label={t("lists.status")}
        className="w-auto"
        value={search.status ?? ""}
        onChange={(event) => onChange({ status: event.target.value || undefined })}
      >
        {statuses.map(({ value, label }) => (
          <option key={value} value={value}>
            {label}
          </option>
        ))}
      </NativeSelect>
      <div className="flex items-center gap-1">
        <NativeSelect
          aria-label={t("lists.sortBy")}
          className="w-auto"
          value={sort}
          onChange={(event) => onChange({ sort: event.target.value as SortName, order: undefined })}
        >
          {sortNames.map((name) => (
            <option key={name} value={name}>
              {t(`lists.sort.${name}`)}
            </option>
          ))}
        </NativeSelect>
        <Button
          size="icon"
          variant="ghost"
          aria-label={order === "asc" ? t("lists.ascending") : t("lists.descending")}
          onClick={() => onChange({ sort, order: order === "asc" ? "desc" : "asc" })}
        >
          <Arrow aria-hidden="true" />
        </Button>
      </div>
      {children}
    </search>
  );
}

function SearchField({ value, hint, onChange }: { value: string; hint: string; onChange(value: string): void }) {
  const { t } = useTexts();
  const [typed, setTyped] = useState(value);
  useEffect(() => setTyped(value), [value]);
  useEffect(() => {
    if (typed === value) return;
    const timer = setTimeout(() => onChange(typed), REST_MS);
    return () => clearTimeout(timer);
  }, [typed, value, onChange]);
  return (
    <div className="relative w-64 max-sm:w-full">
      <Search aria-hidden="true" className="pointer-events-none absolute top-2 left-2.5 size-4 text-ink-3" />
      <Input
        type="search"
        aria-label={t("lists.search")}
        placeholder={hint}
        className="pl-8"
        value={typed}
        onChange={(event) => setTyped(event.target.value)}
        onKeyDown={(event) => event.key === "Enter" && onChange(typed)}
      />
    </div>
  );
}
