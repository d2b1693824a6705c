import type { RequestRow } from "@sluice/core/requests";
import { Filter } from "lucide-react";
import { memo, type ReactNode, useCallback, useState, useSyncExternalStore } from "react";
import { useTranslation } from "react-i18next";
import type { NameLookup } from "../../api/names.ts";
import {
  clockParts,
  exactCost,
  formatCost,
  formatCount,
  formatDateTime,
  formatDay,
  formatDuration,
  formatElapsed,
  formatExact,
} from "../../format.ts";
import type { LogTail, TailRow } from "../../live/log-tail.ts";
import { serverNow, ticks } from "../../live/server-clock.ts";
import { useStore } from "../../live/store.ts";
import { cn } from "../../ui/class-names.ts";
import { RequestState } from "./request-state.tsx";
import type { FilterField } from "./search.ts";

/** The row of an id, rendered again only when that row changes. */
export function useTailRow(tail: LogTail, id: string): TailRow | undefined {
  const subscribe = useCallback((listener: () => void) => tail.onRow(id, listener), [tail, id]);
  return useSyncExternalStore(subscribe, () => tail.row(id));
}

export interface LogRowProps {
  tail: LogTail;
  id: string;
  index: number;
  start: number;
  height: number;
  narrow: boolean;
  admin: boolean;
  selected: boolean;
  /** The one row in the tab order. */
  current: boolean;
  names: NameLookup;
  onOpen(id: string): void;
  onFilter(field: FilterField, value: string): void;
}

/** One request: a fixed height, a fixed place, and only its own changes. */
export const LogRow = memo(function LogRow(props: LogRowProps) {
  const { tail, id, index, start, height, narrow, selected, current, onOpen } = props;
  const entry = useTailRow(tail, id);
  const [hover, setHover] = useState(false);
  if (!entry) return null;
  const { row, leftAtMs, fresh } = entry;
  const failed = row.state === "error";
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: keys are handled once, on the table
    <div
      role="row"
      aria-rowindex={index + 2}
      aria-selected={selected || undefined}
      data-id={id}
      tabIndex={current ? 0 : -1}
      onClick={() => {
        if (document.getSelection()?.isCollapsed !== false) onOpen(id);
      }}
      onMouseEnter={() => setHover(true)}
      onMouseLeave={() => setHover(false)}
      style={{ height, transform: `translateY(${start}px)` }}
      className={cn(
        "absolute inset-x-0 top-0 cursor-default border-b border-line px-4 text-xs transition-opacity duration-300 hover:bg-hover -outline-offset-2",
        narrow ? "flex flex-col justify-center gap-1" : "log-columns",
        failed && "before:absolute before:inset-y-0 before:left-0 before:w-0.5 before:bg-bad",
        selected && "bg-selected hover:bg-selected",
        leftAtMs > 0 && "opacity-40",
        fresh && !leftAtMs && row.state === "in_flight" && !selected && "bg-accent-soft/45",
      )}
    >
      {narrow ? <NarrowCells {...props} row={row} /> : <WideCells {...props} row={row} hover={hover} />}
    </div>
  );
});

type CellsProps = LogRowProps & { row: RequestRow };

function WideCells({ row, names, admin, hover, onFilter }: CellsProps & { hover: boolean }) {
  const { i18n } = useTranslation();
  const filter = (field: FilterField, value: string) => (hover && value ? { field, value, onFilter } : null);
  return (
    <>
      <div role="cell" className="truncate text-ink-2" title={formatDateTime(row.startedAtMs, i18n.language)}>
        <Clock ms={row.startedAtMs} />
      </div>
      <Cell filter={filter("state", row.state)}>
        <RequestState row={row} />
      </Cell>
      <Cell filter={filter("model", row.model)} className="font-medium text-ink">
        <ModelName row={row} />
      </Cell>
      {admin && (
        <Cell filter={filter("provider", row.providerId)} className="log-provider">
          {row.providerId ? names.provider(row.providerId) : "—"}
        </Cell>
      )}
      {admin && (
        <Cell filter={filter("user", row.userId)} className="log-user">
          {row.userId ? names.user(row.userId) : "—"}
        </Cell>
      )}
      <Cell filter={filter("key", row.keyId)} className="log-key">
        {row.keyId ? names.key(row.keyId) : "—"}
      </Cell>
      <div role="cell" className="truncate text-right">
        <Tokens row={row} />
      </div>
      <div role="cell" className="log-ttft text-right text-ink-2">
        {formatDuration(row.ttftMs)}
      </div>
      <div role="cell" className="text-right text-ink-2">
        <Elapsed row={row} />
      </div>
      <div role="cell" className="text-right font-medium">
        <Cost row={row} />
      </div>
    </>
  );
}

function NarrowCells({ row, names }: CellsProps) {
  return (
    <>
      <div className="flex items-center justify-between gap-3" role="cell">
        <span className="min-w-0 truncate text-sm font-medium">
          <ModelName row={row} />
        </span>
        <RequestState row={row} className="shrink-0" />
      </div>
      <div className="flex items-center justify-between gap-3 text-ink-3" role="cell">
        <span className="min-w-0 truncate">
          <Clock ms={row.startedAtMs} /> · {row.keyId ? names.key(row.keyId) : "—"}
        </span>
        <span className="flex shrink-0 gap-2.5">
          <Tokens row={row} />
          <Elapsed row={row} />
          <span className="font-medium text-ink">
            <Cost row={row} />
          </span>
        </span>
      </div>
    </>
  );
}

interface CellFilter {
  field: FilterField;
  value: string;
  onFilter(field: FilterField, value: string): void;
}

/** A cell whose value can become a filter: the button shows under the pointer only. */
function Cell({ children, filter, className }: { children: ReactNode; filter: CellFilter | null; className?: string }) {
  const { t } = useTranslation();
  return (
    <div role="cell" className={cn("relative min-w-0 text-ink-2", className)}>
      <span className="block truncate [&>*]:align-middle">{children}</span>
      {filter && (
        <button
          type="button"
          tabIndex={-1}
          aria-label={t("filter.by", { name: t(`filter.${filter.field}`), value: filter.value })}
          title={t("filter.by", { name: t(`filter.${filter.field}`), value: "" }).trim()}
          onClick={(event) => {
            event.stopPropagation();
            filter.onFilter(filter.field, filter.value);
          }}
          className="absolute top-1/2 -right-2 flex size-6 -translate-y-1/2 items-center justify-center rounded-md border border-line bg-raised text-ink-3 opacity-0 shadow-sm hover:text-accent-ink hover:opacity-100 [[role=cell]:hover>&]:opacity-100"
        >
          <Filter aria-hidden="true" className="size-3" />
        </button>
      )}
    </div>
  );
}

function Clock({ ms }: { ms: number }) {
  const { i18n } = useTranslation();
  const parts = clockParts(ms);
  const today = new Date(ms).toDateString() === new Date().toDateString();
  return (
    <time dateTime={new Date(ms).toISOString()}>
      {!today && <span className="text-ink-3">{formatDay(ms, i18n.language)} </span>}
      {parts.time}
      {today && <span className="log-ms text-ink-3">{parts.ms}</span>}
    </time>
  );
}

function ModelName({ row }: { row: RequestRow }) {
  const { t } = useTranslation();
  return (
    <>
      {row.model || <span className="text-ink-3">{t("common.unknown")}</span>}
      {row.attempts > 1 && (
        <span
          className="ml-1.5 rounded bg-warn-soft px-1 text-2xs font-medium text-warn"
          title={t("logs.attemptsCount", { count: row.attempts })}
        >
          ×{row.attempts}
        </span>
      )}
    </>
  );
}

function Tokens({ row }: { row: RequestRow }) {
  const { t, i18n } = useTranslation();
  const { input, output, cacheRead, cacheWrite5m, cacheWrite1h } = row.usage;
  const all = input + cacheRead + cacheWrite5m + cacheWrite1h;
  if (all === 0 && output === 0) return <span className="text-ink-3">—</span>;
  const exact = t("logs.tokensInOut", { input: formatExact(all, i18n.language), output: formatExact(output, i18n.language) });
  const cached = cacheRead > 0 ? ` · ${t("logs.cached", { count: cacheRead })}` : "";
  return (
    <span title={exact + cached} className="text-ink-2">
      {formatCount(all, i18n.language)}
      <span className="px-1 text-ink-3">/</span>
      {row.flags.includes("estimated") && "~"}
      {formatCount(output, i18n.language)}
    </span>
  );
}

function Cost({ row }: { row: RequestRow }) {
  if (row.costNanoUsd === null) return <span className="text-ink-3">—</span>;
  return <span title={exactCost(row.costNanoUsd)}>{formatCost(row.costNanoUsd)}</span>;
}

/** The final duration, or what has passed so far: ticks by the one timer of the page. */
function Elapsed({ row }: { row: RequestRow }) {
  return row.state === "in_flight" ? <Ticking sinceMs={row.startedAtMs} /> : formatDuration(row.durationMs);
}

function Ticking({ sinceMs }: { sinceMs: number }) {
  useStore(ticks);
  return <span className="text-accent-ink">{formatElapsed(serverNow() - sinceMs)}</span>;
}
