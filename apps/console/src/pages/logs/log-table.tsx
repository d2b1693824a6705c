import { defaultRangeExtractor, useVirtualizer } from "@tanstack/react-virtual";
import { type RefObject, useCallback, useEffect, useMemo, useRef, useState, useSyncExternalStore } from "react";
import { useTranslation } from "react-i18next";
import type { NameLookup } from "../../api/names.ts";
import { clockParts } from "../../format.ts";
import type { LogFeed } from "../../live/log-feed.ts";
import { isGap } from "../../live/log-order.ts";
import { useStore } from "../../live/store.ts";
import { Button } from "../../ui/button.tsx";
import { cn } from "../../ui/class-names.ts";
import { LogRow } from "./log-row.tsx";
import type { FilterField } from "./search.ts";

/** How far the reader scrolls before new rows wait: one row. */
const ROW = 36;
const NARROW_ROW = 60;
const LOAD_AHEAD = 40;

interface LogTableProps {
  feed: LogFeed;
  names: NameLookup;
  admin: boolean;
  narrow: boolean;
  openId: string | undefined;
  currentId: string | undefined;
  scroller: RefObject<HTMLDivElement | null>;
  onOpen(id: string): void;
  onCurrent(id: string): void;
  onFilter(field: FilterField, value: string): void;
}

/** The virtual table: only what is in view exists, and what is read never moves. */
export function LogTable({ feed, names, admin, narrow, openId, currentId, scroller, onOpen, onCurrent, onFilter }: LogTableProps) {
  const { t, i18n } = useTranslation();
  const words = useMemo(() => ({ t, language: i18n.language }), [t, i18n.language]);
  const { tail } = feed;
  const { order } = useSyncExternalStore(tail.onView, tail.view);
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
    // Keeps the row being read in place when rows above it come or go. Off at the top, which follows.
    anchorTo: scrolled ? "end" : "start",
    // The focused row stays in the document, so that a flush never takes the focus away.
    rangeExtractor: (range) => {
      const indexes = defaultRangeExtractor(range);
      if (currentIndex < 0 || indexes.includes(currentIndex)) return indexes;
      return [...indexes, currentIndex].sort((a, b) => a - b);
    },
  });
  useHold(feed, scroller, setScrolled);
  useEffect(() => {
    if (height > 0) virtual.measure();
  }, [virtual, height]);

  const items = virtual.getVirtualItems();
  const last = items.at(-1)?.index ?? 0;
  useEffect(() => {
    if (order.length > 0 && last >= order.length - LOAD_AHEAD) void feed.older();
  }, [feed, last, order.length]);

  const header = [
    "time",
    "status",
    "model",
    ...(admin ? (["provider", "user"] as const) : []),
    "key",
    "tokens",
    "ttft",
    "duration",
    "cost",
  ] as const;
  const numeric = new Set<string>(["tokens", "ttft", "duration", "cost"]);
  const tabStop = currentIndex >= 0 ? currentId : order[0];
  return (
    <div className="log-pane flex min-h-0 flex-1 flex-col">
      <div
        ref={scroller}
        role="table"
        aria-label={t("logs.table")}
        aria-rowcount={-1}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling region must be reachable by keyboard
        tabIndex={0}
        data-role={admin ? "admin" : "user"}
        className="relative min-h-0 flex-1 overflow-y-auto overscroll-contain -outline-offset-2 [overflow-anchor:none]"
      >
        <div role="rowgroup" className={cn("sticky top-0 z-10 border-b border-line bg-surface", narrow && "sr-only")}>
          <div role="row" aria-rowindex={1} className="log-columns h-8 px-4 text-xs font-medium text-ink-3">
            {header.map((name) => (
              <div key={name} role="columnheader" className={cn("truncate", numeric.has(name) && "text-right", `log-${name}`)}>
                {t(`logs.${name}`)}
              </div>
            ))}
          </div>
        </div>
        <div
          role="rowgroup"
          className="relative"
          style={{ height: virtual.getTotalSize() }}
          onFocus={(event) => {
            const id = (event.target as HTMLElement).closest<HTMLElement>("[data-id]")?.dataset.id;
            if (id) onCurrent(id);
          }}
        >
          {items.map((item) => {
            const id = order[item.index];
            if (id === undefined) return null;
            if (isGap(id)) return <GapRow key={id} feed={feed} gap={id} index={item.index} start={item.start} height={height} />;
            return (
              <LogRow
                key={id}
                tail={tail}
                id={id}
                index={item.index}
                start={item.start}
                height={height}
                narrow={narrow}
                admin={admin}
                selected={id === openId}
                current={id === tabStop}
                words={words}
                names={names}
                onOpen={onOpen}
                onFilter={onFilter}
              />
            );
          })}
        </div>
        <Tail feed={feed} />
      </div>
    </div>
  );
}

/** New rows wait while the reader has scrolled, selects text or stands on a row with the keyboard. */
function useHold(feed: LogFeed, scroller: RefObject<HTMLDivElement | null>, setScrolled: (scrolled: boolean) => void): void {
  const pressed = useRef(false);
  useEffect(() => {
    const element = scroller.current;
    if (!element) return;
    const check = (): void => {
      const away = element.scrollTop > ROW;
      setScrolled(away);
      const selection = document.getSelection();
      const selecting = selection !== null && !selection.isCollapsed && element.contains(selection.anchorNode);
      const active = document.activeElement;
      const onRow =
        active instanceof HTMLElement &&
        active.closest("[data-id]") !== null &&
        element.contains(active) &&
        active.matches(":focus-visible");
      feed.tail.setHolding(away || selecting || onRow || pressed.current);
    };
    const down = (): void => {
      pressed.current = true;
      check();
    };
    const up = (): void => {
      if (!pressed.current) return;
      pressed.current = false;
      // After the click has been delivered: the row under the pointer must be the row that opens.
      setTimeout(check, 0);
    };
    element.addEventListener("scroll", check, { passive: true });
    element.addEventListener("pointerdown", down);
    window.addEventListener("pointerup", up);
    window.addEventListener("pointercancel", up);
    document.addEventListener("selectionchange", check);
    element.addEventListener("focusin", check);
    element.addEventListener("focusout", check);
    check();
    return () => {
      element.removeEventListener("scroll", check);
      element.removeEventListener("pointerdown", down);
      window.removeEventListener("pointerup", up);
      window.removeEventListener("pointercancel", up);
      document.removeEventListener("selectionchange", check);
      element.removeEventListener("focusin", check);
      element.removeEventListener("focusout", check);
    };
  }, [feed, scroller, setScrolled]);
}

function GapRow({ feed, gap, index, start, height }: { feed: LogFeed; gap: string; index: number; start: number; height: number }) {
  const { t } = useTranslation();
  const [busy, setBusy] = useState(false);
  const fill = useCallback(() => {
    setBusy(true);
    feed.fill(gap).finally(() => setBusy(false));
  }, [feed, gap]);
  return (
    <div
      role="row"
      aria-rowindex={index + 2}
      style={{ height, transform: `translateY(${start}px)` }}
      className="absolute inset-x-0 top-0 border-b border-dashed border-line-strong bg-sunken text-xs text-ink-2"
    >
      <div role="cell" className="flex h-full items-center justify-center gap-3">
        {t("logs.gap")}
        <Button size="sm" busy={busy} onClick={fill}>
          {t("logs.fillGap")}
        </Button>
      </div>
    </div>
  );
}

/** What stands below the last row: more is coming, it failed, or this is all. */
function Tail({ feed }: { feed: LogFeed }) {
  const { t } = useTranslation();
  const { older, searchedToMs } = useStore(feed.status);
  useSyncExternalStore(feed.tail.onView, feed.tail.view);
  const more = feed.tail.floor !== "";
  return (
    <div role="rowgroup">
      <div role="row">
        <div role="cell" className="flex min-h-12 flex-wrap items-center justify-center gap-3 px-4 py-3 text-xs text-ink-3">
          {searchedToMs !== null && <span>{t("logs.searchedTo", { time: clockParts(searchedToMs).time })}</span>}
          {older === "loading" && t("logs.loadingOlder")}
          {older === "error" && t("logs.olderFailed")}
          {older !== "loading" && more && (
            <Button size="sm" onClick={() => void feed.older()}>
              {t("logs.loadOlder")}
            </Button>
          )}
          {!more && t("logs.end")}
        </div>
      </div>
    </div>
  );
}
