import { hasConversion } from "@sluice/core/dialects/conversion/wires";
import type { ListedModel } from "@sluice/core/dialects/dialect";
import { familyOf } from "@sluice/core/dialects/model-family";
import { SluiceError } from "@sluice/core/errors";
import type { DialectName } from "@sluice/core/requests";
import { isExact, matchesAny } from "@sluice/core/routing/model-patterns";
import { redirectList } from "@sluice/core/routing/model-redirects";
import { modelRefusal } from "@sluice/core/routing/policies";
import type { Config } from "@sluice/snapshot/config";
import { sendWhole } from "./answer.ts";
import type { Call } from "./call.ts";
import type { Runtime } from "./context.ts";
import { recordLocal } from "./pipeline/record.ts";

/**
 * The models that a key of this group can call in this dialect, including those reached by conversion: the names its providers
 * list or redirect, the priced models that their patterns match, and for a provider that serves any model the priced models
 * of its dialect's family. Sorted by name.
 */
export function reachableModels(config: Config, group: string, dialect: DialectName): ListedModel[] {
  const names = new Set<string>();
  for (const provider of config.providers) {
    if (!provider.enabled || !reaches(dialect, provider.dialect) || !provider.groups.includes(group)) continue;
    const redirects = redirectList(provider.modelRedirects).map(({ from }) => from);
    for (const name of [...provider.models, ...redirects]) if (isExact(name)) names.add(name);
    const takes = provider.models.length > 0 ? matchesAny([...provider.models, ...redirects]) : isOfFamily(provider.dialect);
    for (const model of config.prices.keys()) if (takes(model)) names.add(model);
  }
  return [...names].sort().map((id) => ({ id, createdAtMs: 0 }));
}

function isOfFamily(dialect: DialectName): (model: string) => boolean {
  return (model) => familyOf(model) === dialect;
}

/** Directly or by conversion. */
function reaches(dialect: DialectName, served: DialectName): boolean {
  return dialect === served || (hasConversion(dialect) && hasConversion(served));
}

/** Answers the list of models, or one of them, from the configuration: no provider is asked. */
export function answerModels(runtime: Runtime, call: Call, model: string | undefined): void {
  const { config, key, row } = call;
  const owner = config.users.get(row.userId);
  const models = reachableModels(config, row.group, row.dialect).filter(({ id }) => key && !modelRefusal(key, owner, id));
  let body: string;
  if (model === undefined) body = call.dialect.modelList(models, call.query);
  else {
    const one = models.find(({ id }) => id === model);
    if (!one) throw new SluiceError("unknown_model", { field: "model" });
    body = call.dialect.modelItem(one);
  }
  sendWhole(call, 200, { "content-type": "application/json" }, body);
  recordLocal(runtime, call, 200);
}
