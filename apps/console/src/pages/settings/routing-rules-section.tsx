import type { RoutingRule } from "@sluice/core/inputs/routing-rules";
import { useMutation, useQuery } from "@tanstack/react-query";
import { ArrowDown, ArrowUp, Pencil, Plus, Trash2 } from "lucide-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { api } from "../../api/client.ts";
import { readFailure } from "../../api/failure.ts";
import { useNames } from "../../api/names.ts";
import { routingRuleOutcome } from "../../providers/routing-rule-text.ts";
import { Badge } from "../../ui/badge.tsx";
import { Button } from "../../ui/button.tsx";
import { Confirm } from "../../ui/dialog.tsx";
import { useFailureText } from "../../ui/states.tsx";
import { Switch } from "../../ui/switch.tsx";
import { toastDone, toastFailed } from "../../ui/toast.tsx";
import { RoutingRuleDialog } from "./routing-rule-dialog.tsx";
import { routingRuleConditions, ruleInput } from "./routing-rule-form.ts";
import { useSaveRoutingRules } from "./use-save-routing-rules.ts";

/** Where certain requests go, in the order in which the rules are looked through; every change is saved at once. */
export function RoutingRulesSection({ rules }: { rules: readonly RoutingRule[] }) {
  const { t } = useTranslation();
  const failureText = useFailureText();
  const names = useNames();
  const source = useQuery(api.settings.sources.queryOptions()).data?.["routing.rules"];
  const [editing, setEditing] = useState<RoutingRule | "new" | null>(null);
  const [removing, setRemoving] = useState<string | null>(null);
  const save = useMutation({
    mutationFn: useSaveRoutingRules(),
    onSuccess: () => {
      toastDone(t("settings.saved"));
      setRemoving(null);
    },
    onError: (thrown) => toastFailed(failureText(readFailure(thrown))),
  });
  const move = (name: string, by: number): void =>
    save.mutate((now) => {
      const next = [...now];
      const from = next.findIndex((rule) => rule.name === name);
      if (from >= 0) next.splice(Math.max(0, from + by), 0, ...next.splice(from, 1));
      return next;
    });
  const turn = (name: string, enabled: boolean): void =>
    save.mutate((now) => now.map((rule) => (rule.name === name ? { ...rule, enabled } : rule)));
  return (
    <section aria-labelledby="routing-rules" className="overflow-hidden rounded-xl border border-line bg-surface">
      <header className="flex flex-wrap items-center justify-between gap-2 border-b border-line px-5 py-2.5">
        <h2 id="routing-rules" className="flex items-center gap-2 text-sm font-semibold">
          {t("settings.name.routing_rules")}
          {source?.source === "config" && <Badge tone="warn">{t("settings.source.config")}</Badge>}
        </h2>
        <Button size="sm" onClick={() => setEditing("new")}>
          <Plus aria-hidden="true" />
          {t("settings.rules.add")}
        </Button>
      </header>
      <p className="px-5 pt-3 pb-2 text-xs text-ink-3">{t("settings.hint.routing_rules")}</p>
      {rules.length === 0 && <p className="px-5 pb-4 text-sm text-ink-2">{t("settings.routes.none")}</p>}
      <ol className="divide-y divide-line">
        {rules.map((rule, index) => (
          <li key={rule.name} className="flex flex-wrap items-start gap-x-3 gap-y-1 px-5 py-2.5">
            <span aria-hidden="true" className="mt-0.5 w-5 shrink-0 text-right text-xs text-ink-3 tabular-nums">
              {index + 1}
            </span>
            <div className="min-w-40 flex-1">
              <p className="text-sm font-medium [overflow-wrap:anywhere]">
                {rule.name}
                {!rule.enabled && <span className="font-normal text-ink-3"> · {t("settings.routes.off")}</span>}
              </p>
              <p className="text-xs text-ink-2 [overflow-wrap:anywhere]">{routingRuleConditions(t, rule, names)}</p>
              <p className="text-xs text-ink-3 [overflow-wrap:anywhere]">→ {routingRuleOutcome(t, ruleInput(rule))}</p>
            </div>
            <span className="ml-auto flex shrink-0 items-center">
              <Switch
                checked={rule.enabled}
                disabled={save.isPending}
                label={t("settings.routes.on", { name: rule.name })}
                onChange={(enabled) => turn(rule.name, enabled)}
              />
              <Button
                variant="ghost"
                size="iconSm"
                className="ml-1"
                disabled={index === 0 || save.isPending}
                aria-label={t("settings.rules.up", { name: rule.name })}
                onClick={() => move(rule.name, -1)}
              >
                <ArrowUp aria-hidden="true" />
              </Button>
              <Button
                variant="ghost"
                size="iconSm"
                disabled={index === rules.length - 1 || save.isPending}
                aria-label={t("settings.rules.down", { name: rule.name })}
                onClick={() => move(rule.name, 1)}
              >
                <ArrowDown aria-hidden="true" />
              </Button>
              <Button
                variant="ghost"
                size="iconSm"
                aria-label={t("settings.rules.edit", { name: rule.name })}
                onClick={() => setEditing(rule)}
              >
                <Pencil aria-hidden="true" />
              </Button>
              <Button
                variant="ghost"
                size="iconSm"
                aria-label={t("settings.rules.remove", { name: rule.name })}
                onClick={() => setRemoving(rule.name)}
              >
                <Trash2 aria-hidden="true" />
              </Button>
            </span>
          </li>
        ))}
      </ol>
      {editing && <RoutingRuleDialog rule={editing === "new" ? null : editing} rules={rules} onClose={() => setEditing(null)} />}
      <Confirm
        open={removing !== null}
        onOpenChange={(open) => !open && setRemoving(null)}
        title={t("settings.rules.removeTitle", { name: removing ?? "" })}
        text={t("settings.routes.removeText")}
        action={t("settings.rules.removeAction")}
        busy={save.isPending}
        onConfirm={() => save.mutate((now) => now.filter(({ name }) => name !== removing))}
      />
    </section>
  );
}
