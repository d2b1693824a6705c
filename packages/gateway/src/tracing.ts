import type { Attempt } from "@sluice/core/requests";
import type { Call } from "./call.ts";

/** Follows requests for a trace collector. Without one, a request pays three null checks. */
export interface Tracer {
  /** The head of a request was read. */
  begin(call: Call): Trace;
}

export interface Trace {
  /** The attempt is about to call its provider. Returns the headers that link the provider's own trace to this one. */
  asks(attempt: Attempt): Record<string, string>;
  /** The request is over; row and detail tell how. */
  ended(call: Call): void;
}
