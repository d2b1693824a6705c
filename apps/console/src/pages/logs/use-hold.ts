import { type RefObject, useEffect, useRef } from "react";
import type { LogFeed } from "../../live/log-feed.ts";

/** Scroll distance from which new rows wait: one row. */
const AWAY_PX = 36;

interface Hold {
  feed: LogFeed;
  scroller: RefObject<HTMLDivElement | null>;
  /** Something that belongs to a row is open beside it. */
  held: boolean;
  onScrolled(scrolled: boolean): void;
}

/** Holds new rows back while the reader has scrolled, selects text, presses a button, or focuses a row by keyboard. */
export function useHold({ feed, scroller, held, onScrolled }: Hold): void {
  const pressed = useRef(false);
  const open = useRef(held);
  const check = useRef<() => void>(undefined);
  useEffect(() => {
    open.current = held;
    check.current?.();
  }, [held]);
  useEffect(() => {
    const element = scroller.current;
    if (!element) return;
    const look = (): void => {
      const away = element.scrollTop > AWAY_PX;
      onScrolled(away);
      feed.tail.setHolding(away || open.current || pressed.current || isSelecting(element) || isOnRow(element));
    };
    const down = (): void => {
      pressed.current = true;
      look();
    };
    const up = (): void => {
      if (!pressed.current) return;
      pressed.current = false;
      // After the click has been delivered: the row under the pointer must be the row that opens.
      setTimeout(look, 0);
    };
    const ear = new AbortController();
    const { signal } = ear;
    element.addEventListener("scroll", look, { passive: true, signal });
    element.addEventListener("pointerdown", down, { signal });
    element.addEventListener("focusin", look, { signal });
    element.addEventListener("focusout", look, { signal });
    window.addEventListener("pointerup", up, { signal });
    window.addEventListener("pointercancel", up, { signal });
    document.addEventListener("selectionchange", look, { signal });
    check.current = look;
    look();
    return () => ear.abort();
  }, [feed, scroller, onScrolled]);
}

function isSelecting(element: HTMLElement): boolean {
  const selection = document.getSelection();
  return selection !== null && !selection.isCollapsed && element.contains(selection.anchorNode);
}

function isOnRow(element: HTMLElement): boolean {
  const active = document.activeElement;
  if (!(active instanceof HTMLElement) || !element.contains(active)) return false;
  return active.closest("[data-id]") !== null && active.matches(":focus-visible");
}
