import { timeOfId } from "@sluice/core/ids";
import { redirectList } from "@sluice/core/routing/model-redirects";
import type { ProviderConfig } from "@sluice/snapshot/config";
import { toLimitsView } from "../limits/limits-view.ts";
import { type OpenedSecrets, proxyAddress } from "./provider-secrets.ts";
import type { ProviderLine, ProviderView } from "./provider-view.ts";

/** A provider without its secrets; of each at most the last four characters are shown. */
export function toProviderView(provider: ProviderConfig, opened: OpenedSecrets): ProviderView {
  return {
    id: provider.id,
    name: provider.name,
    dialect: provider.dialect,
    serves: [...provider.serves],
    baseUrl: provider.baseUrl,
    secretTail: tailOf(opened.secret),
    groups: [...provider.groups],
    priority: provider.priority,
    weight: provider.weight,
    models: [...provider.models],
    modelRedirects: [...redirectList(provider.modelRedirects)],
    groupPriorities: { ...provider.groupPriorities },
    schedule: { zone: provider.schedule?.zone ?? "UTC", windows: [...(provider.schedule?.windows ?? [])] },
    timeouts: { ...provider.timeouts },
    breaker: { ...provider.breaker },
    credentials: (provider.credentials ?? []).map(({ label, weight }) => ({
      label,
      weight,
      secretTail: tailOf(opened.credentials.get(label) ?? ""),
    })),
    credentialOrder: provider.credentialOrder ?? "first",
    secretWeight: provider.secretWeight ?? 1,
    headers: { ...provider.headers },
    proxy: proxyAddress(opened.proxy),
    costMultiplier: provider.costMultiplier,
    enabled: provider.enabled,
    ...toLimitsView(provider),
    override: provider.override ?? null,
    createdAtMs: timeOfId(provider.id),
  };
}

/** Four characters would reveal too much of a short secret. */
function tailOf(secret: string): string {
  return secret.length >= 16 ? secret.slice(-4) : "";
}

/** A provider as a list shows it, in about 200 bytes. */
export function toProviderLine(provider: ProviderConfig): ProviderLine {
  const { id, name, dialect, baseUrl, groups, priority, weight, enabled, costMultiplier, models, override, breaker } = provider;
  return {
    id,
    name,
    dialect,
    host: URL.parse(baseUrl)?.host ?? baseUrl,
    groups: [...groups],
    priority,
    weight,
    enabled,
    ...(costMultiplier !== "1" && { costMultiplier }),
    ...(models.length > 0 && { models: models.length }),
    ...(breaker?.failures !== undefined && { breakerFailures: breaker.failures }),
    ...(override && { override }),
  };
}
