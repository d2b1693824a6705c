import type { Clock } from "@sluice/core/clock";
import type { Loads } from "./admission.ts";

interface Load {
  inFlight: number;
  ttftMs: number | null;
  /** Monotonic ms of the last measurement. */
  atMs: number;
}

/** Time constant of the EWMA: the weight of the old value falls to 1/e (about a third) in this time. */
const DECAY_MS = 10_000;
/** What a failure counts as. */
const FAILED_MS = 10_000;
/** Entries unused for this long are dropped. */
const KEPT_MS = 3_600_000;

/**
 * This process's requests at each provider, and how fast the providers answer it. The time to first content is a peak EWMA, as in
 * Finagle's load balancer: a slower measurement counts at once, faster ones recover over seconds. In process only: each instance
 * measures for itself, and the load caused by others shows in the times.
 */
export function createProviderLoads(clock: Clock): Loads & { sweep(): void } {
  const loads = new Map<string, Load>();

  function loadOf(providerId: string): Load {
    let load = loads.get(providerId);
    if (!load) {
      load = { inFlight: 0, ttftMs: null, atMs: clock.monotonic() };
      loads.set(providerId, load);
    }
    return load;
  }

  function measure(providerId: string, ttftMs: number): void {
    const load = loadOf(providerId);
    const nowMs = clock.monotonic();
    const keeps = Math.exp((load.atMs - nowMs) / DECAY_MS);
    load.ttftMs = load.ttftMs === null || ttftMs > load.ttftMs ? ttftMs : load.ttftMs * keeps + ttftMs * (1 - keeps);
    load.atMs = nowMs;
  }

  return {
    began(providerId) {
      loadOf(providerId).inFlight += 1;
    },
    ended(providerId) {
      const load = loadOf(providerId);
      load.inFlight = Math.max(0, load.inFlight - 1);
    },
    answered: measure,
    failed: (providerId) => measure(providerId, FAILED_MS),
    of(providerId) {
      const load = loads.get(providerId);
      return { inFlight: load?.inFlight ?? 0, ttftMs: load?.ttftMs ?? null };
    },
    sweep() {
      const before = clock.monotonic() - KEPT_MS;
      for (const [providerId, { inFlight, atMs }] of loads) if (inFlight === 0 && atMs < before) loads.delete(providerId);
    },
  };
}
