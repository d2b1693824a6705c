import { largestCost } from "@sluice/core/pricing/price-usage";
import type { ChooseInput } from "@sluice/core/routing/choose-candidates";
import { priceInForce } from "@sluice/core/routing/refusals";
import type { StrategyInput } from "@sluice/core/routing/strategies";
import type { ProviderConfig } from "@sluice/snapshot/config";
import type { Ctx } from "../context.ts";

type StrategyNow = StrategyInput<ProviderConfig> & Pick<ChooseInput<ProviderConfig>, "isWell" | "failsBack">;

/** A typical request to compare costs by, when there is none yet. */
const usualUse = { inputTokens: 1_000, outputTokens: 1_000, cacheTtl: "none" as const };

/**
 * The inputs by which the gateway would order providers for a model now; `routedModel` is the one that a rule replaces it with. Takes no turn. Requests in flight are known over all instances; times to
 * first content are those that this process measured: none when gateways run in other processes.
 */
export async function strategyNow(ctx: Ctx, model: string, routedModel = model): Promise<StrategyNow> {
  const { settings, prices } = ctx.snapshot.current();
  const inFlight = new Map((await ctx.live.figures.list()).map((health) => [health.providerId, health.inFlight]));
  const strategy = settings["routing.strategy"];
  const costOf = (provider: ProviderConfig): number | null => {
    const price = priceInForce(prices, settings, provider, model, routedModel);
    return price && Number(largestCost(price, usualUse, { providerMultiplier: provider.costMultiplier, groupMultiplier: "1" }));
  };
  return {
    strategy,
    measure: (provider) =>
      strategy === "lowest_cost"
        ? { costNanoUsd: costOf(provider) }
        : { inFlight: inFlight.get(provider.id) ?? 0, ttftMs: ctx.loads.of(provider.id).ttftMs },
    turnOf: () => 0,
    random: Math.random,
    isWell: (providerId, upstreamModel) => ctx.breakers.isWell(providerId, upstreamModel),
    failsBack: settings["routing.failBack"] === "at_once",
  };
}
