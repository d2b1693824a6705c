import { useEffect } from "react";

const applied = new WeakSet<object>();

/**
 * Passes each answer of a query to `apply` once, however often its page is mounted: a cached answer is older than what was pushed since.
 */
export function useAnswer<T extends object>(answer: T | undefined, apply: (answer: T) => void): void {
  useEffect(() => {
    if (!answer || applied.has(answer)) return;
    applied.add(answer);
    apply(answer);
  }, [answer, apply]);
}
