import type { ProviderHealth } from "@sluice/core/events";
import { requireAccess } from "../access.ts";
import type { Ctx } from "../context.ts";
import type { ProvidersBootstrap } from "./provider-view.ts";
import { readProviderSeries } from "./read-provider-series.ts";
import { toProviderLine } from "./to-provider-view.ts";

/**
 * Providers, their activity and the settings in one call. The list comes from memory and today's figures from the live registry; the one
 * aggregate, of the last hours, has a short deadline and may be missing.
 */
export async function bootstrapProviders(ctx: Ctx): Promise<ProvidersBootstrap> {
  requireAccess(ctx.actor, "admin");
  // The position comes first: changes during the read arrive over the bus again.
  const busId = await ctx.live.bus.position();
  const [figures, series] = await Promise.all([ctx.live.figures.list(), readProviderSeries(ctx)]);
  const config = ctx.snapshot.current();
  const breakers = ctx.breakers.list();
  const cooling = ctx.coolDowns.list();
  const health = config.providers.map(({ id }): ProviderHealth => {
    const known = figures.find(({ providerId }) => providerId === id);
    const none = { providerId: id, inFlight: 0, requests: 0, errors: 0, costNanoUsd: "0" };
    const coolDowns = cooling.filter(({ providerId }) => providerId === id);
    return {
      ...(known ?? none),
      breakers: breakers.filter(({ providerId }) => providerId === id),
      ...(coolDowns.length > 0 && { coolDowns }),
    };
  });
  return {
    providers: config.providers.map(toProviderLine),
    health,
    series,
    settings: config.settings,
    busId,
    serverNowMs: ctx.clock.now(),
  };
}
