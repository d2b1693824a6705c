import type { ProviderHealth } from "@sluice/core/events";
import { requireAccess } from "../access.ts";
import type { Ctx } from "../context.ts";
import type { ProvidersBootstrap } from "./provider-view.ts";
import { toProviderView } from "./to-provider-view.ts";

/**
 * Providers, their health and the settings in one call, from memory alone: no aggregate delays the list. Figures of
 * today start at zero here and arrive as deltas over the bus.
 */
export async function bootstrapProviders(ctx: Ctx): Promise<ProvidersBootstrap> {
  requireAccess(ctx.actor, "admin");
  const busId = await ctx.live.bus.position();
  const config = ctx.snapshot.current();
  const breakers = ctx.breakers.list();
  const providers = config.providers.map((provider) => toProviderView(provider, ctx.snapshot.secretOf(provider)));
  const health = providers.map(
    ({ id }): ProviderHealth => ({
      providerId: id,
      inFlight: 0,
      requests: 0,
      errors: 0,
      costNanoUsd: "0",
      breakers: breakers.filter((breaker) => breaker.providerId === id),
    }),
  );
  return { providers, health, settings: config.settings, busId, serverNowMs: ctx.clock.now() };
}
