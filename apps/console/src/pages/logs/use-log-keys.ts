import { type RefObject, useEffect, useRef } from "react";
import type { LogFeed } from "../../live/log-feed.ts";
import { isGap } from "../../live/log-order.ts";
import { isTyping } from "../../shell/keys.ts";
import { copyText } from "../../ui/copy-button.tsx";

interface LogKeys {
  feed: LogFeed | null;
  scroller: RefObject<HTMLDivElement | null>;
  currentId: string | undefined;
  openId: string | undefined;
  onCurrent(id: string): void;
  onOpen(id: string | undefined): void;
  onPause(): void;
  onNewest(): void;
  onFilter(): void;
}

/** J K Enter Esc Space G F C, while nobody types. The focus moves with the row, and an open drawer follows. */
export function useLogKeys(keys: LogKeys): void {
  const latest = useRef(keys);
  latest.current = keys;
  useEffect(() => {
    const onKey = (event: KeyboardEvent): void => {
      if (isTyping(event)) return;
      if (act(latest.current, event)) event.preventDefault();
    };
    window.addEventListener("keydown", onKey);
    return () => window.removeEventListener("keydown", onKey);
  }, []);
}

function act(keys: LogKeys, event: KeyboardEvent): boolean {
  const target = event.target instanceof HTMLElement ? event.target : null;
  const onRow = target?.closest<HTMLElement>("[data-id]") ?? null;
  const onControl = target !== null && /^(button|a)$/i.test(target.tagName);
  switch (event.key) {
    case "j":
    case "J":
      return move(keys, 1);
    case "k":
    case "K":
      return move(keys, -1);
    case "ArrowDown":
      return onRow ? move(keys, 1) : false;
    case "ArrowUp":
      return onRow ? move(keys, -1) : false;
    case "Enter":
      if (onControl || !onRow?.dataset.id) return false;
      keys.onOpen(onRow.dataset.id);
      return true;
    case "Escape":
      return closeDrawer(keys);
    case " ":
      if (onControl) return false;
      keys.onPause();
      return true;
    case "g":
    case "G":
      keys.onNewest();
      return true;
    case "f":
    case "F":
      keys.onFilter();
      return true;
    case "c":
    case "C":
      if (keys.currentId) void copyText(keys.currentId);
      return keys.currentId !== undefined;
    default:
      return false;
  }
}

function closeDrawer(keys: LogKeys): boolean {
  if (!keys.openId) return false;
  const row = rowElement(keys.scroller.current, keys.openId);
  keys.onOpen(undefined);
  row?.focus();
  return true;
}

function rowElement(scroller: HTMLElement | null, id: string): HTMLElement | null {
  return scroller?.querySelector<HTMLElement>(`[data-id="${CSS.escape(id)}"]`) ?? null;
}

function move({ feed, scroller, currentId, openId, onCurrent, onOpen }: LogKeys, step: 1 | -1): boolean {
  if (!feed) return false;
  const { order } = feed.tail.view();
  const at = currentId ? order.indexOf(currentId) : -1;
  let next = at < 0 ? 0 : at + step;
  while (order[next] !== undefined && isGap(order[next] ?? "")) next += step;
  const id = order[next];
  if (id === undefined) return true;
  onCurrent(id);
  if (openId) onOpen(id);
  // The row may be made by the render that this causes.
  requestAnimationFrame(() => {
    const row = rowElement(scroller.current, id);
    row?.focus({ preventScroll: true });
    row?.scrollIntoView({ block: "nearest" });
  });
  return true;
}
