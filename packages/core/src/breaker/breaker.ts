/**
 * One circuit breaker as a pure state machine: times come in, states come out. Admission keeps one per provider ×
 * model, in process and (transcribed to Lua) in Redis.
 *
 * closed     N consecutive failures → open. A success forgets earlier failures. N = 0 disables.
 * open       nothing passes for 60 s × 2^n, at most 30 min; what ends meanwhile belongs to requests from before and
 *            changes nothing, so late failures never extend it.
 * half_open  one probe at a time. Two successes → closed; one failure → open, twice as long. A probe that ends
 *            without a verdict (client gone, process killed) gives its place back after `probeMs`.
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
  /** Until when the probe's place is taken; 0 = free. */
  readonly probeUntilMs: number;
  /** The failure that last opened it or, while closed, the last one seen; '' when none. */
  readonly cause: string;
}

export interface BreakerPolicy {
  /** Consecutive failures that open; 0 disables. */
  readonly failures: number;
  /** Length of the first opening. */
  readonly openMs: number;
  /** How long a probe may stay without a verdict. */
  readonly probeMs: number;
}

export const maxOpenMs = 30 * 60_000;
export const successesToClose = 2;

export const closedBreaker: Breaker = {
  state: "closed",
  failures: 0,
  opens: 0,
  successes: 0,
  probeAtMs: 0,
  probeUntilMs: 0,
  cause: "",
};

/** `open` excludes the provider; `probe`: due, and nobody has the probe. */
export function breakerView(breaker: Breaker, nowMs: number, policy: BreakerPolicy): "closed" | "open" | "probe" {
  if (policy.failures === 0 || breaker.state === "closed") return "closed";
  const freeAt = breaker.state === "open" ? breaker.probeAtMs : breaker.probeUntilMs;
  return nowMs >= freeAt ? "probe" : "open";
}

/** The breaker with its one probe taken, or null when it is not due or somebody has it. Closed ones need no probe. */
export function takeBreakerProbe(breaker: Breaker, nowMs: number, policy: BreakerPolicy): Breaker | null {
  if (breakerView(breaker, nowMs, policy) !== "probe") return null;
  return { ...breaker, state: "half_open", probeAtMs: 0, probeUntilMs: nowMs + policy.probeMs };
}

/** After a failure that counts against the provider. The same object when nothing changes. */
export function failBreaker(breaker: Breaker, nowMs: number, policy: BreakerPolicy, cause: string): Breaker {
  if (policy.failures === 0) return breaker;
  if (breaker.state === "closed") {
    const failures = breaker.failures + 1;
    return failures < policy.failures ? { ...breaker, failures, cause } : open({ ...breaker, failures, cause }, nowMs, policy);
  }
  if (breaker.state === "open" || breaker.probeUntilMs === 0) return breaker;
  return open({ ...breaker, cause }, nowMs, policy);
}

/** After a success. The same object when nothing changes. */
export function succeedBreaker(breaker: Breaker): Breaker {
  if (breaker.state === "closed") return breaker.failures === 0 ? breaker : closedBreaker;
  if (breaker.state === "open" || breaker.probeUntilMs === 0) return breaker;
  const successes = breaker.successes + 1;
  return successes >= successesToClose ? closedBreaker : { ...breaker, successes, probeUntilMs: 0 };
}

/** By an administrator: everything is forgotten. The same object when there is nothing to forget. */
export function resetBreaker(breaker: Breaker): Breaker {
  return breaker.state === "closed" && breaker.failures === 0 ? breaker : closedBreaker;
}

function open(breaker: Breaker, nowMs: number, policy: BreakerPolicy): Breaker {
  // The exponent is capped before the shift so that it can never overflow.
  const forMs = Math.min(maxOpenMs, policy.openMs * 2 ** Math.min(breaker.opens, 20));
  return { ...breaker, state: "open", opens: breaker.opens + 1, successes: 0, probeAtMs: nowMs + forMs, probeUntilMs: 0 };
}
