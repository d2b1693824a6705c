import type { DecisionRule } from "@sluice/core/requests";
import type { Translate } from "../text/translator.ts";

/** Where a routing rule sends requests, in one line. */
export function routingRuleOutcome(t: Translate, { provider, group, model }: Omit<DecisionRule, "name">): string {
  return [
    provider && t("settings.routes.toProvider", { provider }),
    group && t("settings.routes.toGroup", { group }),
    model && t("settings.routes.toModel", { model }),
  ]
    .filter(Boolean)
    .join(" · ");
}
