import { conversionLabel, conversionTarget, hasConversion, isNative } from "../dialects/conversion/wires.ts";
import { knownFamilyOf } from "../dialects/model-family.ts";
import type { DecisionCandidate, DialectName, Endpoint, ExclusionReason } from "../requests.ts";
import { claimsModel, type ModelRules, takesModel } from "./model-patterns.ts";
import type { ProviderOverride } from "./provider-override.ts";
import type { Schedule } from "./schedule.ts";

/** What routing needs from a provider; the snapshot's providers have it. */
export interface RoutableProvider extends ModelRules {
  readonly id: string;
  /** The name used in routing rules. */
  readonly name?: string;
  readonly dialect: DialectName;
  readonly serves: readonly string[];
  readonly groups: readonly string[];
  readonly priority: number;
  /** Overrides `priority` by group. Like `schedule`, absent in disk copies of older versions. */
  readonly groupPriorities?: Readonly<Record<string, number>>;
  readonly schedule?: Schedule;
  readonly weight: number;
  readonly enabled: boolean;
  /** Absent in disk copies of older versions. */
  readonly override?: ProviderOverride | null;
}

export interface Ask {
  group: string;
  dialect: DialectName;
  endpoint: Endpoint;
  /** As the client requested. */
  model: string;
}

/** Providers of one priority and one kind: those that speak the client's dialect come before those that do not. */
export interface Tier<P extends RoutableProvider> {
  readonly providers: readonly P[];
  readonly totalWeight: number;
}

/** What the configuration alone decides about a request: which providers may serve it, and why the others may not. */
export interface Eligible<P extends RoutableProvider> {
  /** Lowest priority number first. */
  readonly tiers: readonly Tier<P>[];
  /** Providers a session may be bound to here; a last resort is included only when there are no others. */
  readonly bindable: ReadonlyMap<string, P>;
  readonly excluded: readonly { readonly providerId: string; readonly reason: ExclusionReason }[];
  /** A disabled provider would serve it: the model is known but currently unavailable. */
  readonly switchedOff: boolean;
  /** No provider serves it, but one would whose dialect has no conversion. */
  readonly isUnconvertible: boolean;
  /** What decisions show of a provider: one immutable object for all of them, so that its JSON is made once. */
  readonly shown: ReadonlyMap<P, DecisionCandidate>;
}

/** Clients choose model names, so this part of the index is bounded; when full it is cleared. */
const MAX_MODELS = 2_000;

interface RouteCandidate<P extends RoutableProvider> {
  readonly provider: P;
  readonly isConverted: boolean;
}

interface RouteIndex<P extends RoutableProvider> {
  readonly group: string;
  /** Providers that serve the group, dialect and endpoint. */
  readonly candidates: readonly RouteCandidate<P>[];
  readonly excluded: Eligible<P>["excluded"];
  /** Disabled ones that would otherwise be candidates. */
  readonly disabled: readonly P[];
  /** Providers of the group whose dialect has no conversion to or from the client's. */
  readonly unconvertible: readonly P[];
  readonly byModel: Map<string, Eligible<P>>;
  readonly shown: Eligible<P>["shown"];
}

// One index per configuration: a new configuration is a new array, and the old index is collected with the old array.
const indexes = new WeakMap<readonly RoutableProvider[], Map<string, RouteIndex<RoutableProvider>>>();

/** Which providers may serve a request by configuration alone; cached per providers array, group, dialect, endpoint and model. */
export function eligibleProviders<P extends RoutableProvider>(providers: readonly P[], ask: Ask): Eligible<P> {
  let routes = indexes.get(providers) as Map<string, RouteIndex<P>> | undefined;
  if (!routes) {
    routes = new Map();
    indexes.set(providers, routes as unknown as Map<string, RouteIndex<RoutableProvider>>);
  }
  const key = `${ask.dialect}|${ask.endpoint}|${ask.group}`;
  let route = routes.get(key);
  if (!route) {
    route = indexRoute(providers, ask);
    routes.set(key, route);
  }
  let eligible = route.byModel.get(ask.model);
  if (!eligible) {
    eligible = filterByModel(route, ask.model);
    if (route.byModel.size >= MAX_MODELS) route.byModel.clear();
    route.byModel.set(ask.model, eligible);
  }
  return eligible;
}

function indexRoute<P extends RoutableProvider>(providers: readonly P[], ask: Ask): RouteIndex<P> {
  const candidates: RouteCandidate<P>[] = [];
  const unconvertible: P[] = [];
  const excluded: { providerId: string; reason: ExclusionReason }[] = [];
  for (const provider of providers) {
    const reason = routeExclusion(provider, ask);
    if (reason) excluded.push({ providerId: provider.id, reason });
    else candidates.push({ provider, isConverted: !isNative(provider, ask) });
    if (reason === "dialect" && isConversation(ask) && hasConversion(ask.dialect) !== hasConversion(provider.dialect)) {
      unconvertible.push(provider);
    }
  }
  candidates.sort((a, b) => priorityIn(a.provider, ask.group) - priorityIn(b.provider, ask.group));
  const disabled = providers.filter((provider) => !provider.enabled && mismatch(provider, ask) === null);
  const shown = new Map(candidates.map(({ provider }) => [provider, shownOf(provider, ask)]));
  return { group: ask.group, candidates, excluded, disabled, unconvertible, byModel: new Map(), shown };
}

function shownOf(provider: RoutableProvider, ask: Ask): DecisionCandidate {
  const candidate = { providerId: provider.id, priority: priorityIn(provider, ask.group), weight: provider.weight };
  const endpoint = isNative(provider, ask) ? null : conversionTarget(provider, ask);
  return endpoint === null ? candidate : { ...candidate, converted: conversionLabel(ask, { dialect: provider.dialect, endpoint }) };
}

function routeExclusion(provider: RoutableProvider, ask: Ask): ExclusionReason | null {
  return provider.enabled ? mismatch(provider, ask) : "disabled";
}

function mismatch(provider: RoutableProvider, ask: Ask): ExclusionReason | null {
  if (!provider.groups.includes(ask.group)) return "group";
  if (isNative(provider, ask) || conversionTarget(provider, ask) !== null) return null;
  return provider.dialect === ask.dialect ? "endpoint" : "dialect";
}

function isConversation({ endpoint }: Ask): boolean {
  return endpoint === "generateContent" || endpoint === "messages" || endpoint === "chat" || endpoint === "responses";
}

/** The priority that applies in a group; the lowest number is tried first. */
export function priorityIn({ priority, groupPriorities }: Pick<RoutableProvider, "priority" | "groupPriorities">, group: string): number {
  return (groupPriorities && Object.hasOwn(groupPriorities, group) ? groupPriorities[group] : undefined) ?? priority;
}

function filterByModel<P extends RoutableProvider>(route: RouteIndex<P>, model: string): Eligible<P> {
  const family = knownFamilyOf(model);
  const fitting: Fitting<P>[] = [];
  const wrongModel: { providerId: string; reason: ExclusionReason }[] = [];
  for (const candidate of route.candidates) {
    const { provider } = candidate;
    if (!takesModel(provider, model)) wrongModel.push({ providerId: provider.id, reason: "model" });
    else fitting.push({ provider, fit: fitOf(candidate, model, family) });
  }
  const serves = (provider: P) => takesModel(provider, model);
  return {
    tiers: tiersOf(fitting, route.group),
    bindable: new Map(bindableOf(fitting).map(({ provider }) => [provider.id, provider])),
    excluded: [...wrongModel, ...route.excluded],
    switchedOff: route.disabled.some(serves),
    isUnconvertible: fitting.length === 0 && route.unconvertible.some(serves),
    shown: route.shown,
  };
}

/**
 * How well a provider fits a model, best first within a priority. Providers that speak the client's dialect come before those
 * that need conversion, but a provider that takes any name has no claim to a name of another family: for a Claude model
 * requested in OpenAI's dialect, Anthropic by conversion comes before an OpenAI provider that takes any model.
 */
const NATIVE = 0;
const CONVERTED = 1;
const NATIVE_OF_ANOTHER_FAMILY = 2;
/** Needs conversion and is of another family: after all others, whatever the priority. */
const LAST_RESORT = 3;

interface Fitting<P extends RoutableProvider> {
  provider: P;
  fit: number;
}

function fitOf({ provider, isConverted }: RouteCandidate<RoutableProvider>, model: string, family: DialectName | null): number {
  const hasClaim = claimsModel(provider, model) || family === null || family === provider.dialect;
  if (isConverted) return hasClaim ? CONVERTED : LAST_RESORT;
  return hasClaim ? NATIVE : NATIVE_OF_ANOTHER_FAMILY;
}

function bindableOf<P extends RoutableProvider>(fitting: readonly Fitting<P>[]): readonly Fitting<P>[] {
  const proper = fitting.filter(({ fit }) => fit !== LAST_RESORT);
  return proper.length > 0 ? proper : fitting;
}

/** By priority, then by fit. Unless some need conversion, all of a priority form one tier. */
function tiersOf<P extends RoutableProvider>(fitting: readonly Fitting<P>[], group: string): Tier<P>[] {
  const hasConverted = fitting.some(({ fit }) => fit === CONVERTED);
  const rank = (fit: number) => (fit === NATIVE_OF_ANOTHER_FAMILY && !hasConverted ? NATIVE : fit);
  const byTier = new Map<string, { providers: P[]; totalWeight: number }>();
  const isLast = ({ fit }: Fitting<P>) => Number(fit === LAST_RESORT);
  const sorted = fitting.toSorted(
    (a, b) => isLast(a) - isLast(b) || priorityIn(a.provider, group) - priorityIn(b.provider, group) || rank(a.fit) - rank(b.fit),
  );
  for (const { provider, fit } of sorted) {
    const key = `${priorityIn(provider, group)}|${rank(fit)}`;
    const tier = byTier.get(key) ?? { providers: [], totalWeight: 0 };
    byTier.set(key, tier);
    tier.providers.push(provider);
    tier.totalWeight += provider.weight;
  }
  return [...byTier.values()];
}
