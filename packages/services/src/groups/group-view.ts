import type { LimitsView } from "../limits/limits-view.ts";

/** A group that keys or providers name, or that has settings. */
export interface GroupView extends LimitsView {
  name: string;
  /** Decimal text. */
  costMultiplier: string;
  /** Number of keys that are not revoked, and of providers that are not deleted. */
  keys: number;
  providers: number;
}
