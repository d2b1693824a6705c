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

/** Hears every key from the moment the component is drawn: whoever sees a page may use it, and the effects come after the paint. */
export function useKeyDown(onKey: (event: KeyboardEvent) => void): void {
  const latest = useRef(onKey);
  latest.current = onKey;
  useLayoutEffect(() => {
    const hear = (event: KeyboardEvent): void => latest.current(event);
    window.addEventListener("keydown", hear);
    return () => window.removeEventListener("keydown", hear);
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
  return (
    target.isContentEditable ||
    /^(input|textarea|select)$/i.test(target.tagName) ||
    target.closest('[role="dialog"],[role="alertdialog"],[role="menu"],[role="listbox"]') !== null
  );
}
