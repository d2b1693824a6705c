import type { Call } from "../call.ts";
import type { Runtime } from "../context.ts";

const firstMs = 250;
const longestMs = 4_000;

/** The delay before a provider is asked again: exponential, with jitter so that waiting requests spread out. */
export function backOffMs(attempts: number, random: () => number): number {
  return Math.min(longestMs, firstMs * 2 ** Math.max(0, attempts - 1)) * (0.5 + random() / 2);
}

/** Waits for the delay, or until nobody wants the answer any more. */
export function backOff(runtime: Runtime, call: Call): Promise<void> {
  return new Promise((resolve) => {
    const wake = runtime.deadlines.add(backOffMs(call.row.attempts, Math.random), () => {
      call.abort.removeEventListener("abort", stop);
      resolve();
    });
    const stop = (): void => {
      runtime.deadlines.cancel(wake);
      resolve();
    };
    call.abort.addEventListener("abort", stop);
  });
}
