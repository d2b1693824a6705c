import type { LiveEvent, Reconciliation } from "@sluice/core/events";
import { api, queryClient } from "../api/client.ts";
import { listen } from "./hub.ts";
import { keepLater } from "./keep-later.ts";

const queryKey = api.reconciliations.newest.queryKey();

/** Keeps the latest reconciliation current by push, if it was read. */
export function takeReconciliations(batch: readonly LiveEvent[]): void {
  if (queryClient.getQueryState(queryKey) === undefined) return;
  for (const event of batch) if (event.type === "reconciliation.changed") queryClient.setQueryData(queryKey, event.reconciliation);
}

function isLater(known: Reconciliation, next: Reconciliation): boolean {
  return known.id > next.id || (known.id === next.id && (known.finishedAtMs !== null || known.stepsDone > next.stepsDone));
}

keepLater<Reconciliation | null>(queryKey, (known, next) => (known && (!next || isLater(known, next)) ? known : next));
listen({ events: takeReconciliations });
