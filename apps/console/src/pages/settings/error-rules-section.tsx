import type { ErrorRule } from "@sluice/core/inputs/error-rules";
import { useMutation } from "@tanstack/react-query";
import { ArrowDown, ArrowUp, Pencil, Plus, Trash2 } from "lucide-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { client, type Outputs } from "../../api/client.ts";
import { readFailure } from "../../api/failure.ts";
import { Badge } from "../../ui/badge.tsx";
import { Button } from "../../ui/button.tsx";
import { Confirm } from "../../ui/dialog.tsx";
import { useFailureText } from "../../ui/states.tsx";
import { toastDone, toastFailed } from "../../ui/toast.tsx";
import { ErrorRuleDialog } from "./error-rule-dialog.tsx";
import { ruleConditions, ruleOutcome } from "./error-rule-text.ts";

interface ErrorRulesProps {
  rules: readonly ErrorRule[];
  /** Absent: the default. */
  source: Outputs["settings"]["sources"]["upstream.errorRules"];
}

/** What errors of providers mean, in the order in which the rules are looked through; every change is saved at once. */
export function ErrorRulesSection({ rules, source }: ErrorRulesProps) {
  const { t } = useTranslation();
  const failureText = useFailureText();
  const [editing, setEditing] = useState<number | null>(null);
  const [removing, setRemoving] = useState<number | null>(null);
  const save = useMutation({
    mutationFn: (next: ErrorRule[]) => client.settings.update.mutate({ "upstream.errorRules": next }),
    onSuccess: () => {
      toastDone(t("settings.saved"));
      setRemoving(null);
    },
    onError: (thrown) => toastFailed(failureText(readFailure(thrown))),
  });
  const move = (from: number, to: number): void => {
    const next = [...rules];
    next.splice(to, 0, ...next.splice(from, 1));
    save.mutate(next);
  };
  const removed = removing === null ? undefined : rules[removing];
  return (
    <section aria-labelledby="error-rules" className="overflow-hidden rounded-xl border border-line bg-surface">
      <header className="flex flex-wrap items-center justify-between gap-2 border-b border-line px-5 py-2.5">
        <h2 id="error-rules" className="flex items-center gap-2 text-sm font-semibold">
          {t("settings.name.upstream_errorRules")}
          {source?.source === "config" && <Badge tone="warn">{t("settings.source.config")}</Badge>}
        </h2>
        <Button size="sm" onClick={() => setEditing(rules.length)}>
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
                onClick={() => move(index, index - 1)}
              >
                <ArrowUp aria-hidden="true" />
              </Button>
              <Button
                variant="ghost"
                size="iconSm"
                disabled={index === rules.length - 1 || save.isPending}
                aria-label={t("settings.rules.down", { name: rule.name })}
                onClick={() => move(index, index + 1)}
              >
                <ArrowDown aria-hidden="true" />
              </Button>
              <Button
                variant="ghost"
                size="iconSm"
                aria-label={t("settings.rules.edit", { name: rule.name })}
                onClick={() => setEditing(index)}
              >
                <Pencil aria-hidden="true" />
              </Button>
              <Button
                variant="ghost"
                size="iconSm"
                aria-label={t("settings.rules.remove", { name: rule.name })}
                onClick={() => setRemoving(index)}
              >
                <Trash2 aria-hidden="true" />
              </Button>
            </span>
          </li>
        ))}
      </ol>
      {editing !== null && <ErrorRuleDialog rules={rules} index={editing} onClose={() => setEditing(null)} />}
      <Confirm
        open={removed !== undefined}
        onOpenChange={(open) => !open && setRemoving(null)}
        title={t("settings.rules.removeTitle", { name: removed?.name ?? "" })}
        text={t("settings.rules.removeText")}
        action={t("settings.rules.removeAction")}
        busy={save.isPending}
        onConfirm={() => save.mutate(rules.filter((_, index) => index !== removing))}
      />
    </section>
  );
}
