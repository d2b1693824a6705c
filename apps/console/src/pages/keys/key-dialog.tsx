import { CreateKeyInput, UpdateKeyInput } from "@sluice/core/inputs/key";
import { useTranslation } from "react-i18next";
import { client } from "../../api/client.ts";
import type { SignedIn } from "../../api/current-login.ts";
import { useUserPages } from "../../api/use-pages.ts";
import { Button } from "../../ui/button.tsx";
import { Dialog, DialogBody, DialogFooter } from "../../ui/dialog.tsx";
import { Field, Input, NativeSelect } from "../../ui/field.tsx";
import { FailureBox } from "../../ui/states.tsx";
import { toastDone } from "../../ui/toast.tsx";
import { numberOrNull, useInputForm } from "../../ui/use-input-form.ts";
import type { Key } from "./key.ts";

interface KeyDialogProps {
  /** null = a new one. */
  keyRow: Key | null;
  me: SignedIn["user"];
  admin: boolean;
  onClose(): void;
  onSaved(): void;
  onCreated(created: { key: Key; secret: string }): void;
}

interface KeyValues {
  userId: string;
  name: string;
  group: string;
  rpm: string;
  inFlight: string;
  expiresAtMs: string;
}

/** Users name their keys; group, limits, expiry and owner are an administrator's to set. */
export function KeyDialog({ keyRow, me, admin, onClose, onSaved, onCreated }: KeyDialogProps) {
  const { t } = useTranslation();
  const users = useUserPages(admin && keyRow === null);
  const toInput = (values: KeyValues) => {
    const own = { name: values.name };
    const ruled = {
      group: values.group.trim(),
      rpm: numberOrNull(values.rpm),
      inFlight: numberOrNull(values.inFlight),
      expiresAtMs: dayEnd(values.expiresAtMs),
    };
    if (keyRow) return { id: keyRow.id, ...own, ...(admin ? ruled : {}) };
    return { userId: values.userId, ...own, ...(admin ? ruled : {}) };
  };
  const { form, onSubmit, failure, errorOf, busy } = useInputForm({
    schema: keyRow ? UpdateKeyInput : CreateKeyInput,
    defaults: valuesOf(keyRow, me.id),
    toInput,
    async submit(_input, values) {
      if (keyRow) {
        await client.keys.update.mutate(UpdateKeyInput.parse(toInput(values)));
        toastDone(t("common.saved"));
        onSaved();
        onClose();
      } else onCreated(await client.keys.create.mutate(CreateKeyInput.parse(toInput(values))));
    },
  });
  return (
    <Dialog
      open
      onOpenChange={(open) => !open && onClose()}
      title={keyRow ? t("keys.editTitle", { name: keyRow.name }) : t("keys.newTitle")}
    >
      <form noValidate onSubmit={onSubmit} className="flex min-h-0 flex-1 flex-col">
        <DialogBody>
          <Field label={t("keys.name")} error={errorOf("name")}>
            {(ids) => <Input {...ids} autoComplete="off" {...form.register("name")} />}
          </Field>
          {admin && !keyRow && (
            <Field label={t("keys.owner")} error={errorOf("userId")}>
              {(ids) => (
                <NativeSelect {...ids} {...form.register("userId")}>
                  <option value={me.id}>
                    {me.name} ({t("users.you")})
                  </option>
                  {users.rows
                    .filter(({ id, enabled }) => id !== me.id && enabled)
                    .map(({ id, name, email }) => (
                      <option key={id} value={id}>
                        {name} · {email}
                      </option>
                    ))}
                </NativeSelect>
              )}
            </Field>
          )}
          {admin && (
            <>
              <Field label={t("keys.group")} hint={t("keys.groupHint")} error={errorOf("group")}>
                {(ids) => <Input {...ids} spellCheck={false} {...form.register("group")} />}
              </Field>
              <div className="grid gap-4 sm:grid-cols-2">
                <Field label={t("keys.rpm")} hint={t("keys.limitHint")} error={errorOf("rpm")}>
                  {(ids) => <Input {...ids} inputMode="numeric" {...form.register("rpm")} />}
                </Field>
                <Field label={t("keys.inFlight")} hint={t("keys.limitHint")} error={errorOf("inFlight")}>
                  {(ids) => <Input {...ids} inputMode="numeric" {...form.register("inFlight")} />}
                </Field>
              </div>
              <Field label={t("keys.expires")} hint={t("keys.expiresHint")} error={errorOf("expiresAtMs")}>
                {(ids) => <Input {...ids} type="date" {...form.register("expiresAtMs")} />}
              </Field>
            </>
          )}
          {failure && <FailureBox error={failure} />}
        </DialogBody>
        <DialogFooter>
          <Button onClick={onClose}>{t("common.cancel")}</Button>
          <Button type="submit" variant="primary" busy={busy}>
            {keyRow ? t("common.save") : t("keys.new")}
          </Button>
        </DialogFooter>
      </form>
    </Dialog>
  );
}

function valuesOf(key: Key | null, userId: string): KeyValues {
  return {
    userId: key?.userId ?? userId,
    name: key?.name ?? "",
    group: key?.group ?? "default",
    rpm: key?.rpm?.toString() ?? "",
    inFlight: key?.inFlight?.toString() ?? "",
    expiresAtMs: key?.expiresAtMs ? localDay(key.expiresAtMs) : "",
  };
}

function localDay(ms: number): string {
  return new Date(ms - new Date(ms).getTimezoneOffset() * 60_000).toISOString().slice(0, 10);
}

/** A key expires when the chosen local day is over. */
function dayEnd(day: string): number | null {
  if (!day) return null;
  const at = new Date(`${day}T23:59:59.999`).getTime();
  return Number.isNaN(at) ? null : at;
}
