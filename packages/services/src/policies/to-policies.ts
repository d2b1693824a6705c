import type { Policies } from "@sluice/core/inputs/policies";

/** Policies of a stored row; null when there are none. Only validated values are ever stored. */
export function toPolicies(stored: unknown): Policies | null {
  const policies = stored as Policies;
  return Object.keys(policies).length === 0 ? null : policies;
}
