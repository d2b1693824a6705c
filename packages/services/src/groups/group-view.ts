import type { LimitsView } from "../limits/limits-view.ts";

/** A group: named by keys and providers, or by what is said of it. */
export interface GroupView extends LimitsView {
  name: string;
  /** Plain decimal. */
  costMultiplier: string;
  /** Keys that are not revoked, and providers that are not deleted, of this group. */
  keys: number;
  providers: number;
}
