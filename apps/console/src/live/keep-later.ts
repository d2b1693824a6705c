import { queryClient } from "../api/client.ts";

/**
 * A query that is also updated by pushes may receive an answer that was requested before a push and arrives after it. `join` merges what
 * is known with what arrives, whichever way; the result is never older than anything already shown.
 */
export function keepLater<T>(queryKey: readonly unknown[], join: (known: T, next: T) => T): void {
  queryClient.setQueryDefaults(queryKey, {
    structuralSharing: (known, next) => (known === undefined ? next : join(known as T, next as T)),
  });
}
