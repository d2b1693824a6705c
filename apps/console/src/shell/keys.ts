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

/** Whether single letters act (WCAG 2.1.4 wants a way to turn them off). */
export const singleKeys = createStore(stored());

export function setSingleKeys(on: boolean): void {
  singleKeys.set(on);
  try {
    localStorage.setItem(STORED, on ? "on" : "off");
  } catch {
    // Storage may be forbidden: the choice then lasts for this visit.
  }
}

/** What is closing has no keys any more, though the focus leaves it with the last of it. */
const openPopup = ["dialog", "alertdialog", "menu", "listbox"].map((role) => `[role="${role}"]:not([data-closed])`).join();
/** Keys pressed in an open one: told before anybody hears them, for what a key closes has had that key. */
const ofPopups = new WeakSet<KeyboardEvent>();

function noteOwner(event: KeyboardEvent): void {
  if (event.target instanceof HTMLElement && event.target.closest(openPopup)) ofPopups.add(event);
}

/** Hears every key from the moment the component is drawn: whoever sees a page may use it, and the effects come after the paint. */
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

/** Whether a key belongs to a field, an input method or a shortcut of the browser, and not to the page. */
export function isTyping(event: KeyboardEvent): boolean {
  // 229: an input method has the key, and not every browser says so by isComposing.
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
