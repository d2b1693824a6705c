import type { DecisionRule } from "@sluice/core/requests";
import { matchRoutingRule } from "@sluice/core/routing/routing-rules";
import type { Call } from "../call.ts";
import type { Runtime } from "../context.ts";

/** The routing rule that matches this request, if any; from here on the request belongs to the group that the rule names. */
export function applyRoutingRule(runtime: Runtime, call: Call): DecisionRule | null {
  const { config, row } = call;
  const rules = config.settings["routing.rules"];
  if (rules.length === 0) return null;
  const rule = matchRoutingRule(rules, {
    ...{ model: row.model, keyId: row.keyId, dialect: row.dialect, headers: call.headers, path: call.path },
    userEmail: config.users.get(row.userId)?.email.toLowerCase() ?? "",
    bodyBytes: call.body.length,
    stickyId: row.sessionId || call.id,
    nowMs: runtime.clock.now(),
  });
  if (rule?.group !== undefined) row.group = rule.group;
  return rule;
}
