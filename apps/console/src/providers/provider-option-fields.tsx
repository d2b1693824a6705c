import type { Path, UseFormRegister } from "react-hook-form";
import { useTexts } from "../text/i18n.ts";
import { Field, Input, Textarea } from "../ui/field.tsx";
import type { ProviderValues } from "./provider-form.ts";

interface OptionFieldsProps {
  register: UseFormRegister<ProviderValues>;
  errorOf(name: Path<ProviderValues>): string | undefined;
}

const timeouts = ["connectMs", "firstContentMs", "idleMs", "totalMs"] as const;
const breaker = ["failures", "openSeconds", "probes", "failureRatePercent"] as const;

/** Schedule, priorities by group, timeouts and breakers: empty fields follow the settings. */
export function ProviderOptionFields({ register, errorOf }: OptionFieldsProps) {
  const { t } = useTexts();
  return (
    <>
      <div className="grid gap-4 sm:grid-cols-2">
        <Field label={t("providers.options.windows")} hint={t("providers.options.windowsHint")} error={errorOf("schedule")}>
          {(ids) => <Textarea {...ids} spellCheck={false} className="font-mono text-xs" {...register("schedule")} />}
        </Field>
        <Field
          label={t("providers.options.groupPriorities")}
          hint={t("providers.options.groupPrioritiesHint")}
          error={errorOf("groupPriorities")}
        >
          {(ids) => <Textarea {...ids} spellCheck={false} className="font-mono text-xs" {...register("groupPriorities")} />}
        </Field>
        <Field label={t("providers.options.zone")}>{(ids) => <Input {...ids} spellCheck={false} {...register("zone")} />}</Field>
      </div>
      <div className="grid gap-4 sm:grid-cols-2">
        <Field label={t("providers.options.headers")} hint={t("providers.options.headersHint")} error={errorOf("headers")}>
          {(ids) => <Textarea {...ids} spellCheck={false} className="font-mono text-xs" {...register("headers")} />}
        </Field>
        <Field label={t("providers.options.proxy")} hint={t("providers.options.proxyHint")} error={errorOf("proxy")}>
          {(ids) => <Input {...ids} autoComplete="off" spellCheck={false} className="font-mono text-xs" {...register("proxy")} />}
        </Field>
      </div>
      <Numbers title={t("providers.options.timeouts")} error={errorOf("timeouts")}>
        {timeouts.map((name) => (
          <Field key={name} label={t(`providers.options.${name}`)}>
            {(ids) => <Input {...ids} autoComplete="off" inputMode="numeric" {...register(`timeouts.${name}`)} />}
          </Field>
        ))}
      </Numbers>
      <Numbers title={t("providers.options.breaker")} error={errorOf("breaker")}>
        {breaker.map((name) => (
          <Field key={name} label={t(`providers.options.${name}`)}>
            {(ids) => <Input {...ids} autoComplete="off" inputMode="numeric" {...register(`breaker.${name}`)} />}
          </Field>
        ))}
      </Numbers>
    </>
  );
}

function Numbers({ title, error, children }: { title: string; error: string | undefined; children: React.ReactNode }) {
  const { t } = useTexts();
  return (
    <fieldset className="flex min-w-0 flex-col gap-3">
      <legend className="mb-3 text-sm font-semibold">{title}</legend>
      <div className="grid gap-4 sm:grid-cols-2">{children}</div>
      <p className={`text-xs ${error ? "text-bad" : "text-ink-3"}`}>{error ?? t("providers.options.inherit")}</p>
    </fieldset>
  );
}
