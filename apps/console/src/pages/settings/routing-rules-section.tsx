import type { RoutingRule } from "@sluice/core/inputs/routing-rules";
import { useNames } from "../../api/names.ts";
import { routingRuleOutcome } from "../../providers/routing-rule-text.ts";
import { useTexts } from "../../text/i18n.ts";
import { Switch } from "../../ui/switch.tsx";
import { RoutingRuleDialog } from "./routing-rule-dialog.tsx";
import { routingRuleConditions, ruleInput } from "./routing-rule-form.ts";
import { RulesSection } from "./rules-section.tsx";

/** Rules about where certain requests go. */
export function RoutingRulesSection({ rules }: { rules: readonly RoutingRule[] }) {
  const { t } = useTexts();
  const names = useNames();
  return (
    <RulesSection
      setting="routing.rules"
      rules={rules}
      title={t("settings.name.routing_rules")}
      hint={t("settings.hint.routing_rules")}
      none={t("settings.routes.none")}
      removeText={t("settings.routes.removeText")}
      texts={(rule) => ({
        ...(rule.enabled ? {} : { note: t("settings.routes.off") }),
        conditions: routingRuleConditions(t, rule, names),
        outcome: routingRuleOutcome(t, ruleInput(rule)),
      })}
      control={(rule, change, busy) => (
        <Switch
          checked={rule.enabled}
          disabled={busy}
          label={t("settings.routes.on", { name: rule.name })}
          onChange={(enabled) => change({ ...rule, enabled })}
        />
      )}
      edit={(rule, onClose) => <RoutingRuleDialog rule={rule} rules={rules} onClose={onClose} />}
    />
  );
}
