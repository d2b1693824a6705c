import type { DialectName, Endpoint, ExclusionReason } from "../requests.ts";
import type { ProviderOverride } from "./provider-override.ts";

/** What routing needs of a provider; the snapshot's provider satisfies it. */
export interface RoutableProvider {
  readonly id: string;
  readonly dialect: DialectName;
  readonly serves: readonly string[];
  readonly groups: readonly string[];
  readonly priority: number;
  readonly weight: number;
  /** Asked-for names; empty = any. The keys of `modelRedirects` count as listed. */
  readonly models: readonly string[];
  readonly modelRedirects: Readonly<Record<string, string>>;
  readonly enabled: boolean;
  /** Absent in copies on disk of an older version. */
  readonly override?: ProviderOverride | null;
}

export interface Ask {
  group: string;
  dialect: DialectName;
  endpoint: Endpoint;
  /** As the client asked. */
  model: string;
}

/** Providers of one priority. */
export interface Tier<P extends RoutableProvider> {
  readonly providers: readonly P[];
  readonly totalWeight: number;
}

/** What the configuration alone decides about an ask: who may serve it, and why the others may not. */
export interface Eligible<P extends RoutableProvider> {
  /** Lowest priority number first. */
  readonly tiers: readonly Tier<P>[];
  readonly byId: ReadonlyMap<string, P>;
  readonly excluded: readonly { readonly providerId: string; readonly reason: ExclusionReason }[];
  /** Somebody would serve it who is switched off: the model is known, only not available now. */
  readonly switchedOff: boolean;
}

/** Clients choose model names, so their part of the index is bounded; a full one starts over. */
const MAX_MODELS = 2_000;

interface RouteIndex<P extends RoutableProvider> {
  /** Serve the group, dialect and endpoint; the models of each as a set, null = any. */
  readonly candidates: readonly { readonly provider: P; readonly models: ReadonlySet<string> | null }[];
  readonly excluded: Eligible<P>["excluded"];
  /** Disabled ones that would otherwise be candidates. */
  readonly disabled: readonly P[];
  readonly byModel: Map<string, Eligible<P>>;
}

/** `openai` providers say which of these they serve; the other endpoints come with the dialect. */
const selectable: ReadonlySet<Endpoint> = new Set<Endpoint>(["chat", "responses", "embeddings"]);

// One index per configuration: a new configuration is a new array, and the old index goes with the old array.
const indexes = new WeakMap<readonly RoutableProvider[], Map<string, RouteIndex<RoutableProvider>>>();

/** Who may serve an ask by configuration alone; computed once per providers array, group, dialect, endpoint and model. */
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
  const candidates: { provider: P; models: ReadonlySet<string> | null }[] = [];
  const excluded: { providerId: string; reason: ExclusionReason }[] = [];
  for (const provider of providers) {
    const reason = routeExclusion(provider, ask);
    if (reason) excluded.push({ providerId: provider.id, reason });
    else {
      candidates.push({ provider, models: modelsOf(provider) });
    }
  }
  candidates.sort((a, b) => a.provider.priority - b.provider.priority);
  const disabled = providers.filter((provider) => !provider.enabled && mismatch(provider, ask) === null);
  return { candidates, excluded, disabled, byModel: new Map() };
}

function routeExclusion(provider: RoutableProvider, ask: Ask): ExclusionReason | null {
  return provider.enabled ? mismatch(provider, ask) : "disabled";
}

function mismatch(provider: RoutableProvider, ask: Ask): ExclusionReason | null {
  if (!provider.groups.includes(ask.group)) return "group";
  if (provider.dialect !== ask.dialect) return "dialect";
  if (selectable.has(ask.endpoint) && !provider.serves.includes(ask.endpoint)) return "endpoint";
  return null;
}

/** null = any. */
function modelsOf(provider: RoutableProvider): ReadonlySet<string> | null {
  return provider.models.length > 0 ? new Set([...provider.models, ...Object.keys(provider.modelRedirects)]) : null;
}

function filterByModel<P extends RoutableProvider>(route: RouteIndex<P>, model: string): Eligible<P> {
  const tiers: { providers: P[]; totalWeight: number }[] = [];
  const byId = new Map<string, P>();
  const wrongModel: { providerId: string; reason: ExclusionReason }[] = [];
  let priority = Number.NaN;
  for (const { provider, models } of route.candidates) {
    if (models && !models.has(model)) {
      wrongModel.push({ providerId: provider.id, reason: "model" });
      continue;
    }
    byId.set(provider.id, provider);
    if (provider.priority !== priority) {
      priority = provider.priority;
      tiers.push({ providers: [], totalWeight: 0 });
    }
    const tier = tiers[tiers.length - 1];
    if (!tier) continue;
    tier.providers.push(provider);
    tier.totalWeight += provider.weight;
  }
  const switchedOff = route.disabled.some((provider) => modelsOf(provider)?.has(model) ?? true);
  return { tiers, byId, excluded: [...wrongModel, ...route.excluded], switchedOff };
}
