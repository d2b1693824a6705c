import type { BooksDifference, Reconciliation } from "@sluice/core/events";
import type { Reconciliation as Stored } from "@sluice/db/generated/client";

/** A stored reconciliation in the form that readers get. */
export function toReconciliation(stored: Stored): Reconciliation {
  return {
    id: stored.id,
    startedAtMs: stored.startedAt.getTime(),
    finishedAtMs: stored.finishedAt?.getTime() ?? null,
    actorId: stored.actorId,
    state: stored.state as Reconciliation["state"],
    steps: stored.steps,
    stepsDone: stored.stepsDone,
    unchecked: stored.unchecked,
    differences: stored.differences as unknown as BooksDifference[],
  };
}
