import type { SortName } from "@sluice/core/sort-names";
import { defaultRangeExtractor, useVirtualizer } from "@tanstack/react-virtual";
import { ArrowDown, ArrowUp } from "lucide-react";
import { type KeyboardEvent, type ReactNode, useEffect, useMemo, useRef, useState } from "react";
import { cn } from "../ui/class-names.ts";
import { useMedia } from "../ui/use-media.ts";

const ROW = 52;
const NARROW_ROW = 92;
const LOAD_AHEAD = 15;

export interface ListColumn {
  id: string;
  label: string;
  /** Grid track, such as `minmax(8rem, 1fr)`. */
  track: string;
  sort?: SortName;
  right?: boolean;
  /** Omitted where there is no room. */
  wideOnly?: boolean;
  /** The header is only for assistive technology. */
  hiddenHead?: boolean;
}

export interface ListRow {
  id: string;
  /** 1 = top level. */
  level: number;
  posInSet: number;
  /** -1 = unknown. */
  setSize: number;
  /** undefined = without children. */
  expanded?: boolean;
  dim?: boolean;
  /** Content that spans the whole row: loading, a button for more, or a note that there is nothing. */
  whole?: ReactNode;
}

interface RowListProps<R extends ListRow> {
  label: string;
  /** A treegrid is navigated by arrow keys, row by row; a table is read cell by cell. */
  role: "treegrid" | "table";
  columns: readonly ListColumn[];
  rows: readonly R[];
  sort: SortName;
  order: "asc" | "desc";
  /** Identifies the filter of the rows; when it changes, the list scrolls to its top. */
  filter: string;
  /** Whether there are more rows at the end. */
  hasMore: boolean;
  onSort(sort: SortName): void;
  onOpen(row: R): void;
  onToggle?(row: R, expanded: boolean): void;
  /** Called when the end comes near. */
  onEnd(): void;
  /** `tabIndex` is for every control inside: in a tree only the current row's controls are in the tab order. */
  cell(row: R, column: string, tabIndex: 0 | -1): ReactNode;
  /** The row where there is no room for columns. */
  card(row: R, tabIndex: 0 | -1): ReactNode;
}

/** A virtual list of rows of equal height, flat or two levels deep: only visible rows are rendered. */
export function RowList<R extends ListRow>(props: RowListProps<R>) {
  const { label, role, rows, sort, order, filter, hasMore, onSort, onEnd, cell, card } = props;
  const wide = useMedia("(min-width: 1400px)");
  const narrow = !useMedia("(min-width: 1120px)");
  const columns = useMemo(() => props.columns.filter(({ wideOnly }) => wide || !wideOnly), [props.columns, wide]);
  const tracks = columns.map(({ track }) => track).join(" ");
  const scroller = useRef<HTMLDivElement>(null);
  const [currentId, setCurrentId] = useState("");
  const found = rows.findIndex(({ id }) => id === currentId);
  const current = found < 0 ? 0 : found;
  const height = narrow ? NARROW_ROW : ROW;
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroller.current,
    estimateSize: (index) => (narrow && rows[index]?.whole !== undefined ? ROW : height),
    overscan: 6,
    getItemKey: (index) => rows[index]?.id ?? index,
    scrollPaddingStart: narrow ? 0 : 36,
    // Keeps the focused row in the document, so that scrolling does not lose the focus.
    rangeExtractor: (range) => {
      const indexes = defaultRangeExtractor(range);
      return found < 0 || indexes.includes(found) ? indexes : [...indexes, found].sort((a, b) => a - b);
    },
  });
  useEffect(() => {
    if (height > 0) virtual.measure();
  }, [virtual, height]);
  const asked = `${sort} ${order} ${filter}`;
  useEffect(() => {
    if (asked) scroller.current?.scrollTo({ top: 0 });
  }, [asked]);
  const items = virtual.getVirtualItems();
  const last = items.at(-1)?.index ?? 0;
  useEffect(() => {
    if (hasMore && last >= rows.length - LOAD_AHEAD) onEnd();
  }, [hasMore, last, rows.length, onEnd]);
  const onKeyDown = useTreeKeys(props, { current, setCurrentId, scroller, scrollTo: (index) => virtual.scrollToIndex(index) });
  const isTree = role === "treegrid";
  return (
    // biome-ignore lint/a11y/useAriaPropsSupportedByRole: the role is passed in by the caller
    // biome-ignore lint/a11y/noStaticElementInteractions: keys of a tree are handled once, here
    <div
      ref={scroller}
      role={role}
      aria-label={label}
      aria-rowcount={hasMore ? -1 : rows.length + 1}
      tabIndex={isTree && rows.length > 0 ? undefined : 0}
      onKeyDown={isTree ? onKeyDown : undefined}
      onFocus={(event) => {
        const id = (event.target as Element).closest<HTMLElement>("[data-id]")?.dataset.id;
        if (isTree && id) setCurrentId(id);
      }}
      className="relative min-h-0 flex-initial overflow-y-auto overscroll-contain rounded-xl border border-line bg-surface -outline-offset-2"
    >
      <div role="rowgroup" className={cn("sticky top-0 z-10 border-b border-line bg-surface", narrow && "sr-only")}>
        <div role="row" aria-rowindex={1} className="grid h-9 items-center gap-x-3 px-4" style={{ gridTemplateColumns: tracks }}>
          {columns.map((column) => (
            <Head key={column.id} column={column} sorted={column.sort === sort ? order : null} onSort={onSort} />
          ))}
        </div>
      </div>
      <div role="rowgroup" className="relative" style={{ height: virtual.getTotalSize() }}>
        {items.map((item) => {
          const row = rows[item.index];
          if (!row) return null;
          const tabIndex = !isTree || item.index === current ? 0 : -1;
          const cellRole = isTree ? "gridcell" : "cell";
          const span = { role: cellRole, "aria-colspan": columns.length };
          return (
            <div
              key={row.id}
              role="row"
              data-id={row.id}
              aria-rowindex={item.index + 2}
              {...(isTree && treeState(row))}
              {...(isTree && { tabIndex })}
              style={{ height: item.size, transform: `translateY(${item.start}px)`, ...(!narrow && { gridTemplateColumns: tracks }) }}
              className={cn(
                "absolute inset-x-0 top-0 border-b border-line px-4 text-sm -outline-offset-2 [contain:layout_style_paint] hover:bg-hover",
                !narrow && row.whole === undefined ? "grid items-center gap-x-3" : "flex items-center",
                row.dim && "text-ink-3",
                row.level > 1 && "bg-sunken/50",
              )}
            >
              {row.whole !== undefined ? (
                <div {...span} className="min-w-0 flex-1 pl-9">
                  {row.whole}
                </div>
              ) : narrow ? (
                <div {...span} className={cn("min-w-0 flex-1", row.level > 1 && "pl-5")}>
                  {card(row, tabIndex)}
                </div>
              ) : (
                columns.map(({ id, right }) => (
                  <div key={id} role={cellRole} className={cn("min-w-0", right && "text-right")}>
                    {cell(row, id, tabIndex)}
                  </div>
                ))
              )}
            </div>
          );
        })}
      </div>
    </div>
  );
}

function treeState({ level, posInSet, setSize, expanded }: ListRow) {
  return {
    "aria-level": level,
    "aria-posinset": posInSet,
    "aria-setsize": setSize,
    ...(expanded !== undefined && { "aria-expanded": expanded }),
  };
}

interface HeadProps {
  column: ListColumn;
  sorted: "asc" | "desc" | null;
  onSort(sort: SortName): void;
}

function Head({ column, sorted, onSort }: HeadProps) {
  const { label, sort, right, hiddenHead } = column;
  const Arrow = sorted === "asc" ? ArrowUp : ArrowDown;
  return (
    <div
      role="columnheader"
      aria-sort={sorted ? (sorted === "asc" ? "ascending" : "descending") : undefined}
      className={cn("min-w-0 truncate text-xs font-medium text-ink-3", right && "text-right")}
    >
      {hiddenHead ? (
        <span className="sr-only">{label}</span>
      ) : sort ? (
        <button
          type="button"
          onClick={() => onSort(sort)}
          className={cn("inline-flex h-7 max-w-full items-center gap-1 truncate rounded hover:text-ink", sorted && "text-ink")}
        >
          {sorted && right && <Arrow aria-hidden="true" className="size-3" />}
          {label}
          {sorted && !right && <Arrow aria-hidden="true" className="size-3" />}
        </button>
      ) : (
        label
      )}
    </div>
  );
}

interface TreeKeys {
  current: number;
  setCurrentId(id: string): void;
  scroller: { current: HTMLElement | null };
  scrollTo(index: number): void;
}

/** Keyboard navigation in the tree: up, down, first, last; right expands or enters, left collapses or leaves; Enter opens the row. */
function useTreeKeys<R extends ListRow>({ rows, onOpen, onToggle }: RowListProps<R>, keys: TreeKeys) {
  const { current, setCurrentId, scroller, scrollTo } = keys;
  const wanted = useRef("");
  // The row may enter the document only after scrolling.
  useEffect(() => {
    if (wanted.current === "") return;
    const row = scroller.current?.querySelector<HTMLElement>(`[data-id="${CSS.escape(wanted.current)}"]`);
    if (!row) return;
    wanted.current = "";
    row.focus({ preventScroll: true });
  });
  const go = (index: number): void => {
    const row = rows[Math.min(rows.length - 1, Math.max(0, index))];
    if (!row) return;
    wanted.current = row.id;
    setCurrentId(row.id);
    scrollTo(rows.indexOf(row));
  };
  return (event: KeyboardEvent): void => {
    // Controls inside a row handle their own keys.
    const row = rows[current];
    if (!row || (event.target as Element).getAttribute("role") !== "row" || event.ctrlKey || event.metaKey || event.altKey) return;
    const parent = rows.findLastIndex((each, index) => index < current && each.level < row.level);
    const moves: Record<string, () => void> = {
      ArrowDown: () => go(current + 1),
      ArrowUp: () => go(current - 1),
      Home: () => go(0),
      End: () => go(rows.length - 1),
      ArrowRight: () => (row.expanded === false ? onToggle?.(row, true) : row.expanded && go(current + 1)),
      ArrowLeft: () => (row.expanded ? onToggle?.(row, false) : parent >= 0 && go(parent)),
      Enter: () => onOpen(row),
    };
    const move = moves[event.key];
    if (!move) return;
    event.preventDefault();
    move();
  };
}
