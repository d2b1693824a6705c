import { SluiceError } from "@sluice/core/errors";
import { largestCost, type Multipliers } from "@sluice/core/pricing/price-usage";
import type { Usage } from "@sluice/core/requests";
import type { PriceConfig, ProviderConfig } from "@sluice/snapshot/config";
import type { Call } from "./call.ts";
import { groupMultiplierOf, priceOf } from "./charge.ts";

/** Output tokens assumed when neither the price nor the client gives a maximum. */
const unknownMaxOutput = 32_000;

export function totalTokens({ input, output, cacheWrite5m, cacheWrite1h, cacheRead }: Usage): number {
  return input + output + cacheWrite5m + cacheWrite1h + cacheRead;
}

/**
 * Lowers the requested output to the maximum of the model, according to its price.
 * @throws SluiceError `invalid_request` when the setting says that such a request is refused.
 */
export function checkOutput(call: Call, price: PriceConfig | null): void {
  const { envelope, route, dialect } = call;
  const most = price?.maxOutputTokens ?? null;
  const asked = envelope?.maxOutputTokens ?? null;
  if (!envelope || !route || most === null || asked === null || asked <= most) return;
  if (call.config.settings["limits.overMaxOutput"] === "refuse") {
    throw new SluiceError("invalid_request", {
      message: `${asked} output tokens are more than this model gives (${most}).`,
      field: "max_tokens",
    });
  }
  call.body = dialect.rewriteBody(call.body, envelope, { maxOutputTokens: most });
  // The offsets in the envelope have moved.
  call.envelope = dialect.readEnvelope(call.body, route, call.headers);
}

/** The most that these candidates may charge for the request, nano-USD; 0 without a price. */
export function largestCharge(call: Call, candidates: readonly ProviderConfig[]): number {
  const groupMultiplier = groupMultiplierOf(call);
  let largest = 0;
  for (const provider of candidates) {
    const cost = largestAt(call, provider, { providerMultiplier: provider.costMultiplier, groupMultiplier });
    if (cost > largest) largest = cost;
  }
  return largest;
}

/** Output tokens assumed when costs are compared. */
const usualOutput = 1_000;

/** What a provider would roughly charge, nano-USD, for comparison with others; null without a price. */
export function expectedCost(call: Call, provider: ProviderConfig): number | null {
  const price = priceOf(call, provider);
  if (!price) return null;
  const { inputEstimate = 0, maxOutputTokens = null } = call.envelope ?? {};
  const use = {
    inputTokens: inputEstimate,
    outputTokens: Math.min(maxOutputTokens ?? usualOutput, usualOutput),
    cacheTtl: "none" as const,
  };
  return Number(largestCost(price, use, { providerMultiplier: provider.costMultiplier, groupMultiplier: groupMultiplierOf(call) }));
}

/** The most that the request may cost the operator at this provider, nano-USD. */
export function largestUpstreamCost(call: Call, provider: ProviderConfig): number {
  return largestAt(call, provider, { providerMultiplier: provider.costMultiplier, groupMultiplier: "1" });
}

function largestAt(call: Call, provider: ProviderConfig, multipliers: Multipliers): number {
  const { envelope } = call;
  const price = call.row.billable ? priceOf(call, provider) : null;
  return price && envelope ? Number(largestCost(price, largestUse(call, price), multipliers)) : 0;
}

function largestUse(call: Call, price: PriceConfig) {
  const { envelope, row } = call;
  const most = price.maxOutputTokens ?? Number.POSITIVE_INFINITY;
  const asked = envelope?.maxOutputTokens ?? (Number.isFinite(most) ? most : unknownMaxOutput);
  const outputTokens = row.endpoint === "embeddings" ? 0 : Math.min(asked, most) * (envelope?.answers ?? 1);
  return { inputTokens: envelope?.inputEstimate ?? 0, outputTokens, cacheTtl: envelope?.cacheTtl ?? ("none" as const) };
}
