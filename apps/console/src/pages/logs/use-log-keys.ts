import type { RefObject } from "react";
import type { LogFeed } from "../../live/log-feed.ts";
import { isGap } from "../../live/log-order.ts";
import { isTyping, useKeyDown } from "../../shell/keys.ts";
import { useCopy } from "../../ui/copy-button.tsx";
import { cellOf, type MenuCell } from "./menu-cell.ts";

interface LogKeys {
  feed: LogFeed | null;
  scroller: RefObject<HTMLDivElement | null>;
  currentId: string | undefined;
  openId: string | undefined;
  onCurrent(id: string): void;
  onOpen(id: string | undefined): void;
  onPause(): void;
  onNewest(): void;
  /** Moves the focus to the query field. */
  onQuery(): void;
  onMenu(cell: MenuCell): void;
  onRange(step: 1 | -1): void;
  /** Returns whether there was a zoom to undo. */
  onUndo(): boolean;
}

type ActingKeys = LogKeys & { copy: ReturnType<typeof useCopy> };

/** Handles J K ← → Enter Esc Space G F C / [ ] while nobody is typing. The focus moves with the row, and an open drawer follows. */
export function useLogKeys(keys: LogKeys): void {
  const copy = useCopy();
  useKeyDown((event) => {
    if (!isTyping(event) && act({ ...keys, copy }, event)) event.preventDefault();
  });
}

function act(keys: ActingKeys, event: KeyboardEvent): boolean {
  const target = event.target instanceof HTMLElement ? event.target : null;
  const onRow = target?.closest<HTMLElement>("[data-id]") ?? null;
  const onControl = target !== null && /^(button|a)$/i.test(target.tagName);
  switch (event.key) {
    case "ArrowDown":
      return onRow ? move(keys, 1) : false;
    case "ArrowUp":
      return onRow ? move(keys, -1) : false;
    case "ArrowRight":
      return moveCell(target, onRow, 1);
    case "ArrowLeft":
      return moveCell(target, onRow, -1);
    case "Enter":
      if (onControl || !onRow?.dataset.id) return false;
      keys.onOpen(onRow.dataset.id);
      return true;
    case "Escape":
      return closeDrawer(keys) || keys.onUndo();
    case " ":
      if (onControl) return false;
      keys.onPause();
      return true;
    default:
      return letter(keys, event.key.toLowerCase(), target);
  }
}

function letter(keys: ActingKeys, key: string, target: HTMLElement | null): boolean {
  const cell = key === "f" && target ? cellOf(target) : null;
  if (cell) keys.onMenu(cell);
  else if (key === "j" || key === "k") return move(keys, key === "j" ? 1 : -1);
  else if (key === "g") keys.onNewest();
  else if (key === "f" || key === "/") keys.onQuery();
  else if (key === "[" || key === "]") keys.onRange(key === "]" ? 1 : -1);
  else if (key === "c" && keys.currentId) void keys.copy(keys.currentId);
  else return false;
  return true;
}

/** Moves from the row into its cells and along them; left of the first cell is the row. */
function moveCell(target: HTMLElement | null, row: HTMLElement | null, step: 1 | -1): boolean {
  if (!target || !row) return false;
  const cells = [...row.querySelectorAll<HTMLElement>("[data-field]")];
  const at = cells.indexOf(target) + step;
  const next = at < 0 ? row : cells[at];
  next?.focus({ preventScroll: false });
  return true;
}

function closeDrawer(keys: LogKeys): boolean {
  if (!keys.openId) return false;
  keys.onOpen(undefined);
  focusRow(keys.scroller.current, keys.openId);
  return true;
}

/** Moves the focus to a row, or to the list if the row is too far away to be rendered. */
export function focusRow(scroller: HTMLElement | null, id: string): void {
  (rowElement(scroller, id) ?? scroller)?.focus();
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
  // The row may be created by the render that this causes.
  requestAnimationFrame(() => {
    const row = rowElement(scroller.current, id);
    row?.focus({ preventScroll: true });
    row?.scrollIntoView({ block: "nearest" });
  });
  return true;
}
