import { SluiceError } from "@sluice/core/errors";
import { formatUsd } from "@sluice/core/money";
import type { Call } from "../call.ts";
import type { Runtime } from "../context.ts";
import { largestCharge } from "../largest-use.ts";

/**
 * Reserves the most that this request may cost at its most expensive candidate from a prepaid user's credit. Synchronous
 * for postpaid users and for requests that are not billable.
 */
export function reserveCredit(runtime: Runtime, call: Call): Promise<void> | void {
  const { config, row } = call;
  const user = config.users.get(row.userId);
  const billing = user?.billing ?? "postpaid";
  if (billing === "postpaid" || !row.billable) return;
  const amount = largestCharge(call, call.choice?.ordered ?? []);
  // Set before the answer: credit reserved for a client that leaves meanwhile must be given back too.
  call.credited = true;
  return runtime.credit.reserve(call.id, row.userId, amount).then(
    (refusal) => {
      if (!refusal) return;
      call.credited = false;
      throw new SluiceError("insufficient_credit", {
        message: `Not enough credit for this request: $${formatUsd(BigInt(refusal.availableNanoUsd))} left, up to $${formatUsd(BigInt(amount))} needed.`,
        facts: { kind: "credit", availableNanoUsd: Number(refusal.availableNanoUsd), neededNanoUsd: amount },
      });
    },
    (error: unknown) => {
      call.credited = false;
      throw error;
    },
  );
}
