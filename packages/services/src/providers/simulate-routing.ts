import { SluiceError } from "@sluice/core/errors";
import { SimulateRoutingInput } from "@sluice/core/inputs/provider";
import type { DecisionRule } from "@sluice/core/requests";
import { type Choice, chooseCandidates } from "@sluice/core/routing/choose-candidates";
import { upstreamModelOf } from "@sluice/core/routing/model-patterns";
import { modelRefusal } from "@sluice/core/routing/policies";
import { eligibleProviders, priorityIn } from "@sluice/core/routing/provider-index";
import { keyRefusal, priceInForce, priceRefusal } from "@sluice/core/routing/refusals";
import { matchRoutingRule } from "@sluice/core/routing/routing-rules";
import type { Config, KeyConfig, ProviderConfig } from "@sluice/snapshot/config";
import type { z } from "zod";
import { requireAccess } from "../access.ts";
import type { Ctx } from "../context.ts";
import { parse } from "../parse.ts";
import type { RoutingSimulation } from "./provider-view.ts";
import { strategyNow } from "./strategy-now.ts";

/**
 * Which providers a request would try now, and why not the others: the gateway's own function over the same configuration, breakers and
 * bindings. Takes no breaker probe, no lease and no place in any limit, and binds nothing.
 * @throws SluiceError `not_found` for an unknown key.
 */
export async function simulateRouting(ctx: Ctx, input: z.input<typeof SimulateRoutingInput>): Promise<RoutingSimulation> {
  requireAccess(ctx.actor, "admin");
  const wanted = parse(SimulateRoutingInput, input);
  const config = ctx.snapshot.current();
  const key = wanted.keyId === undefined ? null : keyOf(config, wanted.keyId);
  const nowMs = ctx.clock.now();
  const rule = ruleOf(ctx, config, key, wanted, nowMs);
  const group = rule?.group ?? key?.group ?? wanted.group ?? "default";
  const stickyProviderId = await boundTo(ctx, wanted.session, key);
  const breakerStateOf = (providerId: string, model: string) => ctx.breakers.stateOf(providerId, model);
  const ask = { group, dialect: wanted.dialect, endpoint: wanted.endpoint, model: rule?.model ?? wanted.model };
  const { tiers } = eligibleProviders(config.providers, ask);
  const tierOf = (provider: ProviderConfig) => tiers.findIndex(({ providers }) => providers.includes(provider));
  const strategy = await strategyNow(ctx, wanted.model, rule?.model);
  const choice = chooseCandidates({
    ...{ ...ask, ...strategy, providers: config.providers, rule },
    ...{ breakerStateOf, stickyProviderId, failed: new Set<string>(), nowMs },
  });
  const isSticky = choice.decision.chosenBy === "sticky";
  const isDrawn = strategy.strategy === "weighted";
  const decided = new Map(choice.decision.candidates.map((candidate) => [candidate.providerId, candidate]));
  return {
    candidates: (isDrawn ? inOrderOfLikelihood(choice, isSticky, tierOf) : choice.ordered).map((provider, index, all) => {
      const upstreamModel = upstreamModelOf(provider, ask.model);
      return {
        ...{ providerId: provider.id, priority: priorityIn(provider, group), weight: provider.weight, upstreamModel },
        converted: decided.get(provider.id)?.converted ?? "",
        saw: decided.get(provider.id)?.saw ?? null,
        breaker: breakerStateOf(provider.id, upstreamModel),
        share: isSticky || !isDrawn ? Number(index === 0) : shareOf(provider, all, tierOf),
      };
    }),
    excluded: choice.decision.excluded.map((each) => ({ ...each })),
    excludedMore: choice.decision.excludedMore ?? 0,
    chosenBy: choice.decision.chosenBy,
    refusal: refusalOf(config, key, { model: wanted.model, nowMs }) ?? choice.none ?? priceRefusalOf(config, choice, wanted),
    rule,
    group,
    stickyProviderId: stickyProviderId ?? "",
    atMs: nowMs,
  };
}

/** Rules about headers and paths do not match, since there are none, nor do canaries without a session; the body counts as empty. */
function ruleOf(ctx: Ctx, config: Config, key: KeyConfig | null, wanted: SimulateRoutingInput, nowMs: number): DecisionRule | null {
  return matchRoutingRule(config.settings["routing.rules"], {
    ...{ model: wanted.model, dialect: wanted.dialect, keyId: key?.id ?? "", headers: {}, path: "", bodyBytes: 0, nowMs },
    userEmail: config.users.get(key?.userId ?? "")?.email.toLowerCase() ?? "",
    stickyId: key && wanted.session !== "" ? ctx.live.sessions.idOf(key.id, wanted.session) : wanted.session,
  });
}

function keyOf(config: Config, id: string): KeyConfig {
  for (const key of config.keysBySha256.values()) if (key.id === id) return key;
  throw new SluiceError("not_found");
}

/** A session may be given by the console's id or, together with its key, by the client's. */
async function boundTo(ctx: Ctx, session: string, key: KeyConfig | null): Promise<string | null> {
  if (session === "") return null;
  const bound = await ctx.sticky.peek(session);
  return bound === null && key ? ctx.sticky.peek(ctx.live.sessions.idOf(key.id, session)) : bound;
}

type TierOf = (provider: ProviderConfig) => number;

/** The draw within a tier is by weight; sorting by it instead gives the same answer every time. */
function inOrderOfLikelihood({ ordered }: Choice<ProviderConfig>, isSticky: boolean, tierOf: TierOf): ProviderConfig[] {
  const drawn = isSticky ? ordered.slice(1) : ordered;
  const sorted = drawn.toSorted((a, b) => tierOf(a) - tierOf(b) || b.weight - a.weight || a.name.localeCompare(b.name));
  return isSticky ? [...ordered.slice(0, 1), ...sorted] : sorted;
}

function shareOf(provider: ProviderConfig, all: readonly ProviderConfig[], tierOf: TierOf): number {
  const first = all[0];
  const tier = all.filter((one) => first && tierOf(one) === tierOf(first));
  return tier.includes(provider) ? provider.weight / tier.reduce((sum, { weight }) => sum + weight, 0) : 0;
}

function refusalOf(config: Config, key: KeyConfig | null, { model, nowMs }: { model: string; nowMs: number }): string | null {
  if (!key) return null;
  const owner = config.users.get(key.userId);
  return keyRefusal(key, owner, nowMs) ?? modelRefusal(key, owner, model)?.code ?? null;
}

/** Like the gateway's resolve step: a request that costs nothing needs no price. */
function priceRefusalOf(
  { prices, settings }: Config,
  { ordered, decision }: Choice<ProviderConfig>,
  wanted: SimulateRoutingInput,
): string | null {
  const [first] = ordered;
  if (!first) return null;
  const price = priceInForce(prices, settings, first, wanted.model, decision.rule?.model);
  return priceRefusal(price, settings, wanted.endpoint !== "countTokens");
}
