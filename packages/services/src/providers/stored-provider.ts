import type { ProviderBreaker, ProviderTimeouts } from "@sluice/core/inputs/provider-options";
import type { DialectName } from "@sluice/core/requests";
import type { ModelRedirects } from "@sluice/core/routing/model-redirects";
import type { OverrideKind } from "@sluice/core/routing/provider-override";
import type { Schedule } from "@sluice/core/routing/schedule";
import type { Provider } from "@sluice/db/generated/client";
import type { ProviderConfig, StoredCredential } from "@sluice/snapshot/config";
import { toLimitValues } from "../limits/limits-view.ts";

/** A stored row in the form that the rest of the system uses. */
export function toProviderConfig(row: Provider): ProviderConfig {
  return {
    id: row.id,
    name: row.name,
    dialect: row.dialect as DialectName,
    serves: row.serves as ProviderConfig["serves"],
    baseUrl: row.baseUrl,
    secret: row.secret,
    groups: row.groups,
    priority: row.priority,
    weight: row.weight,
    models: row.models,
    modelRedirects: row.modelRedirects as unknown as ModelRedirects,
    groupPriorities: row.groupPriorities as Record<string, number>,
    schedule: row.schedule as unknown as Schedule,
    timeouts: row.timeouts as ProviderTimeouts,
    breaker: row.breaker as ProviderBreaker,
    credentials: row.credentials as unknown as StoredCredential[],
    credentialOrder: row.credentialOrder as ProviderConfig["credentialOrder"],
    secretWeight: row.secretWeight,
    headers: row.headers as Record<string, string>,
    proxy: row.proxy,
    costMultiplier: row.costMultiplier.toFixed(),
    ...toLimitValues(row),
    enabled: row.enabled,
    override:
      row.override === null
        ? null
        : { kind: row.override as OverrideKind, untilMs: row.overrideUntil?.getTime() ?? null, note: row.overrideNote },
  };
}
