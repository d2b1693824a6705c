import type { ProviderLine } from "../../providers/provider.ts";
import { type Difference, differenceOf } from "./batch-change.ts";

/** A place in the order; `together` = of one priority with the one above. */
export interface Place {
  provider: ProviderLine;
  together: boolean;
}

/** The order in which providers are tried, those of one priority by name. */
export function placesOf(providers: readonly ProviderLine[]): Place[] {
  const sorted = byPriority(providers);
  return sorted.map((provider, index) => ({ provider, together: index > 0 && sorted[index - 1]?.priority === provider.priority }));
}

export function byPriority(providers: readonly ProviderLine[]): ProviderLine[] {
  return providers.toSorted((a, b) => a.priority - b.priority || a.name.localeCompare(b.name));
}

/** The order with one of them elsewhere: there it stands by itself, and nobody else leaves their company. */
export function movedPlace(places: readonly Place[], from: number, to: number): Place[] {
  const moved = places[from];
  if (!moved || from === to || to < 0 || to >= places.length) return [...places];
  const rest = places.filter((_, index) => index !== from);
  // Who stood with it stays a step of its own.
  const next = rest[from];
  if (!moved.together && next?.together) rest[from] = { ...next, together: false };
  rest.splice(to, 0, { ...moved, together: false });
  return rest.map((place, index) => (index === 0 ? { ...place, together: false } : place));
}

/** Priorities that give this order: steps of ten where there is room, so that one can be put between by hand. */
export function prioritiesOf(places: readonly Place[]): Difference[] {
  const steps = places.filter(({ together }, index) => index > 0 && !together).length;
  const width = steps * 10 <= 1_000 ? 10 : 1;
  let priority = 0;
  return places.flatMap(({ provider, together }, index) => {
    if (index > 0 && !together) priority = Math.min(1_000, priority + width);
    return differenceOf(provider, { priority }) ?? [];
  });
}
