import { queryClient } from "../api/client.ts";

/**
 * What a query knows moves by pushes, too, and an answer that was asked for before a push may come after it. `join` says what is so
 * when one is known and the other comes, by whichever way; what is known is never older than what anybody has seen.
 */
export function keepLater<T>(queryKey: readonly unknown[], join: (known: T, next: T) => T): void {
  queryClient.setQueryDefaults(queryKey, {
    structuralSharing: (known, next) => (known === undefined ? next : join(known as T, next as T)),
  });
}
