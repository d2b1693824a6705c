import type { LiveEvent, Repricing } from "@sluice/core/events";
import { api, queryClient } from "../api/client.ts";
import { listen } from "./hub.ts";

/** Orders to price anew go on by push, wherever they were read; later news stays. */
function events(batch: readonly LiveEvent[]): void {
  for (const event of batch) if (event.type === "repricing.changed") take(event.repricing);
}

function take(next: Repricing): void {
  const queryKey = api.prices.repricings.queryKey();
  if (queryClient.getQueryState(queryKey) === undefined) return;
  queryClient.setQueryData(queryKey, (known = []) => {
    const at = known.findIndex(({ id }) => id === next.id);
    if (at < 0) return [next, ...known];
    return known.map((one) => (one.id === next.id && !isLater(one, next) ? next : one));
  });
}

function isLater(known: Repricing, next: Repricing): boolean {
  return known.finishedAtMs !== null || (next.finishedAtMs === null && known.requests > next.requests);
}

listen({ events });
