import { CirclePause, CirclePlay, Download, Radio } from "lucide-react";
import { memo, type RefObject, useMemo } from "react";
import type { NameLookup } from "../../api/names.ts";
import { ranges } from "../../ranges/range-search.ts";
import { TimeRange } from "../../ranges/time-range.tsx";
import { LiveIndicator } from "../../shell/live-indicator.tsx";
import { useTexts } from "../../text/i18n.ts";
import { Button } from "../../ui/button.tsx";
import { cn } from "../../ui/class-names.ts";
import { IconButton } from "../../ui/icon-button.tsx";
import { ColumnChooser } from "./column-chooser.tsx";
import type { Columns } from "./columns.ts";
import { FilterChips } from "./filter-chips.tsx";
import { optionsOf } from "./query.ts";
import { QueryField } from "./query-field.tsx";
import { adding, type Condition, isHistory, type LogSearch } from "./search.ts";
import { useModels } from "./use-models.ts";

const offered = ["all", ...ranges] as const;

interface LogHeaderProps {
  search: LogSearch;
  names: NameLookup;
  admin: boolean;
  narrow: boolean;
  columns: Columns;
  paused: boolean;
  query: RefObject<HTMLInputElement | null>;
  onChange(change: Partial<LogSearch>): void;
  onPause(): void;
  onExport(): void;
}

/** What the log shows, how current it is, and the actions on it. */
export const LogHeader = memo(function LogHeader(props: LogHeaderProps) {
  const { search, names, admin, narrow, columns, paused, query, onChange, onPause, onExport } = props;
  const { t } = useTexts();
  const { models, read } = useModels();
  const options = useMemo(() => optionsOf(names.list, models, admin), [names.list, models, admin]);
  const add = (conditions: readonly Condition[]): void => {
    let next = search;
    for (const condition of conditions) next = { ...next, ...adding(next, condition) };
    onChange(next);
  };
  return (
    <header className="border-b border-line">
      <div className="flex flex-wrap items-center gap-x-3 gap-y-2 px-4 py-2.5 md:min-h-14">
        <div className="flex items-center gap-3">
          <h1 className="text-lg font-semibold tracking-tight">{t("logs.title")}</h1>
          <div className="max-md:hidden">
            <LiveIndicator />
          </div>
        </div>
        <div className="order-last flex w-full min-w-0 items-center gap-1.5 md:order-none md:w-auto md:flex-1">
          <TimeRange search={search} ranges={offered} onChange={onChange} />
          <QueryField input={query} names={names} options={options} onOpen={read} onAdd={add} />
        </div>
        <div className="ml-auto flex items-center gap-1.5">
          {isHistory(search) ? (
            <Button size="sm" onClick={() => onChange({ from: undefined, to: undefined })}>
              <Radio aria-hidden="true" />
              {t("live.goLive")}
            </Button>
          ) : (
            <Button size="sm" onClick={onPause} aria-pressed={paused} className={cn(paused && "border-warn text-warn")}>
              {paused ? <CirclePlay aria-hidden="true" /> : <CirclePause aria-hidden="true" />}
              {paused ? t("live.resume") : t("live.pause")}
            </Button>
          )}
          {!narrow && <ColumnChooser admin={admin} shown={columns.shown} />}
          <IconButton icon={Download} variant="outline" label={t("exporting.open")} onClick={onExport} />
        </div>
      </div>
      <FilterChips search={search} names={names} onChange={onChange} />
    </header>
  );
});
