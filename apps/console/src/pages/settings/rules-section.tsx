import { useMutation, useQuery } from "@tanstack/react-query";
import { ArrowDown, ArrowUp, type LucideIcon, Pencil, Plus, Trash2 } from "lucide-react";
import type { ReactNode } from "react";
import { api } from "../../api/client.ts";
import { useTexts } from "../../text/i18n.ts";
import { Badge } from "../../ui/badge.tsx";
import { Button } from "../../ui/button.tsx";
import { Confirm } from "../../ui/dialog.tsx";
import { toastDone } from "../../ui/toast.tsx";
import { useOpened } from "../../ui/use-opened.ts";
import { useToastFailure } from "../../ui/use-toast-failure.ts";
import { type RuleOf, type RuleSetting, useSaveRules, withRule } from "./use-save-rules.ts";

interface RulesSectionProps<S extends RuleSetting> {
  setting: S;
  rules: readonly RuleOf<S>[];
  title: string;
  hint: string;
  /** Text when there are no rules. */
  none: string;
  /** Explains what removing a rule does. */
  removeText: string;
  /** A note beside the name, the conditions, and the effect. */
  texts(rule: RuleOf<S>): { note?: string; conditions: string; outcome: string };
  /** Shown before the buttons of a rule; `change` saves the changed rule. */
  control?(rule: RuleOf<S>, change: (to: RuleOf<S>) => void, busy: boolean): ReactNode;
  /** The dialog for a rule; null = a new one. */
  edit(rule: RuleOf<S> | null, onClose: () => void): ReactNode;
}

/** Rules in the order of evaluation; every change is saved immediately. */
export function RulesSection<S extends RuleSetting>({
  setting,
  rules,
  title,
  hint,
  none,
  removeText,
  texts,
  control,
  edit,
}: RulesSectionProps<S>) {
  const { t } = useTexts();
  const toastFailure = useToastFailure();
  const source = useQuery(api.settings.sources.queryOptions()).data?.[setting];
  const editing = useOpened<RuleOf<S> | null>();
  const removing = useOpened<string>();
  const save = useMutation({
    mutationFn: useSaveRules(setting),
    onSuccess: () => toastDone(t("settings.saved")),
    onError: toastFailure,
  });
  const move = (name: string, by: number): void =>
    save.mutate({
      make(now) {
        const next = [...now];
        const from = next.findIndex((rule) => rule.name === name);
        if (from >= 0) next.splice(Math.max(0, from + by), 0, ...next.splice(from, 1));
        return next;
      },
    });
  const change = (to: RuleOf<S>): void => {
    const was = rules.find(({ name }) => name === to.name) ?? null;
    save.mutate({ was, make: (now) => withRule(now, was, to) });
  };
  return (
    <section aria-labelledby={setting} className="overflow-hidden rounded-xl border border-line bg-surface">
      <header className="flex flex-wrap items-center justify-between gap-2 border-b border-line px-5 py-2.5">
        <h2 id={setting} className="flex items-center gap-2 text-sm font-semibold">
          {title}
          {source?.source === "config" && <Badge tone="warn">{t("settings.source.config")}</Badge>}
        </h2>
        <Button size="sm" onClick={() => editing.open(null)}>
          <Plus aria-hidden="true" />
          {t("settings.rules.add")}
        </Button>
      </header>
      <p className="px-5 pt-3 pb-2 text-xs text-ink-3">{hint}</p>
      {rules.length === 0 && <p className="px-5 pb-4 text-sm text-ink-2">{none}</p>}
      <ol className="divide-y divide-line">
        {rules.map((rule, index) => {
          const { note, conditions, outcome } = texts(rule);
          const act = (icon: LucideIcon, label: string, onClick: () => void, disabled = false) => (
            <RuleButton {...{ icon, label, onClick, disabled }} />
          );
          return (
            <li key={rule.name} className="flex flex-wrap items-start gap-x-3 gap-y-1 px-5 py-2.5">
              <span aria-hidden="true" className="mt-0.5 w-5 shrink-0 text-right text-xs text-ink-3 tabular-nums">
                {index + 1}
              </span>
              <div className="min-w-40 flex-1">
                <p className="text-sm font-medium [overflow-wrap:anywhere]">
                  {rule.name}
                  {note && <span className="font-normal text-ink-3"> · {note}</span>}
                </p>
                <p className="text-xs text-ink-2 [overflow-wrap:anywhere]">{conditions}</p>
                <p className="text-xs text-ink-3 [overflow-wrap:anywhere]">→ {outcome}</p>
              </div>
              <span className="ml-auto flex shrink-0 items-center">
                {control?.(rule, change, save.isPending)}
                {act(ArrowUp, t("settings.rules.up", { name: rule.name }), () => move(rule.name, -1), index === 0 || save.isPending)}
                {act(
                  ArrowDown,
                  t("settings.rules.down", { name: rule.name }),
                  () => move(rule.name, 1),
                  index === rules.length - 1 || save.isPending,
                )}
                {act(Pencil, t("settings.rules.edit", { name: rule.name }), () => editing.open(rule))}
                {act(Trash2, t("settings.rules.remove", { name: rule.name }), () => removing.open(rule.name))}
              </span>
            </li>
          );
        })}
      </ol>
      {editing.opened && edit(editing.opened.for, editing.close)}
      <Confirm
        open={removing.opened !== null}
        onOpenChange={(open) => !open && removing.close()}
        title={t("settings.rules.removeTitle", { name: removing.opened?.for ?? "" })}
        text={removeText}
        action={t("settings.rules.removeAction")}
        busy={save.isPending}
        onConfirm={() =>
          save.mutate({ make: (now) => now.filter(({ name }) => name !== removing.opened?.for) }, { onSuccess: removing.close })
        }
      />
    </section>
  );
}

interface RuleButtonProps {
  icon: LucideIcon;
  label: string;
  disabled: boolean;
  onClick(): void;
}

function RuleButton({ icon: Icon, label, disabled, onClick }: RuleButtonProps) {
  return (
    <Button variant="ghost" size="iconSm" disabled={disabled} aria-label={label} onClick={onClick}>
      <Icon aria-hidden="true" />
    </Button>
  );
}
