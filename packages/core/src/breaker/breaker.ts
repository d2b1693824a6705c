/**
 * One circuit breaker as a pure state machine: times come in, states come out. Admission keeps one per provider and
 * model, in process and (transcribed to Lua) in Redis.
 *
 * closed     N consecutive failures → open. A success clears earlier failures. N = 0 disables the breaker. A high failure
 *            rate opens it too (`tripBreaker`), and so does a provider's Retry-After, for the time it asks for.
 * open       Nothing passes for 60 s × 2^n, at most 30 min. Results that arrive meanwhile belong to earlier requests and
 *            change nothing, so late failures never extend it.
 * half_open  k probes at a time. Two successes → closed; one failure → open, twice as long. A probe that ends
 *            without a verdict (client gone, process killed) frees its place after `probeMs`.
 *
 * One opened only by a rate is `tripped`: it excludes its provider unless that is the last one left.
 */
export interface Breaker {
  readonly state: "closed" | "open" | "half_open";
  /** Consecutive failures while closed, or those that opened it. */
  readonly failures: number;
  /** How often it has opened since it was last closed: the exponent of the backoff. */
  readonly opens: number;
  /** Consecutive successful probes. */
  readonly successes: number;
  /** When an open breaker lets a probe through; 0 unless open. */
  readonly probeAtMs: number;
  /** Until when each probe slot is taken, oldest first. */
  readonly probesUntilMs: readonly number[];
  /** Opened by the failure rate rather than by consecutive failures. */
  readonly byRate: boolean;
  /** The failure that last opened it or, while closed, the last one seen; '' when none. */
  readonly cause: string;
}

export interface BreakerPolicy {
  /** Consecutive failures that open it; 0 disables the breaker. */
  readonly failures: number;
  /** Duration of the first opening. */
  readonly openMs: number;
  /** Concurrent probes across all instances. */
  readonly probes: number;
  /** How long a probe may go without a verdict. */
  readonly probeMs: number;
}

/** Upper bound for an opening, whatever the reason; it applies to a provider's Retry-After too. */
export const maxOpenMs = 30 * 60_000;
export const successesToClose = 2;

export const closedBreaker: Breaker = {
  state: "closed",
  failures: 0,
  opens: 0,
  successes: 0,
  probeAtMs: 0,
  probesUntilMs: [],
  byRate: false,
  cause: "",
};

/** `open` excludes the provider, `tripped` does unless it is the last one left; `probe`: due, and a slot is free. */
export type BreakerView = "closed" | "open" | "tripped" | "probe";

/** What the breaker means for a request now. */
export function breakerView(breaker: Breaker, nowMs: number, policy: BreakerPolicy): BreakerView {
  if (policy.failures === 0 || breaker.state === "closed") return "closed";
  const isDue = breaker.state === "open" ? nowMs >= breaker.probeAtMs : outNow(breaker, nowMs).length < policy.probes;
  if (isDue) return "probe";
  return breaker.byRate ? "tripped" : "open";
}

/** Probe slots that are still taken. */
function outNow(breaker: Breaker, nowMs: number): readonly number[] {
  return breaker.probesUntilMs.filter((untilMs) => untilMs > nowMs);
}

/** The breaker with one probe slot taken; null when it is not due or no slot is free. A closed breaker needs no probe. */
export function takeBreakerProbe(breaker: Breaker, nowMs: number, policy: BreakerPolicy): Breaker | null {
  if (breakerView(breaker, nowMs, policy) !== "probe") return null;
  const probesUntilMs = [...outNow(breaker, nowMs), nowMs + policy.probeMs];
  return { ...breaker, state: "half_open", probeAtMs: 0, probesUntilMs };
}

/** A failure that counts against the provider. */
export interface BreakerFailure {
  cause: string;
  /** How long the provider asks to be left alone, ms; 0 when it does not say. */
  retryAfterMs?: number;
}

/** After a failure that counts against the provider. The same object when nothing changes. */
export function failBreaker(breaker: Breaker, nowMs: number, policy: BreakerPolicy, { cause, retryAfterMs = 0 }: BreakerFailure): Breaker {
  if (policy.failures === 0) return breaker;
  if (breaker.state === "closed") {
    const failed = { ...breaker, failures: breaker.failures + 1, cause };
    if (failed.failures >= policy.failures) return open(failed, nowMs, policy, retryAfterMs);
    // Unavailable by its own account for a given time: that must not increase the backoff.
    return retryAfterMs > 0 ? { ...open(failed, nowMs, { ...policy, openMs: 0 }, retryAfterMs), opens: failed.opens } : failed;
  }
  if (breaker.state === "open" || breaker.probesUntilMs.length === 0) return breaker;
  return open({ ...breaker, cause }, nowMs, policy, retryAfterMs);
}

/** After the failure rate became too high. The same object unless the breaker was closed. */
export function tripBreaker(breaker: Breaker, nowMs: number, policy: BreakerPolicy, cause: string): Breaker {
  if (policy.failures === 0 || breaker.state !== "closed") return breaker;
  return { ...open({ ...breaker, cause }, nowMs, policy, 0), byRate: true };
}

/** After a success. The same object when nothing changes. */
export function succeedBreaker(breaker: Breaker): Breaker {
  if (breaker.state === "closed") return breaker.failures === 0 ? breaker : closedBreaker;
  if (breaker.state === "open" || breaker.probesUntilMs.length === 0) return breaker;
  const successes = breaker.successes + 1;
  return successes >= successesToClose ? closedBreaker : { ...breaker, successes, probesUntilMs: breaker.probesUntilMs.slice(1) };
}

/** Reset by an administrator. The same object when there is nothing to reset. */
export function resetBreaker(breaker: Breaker): Breaker {
  return breaker.state === "closed" && breaker.failures === 0 ? breaker : closedBreaker;
}

function open(breaker: Breaker, nowMs: number, policy: BreakerPolicy, atLeastMs: number): Breaker {
  // The exponent is capped before the shift so that it can never overflow.
  const forMs = Math.min(maxOpenMs, Math.max(atLeastMs, policy.openMs * 2 ** Math.min(breaker.opens, 20)));
  const opens = breaker.opens + 1;
  return { ...breaker, state: "open", opens, successes: 0, probeAtMs: nowMs + forMs, probesUntilMs: [], byRate: false };
}
