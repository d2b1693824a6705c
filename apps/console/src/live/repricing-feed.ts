import type { LiveEvent, Repricing } from "@sluice/core/events";
import { api, queryClient } from "../api/client.ts";
import { listen } from "./hub.ts";
import { keepLater } from "./keep-later.ts";

const queryKey = api.prices.repricings.queryKey();

/** Keeps re-pricing orders current by push, if they were read. */
export function takeRepricings(batch: readonly LiveEvent[]): void {
  if (queryClient.getQueryState(queryKey) === undefined) return;
  for (const event of batch) {
    if (event.type !== "repricing.changed") continue;
    const { repricing } = event;
    queryClient.setQueryData(queryKey, (known = []) => [repricing, ...known.filter(({ id }) => id !== repricing.id)].sort(newestFirst));
  }
}

function newestFirst(a: Repricing, b: Repricing): number {
  return a.id < b.id ? 1 : -1;
}

function isLater(known: Repricing, next: Repricing): boolean {
  return known.finishedAtMs !== null || (next.finishedAtMs === null && known.requests > next.requests);
}

/** Each in its latest known state; orders created after the answer stay. */
keepLater<Repricing[]>(queryKey, (known, next) => {
  const before = new Map(known.map((one) => [one.id, one]));
  const newest = next.reduce((id, one) => (one.id > id ? one.id : id), "");
  const merged = next.map((one) => {
    const held = before.get(one.id);
    return held && isLater(held, one) ? held : one;
  });
  return [...known.filter(({ id }) => id > newest), ...merged];
});
listen({ events: takeRepricings });
