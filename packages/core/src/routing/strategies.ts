/**
 * The order in which the providers of a tier are tried. Each strategy yields them one by one, so a request pays only for those
 * it looks at.
 */
import type { RoutableProvider, Tier } from "./provider-index.ts";

export const strategies = ["weighted", "round_robin", "least_in_flight", "lowest_latency", "lowest_cost"] as const;
export type Strategy = (typeof strategies)[number];

/** What a strategy knows about a provider at the moment. */
export interface Measured {
  /** Requests it is serving. */
  inFlight?: number;
  /** Expected time to first content, ms; null = unknown. */
  ttftMs?: number | null;
  /** What this request would cost there, nano-USD; null = no price. */
  costNanoUsd?: number | null;
}

export interface StrategyInput<P extends RoutableProvider> {
  strategy: Strategy;
  /** Called only when the strategy needs it. */
  measure: (provider: P) => Measured;
  /** Round-robin counter of a tier: increases by one with each call. */
  turnOf: (tier: Tier<P>) => number;
  /** [0, 1); seeded in tests. */
  random: () => number;
}

/** A round-robin counter for each tier of a configuration. */
export function createTurns(): (tier: object) => number {
  const turns = new WeakMap<object, number>();
  return (tier) => {
    const turn = turns.get(tier) ?? 0;
    turns.set(tier, turn + 1);
    return turn;
  };
}

/** Share of requests that try the slower of two: nothing else would detect that it has become fast again. */
export const PROBE_SHARE = 1 / 20;

/** The providers of a tier in the order to try. */
export function inOrder<P extends RoutableProvider>(tier: Tier<P>, input: StrategyInput<P>): Iterable<P> {
  const { providers } = tier;
  if (providers.length < 2) return providers;
  switch (input.strategy) {
    case "weighted":
      return drawn(tier, input.random);
    case "round_robin":
      return from(providers, input.turnOf(tier) % providers.length);
    case "least_in_flight":
      return byScore(providers, input.random, (provider) => input.measure(provider).inFlight ?? 0);
    case "lowest_cost":
      return byScore(providers, input.random, (provider) => input.measure(provider).costNanoUsd ?? Number.POSITIVE_INFINITY);
    case "lowest_latency":
      return byLatency(providers, input);
  }
}

/** Draws without replacement, each with probability weight ÷ remaining weight. */
function* drawn<P extends RoutableProvider>(tier: Tier<P>, random: () => number): Generator<P> {
  const pool = tier.providers.slice();
  let total = tier.totalWeight;
  while (pool.length > 0) {
    let at = random() * total;
    let index = 0;
    while (index < pool.length - 1) {
      at -= pool[index]?.weight ?? 0;
      if (at < 0) break;
      index++;
    }
    const one = pool[index];
    const last = pool.pop();
    if (!one || !last) return;
    if (index < pool.length) pool[index] = last;
    total -= one.weight;
    yield one;
  }
}

function* from<P>(providers: readonly P[], start: number): Generator<P> {
  for (let step = 0; step < providers.length; step++) {
    const provider = providers[(start + step) % providers.length];
    if (provider) yield provider;
  }
}

/** The lowest score first; ties in order from a random start. */
function* byScore<P>(providers: readonly P[], random: () => number, score: (provider: P) => number): Generator<P> {
  const start = Math.floor(random() * providers.length);
  const left = [...from(providers, start)].map((provider) => ({ provider, score: score(provider) }));
  while (left.length > 0) {
    let best = 0;
    for (let index = 1; index < left.length; index++) if ((left[index]?.score ?? 0) < (left[best]?.score ?? 0)) best = index;
    const [taken] = left.splice(best, 1);
    if (taken) yield taken.provider;
  }
}

/**
 * Power of two choices (Mitzenmacher 2001) over a peak EWMA of the time to first content, weighted by requests in flight: the faster of
 * two random ones goes first, so that a single fast provider is not overrun by all requests. Occasionally the slower one does.
 */
function* byLatency<P extends RoutableProvider>(providers: readonly P[], { measure, random }: StrategyInput<P>): Generator<P> {
  const score = (provider: P): number => {
    const { ttftMs = null, inFlight = 0 } = measure(provider);
    // Not measured yet: one request tries it; until that has an answer, the others avoid it.
    return ttftMs === null ? (inFlight > 0 ? Number.MAX_VALUE : 0) : ttftMs * (inFlight + 1);
  };
  const first = Math.floor(random() * providers.length);
  const other = (first + 1 + Math.floor(random() * (providers.length - 1))) % providers.length;
  const [a, b] = [providers[first], providers[other]];
  if (!a || !b) return;
  const [quicker, slower] = score(a) <= score(b) ? [a, b] : [b, a];
  const head = random() < PROBE_SHARE ? slower : quicker;
  yield head;
  for (const provider of byScore(providers, random, score)) if (provider !== head) yield provider;
}
