import type { ProviderLine } from "../../providers/provider.ts";
import { type Difference, differenceOf } from "./batch-change.ts";

/** A place in the order; `together` = with the same priority as the one above. */
export interface Place {
  provider: ProviderLine;
  together: boolean;
}

/** The order in which providers are tried; equal priorities are sorted by name. */
export function placesOf(providers: readonly ProviderLine[]): Place[] {
  const sorted = byPriority(providers);
  return sorted.map((provider, index) => ({ provider, together: index > 0 && sorted[index - 1]?.priority === provider.priority }));
}

export function byPriority(providers: readonly ProviderLine[]): ProviderLine[] {
  return providers.toSorted((a, b) => a.priority - b.priority || a.name.localeCompare(b.name));
}

/** The order with one provider moved. It then has a priority of its own; all others stay grouped. */
export function movedPlace(places: readonly Place[], from: number, to: number): Place[] {
  const moved = places[from];
  if (!moved || from === to || to < 0 || to >= places.length) return [...places];
  const rest = places.filter((_, index) => index !== from);
  // The rest of its former group keeps a priority of its own.
  const next = rest[from];
  if (!moved.together && next?.together) rest[from] = { ...next, together: false };
  rest.splice(to, 0, { ...moved, together: false });
  return rest.map((place, index) => (index === 0 ? { ...place, together: false } : place));
}

/** Priorities that produce this order with as few changes as possible; if numbers run out, all are renumbered. */
export function prioritiesOf(places: readonly Place[]): Difference[] {
  const steps: ProviderLine[][] = [];
  for (const { provider, together } of places) {
    if (together) steps.at(-1)?.push(provider);
    else steps.push([provider]);
  }
  const priorities = spread(steps.map(([first]) => first?.priority ?? 0));
  return steps.flatMap((step, index) => step.flatMap((provider) => differenceOf(provider, { priority: priorities[index] }) ?? []));
}

const MOST = 1_000;

/** Strictly increasing numbers from 0 to 1000 that keep as many of the given ones as possible; the others are placed between those. */
function spread(given: readonly number[]): number[] {
  const kept = rising(given);
  const result: number[] = [];
  let before = -1;
  for (let at = 0; at < given.length; ) {
    let end = at;
    while (end < given.length && !kept.has(end)) end++;
    const after = given[end] ?? MOST + 1;
    const missing = end - at;
    // Ten apart at the open end, otherwise evenly between the neighbours.
    const room = end < given.length ? (after - before) / (missing + 1) : Math.min(10, (after - before) / (missing + 1));
    if (room < 1) return anew(given.length);
    for (let n = 1; n <= missing; n++) result.push(before < 0 ? Math.floor(room * n) - 1 : Math.floor(before + room * n));
    if (end < given.length) result.push(after);
    before = after;
    at = end + 1;
  }
  return result;
}

function anew(count: number): number[] {
  const width = (count - 1) * 10 <= MOST ? 10 : 1;
  return Array.from({ length: count }, (_, index) => Math.min(MOST, index * width));
}

/** The indexes of a longest increasing subsequence. */
function rising(given: readonly number[]): ReadonlySet<number> {
  const best: number[][] = [];
  for (const [at, value] of given.entries()) {
    let longest: number[] = [];
    for (const run of best) if ((given[run.at(-1) ?? 0] ?? 0) < value && run.length > longest.length) longest = run;
    best.push([...longest, at]);
  }
  return new Set(best.reduce((one, other) => (other.length >= one.length ? other : one), []));
}
