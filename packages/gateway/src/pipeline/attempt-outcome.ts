import type { Reading } from "@sluice/core/dialects/dialect";
import type { SluiceError } from "@sluice/core/errors";
import { upstreamCost } from "@sluice/core/pricing/price-usage";
import { noUsage } from "@sluice/core/requests";
import { type Call, elapsed } from "../call.ts";
import { billedUsage, priceOf } from "../charge.ts";
import type { Runtime } from "../context.ts";
import { totalTokens } from "../largest-use.ts";
import { refuseCredential } from "./credentials.ts";
import { endProviderHold } from "./provider-room.ts";

/** Failures that say something about the provider, not about the request, the client or us. */
const providersFault = new Set([
  "upstream_error",
  "upstream_auth",
  "upstream_encoding",
  "upstream_blocked",
  "upstream_rate_limited",
  "upstream_overloaded",
  "upstream_truncated",
  "upstream_timeout",
]);

/**
 * Closes the current attempt: its end, what it produced and cost upstream, and what the breaker learns.
 * Idempotent, because every way out of a request passes here.
 */
export function settleAttempt(
  runtime: Runtime,
  call: Call,
  { error, reading }: { error: SluiceError | null; reading: Reading | null },
): void {
  const { attempt, provider } = call;
  if (!attempt || !provider || attempt.endedMs >= 0) return;
  runtime.deadlines.cancel(call.attemptDeadline);
  call.attemptDeadline = null;
  const aborted = call.gone || call.cut !== null || call.isHedgeLost;
  attempt.endedMs = elapsed(runtime, call);
  attempt.outcome = call.isHedgeLost ? "hedge_lost" : aborted ? "aborted" : error ? "failed" : "ok";
  attempt.errorCode = error && !aborted ? error.code : "";
  const used = reading ? billedUsage(reading) : noUsage;
  // The losing provider of a hedge may have reported nothing yet, but it has read the input.
  const isUnsaid = call.isHedgeLost && used.input + used.output === 0;
  if (reading || isUnsaid) {
    attempt.usage = isUnsaid ? { ...noUsage, input: call.envelope?.inputEstimate ?? 0 } : used;
    const price = call.row.billable ? priceOf(call, provider) : null;
    if (price) attempt.upstreamCostNanoUsd = upstreamCost(price, attempt.usage, provider.costMultiplier).toString();
  }
  endProviderHold(runtime, call, { costNanoUsd: Number(attempt.upstreamCostNanoUsd), tokens: totalTokens(attempt.usage) });
  const { breakers, loads } = runtime.admission;
  loads.ended(provider.id);
  // The end of a whole answer counts as its first content; a stream reported that when it came.
  if (attempt.outcome === "ok" && attempt.firstContentMs === null) loads.answered(provider.id, attempt.endedMs - attempt.startedMs);
  if (aborted) {
    // It was serving well until we stopped it; an abort before any content says nothing about it.
    if (attempt.firstContentMs !== null) breakers.succeeded(provider.id, attempt.upstreamModel);
  } else if (!error) breakers.succeeded(provider.id, attempt.upstreamModel);
  else if (!refuseCredential(runtime, call, error) && providersFault.has(error.code)) {
    if (attempt.firstContentMs === null) loads.failed(provider.id);
    breakers.failed(provider.id, attempt.upstreamModel, {
      cause: `${error.code}: ${error.detail || error.message}`,
      retryAfterMs: (error.retryAfterS ?? 0) * 1_000,
    });
  }
}
