import type { ProcessFigures, StoreFigures } from "@sluice/core/figures";
import type { Vital } from "@sluice/core/vitals";

/** A finished procedure call. */
export interface MeasuredCall {
  method: "GET" | "POST";
  procedure: string;
  /** HTTP status. */
  status: number;
  ms: number;
}

/** Collects durations, and returns what this process and the stores have measured: for /metrics and the page of figures. */
export interface Measures {
  called(call: MeasuredCall): void;
  rendered(vital: Vital): void;
  /** null when nothing is measured here. */
  process(): ProcessFigures | null;
  /** Queries PostgreSQL and Redis; concurrent callers share the answer. Never throws. */
  stores(): Promise<StoreFigures>;
}
