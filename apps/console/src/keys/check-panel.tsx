import { CheckKeyInput } from "@sluice/core/inputs/key";
import { CircleCheck, CircleDashed, CircleX } from "lucide-react";
import { useState } from "react";
import { client, type Outputs } from "../api/client.ts";
import { type NameLookup, useNames } from "../api/names.ts";
import { formatElapsed } from "../format.ts";
import { limitAmount } from "../limits/limits-text.ts";
import { useReasonText } from "../providers/reason-text.ts";
import { useTexts } from "../text/i18n.ts";
import { Button } from "../ui/button.tsx";
import { cn } from "../ui/class-names.ts";
import { Field, Input, NativeSelect } from "../ui/field.tsx";
import { FailureBox } from "../ui/states.tsx";
import { useInputForm } from "../ui/use-input-form.ts";

type Check = Outputs["keys"]["check"];
type Rule = Check["rules"][number];

const fieldTexts = { userAgent: "checkUserAgent", address: "checkAddress" } as const;
const ruledBy = ["userAgent", "address"] as const;
const states = ["key", "owner", "address", "client", "model", "providers", "price"] as const;

function isStateRule(rule: Rule["rule"]): rule is (typeof states)[number] {
  return (states as readonly string[]).includes(rule);
}

/** Shows whether the key may call a model now, and which rule stops it. Nothing is sent or consumed. */
export function CheckPanel({ keyId }: { keyId: string }) {
  const { t } = useTexts();
  const [check, setCheck] = useState<Check | null>(null);
  const { form, onSubmit, failure, errorOf, busy } = useInputForm({
    schema: CheckKeyInput,
    defaults: { model: "", dialect: "", userAgent: "", address: "" },
    toInput: ({ model, dialect, userAgent, address }: Record<"model" | "dialect" | "userAgent" | "address", string>) => ({
      id: keyId,
      model: model.trim(),
      ...(dialect !== "" && { dialect }),
      ...(userAgent.trim() !== "" && { userAgent: userAgent.trim() }),
      ...(address.trim() !== "" && { address: address.trim() }),
    }),
    submit: async (input) => setCheck(await client.keys.check.query(input)),
  });
  return (
    <div className="flex flex-col gap-4">
      <form noValidate onSubmit={onSubmit} className="flex flex-wrap items-start gap-3">
        <Field label={t("keys.checkModel")} error={errorOf("model")} className="min-w-52 flex-1">
          {(ids) => <Input {...ids} autoComplete="off" spellCheck={false} placeholder="claude-sonnet-4-5" {...form.register("model")} />}
        </Field>
        <Field label={t("keys.checkDialect")} error={errorOf("dialect")} className="w-44">
          {(ids) => (
            <NativeSelect {...ids} {...form.register("dialect")}>
              <option value="">{t("keys.checkDialectAuto")}</option>
              {(["anthropic", "openai", "gemini"] as const).map((dialect) => (
                <option key={dialect} value={dialect}>
                  {t(`dialect.${dialect}`)}
                </option>
              ))}
            </NativeSelect>
          )}
        </Field>
        {ruledBy.map((field) => (
          <Field key={field} label={t(`keys.${fieldTexts[field]}`)} error={errorOf(field)} className="min-w-52 flex-1">
            {(ids) => <Input {...ids} autoComplete="off" spellCheck={false} {...form.register(field)} />}
          </Field>
        ))}
        <Button type="submit" variant="primary" busy={busy} className="mt-6.5">
          {t("keys.checkRun")}
        </Button>
      </form>
      {failure && <FailureBox error={failure} />}
      {check && <Verdict check={check} />}
    </div>
  );
}

function Verdict({ check }: { check: Check }) {
  const { t } = useTexts();
  const names = useNames();
  const { model, dialect, group, allowed, rules, decision } = check;
  return (
    <div className="flex flex-col gap-3">
      <div role="status" className={cn("rounded-lg border px-4 py-3", allowed ? "border-ok/40 bg-ok-soft" : "border-bad/40 bg-bad-soft")}>
        <p className="text-sm font-medium">{t(allowed ? "keys.checkYes" : "keys.checkNo", { model })}</p>
        <p className="text-xs text-ink-2">{t("keys.checkAsks", { dialect: t(`dialect.${dialect}`), group })}</p>
      </div>
      <ul className="divide-y divide-line rounded-lg border border-line">
        {rules.map((rule) => (
          <RuleRow key={`${rule.rule} ${rule.owner?.kind ?? ""}`} rule={rule} atMs={check.atMs} />
        ))}
      </ul>
      {decision && <Decided decision={decision} names={names} />}
    </div>
  );
}

/** How a rule's outcome looks. `passed` is null while it is unknown. */
function lookOf(passed: boolean | null) {
  if (passed === null) return { Icon: CircleDashed, color: "text-ink-3" };
  return passed ? { Icon: CircleCheck, color: "text-ok" } : { Icon: CircleX, color: "text-bad" };
}

function RuleRow({ rule: { rule, passed, code, limit, used, owner, freesAtMs }, atMs }: { rule: Rule; atMs: number }) {
  const { t, language } = useTexts();
  const { Icon, color } = lookOf(passed);
  const isState = isStateRule(rule);
  const open = rule === "client" || rule === "address" ? "keys.ruleDepends" : "keys.ruleOpen";
  const amount = (of: number): string => (isState ? "" : limitAmount(rule, of, language));
  const counts = limit === undefined || used === undefined ? "" : t("keys.used", { used: amount(used), limit: amount(limit) });
  let whose = "";
  if (owner && owner.kind !== "key") {
    whose = isState ? t("keys.ofOwner") : t(owner.kind === "user" ? "keys.ownerUser" : "keys.ownerGroup", { name: owner.name });
  }
  const frees = freesAtMs ? t("keys.freesIn", { time: formatElapsed(freesAtMs - atMs) }) : "";
  const why = [code ? t(`errors.${code}`) : "", counts, whose, frees].filter(Boolean).join(" · ");
  return (
    <li className="flex items-start gap-3 px-4 py-2.5">
      <Icon aria-hidden="true" className={cn("mt-0.5 size-4 shrink-0", color)} />
      <div className="min-w-0 flex-1">
        <p className="text-sm">{isState ? t(`keys.rule.${rule}`) : t(`limits.name.${rule}`)}</p>
        {why && <p className={cn("text-xs", passed === false ? "text-bad" : "text-ink-3")}>{why}</p>}
      </div>
      <span className="text-xs text-ink-3">{t(passed === null ? open : passed ? "keys.rulePassed" : "keys.ruleFailed")}</span>
    </li>
  );
}

function Decided({ decision: { candidates, excluded }, names }: { decision: NonNullable<Check["decision"]>; names: NameLookup }) {
  const { t } = useTexts();
  const reasonText = useReasonText();
  const lists = [
    { title: t("keys.goesTo"), items: candidates.map(({ providerId }) => ({ providerId, why: "" })) },
    {
      title: t("keys.excluded"),
      items: excluded.map((exclusion) => ({ providerId: exclusion.providerId, why: reasonText(exclusion) })),
    },
  ];
  return (
    <dl className="grid gap-2 text-xs sm:grid-cols-[8rem_1fr]">
      {lists.map(
        ({ title, items }) =>
          items.length > 0 && (
            <div key={title} className="contents">
              <dt className="text-ink-3">{title}</dt>
              <dd className="min-w-0">
                <ul className="flex flex-col gap-0.5">
                  {items.map(({ providerId, why }) => (
                    <li key={providerId} className="truncate">
                      {names.provider(providerId)}
                      {why && <span className="text-ink-3"> · {why}</span>}
                    </li>
                  ))}
                </ul>
              </dd>
            </div>
          ),
      )}
    </dl>
  );
}
