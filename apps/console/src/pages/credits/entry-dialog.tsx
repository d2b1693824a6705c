import { AdjustInput, RefundInput, TopUpInput } from "@sluice/core/inputs/credit";
import { useState } from "react";
import { client } from "../../api/client.ts";
import { useTexts } from "../../text/i18n.ts";
import { Field, Input, NativeSelect } from "../../ui/field.tsx";
import { FormDialog } from "../../ui/form-dialog.tsx";
import { toastDone } from "../../ui/toast.tsx";
import { useInputForm } from "../../ui/use-input-form.ts";

const kinds = {
  topUp: { schema: TopUpInput, send: client.credits.topUp },
  adjust: { schema: AdjustInput, send: client.credits.adjust },
  refund: { schema: RefundInput, send: client.credits.refund },
} as const;
type Kind = keyof typeof kinds;

/** One key per opening of the dialog, so that a retry after a lost answer does not create a second entry. */
function newIdempotencyKey(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

interface EntryDialogProps {
  userId: string;
  name: string;
  /** The request to refund, and the amount. */
  refund?: { requestId: string; amountUsd: string } | undefined;
  onClose(): void;
}

/** Adds to a user's account or deducts from it. */
export function EntryDialog({ userId, name, refund, onClose }: EntryDialogProps) {
  const { t } = useTexts();
  const [kind, setKind] = useState<Kind>(refund ? "refund" : "topUp");
  const [idempotencyKey] = useState(newIdempotencyKey);
  const toInput = ({ requestId, ...entry }: { amountUsd: string; reason: string; requestId: string }) => ({
    ...{ userId, idempotencyKey, ...entry },
    ...(kind === "refund" && requestId.trim() !== "" && { requestId: requestId.trim() }),
  });
  const { form, onSubmit, failure, errorOf, busy } = useInputForm({
    schema: kinds[kind].schema,
    defaults: { amountUsd: refund?.amountUsd ?? "", reason: "", requestId: refund?.requestId ?? "" },
    toInput,
    async submit(_input, values) {
      await kinds[kind].send.mutate(toInput(values));
      toastDone(t("credits.done"));
      onClose();
    },
  });
  return (
    <FormDialog
      title={t("credits.entryTitle", { name })}
      onSubmit={onSubmit}
      onClose={onClose}
      failure={failure}
      busy={busy}
      action={t(`credits.kinds.${kind}`)}
    >
      <Field label={t("credits.kind")}>
        {(ids) => (
          <NativeSelect {...ids} value={kind} onChange={(event) => setKind(event.target.value as Kind)}>
            {(Object.keys(kinds) as Kind[]).map((one) => (
              <option key={one} value={one}>
                {t(`credits.kinds.${one}`)}
              </option>
            ))}
          </NativeSelect>
        )}
      </Field>
      <Field label={t("credits.amountUsd")} hint={kind === "adjust" ? t("credits.adjustHint") : undefined} error={errorOf("amountUsd")}>
        {(ids) => <Input {...ids} inputMode="decimal" autoComplete="off" {...form.register("amountUsd")} />}
      </Field>
      <Field label={t("credits.reason")} hint={t("credits.reasonHint")} error={errorOf("reason")}>
        {(ids) => <Input {...ids} autoComplete="off" {...form.register("reason")} />}
      </Field>
      {kind === "refund" && (
        <Field label={t("common.requestId")} hint={t("credits.requestHint")} error={errorOf("requestId")} optional={t("common.optional")}>
          {(ids) => <Input {...ids} className="font-mono" autoComplete="off" spellCheck={false} {...form.register("requestId")} />}
        </Field>
      )}
    </FormDialog>
  );
}
