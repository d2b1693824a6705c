import type { LiveEvent, Reconciliation } from "@sluice/core/events";
import { api, queryClient } from "../api/client.ts";
import { listen } from "./hub.ts";

/** The newest check of the books goes on by push, wherever it was read; later news stays. */
function events(batch: readonly LiveEvent[]): void {
  for (const event of batch) if (event.type === "reconciliation.changed") take(event.reconciliation);
}

function take(next: Reconciliation): void {
  const queryKey = api.reconciliations.newest.queryKey();
  if (queryClient.getQueryState(queryKey) === undefined) return;
  queryClient.setQueryData(queryKey, (known) => (known && isLater(known, next) ? known : next));
}

function isLater(known: Reconciliation, next: Reconciliation): boolean {
  return known.id > next.id || (known.id === next.id && (known.finishedAtMs !== null || known.stepsDone > next.stepsDone));
}

listen({ events });
