import { priceUsage } from "@sluice/core/pricing/price-usage";
import { noUsage } from "@sluice/core/requests";
import type { ProviderConfig } from "@sluice/snapshot/config";
import type { Call } from "./call.ts";
import { priceOf } from "./charge.ts";

/** Output of a request that does not say how much it wants. */
const unknownMaxOutput = 32_000;

/** The most that these candidates may charge for the request, nano-USD; without a price nothing. */
export function largestCharge(call: Call, candidates: readonly ProviderConfig[]): number {
  const { envelope, row } = call;
  if (!envelope || !row.billable) return 0;
  const output = row.endpoint === "embeddings" ? 0 : askedOutput(call.body);
  const input = envelope.asksOneHourCache ? { cacheWrite1h: envelope.inputEstimate } : { cacheWrite5m: envelope.inputEstimate };
  let largest = 0;
  for (const provider of candidates) {
    const price = priceOf(call, provider);
    if (!price) continue;
    const multipliers = { providerMultiplier: provider.costMultiplier, groupMultiplier: "1" };
    const cost = Number(priceUsage(price, { ...noUsage, ...input, output }, multipliers).costNanoUsd);
    if (cost > largest) largest = cost;
  }
  return largest;
}

function askedOutput(body: Buffer): number {
  const asked = JSON.parse(body.toString()) as Record<string, unknown> & { generationConfig?: Record<string, unknown> };
  const most = asked.max_tokens ?? asked.max_completion_tokens ?? asked.max_output_tokens ?? asked.generationConfig?.maxOutputTokens;
  return typeof most === "number" && most > 0 ? most : unknownMaxOutput;
}
