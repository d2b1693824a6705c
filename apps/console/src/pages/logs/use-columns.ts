import { type RefObject, useEffect, useMemo, useState } from "react";
import { useStore } from "../../live/store.ts";
import { type Columns, columnChoice, columnsOf, stepOf } from "./columns.ts";

/** What the navigation takes beside a page, and from which width of the window on. px; as shell/app-shell has it. */
const NAVIGATION = { px: 216, from: 768 };

/**
 * The columns for the present width of the pane and the reader's choice. The width is guessed before it is measured: to ask for it
 * at once would have the browser lay out the whole page twice before the first one is seen.
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
