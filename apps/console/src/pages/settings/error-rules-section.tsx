import type { ErrorRule } from "@sluice/core/inputs/error-rules";
import { useMutation, useQuery } from "@tanstack/react-query";
import { ArrowDown, ArrowUp, Pencil, Plus, Trash2 } from "lucide-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { api } from "../../api/client.ts";
import { readFailure } from "../../api/failure.ts";
import { Badge } from "../../ui/badge.tsx";
import { Button } from "../../ui/button.tsx";
import { Confirm } from "../../ui/dialog.tsx";
import { useFailureText } from "../../ui/states.tsx";
import { toastDone, toastFailed } from "../../ui/toast.tsx";
import { ErrorRuleDialog } from "./error-rule-dialog.tsx";
import { ruleConditions, ruleOutcome } from "./error-rule-text.ts";
import { useSaveErrorRules } from "./use-save-error-rules.ts";

/** What errors of providers mean, in the order in which the rules are looked through; every change is saved at once. */
export function ErrorRulesSection({ rules }: { rules: readonly ErrorRule[] }) {
  const { t } = useTranslation();
  const failureText = useFailureText();
  const source = useQuery(api.settings.sources.queryOptions()).data?.["upstream.errorRules"];
  const [editing, setEditing] = useState<ErrorRule | "new" | null>(null);
  const [removing, setRemoving] = useState<string | null>(null);
  const save = useMutation({
    mutationFn: useSaveErrorRules(),
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
  return (
    <section aria-labelledby="error-rules" className="overflow-hidden rounded-xl border border-line bg-surface">
      <header className="flex flex-wrap items-center justify-between gap-2 border-b border-line px-5 py-2.5">
        <h2 id="error-rules" className="flex items-center gap-2 text-sm font-semibold">
          {t("settings.name.upstream_errorRules")}
          {source?.source === "config" && <Badge tone="warn">{t("settings.source.config")}</Badge>}
        </h2>
        <Button size="sm" onClick={() => setEditing("new")}>
          <Plus aria-hidden="true" />
          {t("settings.rules.add")}
        </Button>
      </header>
      <p className="px-5 pt-3 pb-2 text-xs text-ink-3">{t("settings.hint.upstream_errorRules")}</p>
      {rules.length === 0 && <p className="px-5 pb-4 text-sm text-ink-2">{t("settings.rules.none")}</p>}
      <ol className="divide-y divide-line">
        {rules.map((rule, index) => (
          <li key={rule.name} className="flex items-start gap-3 px-5 py-2.5">
            <span aria-hidden="true" className="mt-0.5 w-5 shrink-0 text-right text-xs text-ink-3 tabular-nums">
              {index + 1}
            </span>
            <div className="min-w-0 flex-1">
              <p className="text-sm font-medium [overflow-wrap:anywhere]">{rule.name}</p>
              <p className="text-xs text-ink-2 [overflow-wrap:anywhere]">{ruleConditions(t, rule)}</p>
              <p className="text-xs text-ink-3 [overflow-wrap:anywhere]">→ {ruleOutcome(t, rule)}</p>
            </div>
            <span className="flex shrink-0 items-center">
              <Button
                variant="ghost"
                size="iconSm"
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
      {editing && <ErrorRuleDialog rule={editing === "new" ? null : editing} rules={rules} onClose={() => setEditing(null)} />}
      <Confirm
        open={removing !== null}
        onOpenChange={(open) => !open && setRemoving(null)}
        title={t("settings.rules.removeTitle", { name: removing ?? "" })}
        text={t("settings.rules.removeText")}
        action={t("settings.rules.removeAction")}
        busy={save.isPending}
        onConfirm={() => save.mutate((now) => now.filter(({ name }) => name !== removing))}
      />
    </section>
  );
}
