import { memo, useCallback, useState, useSyncExternalStore } from "react";
import type { NameLookup } from "../../api/names.ts";
import type { LogTail, TailRow } from "../../live/log-tail.ts";
import { cn } from "../../ui/class-names.ts";
import type { Columns } from "./columns.ts";
import { NarrowCells, WideCells, type Words } from "./log-cells.tsx";

/** The row with an id; re-renders only when that row changes. */
export function useTailRow(tail: LogTail, id: string): TailRow | undefined {
  const subscribe = useCallback((listener: () => void) => tail.onRow(id, listener), [tail, id]);
  return useSyncExternalStore(subscribe, () => tail.row(id));
}

interface LogRowProps {
  tail: LogTail;
  id: string;
  index: number;
  start: number;
  height: number;
  narrow: boolean;
  columns: Columns;
  selected: boolean;
  /** The only row in the tab order. */
  current: boolean;
  words: Words;
  names: NameLookup;
  onOpen(id: string): void;
}

/** One request: fixed height, positioned individually, and re-rendered only when it changes. */
export const LogRow = memo(function LogRow(props: LogRowProps) {
  const { tail, id, index, start, height, narrow, columns, selected, current, words, names, onOpen } = props;
  const entry = useTailRow(tail, id);
  const [hover, setHover] = useState(false);
  if (!entry) return null;
  const { row, leftAtMs } = entry;
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: keys are handled once, on the table
    <div
      role="row"
      aria-rowindex={index + 2}
      aria-selected={selected || undefined}
      data-id={id}
      tabIndex={current ? 0 : -1}
      onClick={(event) => {
        // The button in a cell opens a menu, which the table handles.
        if ((event.target as Element).closest("[data-cell-menu]")) return;
        if (document.getSelection()?.isCollapsed !== false) onOpen(id);
      }}
      onMouseEnter={() => setHover(true)}
      onMouseLeave={() => setHover(false)}
      style={{ height, transform: `translateY(${start}px)` }}
      className={cn(
        "absolute inset-x-0 top-0 cursor-default border-b border-line px-4 text-xs -outline-offset-2 [contain:strict] hover:bg-hover",
        narrow ? "flex flex-col justify-center gap-1" : "log-columns",
        row.state === "error" && "before:absolute before:inset-y-0 before:left-0 before:w-0.5 before:bg-bad",
        row.state === "in_flight" && "bg-accent-soft/45",
        selected && "bg-selected hover:bg-selected",
        leftAtMs > 0 && "opacity-40",
      )}
    >
      {narrow ? (
        <NarrowCells row={row} words={words} names={names} />
      ) : (
        <WideCells row={row} words={words} names={names} columns={columns} hover={hover} />
      )}
    </div>
  );
});
