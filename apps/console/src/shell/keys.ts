import { useLayoutEffect, useRef } from "react";
import { createStore } from "../live/store.ts";

const STORED = "sluice.keys";

function stored(): boolean {
  try {
    return localStorage.getItem(STORED) !== "off";
  } catch {
    return true;
  }
}

/** Whether single-letter shortcuts are active (WCAG 2.1.4 requires a way to turn them off). */
export const singleKeys = createStore(stored());

export function setSingleKeys(on: boolean): void {
  singleKeys.set(on);
  try {
    localStorage.setItem(STORED, on ? "on" : "off");
  } catch {
    // Storage may be unavailable: the choice then lasts for this visit.
  }
}

/** A closing popup no longer owns keys, although the focus leaves it only at the end. */
const openPopup = ["dialog", "alertdialog", "menu", "listbox"].map((role) => `[role="${role}"]:not([data-closed])`).join();
/** Keys pressed in an open popup, recorded in the capture phase: a key that closes the popup still belonged to it. */
const ofPopups = new WeakSet<KeyboardEvent>();

function noteOwner(event: KeyboardEvent): void {
  if (event.target instanceof HTMLElement && event.target.closest(openPopup)) ofPopups.add(event);
}

/** Listens to all keys from the first layout on: effects run only after the paint, when the page can already be used. */
export function useKeyDown(onKey: (event: KeyboardEvent) => void): void {
  const latest = useRef(onKey);
  latest.current = onKey;
  useLayoutEffect(() => {
    const listening = new AbortController();
    const { signal } = listening;
    window.addEventListener("keydown", (event) => noteOwner(event), { signal, capture: true });
    window.addEventListener("keydown", (event) => latest.current(event), { signal });
    return () => listening.abort();
  }, []);
}

/** Whether a key belongs to a field, an input method or a browser shortcut instead of the page. */
export function isTyping(event: KeyboardEvent): boolean {
  // 229: an input method handles the key, which not every browser reports by isComposing.
  if (
    event.isComposing ||
    event.keyCode === 229 ||
    event.ctrlKey ||
    event.metaKey ||
    event.altKey ||
    event.defaultPrevented ||
    !singleKeys.get()
  )
    return true;
  const target = event.target;
  if (!(target instanceof HTMLElement)) return false;
  return target.isContentEditable || /^(input|textarea|select)$/i.test(target.tagName) || ofPopups.has(event);
}
