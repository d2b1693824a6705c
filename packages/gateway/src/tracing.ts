import type { Attempt } from "@sluice/core/requests";
import type { Call } from "./call.ts";

/** Follows requests for whoever collects traces. Without one a request pays three looks at a null. */
export interface Tracer {
  /** The head of a request was read. */
  begin(call: Call): Trace;
}

/** One request as it is traced. */
export interface Trace {
  /** The attempt asks its provider now. Gives the headers by which the provider's own trace becomes part of this one. */
  asks(attempt: Attempt): Record<string, string>;
  /** The request is over, however: row and detail say the rest. */
  ended(call: Call): void;
}
