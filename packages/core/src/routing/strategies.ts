/**
 * The order in which the providers of a tier are tried. Each strategy visits them one by one, so a request pays only for those
 * it looks at. Callbacks rather than generators, which V8 cannot inline: every request comes through here.
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

/** Returns false when it has seen enough. */
type Visit<P> = (provider: P) => boolean;

/** Visits the providers of a tier in the order to try. */
export function visitInOrder<P extends RoutableProvider>(tier: Tier<P>, input: StrategyInput<P>, visit: Visit<P>): void {
  const { providers } = tier;
  if (providers.length < 2) visitFrom(providers, 0, visit);
  else if (input.strategy === "weighted") draw(tier, input.random, visit);
  else if (input.strategy === "round_robin") visitFrom(providers, input.turnOf(tier) % providers.length, visit);
  else if (input.strategy === "lowest_latency") visitByLatency(providers, input, visit);
  else visitByScore(providers, input.random, scoreOf(input), visit);
}

function scoreOf<P extends RoutableProvider>({ strategy, measure }: StrategyInput<P>): (provider: P) => number {
  if (strategy === "lowest_cost") return (provider) => measure(provider).costNanoUsd ?? Number.POSITIVE_INFINITY;
  return (provider) => measure(provider).inFlight ?? 0;
}

/** Draws without replacement, each with probability weight ÷ remaining weight. */
function draw<P extends RoutableProvider>(tier: Tier<P>, random: () => number, visit: Visit<P>): void {
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
    if (!visit(one)) return;
  }
}

function visitFrom<P>(providers: readonly P[], start: number, visit: Visit<P>): void {
  for (let step = 0; step < providers.length; step++) {
    const provider = providers[(start + step) % providers.length];
    if (provider && !visit(provider)) return;
  }
}

/** The lowest score first; ties in order from a random start. */
function visitByScore<P>(providers: readonly P[], random: () => number, score: (provider: P) => number, visit: Visit<P>): void {
  const left: { provider: P; score: number }[] = [];
  visitFrom(providers, Math.floor(random() * providers.length), (provider) => left.push({ provider, score: score(provider) }) > 0);
  while (left.length > 0) {
    let best = 0;
    for (let index = 1; index < left.length; index++) if ((left[index]?.score ?? 0) < (left[best]?.score ?? 0)) best = index;
    const [taken] = left.splice(best, 1);
    if (taken && !visit(taken.provider)) return;
  }
}

/**
 * Power of two choices (Mitzenmacher 2001) over a peak EWMA of the time to first content, weighted by requests in flight: the faster of
 * two random ones goes first, so that a single fast provider is not overrun by all requests. Occasionally the slower one does.
 */
function visitByLatency<P extends RoutableProvider>(providers: readonly P[], { measure, random }: StrategyInput<P>, visit: Visit<P>): void {
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
  if (visit(head)) visitByScore(providers, random, score, (provider) => provider === head || visit(provider));
}
