import { type RefObject, useEffect, useMemo, useState } from "react";
import { useStore } from "../../live/store.ts";
import { type Columns, columnChoice, columnsOf, stepOf } from "./columns.ts";

/** Width in px of the navigation beside a page, and the window width from which it is shown; as in shell/app-shell. */
const NAVIGATION = { px: 216, from: 768 };

/**
 * The columns for the current width of the pane and the reader's choice. The initial width is estimated: measuring it immediately would
 * force a second layout of the whole page before the first paint.
 */
export function useColumns(pane: RefObject<HTMLElement | null>, admin: boolean): Columns {
  const choice = useStore(columnChoice);
  const [step, setStep] = useState(() => stepOf(innerWidth >= NAVIGATION.from ? innerWidth - NAVIGATION.px : innerWidth));
  useEffect(() => {
    const element = pane.current;
    if (!element) return;
    const observer = new ResizeObserver(([entry]) => entry && setStep(stepOf(entry.contentRect.width)));
    observer.observe(element);
    return () => observer.disconnect();
  }, [pane]);
  return useMemo(() => columnsOf(choice, admin, step), [choice, admin, step]);
}
