import { useMutation } from "@tanstack/react-query";
import { Pencil, Trash2 } from "lucide-react";
import { api } from "../../api/client.ts";
import { useNames } from "../../api/names.ts";
import { useTexts } from "../../text/i18n.ts";
import { Confirm } from "../../ui/dialog.tsx";
import { IconButton } from "../../ui/icon-button.tsx";
import { Switch } from "../../ui/switch.tsx";
import { useOpened } from "../../ui/use-opened.ts";
import { useToastFailure } from "../../ui/use-toast-failure.ts";
import { type Channel, type Rule, ruleConditions } from "./alert-words.ts";
import { ListItem, ListSection } from "./list-section.tsx";
import { RuleDialog } from "./rule-dialog.tsx";
import { SeverityBadge } from "./severity-badge.tsx";

/** What is watched, and who is notified. */
export function AlertRules({ rules, channels }: { rules: readonly Rule[]; channels: readonly Channel[] }) {
  const { t, language } = useTexts();
  const names = useNames();
  const editing = useOpened<Rule | null>();
  const removing = useOpened<Rule>();
  const onError = useToastFailure();
  const change = useMutation(api.alerts.updateRule.mutationOptions({ onError }));
  const remove = useMutation(api.alerts.deleteRule.mutationOptions({ onError }));
  const toldText = ({ channelIds }: Rule): string =>
    channels.flatMap(({ id, name }) => (channelIds.includes(id) ? [name] : [])).join(", ") || t("alerts.toNobody");
  return (
    <ListSection
      id="alert-rules"
      title={t("alerts.rules")}
      hint={t("alerts.rulesHint")}
      add={t("alerts.newRule")}
      onAdd={() => editing.open(null)}
      none={rules.length === 0 ? t("alerts.noRules") : null}
    >
      {rules.map((rule) => {
        const { id, name, enabled, severity } = rule;
        return (
          <ListItem
            key={id}
            title={
              <>
                {name}
                <SeverityBadge severity={severity} />
                {!enabled && <span className="font-normal text-ink-3">{t("alerts.off")}</span>}
              </>
            }
            detail={ruleConditions(t, rule, { names, language })}
            note={`→ ${toldText(rule)}`}
          >
            <Switch
              checked={enabled}
              disabled={change.isPending}
              label={t("alerts.ruleOn", { name })}
              onChange={(on) => change.mutate({ id, enabled: on })}
            />
            <IconButton icon={Pencil} label={t("alerts.editRule", { name })} onClick={() => editing.open(rule)} />
            <IconButton icon={Trash2} label={t("alerts.removeRule", { name })} onClick={() => removing.open(rule)} />
          </ListItem>
        );
      })}
      {editing.opened && <RuleDialog rule={editing.opened.for} channels={channels} onClose={editing.close} />}
      <Confirm
        open={removing.opened !== null}
        onOpenChange={(open) => !open && removing.close()}
        title={t("alerts.removeRuleTitle", { name: removing.opened?.for.name ?? "" })}
        text={t("alerts.removeRuleText")}
        action={t("alerts.remove")}
        busy={remove.isPending}
        onConfirm={() => removing.opened && remove.mutate({ id: removing.opened.for.id }, { onSuccess: removing.close })}
      />
    </ListSection>
  );
}
