import { useRouter } from "@tanstack/react-router";
import { useCallback, useState } from "react";
import type { LogSearch } from "./search.ts";

interface Zoom {
  zoomed: boolean;
  zoom(fromMs: number, toMs: number): void;
  /** Returns whether there was one. */
  undo(): boolean;
}

/** Ranges selected in the timeline are history entries: Back or Esc undoes the last one. */
export function useZoom(search: LogSearch, go: (range: Pick<LogSearch, "from" | "to">) => void): Zoom {
  const router = useRouter();
  const [steps, setSteps] = useState<readonly string[]>([]);
  const here = `${search.from}:${search.to}`;
  // After other navigation there is nothing to undo.
  const zoomed = steps.at(-1) === here;
  const zoom = useCallback(
    (from: number, to: number) => {
      setSteps((old) => [...(old.at(-1) === here ? old : []), `${from}:${to}`]);
      go({ from, to });
    },
    [go, here],
  );
  const undo = useCallback((): boolean => {
    if (!zoomed) return false;
    setSteps((old) => old.slice(0, -1));
    router.history.back();
    return true;
  }, [router, zoomed]);
  return { zoomed, zoom, undo };
}
