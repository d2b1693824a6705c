import type { RequestRow } from "@sluice/core/requests";
import { EllipsisVertical, History } from "lucide-react";
import { memo, type ReactNode } from "react";
import type { NameLookup } from "../../api/names.ts";
import { clockParts, exactCost, formatCost, formatCount, formatDateTime, formatDay, formatDuration, formatElapsed } from "../../format.ts";
import { serverNow, ticks } from "../../live/server-clock.ts";
import { useStore } from "../../live/store.ts";
import type { Translate } from "../../text/translator.ts";
import { cn } from "../../ui/class-names.ts";
import type { ColumnName, Columns } from "./columns.ts";
import { RequestState } from "./request-state.tsx";
import type { FilterField } from "./search.ts";
import { tokensPerSecond } from "./speed.ts";
import { Tokens, tokenTitle } from "./token-cells.tsx";

/** Translations, looked up once for the table and not in every cell: hundreds of rows may arrive per second. */
export interface Words {
  t: Translate;
  language: string;
}

export interface CellsProps {
  row: RequestRow;
  words: Words;
  names: NameLookup;
  columns: Columns;
  /** Under the pointer: exact figures as tooltips, and filter buttons. */
  hover: boolean;
}

/** The cells of a row on a wide screen. They re-render when the row changes, not when it moves. */
export const WideCells = memo(function WideCells({ columns, ...props }: CellsProps) {
  return columns.shown.map(({ name }) => <Cell key={name} name={name} {...props} />);
});

type CellProps = Omit<CellsProps, "columns"> & { name: ColumnName };

const plainTone = "text-right text-ink-2";

function Cell({ name, row, words, names, hover }: CellProps) {
  const { t, language } = words;
  const pick = (field: FilterField, value: string, children: ReactNode, className?: string) => (
    <div
      role="cell"
      className={cn("log-cell", className)}
      {...(value !== "" && { tabIndex: -1, "data-field": field, "data-value": value })}
    >
      {children}
      {hover && value !== "" && <CellButton field={field} words={words} />}
    </div>
  );
  switch (name) {
    case "time":
      return (
        <div role="cell" className="truncate text-ink-2" title={hover ? formatDateTime(row.startedAtMs, language) : undefined}>
          <Clock ms={row.startedAtMs} words={words} />
        </div>
      );
    case "status":
      return pick("state", row.state, <RequestState row={row} t={t} />);
    case "model":
      return pick("model", row.model, <ModelName row={row} words={words} />, "font-medium text-ink");
    case "provider":
      return pick("provider", row.providerId, row.providerId ? names.provider(row.providerId) : "—");
    case "user":
      return pick("user", row.userId, row.userId ? names.user(row.userId) : "—");
    case "key":
      return pick("key", row.keyId, row.keyId ? names.key(row.keyId) : "—");
    case "group":
      return pick("group", row.group, row.group || "—");
    case "session":
      return pick("session", row.sessionId, row.sessionId ? `…${row.sessionId.slice(-8)}` : "—", row.sessionId ? "font-mono" : "");
    case "dialect":
      return pick("dialect", row.dialect, t(`dialect.${row.dialect}`));
    case "client":
      return (
        <div role="cell" className="truncate text-ink-2" title={hover ? row.client : undefined}>
          {row.client || "—"}
        </div>
      );
    default:
      return <FigureCell name={name} row={row} words={words} hover={hover} />;
  }
}

interface FigureProps {
  name: "attempts" | "tokens" | "speed" | "ttft" | "duration" | "cost";
  row: RequestRow;
  words: Words;
  hover: boolean;
}

function FigureCell({ name, row, words, hover }: FigureProps) {
  switch (name) {
    case "attempts":
      return (
        <div role="cell" className={plainTone}>
          {row.attempts || "—"}
        </div>
      );
    case "tokens":
      return (
        <div role="cell" className="truncate text-right" title={hover ? tokenTitle(row, words) : undefined}>
          <Tokens row={row} words={words} />
        </div>
      );
    case "speed":
      return (
        <div role="cell" className={plainTone}>
          <Speed row={row} words={words} />
        </div>
      );
    case "ttft":
      return (
        <div role="cell" className={plainTone}>
          {formatDuration(row.ttftMs)}
        </div>
      );
    case "duration":
      return (
        <div role="cell" className={plainTone}>
          <Elapsed row={row} />
        </div>
      );
    default:
      return (
        <div
          role="cell"
          className="text-right font-medium"
          title={hover && row.costNanoUsd !== null ? exactCost(row.costNanoUsd) : undefined}
        >
          {row.costNanoUsd === null ? <span className="text-ink-3">—</span> : <Cost row={row} words={words} />}
        </div>
      );
  }
}

/** The cost, marked when it includes corrections. */
function Cost({ row, words: { t } }: { row: RequestRow; words: Words }) {
  if (!row.flags.includes("corrected")) return <>{formatCost(row.costNanoUsd)}</>;
  return (
    <>
      <History role="img" aria-label={t("detail.flags.corrected")} className="mr-1 inline size-3 text-ink-3" />
      {formatCost(row.costNanoUsd)}
    </>
  );
}

/** The same in two lines, for a narrow screen. */
export const NarrowCells = memo(function NarrowCells({ row, words, names }: Omit<CellsProps, "hover" | "columns">) {
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
          <span className="font-medium text-ink">
            <Cost row={row} words={words} />
          </span>
        </span>
      </div>
    </>
  );
});

/** Opens the actions for the value of a cell; visible on the cell under the pointer. The table handles the click. */
function CellButton({ field, words: { t } }: { field: FilterField; words: Words }) {
  const label = t("cell.actions", { name: t(`filter.${field}`) });
  return (
    <button
      type="button"
      tabIndex={-1}
      data-cell-menu=""
      aria-label={label}
      title={label}
      aria-haspopup="menu"
      className={cn(
        "absolute top-1/2 right-0 flex size-6 -translate-y-1/2 items-center justify-center rounded-md border border-line bg-raised text-ink-3 shadow-sm",
        "opacity-0 hover:text-accent-ink hover:opacity-100 [[role=cell]:hover>&]:opacity-100",
      )}
    >
      <EllipsisVertical aria-hidden="true" className="size-3.5" />
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

/** The final duration, or the elapsed time, updated by the page's single timer. */
function Elapsed({ row }: { row: RequestRow }) {
  return row.state === "in_flight" ? <Ticking sinceMs={row.startedAtMs} /> : formatDuration(row.durationMs);
}

function Ticking({ sinceMs }: { sinceMs: number }) {
  useStore(ticks);
  return <span className="text-accent-ink">{formatElapsed(serverNow() - sinceMs)}</span>;
}

function Speed({ row, words }: { row: RequestRow; words: Words }) {
  if (row.state === "in_flight" && row.usage.output > 0) return <TickingSpeed row={row} words={words} />;
  const speed = tokensPerSecond(row, 0);
  return speed === null ? "—" : formatCount(speed, words.language);
}

function TickingSpeed({ row, words }: { row: RequestRow; words: Words }) {
  useStore(ticks);
  const speed = tokensPerSecond(row, serverNow());
  return <span className="text-accent-ink">{speed === null ? "—" : formatCount(speed, words.language)}</span>;
}
