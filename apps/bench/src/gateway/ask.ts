import { setTimeout as wait } from "node:timers/promises";

/**
 * Calls `fire` at a rate. It sleeps in between: a busy loop would delay the provider and PostgreSQL, which share its core, by
 * milliseconds that would count as the gateway's. A request is due when this wakes up for it, at most 1 ms late.
 */
export async function ask(rate: number, end: number, fire: (at: number) => void): Promise<void> {
  const stepMs = 1_000 / rate;
  for (let next = performance.now() + stepMs; next < end; ) {
    await wait(Math.max(0, next - performance.now()));
    const now = performance.now();
    for (; next <= now; next += stepMs) fire(now);
  }
}
