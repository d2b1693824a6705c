import { Minus, X } from "lucide-react";
import type { NameLookup } from "../../api/names.ts";
import { useTexts } from "../../text/i18n.ts";
import { Button } from "../../ui/button.tsx";
import { cn } from "../../ui/class-names.ts";
import { useLogText } from "./log-text.ts";
import { clearing, conditionsOf, type LogSearch, removing } from "./search.ts";

interface FilterChipsProps {
  search: LogSearch;
  names: NameLookup;
  onChange(change: Partial<LogSearch>): void;
}

/** The conditions on the log, each with a button that removes it. All of them are in the address. */
export function FilterChips({ search, names, onChange }: FilterChipsProps) {
  const { t } = useTexts();
  const { valueText } = useLogText(names);
  const set = conditionsOf(search);
  if (set.length === 0) return null;
  return (
    <div role="group" aria-label={t("filter.label")} className="flex min-w-0 flex-wrap items-center gap-1.5 px-4 pb-2.5">
      {set.map((condition) => {
        const { field, value, not } = condition;
        const name = t(`filter.${field}`);
        return (
          <span
            key={`${field}:${value}:${not}`}
            className={cn(
              "inline-flex h-7 max-w-64 items-center rounded-md border pl-2 text-xs",
              not ? "border-bad/35 bg-bad-soft text-bad" : "border-accent/35 bg-accent-soft text-accent-ink",
            )}
          >
            {not && <Minus aria-hidden="true" className="mr-1 size-3 shrink-0" />}
            <span className="truncate">
              <span>
                {name}
                {not && ` ${t("filter.not")}`}
              </span>{" "}
              <span className="font-semibold">{valueText(field, value)}</span>
            </span>
            <button
              type="button"
              aria-label={not ? t("filter.removeNot", { name, value: valueText(field, value) }) : t("filter.remove", { name })}
              onClick={() => onChange(removing(search, condition))}
              className={cn(
                "ml-0.5 flex size-6 shrink-0 items-center justify-center rounded",
                not ? "hover:bg-bad/15" : "hover:bg-accent/15",
              )}
            >
              <X aria-hidden="true" className="size-3.5" />
            </button>
          </span>
        );
      })}
      {set.length > 1 && (
        <Button variant="ghost" size="sm" onClick={() => onChange(clearing)}>
          {t("logs.clearFilters")}
        </Button>
      )}
    </div>
  );
}
