import { ChevronDown } from "lucide-react";
import { useState } from "react";
import { useTexts } from "../text/i18n.ts";
import { Button } from "../ui/button.tsx";
import { cn } from "../ui/class-names.ts";
import { Field, Input } from "../ui/field.tsx";
import { Popover } from "../ui/popover.tsx";
import type { RangeName, RangeSearch } from "./range-search.ts";
import { useRangeText } from "./range-text.ts";

interface TimeRangeProps {
  search: RangeSearch;
  /** The relative ranges to offer; an absolute one can always be entered. */
  ranges: readonly (RangeName | "all")[];
  onChange(change: RangeSearch): void;
}

/** Relative ranges stay relative; an absolute one has an end and shows history. */
export function TimeRange({ search, ranges, onChange }: TimeRangeProps) {
  const { t } = useTexts();
  const rangeText = useRangeText();
  const [open, setOpen] = useState(false);
  const [wrong, setWrong] = useState<{ from?: string; to?: string }>({});
  const active = search.from !== undefined || search.to !== undefined;
  const pick = (change: RangeSearch): void => {
    onChange({ from: undefined, to: undefined, ...change });
    setOpen(false);
  };
  const enter = (from: number | undefined, to: number | undefined): void => {
    // Where "all time" is not offered, a range needs a beginning.
    if (from === undefined && to !== undefined && !ranges.includes("all")) setWrong({ from: t("form.required") });
    else if (from !== undefined && to !== undefined && from >= to) setWrong({ to: t("filter.endFirst") });
    else pick({ from, to });
  };
  return (
    <Popover
      label={t("filter.time")}
      open={open}
      onOpenChange={(next) => {
        setOpen(next);
        setWrong({});
      }}
      trigger={
        <Button
          size="sm"
          aria-label={`${t("filter.time")}: ${rangeText(search)}`}
          title={`${t("filter.time")} ([ ])`}
          className={cn(active && "border-accent/35 bg-accent-soft text-accent-ink")}
        >
          {rangeText(search)}
          <ChevronDown aria-hidden="true" />
        </Button>
      }
      className="w-64 p-1"
    >
      <ul aria-label={t("filter.time")}>
        {ranges.map((range) => (
          <li key={range}>
            <button
              type="button"
              onClick={() => pick(range === "all" ? {} : { from: range })}
              className="flex min-h-8 w-full items-center rounded-md px-2.5 text-left text-sm hover:bg-hover focus-visible:bg-hover"
            >
              {t(`filter.range.${range}`)}
            </button>
          </li>
        ))}
      </ul>
      <form
        className="mt-1 flex flex-col gap-2 border-t border-line p-2"
        onSubmit={(event) => {
          event.preventDefault();
          const data = new FormData(event.currentTarget);
          const time = (name: string): number | undefined => {
            const ms = Date.parse(String(data.get(name)));
            return Number.isNaN(ms) ? undefined : ms;
          };
          enter(time("from"), time("to"));
        }}
      >
        <Field label={t("filter.from")} error={wrong.from}>
          {(ids) => <Input {...ids} type="datetime-local" name="from" defaultValue={localTime(search.from)} />}
        </Field>
        <Field label={t("filter.to")} error={wrong.to}>
          {(ids) => <Input {...ids} type="datetime-local" name="to" defaultValue={localTime(search.to)} />}
        </Field>
        <Button type="submit" variant="primary" size="sm">
          {t("filter.apply")}
        </Button>
      </form>
    </Popover>
  );
}

function localTime(ms: number | string | undefined): string {
  if (typeof ms !== "number") return "";
  return new Date(ms - new Date(ms).getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}
