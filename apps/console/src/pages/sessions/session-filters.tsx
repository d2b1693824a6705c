import { Search, X } from "lucide-react";
import { useEffect, useRef, useState } from "react";
import type { NameLookup } from "../../api/names.ts";
import type { BoardRow } from "../../live/session-board.ts";
import { isTyping, useKeyDown } from "../../shell/keys.ts";
import { useTexts } from "../../text/i18n.ts";
import { Button } from "../../ui/button.tsx";
import { Input } from "../../ui/field.tsx";
import { FilterSelect } from "../../ui/filter-select.tsx";
import { fieldValue, filterFields, isFiltered, type SessionField, type SessionSearch } from "./search.ts";

interface SessionFiltersProps {
  search: SessionSearch;
  rows: readonly BoardRow[];
  names: NameLookup;
  onChange(change: Partial<SessionSearch>): void;
}

const any = { user: "anyUser", key: "anyKey", provider: "anyProvider", model: "anyModel" } as const;

/** A text search, and filters with the values that occur in the sessions. */
export function SessionFilters({ search, rows, names, onChange }: SessionFiltersProps) {
  const { t } = useTexts();
  const input = useRef<HTMLInputElement>(null);
  const [typed, setTyped] = useState(search.q ?? "");
  useEffect(() => setTyped(search.q ?? ""), [search.q]);
  useKeyDown((event) => {
    if (event.key !== "/" || isTyping(event)) return;
    event.preventDefault();
    input.current?.focus();
  });
  return (
    <search aria-label={t("sessions.search")} className="flex flex-wrap items-center gap-2">
      <span className="relative max-sm:w-full">
        <Search aria-hidden="true" className="pointer-events-none absolute top-2 left-2.5 size-4 text-ink-3" />
        <Input
          ref={input}
          type="search"
          aria-label={t("sessions.search")}
          placeholder={t("sessions.searchHint")}
          className="w-full pl-8 sm:w-64"
          value={typed}
          onChange={(event) => {
            setTyped(event.target.value);
            onChange({ q: event.target.value || undefined });
          }}
        />
      </span>
      {filterFields.map((field) => (
        <FieldFilter key={field} field={field} value={search[field]} rows={rows} names={names} onChange={onChange} />
      ))}
      {isFiltered(search) && (
        <Button
          variant="ghost"
          onClick={() => onChange({ q: undefined, user: undefined, key: undefined, provider: undefined, model: undefined })}
        >
          <X aria-hidden="true" />
          {t("sessions.clearFilters")}
        </Button>
      )}
    </search>
  );
}

interface FieldFilterProps extends Pick<SessionFiltersProps, "rows" | "names" | "onChange"> {
  field: SessionField;
  value: string | undefined;
}

/** Omitted while there is only one value. */
function FieldFilter({ field, value, rows, names, onChange }: FieldFilterProps) {
  const { t } = useTexts();
  const nameOf = (one: string): string => (field === "model" ? one : names[field](one));
  const values = [...new Set([...rows.map(({ row }) => fieldValue(row, field)), value ?? ""])].filter((one) => one !== "");
  if (values.length < 2 && !value) return null;
  const options = values.map((one) => ({ value: one, label: nameOf(one) })).sort((a, b) => a.label.localeCompare(b.label));
  return (
    <FilterSelect
      label={t(field === "model" ? "sessions.modelOnly" : `sessions.${field}`)}
      className="max-w-52"
      value={value}
      any={t(`sessions.${any[field]}`)}
      options={options}
      onChange={(chosen) => onChange({ [field]: chosen })}
    />
  );
}
