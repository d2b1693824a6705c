/**
 * One circuit breaker as a pure state machine: times come in, states come out. Admission keeps one per provider ×
 * model, in process and (transcribed to Lua) in Redis.
 *
 * closed     N consecutive failures → open. A success forgets earlier failures. N = 0 disables. So does a rate of failures
 *            (`tripBreaker`), and a provider that says when to come back (Retry-After) is left alone until then.
 * open       nothing passes for 60 s × 2^n, at most 30 min; what ends meanwhile belongs to requests from before and
 *            changes nothing, so late failures never extend it.
 * half_open  k probes at a time. Two successes → closed; one failure → open, twice as long. A probe that ends
 *            without a verdict (client gone, process killed) gives its place back after `probeMs`.
 *
 * One that only a rate has opened is `tripped`: it excludes its provider unless that one is the last there is.
 */
export interface Breaker {
  readonly state: "closed" | "open" | "half_open";
  /** Consecutive failures while closed; those that opened it afterwards. */
  readonly failures: number;
  /** How often it opened since it was last closed: the exponent of the back-off. */
  readonly opens: number;
  /** Probes that succeeded in a row. */
  readonly successes: number;
  /** When an open breaker lets a probe through; 0 unless open. */
  readonly probeAtMs: number;
  /** Until when each place of a probe is taken, the oldest first. */
  readonly probesUntilMs: readonly number[];
  /** Opened by the rate of failures, not by failures in a row. */
  readonly byRate: boolean;
  /** The failure that last opened it or, while closed, the last one seen; '' when none. */
  readonly cause: string;
}

export interface BreakerPolicy {
  /** Consecutive failures that open; 0 disables. */
  readonly failures: number;
  /** Length of the first opening. */
  readonly openMs: number;
  /** Probes at a time, over all instances. */
  readonly probes: number;
  /** How long a probe may stay without a verdict. */
  readonly probeMs: number;
}

/** The longest that anything keeps it open; a provider's own Retry-After as well. */
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

/** `open` excludes the provider, `tripped` unless it is the last there is; `probe`: due, and there is a place for one more. */
export type BreakerView = "closed" | "open" | "tripped" | "probe";

/** What a breaker means for a request now. */
export function breakerView(breaker: Breaker, nowMs: number, policy: BreakerPolicy): BreakerView {
  if (policy.failures === 0 || breaker.state === "closed") return "closed";
  const isDue = breaker.state === "open" ? nowMs >= breaker.probeAtMs : outNow(breaker, nowMs).length < policy.probes;
  if (isDue) return "probe";
  return breaker.byRate ? "tripped" : "open";
}

/** Places of probes that are still taken. */
function outNow(breaker: Breaker, nowMs: number): readonly number[] {
  return breaker.probesUntilMs.filter((untilMs) => untilMs > nowMs);
}

/** The breaker with one of its probes taken, or null when none is due or every place is taken. Closed ones need no probe. */
export function takeBreakerProbe(breaker: Breaker, nowMs: number, policy: BreakerPolicy): Breaker | null {
  if (breakerView(breaker, nowMs, policy) !== "probe") return null;
  const probesUntilMs = [...outNow(breaker, nowMs), nowMs + policy.probeMs];
  return { ...breaker, state: "half_open", probeAtMs: 0, probesUntilMs };
}

/** A failure that counts against the provider. */
export interface BreakerFailure {
  cause: string;
  /** How long the provider asked to be left alone, ms; 0 when it did not say. */
  retryAfterMs?: number;
}

/** After a failure that counts against the provider. The same object when nothing changes. */
export function failBreaker(breaker: Breaker, nowMs: number, policy: BreakerPolicy, { cause, retryAfterMs = 0 }: BreakerFailure): Breaker {
  if (policy.failures === 0) return breaker;
  if (breaker.state === "closed") {
    const failed = { ...breaker, failures: breaker.failures + 1, cause };
    if (failed.failures >= policy.failures) return open(failed, nowMs, policy, retryAfterMs);
    // By its own word it is out of order for so long: no failure of which the back-off would have to grow.
    return retryAfterMs > 0 ? { ...open(failed, nowMs, { ...policy, openMs: 0 }, retryAfterMs), opens: failed.opens } : failed;
  }
  if (breaker.state === "open" || breaker.probesUntilMs.length === 0) return breaker;
  return open({ ...breaker, cause }, nowMs, policy, retryAfterMs);
}

/** After too high a share of failures. The same object unless it was closed. */
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

/** By an administrator: everything is forgotten. The same object when there is nothing to forget. */
export function resetBreaker(breaker: Breaker): Breaker {
  return breaker.state === "closed" && breaker.failures === 0 ? breaker : closedBreaker;
}

function open(breaker: Breaker, nowMs: number, policy: BreakerPolicy, atLeastMs: number): Breaker {
  // The exponent is capped before the shift so that it can never overflow.
  const forMs = Math.min(maxOpenMs, Math.max(atLeastMs, policy.openMs * 2 ** Math.min(breaker.opens, 20)));
  const opens = breaker.opens + 1;
  return { ...breaker, state: "open", opens, successes: 0, probeAtMs: nowMs + forMs, probesUntilMs: [], byRate: false };
}
