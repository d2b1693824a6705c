import type { ErrorRule } from "@sluice/core/inputs/error-rules";
import { useTexts } from "../../text/i18n.ts";
import { ErrorRuleDialog } from "./error-rule-dialog.tsx";
import { ruleConditions, ruleOutcome } from "./error-rule-text.ts";
import { RulesSection } from "./rules-section.tsx";

/** Rules about the meaning of providers' errors. */
export function ErrorRulesSection({ rules }: { rules: readonly ErrorRule[] }) {
  const { t } = useTexts();
  return (
    <RulesSection
      setting="upstream.errorRules"
      rules={rules}
      title={t("settings.name.upstream_errorRules")}
      hint={t("settings.hint.upstream_errorRules")}
      none={t("settings.rules.none")}
      removeText={t("settings.rules.removeText")}
      texts={(rule) => ({ conditions: ruleConditions(t, rule), outcome: ruleOutcome(t, rule) })}
      edit={(rule, onClose) => <ErrorRuleDialog rule={rule} rules={rules} onClose={onClose} />}
    />
  );
}
