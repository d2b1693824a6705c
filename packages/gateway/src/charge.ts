import type { Reading } from "@sluice/core/dialects/dialect";
import { priceUsage } from "@sluice/core/pricing/price-usage";
import { noUsage, type Usage, type UsageFlag } from "@sluice/core/requests";
import { priceInForce } from "@sluice/core/routing/refusals";
import type { PriceConfig, ProviderConfig } from "@sluice/snapshot/config";
import type { Call } from "./call.ts";

/** The price in force for what this provider would serve. */
export function priceOf(call: Call, provider: ProviderConfig): PriceConfig | null {
  // Most requests ask several times about the same provider.
  if (call.pricedProvider !== provider) {
    call.price = priceInForce(call.config.prices, call.config.settings, provider, call.row.model, call.routedModel);
    call.pricedProvider = provider;
  }
  return call.price;
}

/** The multiplier of the key's group. */
export function groupMultiplierOf(call: Call): string {
  return call.config.groups.get(call.row.group)?.costMultiplier ?? "1";
}

/** The usage the client is charged for: as reported, or estimated from what was produced. */
export function billedUsage(reading: Reading): Usage {
  return reading.usageReported ? reading.usage : reading.estimate;
}

/** Writes usage, flags and cost of a finished request into its row and detail. Without a reading nothing is charged. */
export function charge(call: Call, reading: Reading | null): void {
  const { row, detail, provider } = call;
  const usage = reading ? billedUsage(reading) : noUsage;
  const isAny = usage.input + usage.output + usage.cacheRead + usage.cacheWrite5m + usage.cacheWrite1h > 0;
  const flags: UsageFlag[] = [];
  if (reading && isAny && !reading.usageReported) flags.push("estimated");
  if (isAny && row.state !== "done") flags.push("partial");
  if (reading?.anomaly) flags.push("anomaly");
  row.usage = usage;
  row.flags = flags;
  row.upstreamModel = reading?.upstreamModel || call.attempt?.upstreamModel || "";
  row.costNanoUsd = "0";
  if (!row.billable || !provider) return;
  const price = priceOf(call, provider);
  detail.priceId = price?.id ?? null;
  if (price) {
    const priced = priceUsage(price, usage, { providerMultiplier: provider.costMultiplier, groupMultiplier: groupMultiplierOf(call) });
    row.costNanoUsd = priced.costNanoUsd.toString();
    detail.cost = priced.breakdown;
  } else if (isAny) {
    row.costNanoUsd = null;
    flags.push("unpriced");
  }
}
