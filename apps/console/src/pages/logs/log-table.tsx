import { defaultRangeExtractor, useVirtualizer } from "@tanstack/react-virtual";
import { type CSSProperties, type RefObject, useEffect, useMemo, useState, useSyncExternalStore } from "react";
import type { NameLookup } from "../../api/names.ts";
import type { LogFeed } from "../../live/log-feed.ts";
import { isGap } from "../../live/log-order.ts";
import { useTexts } from "../../text/i18n.ts";
import { cn } from "../../ui/class-names.ts";
import type { Columns } from "./columns.ts";
import { GapRow } from "./gap-row.tsx";
import { LogEnd } from "./log-end.tsx";
import { LogRow } from "./log-row.tsx";
import { cellOf, type MenuCell } from "./menu-cell.ts";
import { RowKeys } from "./row-keys.ts";
import { useHold } from "./use-hold.ts";

const ROW = 36;
const NARROW_ROW = 60;
const LOAD_AHEAD = 40;

interface LogTableProps {
  feed: LogFeed;
  names: NameLookup;
  columns: Columns;
  narrow: boolean;
  openId: string | undefined;
  currentId: string | undefined;
  scroller: RefObject<HTMLDivElement | null>;
  /** The menu of a cell is open: nothing may move under it. */
  held: boolean;
  onOpen(id: string): void;
  onCurrent(id: string): void;
  onMenu(cell: MenuCell): void;
  onGoOn(toMs: number): void;
}

/** The virtual table: only visible rows are rendered, and the rows being read never move. */
export function LogTable(props: LogTableProps) {
  const { feed, names, columns, narrow, openId, currentId, scroller, onOpen, onCurrent, onMenu, onGoOn } = props;
  const { t, language } = useTexts();
  const words = useMemo(() => ({ t, language }), [t, language]);
  const { tail } = feed;
  const order = useSyncExternalStore(tail.onView, () => tail.view().order);
  const { virtual, height } = useRows(props, order);

  const items = virtual.getVirtualItems();
  const [rowKeys] = useState(() => new RowKeys());
  const keys = rowKeys.of(
    items.map(({ index }) => order[index] ?? ""),
    currentId,
  );
  const last = items.at(-1)?.index ?? 0;
  useEffect(() => {
    if (order.length > 0 && last >= order.length - LOAD_AHEAD) void feed.older();
  }, [feed, last, order.length]);

  const tabStop = currentId !== undefined && order.includes(currentId) ? currentId : order[0];
  const widths = narrow ? undefined : ({ "--log-columns": columns.template, "--log-least": `${columns.least}px` } as CSSProperties);
  return (
    <div className="log-pane flex min-h-0 flex-1 flex-col" style={widths}>
      <div
        ref={scroller}
        role="table"
        aria-label={t("logs.table")}
        aria-rowcount={-1}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling region must be reachable by keyboard
        tabIndex={0}
        className={cn(
          "relative min-h-0 flex-1 overflow-y-auto overscroll-contain -outline-offset-2 [overflow-anchor:none]",
          narrow ? "overflow-x-hidden" : "overflow-x-auto",
        )}
      >
        <div role="rowgroup" className={cn("log-least sticky top-0 z-10 border-b border-line bg-surface", narrow && "sr-only")}>
          <div role="row" aria-rowindex={1} className="log-columns h-8 px-4 text-xs font-medium text-ink-3">
            {columns.shown.map(({ name, numeric }) => (
              <div key={name} role="columnheader" className={cn("truncate", numeric && "text-right")}>
                {t(`logs.${name}`)}
              </div>
            ))}
          </div>
        </div>
        {/* biome-ignore lint/a11y/useKeyWithClickEvents: clicks bubble up from the buttons in cells; keys have their own handler */}
        <div
          role="rowgroup"
          className="log-least relative"
          style={{ height: virtual.getTotalSize() }}
          onClick={(event) => {
            const button = (event.target as Element).closest("[data-cell-menu]");
            const cell = button && cellOf(button);
            if (cell) onMenu(cell);
          }}
          onFocus={(event) => {
            const id = (event.target as HTMLElement).closest<HTMLElement>("[data-id]")?.dataset.id;
            if (id) onCurrent(id);
          }}
        >
          {items.map(({ index, start }, nth) => {
            const id = order[index];
            if (id === undefined) return null;
            if (isGap(id)) return <GapRow key={keys[nth]} feed={feed} gap={id} index={index} start={start} height={height} />;
            return (
              <LogRow
                key={keys[nth]}
                {...{ tail, id, index, start, height, narrow, columns, words, names, onOpen }}
                selected={id === openId}
                current={id === tabStop}
              />
            );
          })}
        </div>
        <LogEnd feed={feed} onGoOn={onGoOn} />
      </div>
    </div>
  );
}

/** The rendered rows, and the height of a row. */
function useRows({ feed, scroller, narrow, currentId, held }: LogTableProps, order: readonly string[]) {
  const [scrolled, setScrolled] = useState(false);
  const height = narrow ? NARROW_ROW : ROW;
  const currentIndex = currentId ? order.indexOf(currentId) : -1;
  const virtual = useVirtualizer({
    count: order.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => height,
    overscan: 8,
    getItemKey: (index) => order[index] ?? index,
    scrollPaddingEnd: 40,
    // Keeps the row being read in place when rows above it are added or removed. Off at the top, which follows.
    anchorTo: scrolled ? "end" : "start",
    // Keeps the focused row in the document, so that a flush does not lose the focus.
    rangeExtractor: (range) => {
      const indexes = defaultRangeExtractor(range);
      if (currentIndex < 0 || indexes.includes(currentIndex)) return indexes;
      return [...indexes, currentIndex].sort((a, b) => a - b);
    },
  });
  useHold({ feed, scroller, held, onScrolled: setScrolled });
  useEffect(() => {
    if (height > 0) virtual.measure();
  }, [virtual, height]);
  return { virtual, height };
}
