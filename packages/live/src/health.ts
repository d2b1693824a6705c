import { ChurningMap } from "@sluice/core/churning-map";
import type { Clock } from "@sluice/core/clock";
import type { BreakerState, ProviderHealth } from "@sluice/core/events";
import { NanoUsdSum } from "@sluice/core/money";
import type { ProviderFigures } from "./contract.ts";
import { createMemoryFigureStore, createRedisFigureStore, type Figures } from "./figure-store.ts";
import type { LiveBus } from "./live-bus.ts";
import type { Presence } from "./presence.ts";
import type { RedisLink } from "./redis-link.ts";

/** At most one `provider.measured` per provider in this time. */
const MEASURE_MS = 1_000;

export interface ProviderFiguresOptions {
  bus: LiveBus;
  clock: Clock;
  /** Setting `time.zone`, which decides when a day begins. */
  zone: () => string;
  /** The breakers known to admission. */
  breakers: () => BreakerState[];
  /** Null: a single process, figures since it or the day started. */
  redis: { link: RedisLink; presence: Presence } | null;
}

/** Changes of one provider since the last batch. */
interface Change extends Omit<Figures, "costNanoUsd"> {
  cost: NanoUsdSum;
}

const figuresOf = ({ cost, ...counts }: Change): Figures => ({ ...counts, costNanoUsd: cost.toString() });

/** What providers are doing: attempts, failures, upstream cost and requests in flight, today and across all instances. */
export function createProviderFigures({ bus, clock, zone, breakers, redis }: ProviderFiguresOptions): ProviderFigures {
  const store = redis ? createRedisFigureStore(redis.link, redis.presence) : createMemoryFigureStore();
  const inFlight = new ChurningMap<string, number>();
  let changes = new Map<string, Change>();
  let underway: { day: string; changes: Figures[]; number: number } | null = null;
  let batches = 0;
  let measuring: Promise<void> | null = null;
  let timer: NodeJS.Timeout | null = null;
  let lastMs = Number.NEGATIVE_INFINITY;
  let closed = false;

  redis?.presence.onForgotten(repeat);
  redis?.presence.onReturned(repeat);

  /** Redis lost its data, or this instance was taken for dead: reports again what is in flight here. */
  function repeat(): void {
    for (const providerId of [...inFlight.keys()]) change(providerId, { requests: 0, errors: 0, costNanoUsd: "0", inFlight: 0 });
  }

  function change(providerId: string, by: Omit<Figures, "providerId">): void {
    const now = Math.max(0, (inFlight.get(providerId) ?? 0) + by.inFlight);
    if (now > 0) inFlight.set(providerId, now);
    else inFlight.delete(providerId);
    if (inFlight.size > 0) redis?.presence.hold("figures");
    else redis?.presence.release("figures");
    let held = changes.get(providerId);
    if (!held) {
      held = { providerId, requests: 0, errors: 0, cost: new NanoUsdSum(), inFlight: now };
      changes.set(providerId, held);
    }
    held.requests += by.requests;
    held.errors += by.errors;
    held.inFlight = now;
    if (by.costNanoUsd !== "0") held.cost.add(by.costNanoUsd);
    if (!closed) timer ??= setTimeout(() => void measure(), Math.max(0, lastMs + MEASURE_MS - clock.monotonic()));
  }

  function measure(): Promise<void> {
    measuring ??= report().finally(() => {
      measuring = null;
    });
    return measuring;
  }

  async function report(): Promise<void> {
    lastMs = clock.monotonic();
    try {
      if (!underway && changes.size > 0) {
        underway = { day: dayOf(clock.now(), zone()), changes: Array.from(changes.values(), figuresOf), number: ++batches };
        changes = new Map();
      }
      if (!underway) return;
      const moved = new Set(underway.changes.map((each) => each.providerId));
      const totals = await store.apply(underway.day, underway.changes, underway.number);
      underway = null;
      for (const figures of totals) {
        if (moved.has(figures.providerId)) bus.publish({ type: "provider.measured", health: toHealth(figures) });
      }
    } catch {
      // Sent again unchanged, so that nothing is counted twice.
    } finally {
      timer = underway || changes.size > 0 ? setTimeout(() => void measure(), MEASURE_MS) : null;
      if (closed && timer) clearTimeout(timer);
    }
  }

  function toHealth({ providerId, requests, errors, costNanoUsd, inFlight: busy }: Figures): ProviderHealth {
    const own = breakers().filter((breaker) => breaker.providerId === providerId);
    return { providerId, inFlight: busy, requests, errors, costNanoUsd, breakers: own };
  }

  return {
    attemptStarted: (providerId) => change(providerId, { requests: 0, errors: 0, costNanoUsd: "0", inFlight: 1 }),
    requestFinished(_row, attempts) {
      for (const { providerId, outcome, upstreamCostNanoUsd } of attempts) {
        change(providerId, { requests: 1, errors: outcome === "failed" ? 1 : 0, costNanoUsd: upstreamCostNanoUsd, inFlight: -1 });
      }
    },
    async list() {
      try {
        const totals = await store.apply(dayOf(clock.now(), zone()), [], 0);
        // A provider without requests today may still have an open breaker.
        const idle = [...new Set(breakers().map((breaker) => breaker.providerId))].filter(
          (id) => !totals.some((each) => each.providerId === id),
        );
        const none = { requests: 0, errors: 0, costNanoUsd: "0", inFlight: 0 };
        return [...totals, ...idle.map((providerId) => ({ providerId, ...none }))].map(toHealth);
      } catch {
        return [];
      }
    },
    async close() {
      // A report in progress began without the newest changes.
      if (measuring) await measuring;
      if (timer) clearTimeout(timer);
      await measure();
      closed = true;
      if (timer) clearTimeout(timer);
      timer = null;
      redis?.presence.release("figures");
    },
  };
}

function dayOf(ms: number, zone: string): string {
  return new Intl.DateTimeFormat("en-CA", { timeZone: zone, year: "numeric", month: "2-digit", day: "2-digit" }).format(ms);
}
