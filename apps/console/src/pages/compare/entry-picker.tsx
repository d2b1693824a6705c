import type { CompareSplit, FilterOptions } from "@sluice/core/statistics";
import { X } from "lucide-react";
import { useFilterOptions } from "../../statistics/use-filter-options.ts";
import { useTexts } from "../../text/i18n.ts";
import { NativeSelect } from "../../ui/field.tsx";
import { MOST_COMPARED } from "./search.ts";

interface EntryPickerProps {
  by: CompareSplit;
  ids: readonly string[];
  nameOf(id: string): string;
  onChange(ids: string[]): void;
}

/** The compared entries, each with its colour and a remove button, and a control to add one. */
export function EntryPicker({ by, ids, nameOf, onChange }: EntryPickerProps) {
  const { t } = useTexts();
  const data = useFilterOptions();
  const left = optionsOf(data, by).filter(({ id }) => !ids.includes(id));
  return (
    <div role="group" aria-label={t("compare.entries")} className="flex flex-wrap items-center gap-1.5">
      {ids.map((id, at) => (
        <span
          key={id}
          className="inline-flex h-8 max-w-72 items-center gap-2 rounded-md border border-line-strong bg-surface pl-2.5 text-sm"
        >
          <span aria-hidden="true" className="size-2 shrink-0 rounded-[2px]" style={{ background: `var(--chart-${at + 1})` }} />
          <span className="truncate font-medium">{nameOf(id)}</span>
          <button
            type="button"
            aria-label={t("compare.remove", { name: nameOf(id) })}
            onClick={() => onChange(ids.filter((one) => one !== id))}
            className="flex size-7 shrink-0 items-center justify-center rounded hover:bg-hover"
          >
            <X aria-hidden="true" className="size-3.5" />
          </button>
        </span>
      ))}
      {ids.length < MOST_COMPARED && (
        <NativeSelect
          aria-label={t("compare.add")}
          className="w-auto max-w-60"
          value=""
          onChange={(event) => event.target.value && onChange([...ids, event.target.value])}
        >
          <option value="">{t("compare.add")}</option>
          {left.map(({ id, name }) => (
            <option key={id} value={id}>
              {name}
            </option>
          ))}
        </NativeSelect>
      )}
    </div>
  );
}

function optionsOf(options: FilterOptions | undefined, by: CompareSplit): readonly { id: string; name: string }[] {
  if (!options) return [];
  if (by === "key") return options.keys;
  if (by === "user") return options.users;
  if (by === "provider") return options.providers;
  return (by === "model" ? options.models : options.groups).map((id) => ({ id, name: id }));
}
