import type { RequestRow } from "@sluice/core/requests";
import type { TFunction } from "i18next";
import { Filter } from "lucide-react";
import { memo, type ReactNode } from "react";
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
import { serverNow, ticks } from "../../live/server-clock.ts";
import { useStore } from "../../live/store.ts";
import { cn } from "../../ui/class-names.ts";
import { RequestState } from "./request-state.tsx";
import type { FilterField } from "./search.ts";

/** The reader's language, looked up once for the table and not in every cell: rows come by the hundred a second. */
export interface Words {
  t: TFunction;
  language: string;
}

export interface CellsProps {
  row: RequestRow;
  words: Words;
  names: NameLookup;
  admin: boolean;
  /** Under the pointer: exact figures as tooltips, and the buttons that filter. */
  hover: boolean;
  onFilter(field: FilterField, value: string): void;
}

/** The cells of one row on a wide screen. They are drawn again when the row changes, not when it moves. */
export const WideCells = memo(function WideCells({ row, words, names, admin, hover, onFilter }: CellsProps) {
  const cell = (field: FilterField, value: string, children: ReactNode, className?: string) => (
    <div role="cell" className={className ? `log-cell ${className}` : "log-cell"}>
      {children}
      {hover && value !== "" && <FilterButton field={field} value={value} words={words} onFilter={onFilter} />}
    </div>
  );
  return (
    <>
      <div role="cell" className="truncate text-ink-2" title={hover ? formatDateTime(row.startedAtMs, words.language) : undefined}>
        <Clock ms={row.startedAtMs} words={words} />
      </div>
      {cell("state", row.state, <RequestState row={row} t={words.t} />)}
      {cell("model", row.model, <ModelName row={row} words={words} />, "font-medium text-ink")}
      {admin && cell("provider", row.providerId, row.providerId ? names.provider(row.providerId) : "—", "log-provider")}
      {admin && cell("user", row.userId, row.userId ? names.user(row.userId) : "—", "log-user")}
      {cell("key", row.keyId, row.keyId ? names.key(row.keyId) : "—", "log-key")}
      <div role="cell" className="truncate text-right" title={hover ? tokenTitle(row, words) : undefined}>
        <Tokens row={row} words={words} />
      </div>
      <div role="cell" className="log-ttft text-right text-ink-2">
        {formatDuration(row.ttftMs)}
      </div>
      <div role="cell" className="text-right text-ink-2">
        <Elapsed row={row} />
      </div>
      <div
        role="cell"
        className="text-right font-medium"
        title={hover && row.costNanoUsd !== null ? exactCost(row.costNanoUsd) : undefined}
      >
        {row.costNanoUsd === null ? <span className="text-ink-3">—</span> : formatCost(row.costNanoUsd)}
      </div>
    </>
  );
});

/** The same in two lines, for a narrow screen. */
export const NarrowCells = memo(function NarrowCells({ row, words, names }: Omit<CellsProps, "hover" | "onFilter" | "admin">) {
  return (
    <>
      <div className="flex items-center justify-between gap-3" role="cell">
        <span className="min-w-0 truncate text-sm font-medium">
          <ModelName row={row} words={words} />
        </span>
        <RequestState row={row} t={words.t} className="shrink-0" />
      </div>
      <div className="flex items-center justify-between gap-3 text-ink-3" role="cell">
        <span className="min-w-0 truncate">
          <Clock ms={row.startedAtMs} words={words} /> · {row.keyId ? names.key(row.keyId) : "—"}
        </span>
        <span className="flex shrink-0 gap-2.5">
          <Tokens row={row} words={words} />
          <Elapsed row={row} />
          <span className="font-medium text-ink">{formatCost(row.costNanoUsd)}</span>
        </span>
      </div>
    </>
  );
});

interface FilterButtonProps {
  field: FilterField;
  value: string;
  words: Words;
  onFilter(field: FilterField, value: string): void;
}

/** Makes the value of a cell a filter; it shows on the cell under the pointer. */
function FilterButton({ field, value, words: { t }, onFilter }: FilterButtonProps) {
  const name = t(`filter.${field}`);
  return (
    <button
      type="button"
      tabIndex={-1}
      aria-label={t("filter.by", { name, value })}
      title={t("filter.by", { name, value: "" }).trim()}
      onClick={(event) => {
        event.stopPropagation();
        onFilter(field, value);
      }}
      className={cn(
        "absolute top-1/2 right-0 flex size-6 -translate-y-1/2 items-center justify-center rounded-md border border-line bg-raised text-ink-3 shadow-sm",
        "opacity-0 hover:text-accent-ink hover:opacity-100 [[role=cell]:hover>&]:opacity-100",
      )}
    >
      <Filter aria-hidden="true" className="size-3" />
    </button>
  );
}

function Clock({ ms, words }: { ms: number; words: Words }) {
  const parts = clockParts(ms);
  const today = ms >= new Date().setHours(0, 0, 0, 0);
  return (
    <time dateTime={new Date(ms).toISOString()}>
      {!today && <span className="text-ink-3">{formatDay(ms, words.language)} </span>}
      {parts.time}
      {today && <span className="log-ms text-ink-3">{parts.ms}</span>}
    </time>
  );
}

function ModelName({ row, words: { t } }: { row: RequestRow; words: Words }) {
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

function promptTokens({ usage }: RequestRow): number {
  return usage.input + usage.cacheRead + usage.cacheWrite5m + usage.cacheWrite1h;
}

function tokenTitle(row: RequestRow, { t, language }: Words): string {
  const exact = t("logs.tokensInOut", {
    input: formatExact(promptTokens(row), language),
    output: formatExact(row.usage.output, language),
  });
  return row.usage.cacheRead > 0 ? `${exact} · ${t("logs.cached", { count: row.usage.cacheRead })}` : exact;
}

function Tokens({ row, words: { language } }: { row: RequestRow; words: Words }) {
  const prompt = promptTokens(row);
  if (prompt === 0 && row.usage.output === 0) return <span className="text-ink-3">—</span>;
  return (
    <span className="text-ink-2">
      {formatCount(prompt, language)}
      <span className="px-1 text-ink-3">/</span>
      {row.flags.includes("estimated") && "~"}
      {formatCount(row.usage.output, language)}
    </span>
  );
}

/** The final duration, or what has passed so far: ticks by the one timer of the page. */
function Elapsed({ row }: { row: RequestRow }) {
  return row.state === "in_flight" ? <Ticking sinceMs={row.startedAtMs} /> : formatDuration(row.durationMs);
}

function Ticking({ sinceMs }: { sinceMs: number }) {
  useStore(ticks);
  return <span className="text-accent-ink">{formatElapsed(serverNow() - sinceMs)}</span>;
}
