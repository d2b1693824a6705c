import { useRouter } from "@tanstack/react-router";
import { useCallback, useState } from "react";
import type { LogSearch } from "./search.ts";

interface Zoom {
  zoomed: boolean;
  zoom(fromMs: number, toMs: number): void;
  /** Whether there was one. */
  undo(): boolean;
}

/** Ranges chosen in the timeline are steps of the history: Back, or Esc, takes the last one away. */
export function useZoom(search: LogSearch, go: (range: Pick<LogSearch, "from" | "to">) => void): Zoom {
  const router = useRouter();
  const [steps, setSteps] = useState<readonly string[]>([]);
  const here = `${search.from}:${search.to}`;
  // Whoever went elsewhere by other means has nothing to undo.
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
