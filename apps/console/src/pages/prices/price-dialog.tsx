import { PriceInput } from "@sluice/core/inputs/price";
import { client } from "../../api/client.ts";
import { useTexts } from "../../text/i18n.ts";
import { Field, Input } from "../../ui/field.tsx";
import { FormDialog } from "../../ui/form-dialog.tsx";
import { toastDone } from "../../ui/toast.tsx";
import { numberOrNull, useInputForm } from "../../ui/use-input-form.ts";
import type { Price } from "./price-text.ts";

const amounts = ["inputPerMTok", "outputPerMTok", "cacheReadPerMTok", "cacheWrite5mPerMTok", "cacheWrite1hPerMTok"] as const;
const names = {
  inputPerMTok: "input",
  outputPerMTok: "output",
  cacheReadPerMTok: "cacheRead",
  cacheWrite5mPerMTok: "cacheWrite5m",
  cacheWrite1hPerMTok: "cacheWrite1h",
} as const;
type PriceValues = Record<(typeof amounts)[number] | "model" | "maxOutputTokens", string>;

interface PriceDialogProps {
  /** null = for a model named in the form. */
  price: Price | null;
  onClose(): void;
}

/** Sets a model's price: creates a new version for later requests. */
export function PriceDialog({ price, onClose }: PriceDialogProps) {
  const { t } = useTexts();
  const { form, onSubmit, failure, errorOf, busy } = useInputForm({
    schema: PriceInput,
    defaults: {
      model: price?.model ?? "",
      inputPerMTok: price?.inputPerMTok ?? "",
      outputPerMTok: price?.outputPerMTok ?? "",
      cacheReadPerMTok: price?.cacheReadPerMTok ?? "",
      cacheWrite5mPerMTok: price?.cacheWrite5mPerMTok ?? "",
      cacheWrite1hPerMTok: price?.cacheWrite1hPerMTok ?? "",
      maxOutputTokens: price?.maxOutputTokens?.toString() ?? "",
    },
    toInput: (values: PriceValues) => ({
      model: values.model.trim(),
      inputPerMTok: values.inputPerMTok.trim(),
      outputPerMTok: values.outputPerMTok.trim(),
      cacheReadPerMTok: values.cacheReadPerMTok.trim() || null,
      cacheWrite5mPerMTok: values.cacheWrite5mPerMTok.trim() || null,
      cacheWrite1hPerMTok: values.cacheWrite1hPerMTok.trim() || null,
      maxOutputTokens: numberOrNull(values.maxOutputTokens),
    }),
    async submit(input) {
      await client.prices.set.mutate(input);
      toastDone(t("common.saved"));
      onClose();
    },
  });
  return (
    <FormDialog
      title={price ? t("prices.editTitle", { model: price.model }) : t("prices.newTitle")}
      description={t("prices.unit")}
      onSubmit={onSubmit}
      onClose={onClose}
      failure={failure}
      busy={busy}
    >
      <Field label={t("prices.model")} error={errorOf("model")}>
        {(ids) => (
          <Input
            {...ids}
            spellCheck={false}
            readOnly={price !== null}
            className="font-mono text-xs read-only:bg-sunken"
            {...form.register("model")}
          />
        )}
      </Field>
      <div className="grid grid-cols-2 gap-4">
        {amounts.map((field) => (
          <Field
            key={field}
            label={t(`prices.${names[field]}`)}
            hint={field.startsWith("cache") ? t("prices.derivedHint") : undefined}
            error={errorOf(field)}
          >
            {(ids) => <Input {...ids} inputMode="decimal" className="text-right" {...form.register(field)} />}
          </Field>
        ))}
        <Field label={t("prices.maxOutput")} hint={t("prices.maxOutputHint")} error={errorOf("maxOutputTokens")}>
          {(ids) => <Input {...ids} inputMode="numeric" className="text-right" {...form.register("maxOutputTokens")} />}
        </Field>
      </div>
      {price && <p className="text-xs text-ink-3">{t("prices.newVersion")}</p>}
      {price?.source === "config" && <p className="text-xs text-warn">{t("prices.ownWarning")}</p>}
    </FormDialog>
  );
}
