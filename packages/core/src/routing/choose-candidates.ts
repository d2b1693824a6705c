/**
 * Which providers a request is tried on, in which order, and why the others are excluded. Pure: configuration, breaker states and
 * random numbers are inputs. What the configuration alone decides is indexed once per configuration (provider-index.ts), so
 * the cost of a request depends on the few providers that can serve it, not on how many exist.
 */
import type { BreakerView } from "../breaker/breaker.ts";
import type { Decision, DecisionCandidate, DecisionRule, Exclusion } from "../requests.ts";
import { upstreamModelOf } from "./model-patterns.ts";
import { type Ask, type Eligible, eligibleProviders, type RoutableProvider } from "./provider-index.ts";
import { overrideNow } from "./provider-override.ts";
import { scheduleAt } from "./schedule.ts";
import { type StrategyInput, visitInOrder } from "./strategies.ts";

export interface ChooseInput<P extends RoutableProvider> extends Ask, StrategyInput<P> {
  /** The snapshot's array: its identity is the key of the index, so it must never be changed in place. */
  providers: readonly P[];
  /** Called with the model name sent upstream (after redirects). */
  breakerStateOf: (providerId: string, upstreamModel: string) => BreakerView;
  /** The session's last good provider; first if it passes every check. */
  stickyProviderId: string | null;
  /** Whether a provider can be trusted with sessions that work well elsewhere: nothing has failed there recently. */
  isWell: (providerId: string, upstreamModel: string) => boolean;
  /** A session leaves a lower tier as soon as a provider above it is well; otherwise it stays, whatever the tier. */
  failsBack: boolean;
  /** The routing rule that applies to the request. */
  rule?: DecisionRule | null;
  /** Providers on which this request has already failed. */
  failed: ReadonlySet<string>;
  /** Wall time, ms, for overrides and schedules. */
  nowMs: number;
}

export interface Choice<P extends RoutableProvider> {
  /** In the order to try, tier after tier. A `probe` breaker still requires `takeProbe`. */
  ordered: P[];
  decision: Decision;
  /** Why none is left: no provider serves the model, those that do are unavailable now, or only in a dialect without conversion. */
  none: "unknown_model" | "no_provider" | "not_convertible" | null;
}

/** More than a request may ever try (`routing.maxAttempts` ≤ 10); further draws would be wasted. */
const MAX_CANDIDATES = 16;
/** A decision is stored with every request, so only the most informative exclusions are kept; the rest is counted. */
const MAX_EXCLUSIONS = 64;

/**
 * Orders the candidates: the sticky one, then tier by tier (lowest priority number first), inside a tier by the strategy. Within
 * a priority, providers that speak the client's dialect precede those that need conversion. At most 16 are drawn.
 */
export function chooseCandidates<P extends RoutableProvider>(input: ChooseInput<P>): Choice<P> {
  const eligible = eligibleProviders(input.providers, input);
  const ordered: P[] = [];
  const unusable: Decision["excluded"] = [];
  const seen = new Set<string>();

  const consider = (provider: P): void => {
    seen.add(provider.id);
    const exclusion = exclusionNow(provider, input);
    if (exclusion) unusable.push({ providerId: provider.id, ...exclusion });
    else ordered.push(provider);
  };

  const sticky = input.stickyProviderId === null ? undefined : eligible.bindable.get(input.stickyProviderId);
  const failsBack = sticky !== undefined && input.failsBack && isOneAboveWell(eligible, sticky, input);
  if (sticky && !failsBack) consider(sticky);
  const isSticky = ordered.length === 1;
  for (const tier of eligible.tiers) {
    if (ordered.length >= MAX_CANDIDATES) break;
    // The provider that the session leaves keeps its place in its own tier: those above may have no room.
    if (failsBack && tier.providers.includes(sticky)) consider(sticky);
    visitInOrder(tier, input, (provider) => {
      // The one that the session leaves may have been the last.
      if (ordered.length >= MAX_CANDIDATES) return false;
      if (!seen.has(provider.id)) consider(provider);
      return ordered.length < MAX_CANDIDATES;
    });
  }

  if (ordered.length === 0) useLastResort(eligible, input, { ordered, unusable });

  const chosenBy = ordered.length === 0 ? "none" : isSticky ? "sticky" : ordered.length === 1 ? "only" : input.strategy;
  return {
    ordered,
    decision: {
      candidates: listed(ordered, eligible, input),
      ...keptExclusions(unusable, eligible.excluded),
      chosenBy,
      ...(failsBack ? { failedBackFrom: sticky.id } : {}),
      ...(input.rule && { rule: input.rule }),
    },
    none: ordered.length > 0 ? null : whyNone(eligible),
  };
}

/** Whether a tier before the provider's own has one that could serve now and is well. */
function isOneAboveWell<P extends RoutableProvider>({ tiers }: Eligible<P>, sticky: P, input: ChooseInput<P>): boolean {
  for (const { providers } of tiers) {
    if (providers.includes(sticky)) return false;
    const isWell = (provider: P): boolean =>
      exclusionNow(provider, input) === null && input.isWell(provider.id, upstreamModelOf(provider, input.model));
    if (providers.some(isWell)) return true;
  }
  return false;
}

/** The last provider of a group is not excluded for its failure rate alone: some requests succeed there, without it none would. */
function useLastResort<P extends RoutableProvider>(
  eligible: Eligible<P>,
  input: ChooseInput<P>,
  { ordered, unusable }: { ordered: P[]; unusable: Decision["excluded"] },
): void {
  const isTripped = (provider: P): boolean =>
    exclusionNow(provider, input)?.reason === "breaker_open" &&
    input.breakerStateOf(provider.id, upstreamModelOf(provider, input.model)) === "tripped";
  for (const { providers } of eligible.tiers) {
    const last = providers.find(isTripped);
    if (!last) continue;
    ordered.push(last);
    unusable.splice(
      unusable.findIndex(({ providerId }) => providerId === last.id),
      1,
    );
    return;
  }
}

function whyNone<P extends RoutableProvider>(eligible: Eligible<P>): Choice<P>["none"] {
  if (eligible.tiers.length > 0 || eligible.switchedOff) return "no_provider";
  return eligible.isUnconvertible ? "not_convertible" : "unknown_model";
}

function listed<P extends RoutableProvider>(ordered: readonly P[], { shown }: Eligible<P>, input: ChooseInput<P>): DecisionCandidate[] {
  const isMeasured = input.strategy !== "weighted" && input.strategy !== "round_robin";
  const candidates: DecisionCandidate[] = [];
  for (const provider of ordered) {
    const candidate = shown.get(provider);
    if (candidate) candidates.push(isMeasured ? { ...candidate, saw: input.measure(provider) } : candidate);
  }
  return candidates;
}

function exclusionNow<P extends RoutableProvider>(provider: P, input: ChooseInput<P>): Omit<Exclusion, "providerId"> | null {
  if (input.rule?.provider !== undefined && provider.name !== input.rule.provider) return { reason: "rule" };
  if (input.failed.has(provider.id)) return { reason: "already_failed" };
  const override = overrideNow(provider, input.nowMs);
  if (override === "open") return { reason: "forced_open" };
  if (override === "drain" && provider.id !== input.stickyProviderId) return { reason: "draining" };
  const schedule = scheduleAt(provider.schedule, input.nowMs);
  if (!schedule.open) return { reason: "schedule", opensAtMs: schedule.untilMs };
  if (override === "closed") return null;
  const state = input.breakerStateOf(provider.id, upstreamModelOf(provider, input.model));
  return state === "open" || state === "tripped" ? { reason: "breaker_open" } : null;
}

function keptExclusions(
  unusable: Decision["excluded"],
  byConfig: readonly Decision["excluded"][number][],
): Pick<Decision, "excluded" | "excludedMore"> {
  const excluded = unusable.slice(0, MAX_EXCLUSIONS);
  for (const exclusion of byConfig) {
    if (excluded.length >= MAX_EXCLUSIONS) break;
    excluded.push(exclusion);
  }
  const more = unusable.length + byConfig.length - excluded.length;
  return more > 0 ? { excluded, excludedMore: more } : { excluded };
}
