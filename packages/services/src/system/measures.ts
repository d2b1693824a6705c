import type { ProcessFigures, StoreFigures } from "@sluice/core/figures";
import type { Vital } from "@sluice/core/vitals";

/** A call of a procedure that is over. */
export interface MeasuredCall {
  method: "GET" | "POST";
  procedure: string;
  /** As HTTP has it. */
  status: number;
  ms: number;
}

/** Where durations are told, and what this process and the stores have measured: /metrics and the page of figures. */
export interface Measures {
  called(call: MeasuredCall): void;
  rendered(vital: Vital): void;
  /** null: nobody measures here. */
  process(): ProcessFigures | null;
  /** Asks PostgreSQL and Redis; who asks meanwhile shares the answer. Never throws. */
  stores(): Promise<StoreFigures>;
}
