import { ChevronDown, ListFilter, X } from "lucide-react";
import { useId, useState } from "react";
import { useTranslation } from "react-i18next";
import type { NameLookup } from "../../api/names.ts";
import type { LogFeed } from "../../live/log-feed.ts";
import { Button } from "../../ui/button.tsx";
import { cn } from "../../ui/class-names.ts";
import { Field, Input } from "../../ui/field.tsx";
import { Popover } from "../../ui/popover.tsx";
import { useLogText } from "./log-text.ts";
import { dialects, type FilterField, fields, type LogSearch, ranges, states, statuses } from "./search.ts";

interface FilterBarProps {
  search: LogSearch;
  names: NameLookup;
  admin: boolean;
  feed: LogFeed | null;
  open: boolean;
  onOpenChange(open: boolean): void;
  onChange(change: Partial<LogSearch>): void;
}

/** What narrows the log: chips for what is set, one button to add, the time range. All of it lives in the address. */
export function FilterBar({ search, names, admin, feed, open, onOpenChange, onChange }: FilterBarProps) {
  const { t } = useTranslation();
  const { valueText } = useLogText(names);
  const set = fields.filter((field) => search[field]);
  return (
    <div role="group" aria-label={t("filter.label")} className="flex min-w-0 flex-1 flex-wrap items-center gap-1.5">
      <TimeRange search={search} names={names} onChange={onChange} />
      <AddFilter names={names} admin={admin} feed={feed} open={open} onOpenChange={onOpenChange} onChange={onChange} />
      {set.map((field) => (
        <span
          key={field}
          className="inline-flex h-7 max-w-64 items-center rounded-md border border-accent/35 bg-accent-soft pl-2 text-xs text-accent-ink"
        >
          <span className="truncate">
            <span className="opacity-80">{t(`filter.${field}`)}</span>{" "}
            <span className="font-semibold">{valueText(field, search[field] ?? "")}</span>
          </span>
          <button
            type="button"
            aria-label={t("filter.remove", { name: t(`filter.${field}`) })}
            onClick={() => onChange({ [field]: undefined })}
            className="ml-0.5 flex size-6 shrink-0 items-center justify-center rounded hover:bg-accent/15"
          >
            <X aria-hidden="true" className="size-3.5" />
          </button>
        </span>
      ))}
      {set.length > 1 && (
        <Button variant="ghost" size="sm" onClick={() => onChange(Object.fromEntries(fields.map((field) => [field, undefined])))}>
          {t("logs.clearFilters")}
        </Button>
      )}
    </div>
  );
}

type AddFilterProps = Omit<FilterBarProps, "search">;

function AddFilter({ names, admin, feed, open, onOpenChange, onChange }: AddFilterProps) {
  const { t } = useTranslation();
  const [field, setField] = useState<FilterField | null>(null);
  const offered = fields.filter((one) => admin || (one !== "provider" && one !== "user"));
  const close = (): void => {
    onOpenChange(false);
    setField(null);
  };
  return (
    <Popover
      label={t("filter.pick")}
      open={open}
      onOpenChange={(next) => (next ? onOpenChange(true) : close())}
      trigger={
        <Button variant="outline" size="sm">
          <ListFilter aria-hidden="true" />
          {t("filter.add")}
        </Button>
      }
      className="w-64 p-1"
    >
      {field === null ? (
        <Options
          label={t("filter.pick")}
          options={offered.map((one) => ({ value: one, label: t(`filter.${one}`) }))}
          onPick={(value) => setField(value as FilterField)}
        />
      ) : (
        <FieldPicker
          field={field}
          names={names}
          feed={feed}
          onPick={(value) => {
            onChange({ [field]: value });
            close();
          }}
        />
      )}
    </Popover>
  );
}

interface FieldPickerProps {
  field: FilterField;
  names: NameLookup;
  feed: LogFeed | null;
  onPick(value: string): void;
}

function FieldPicker({ field, names, feed, onPick }: FieldPickerProps) {
  const { t } = useTranslation();
  const { valueText } = useLogText(names);
  const [query, setQuery] = useState("");
  const free = field === "model" || field === "session" || field === "request";
  const all = optionsOf(field, names, feed).map((value) => ({ value, label: valueText(field, value) }));
  const wanted = query.trim().toLowerCase();
  const shown = wanted ? all.filter(({ label, value }) => label.toLowerCase().includes(wanted) || value.includes(wanted)) : all;
  const fixed = field === "state" || field === "status" || field === "dialect";
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        const value = free && query.trim() ? query.trim() : shown[0]?.value;
        if (value) onPick(value);
      }}
    >
      {!fixed && (
        <div className="p-1 pb-1.5">
          <Input
            autoFocus
            value={query}
            onChange={(event) => setQuery(event.target.value)}
            aria-label={t("filter.choose", { name: t(`filter.${field}`) })}
            placeholder={t("filter.choose", { name: t(`filter.${field}`) })}
          />
        </div>
      )}
      <Options label={t("filter.choose", { name: t(`filter.${field}`) })} options={shown.slice(0, 100)} onPick={onPick} />
      {shown.length === 0 && !free && <p className="px-2.5 py-2 text-xs text-ink-3">{t("filter.nothing")}</p>}
      {free && query.trim() && (
        <div className="p-1">
          <Button type="submit" variant="primary" size="sm" className="w-full">
            {t("filter.apply")}
          </Button>
        </div>
      )}
    </form>
  );
}

function optionsOf(field: FilterField, names: NameLookup, feed: LogFeed | null): string[] {
  switch (field) {
    case "user":
      return names.list.users.map(({ id }) => id);
    case "key":
      return names.list.keys.map(({ id }) => id);
    case "provider":
      return names.list.providers.map(({ id }) => id);
    case "state":
      return [...states];
    case "status":
      return [...statuses];
    case "dialect":
      return [...dialects];
    case "model":
      return feed ? seenModels(feed) : [];
    default:
      return [];
  }
}

function seenModels(feed: LogFeed): string[] {
  const models = new Set<string>();
  for (const id of feed.tail.view().order) {
    const model = feed.tail.row(id)?.row.model;
    if (model) models.add(model);
  }
  return [...models].sort();
}

function Options({ label, options, onPick }: { label: string; options: { value: string; label: string }[]; onPick(value: string): void }) {
  return (
    <ul aria-label={label} className="max-h-72 overflow-y-auto">
      {options.map((option) => (
        <li key={option.value}>
          <button
            type="button"
            onClick={() => onPick(option.value)}
            className="flex min-h-8 w-full items-center truncate rounded-md px-2.5 text-left text-sm hover:bg-hover focus-visible:bg-hover"
          >
            <span className="truncate">{option.label}</span>
          </button>
        </li>
      ))}
    </ul>
  );
}

interface TimeRangeProps {
  search: LogSearch;
  names: NameLookup;
  onChange(change: Partial<LogSearch>): void;
}

/** Relative ranges stay relative; a fixed one has an end and is history. */
function TimeRange({ search, names, onChange }: TimeRangeProps) {
  const { t } = useTranslation();
  const { rangeText } = useLogText(names);
  const [open, setOpen] = useState(false);
  const form = useId();
  const active = search.range !== undefined || search.from !== undefined || search.to !== undefined;
  const pick = (change: Partial<LogSearch>): void => {
    onChange({ range: undefined, from: undefined, to: undefined, ...change });
    setOpen(false);
  };
  return (
    <Popover
      label={t("filter.time")}
      open={open}
      onOpenChange={setOpen}
      trigger={
        <Button
          size="sm"
          aria-label={`${t("filter.time")}: ${rangeText(search)}`}
          className={cn(active && "border-accent/35 bg-accent-soft text-accent-ink")}
        >
          {rangeText(search)}
          <ChevronDown aria-hidden="true" />
        </Button>
      }
      className="w-64 p-1"
    >
      <Options
        label={t("filter.time")}
        options={["all" as const, ...ranges].map((value) => ({ value, label: t(`filter.range.${value}`) }))}
        onPick={(value) => pick(value === "all" ? {} : { range: value as (typeof ranges)[number] })}
      />
      <form
        id={form}
        className="mt-1 flex flex-col gap-2 border-t border-line p-2"
        onSubmit={(event) => {
          event.preventDefault();
          const data = new FormData(event.currentTarget);
          const from = Date.parse(String(data.get("from")));
          const to = Date.parse(String(data.get("to")));
          pick({ from: Number.isNaN(from) ? undefined : from, to: Number.isNaN(to) ? undefined : to });
        }}
      >
        <Field label={t("filter.from")}>
          {(ids) => <Input {...ids} type="datetime-local" name="from" defaultValue={localTime(search.from)} />}
        </Field>
        <Field label={t("filter.to")}>
          {(ids) => <Input {...ids} type="datetime-local" name="to" defaultValue={localTime(search.to)} />}
        </Field>
        <Button type="submit" variant="primary" size="sm">
          {t("filter.apply")}
        </Button>
      </form>
    </Popover>
  );
}

function localTime(ms: number | undefined): string {
  if (ms === undefined) return "";
  return new Date(ms - new Date(ms).getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}
