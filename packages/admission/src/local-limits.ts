import {
  advanceRate,
  newRateWindow,
  type RateWindow,
  rateRetryAfterS,
  readRate,
  returnRate,
  takeRate,
} from "@sluice/core/limits/rate-window";
import type { KeyUsage, Refusal } from "./admission.ts";

/** Limits as they apply: null = none. */
export interface AppliedLimits {
  keyId: string;
  rpm: number | null;
  inFlight: number | null;
}

/** What an admitted request holds in this process. */
export interface Holding {
  keyId: string;
  /** Whether it counts as in flight until released. */
  leased: boolean;
  /** The second its rate is booked in; null when the key has no rate. */
  second: number | null;
}

/**
 * Rates and leases of this process. Alone it is the whole truth; beside Redis it is a lower bound of it, so its
 * refusals are always right and are given without asking, and when Redis fails it is exact for one instance.
 * In-process leases need no expiry: they end with the process.
 */
export interface LocalLimits {
  /** Takes all or nothing. */
  take(requestId: string, limits: AppliedLimits, nowMs: number): Refusal | null;
  /** Takes back a request that Redis refused. */
  undo(requestId: string): void;
  /** Ends a request; what it held, if it held a lease. Idempotent. */
  release(requestId: string): Holding | null;
  /** What a key holds and has taken; changes nothing. */
  usage(keyId: string, nowMs: number): KeyUsage;
  /** Leases by request id. */
  leases(): IterableIterator<[requestId: string, keyId: string]>;
  /** Forgets rates of keys that have been quiet for a minute. */
  sweep(nowMs: number): void;
}

/** Nothing held, nothing counted. */
export function createLocalLimits(): LocalLimits {
  const holdings = new Map<string, Holding>();
  const inFlight = new Map<string, number>();
  const rates = new Map<string, RateWindow>();

  const releaseLease = (holding: Holding): void => {
    if (!holding.leased) return;
    const left = (inFlight.get(holding.keyId) ?? 1) - 1;
    if (left > 0) inFlight.set(holding.keyId, left);
    else inFlight.delete(holding.keyId);
  };

  return {
    take(requestId, limits, nowMs) {
      if (holdings.has(requestId)) return null;
      const { keyId } = limits;
      const running = inFlight.get(keyId) ?? 0;
      if (limits.inFlight !== null && running >= limits.inFlight) {
        return { limit: "in_flight", owner: "key", ownerId: keyId, value: limits.inFlight, retryAfterS: 1 };
      }
      let second: number | null = null;
      if (limits.rpm !== null) {
        const window = rates.get(keyId) ?? newRateWindow(nowMs);
        advanceRate(window, nowMs);
        if (window.total >= limits.rpm) {
          const retryAfterS = rateRetryAfterS(window, limits.rpm, nowMs);
          return { limit: "rpm", owner: "key", ownerId: keyId, value: limits.rpm, retryAfterS };
        }
        second = takeRate(window, nowMs);
        rates.set(keyId, window);
      }
      if (limits.inFlight !== null) inFlight.set(keyId, running + 1);
      holdings.set(requestId, { keyId, leased: limits.inFlight !== null, second });
      return null;
    },
    undo(requestId) {
      const holding = holdings.get(requestId);
      if (!holding) return;
      holdings.delete(requestId);
      releaseLease(holding);
      const window = rates.get(holding.keyId);
      if (window && holding.second !== null) returnRate(window, holding.second);
    },
    release(requestId) {
      const holding = holdings.get(requestId);
      if (!holding) return null;
      holdings.delete(requestId);
      releaseLease(holding);
      return holding.leased ? holding : null;
    },
    usage(keyId, nowMs) {
      const window = rates.get(keyId);
      return { inFlight: inFlight.get(keyId) ?? 0, rate: window ? readRate(window, nowMs) : [] };
    },
    *leases() {
      for (const [requestId, { keyId, leased }] of holdings) if (leased) yield [requestId, keyId];
    },
    sweep(nowMs) {
      for (const [keyId, window] of rates) {
        advanceRate(window, nowMs);
        if (window.total === 0) rates.delete(keyId);
      }
    },
  };
}
