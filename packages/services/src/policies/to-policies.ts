import type { Policies } from "@sluice/core/inputs/policies";

/** A row's column; null when nothing is said. Only checked values are ever stored. */
export function toPolicies(stored: unknown): Policies | null {
  const policies = stored as Policies;
  return Object.keys(policies).length === 0 ? null : policies;
}
