import { type RefObject, useLayoutEffect, useMemo, useState } from "react";
import { useStore } from "../../live/store.ts";
import { type Columns, columnChoice, columnsOf } from "./columns.ts";

/** The columns for the present width of the pane and the reader's choice. */
export function useColumns(pane: RefObject<HTMLElement | null>, admin: boolean): Columns {
  const choice = useStore(columnChoice);
  const [width, setWidth] = useState(1_200);
  useLayoutEffect(() => {
    const element = pane.current;
    if (!element) return;
    setWidth(element.clientWidth);
    const observer = new ResizeObserver(() => setWidth(element.clientWidth));
    observer.observe(element);
    return () => observer.disconnect();
  }, [pane]);
  return useMemo(() => columnsOf(choice, admin, width), [choice, admin, width]);
}
