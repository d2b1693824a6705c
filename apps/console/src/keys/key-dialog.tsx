import { CreateKeyInput, UpdateKeyInput } from "@sluice/core/inputs/key";
import type { ListUsersInput } from "@sluice/core/inputs/user";
import { useQuery } from "@tanstack/react-query";
import { api, client } from "../api/client.ts";
import type { SignedIn } from "../api/current-login.ts";
import { LimitFields } from "../limits/limit-fields.tsx";
import { type LimitValues, limitsInput, limitValuesOf } from "../limits/limit-form.ts";
import { PolicyFields } from "../policies/policy-fields.tsx";
import { type PolicyValues, policiesInput, policyValuesOf } from "../policies/policy-form.ts";
import { useTexts } from "../text/i18n.ts";
import { Field, Input, NativeSelect } from "../ui/field.tsx";
import { FormDialog } from "../ui/form-dialog.tsx";
import { toastDone } from "../ui/toast.tsx";
import { useInputForm } from "../ui/use-input-form.ts";
import type { Key } from "./key.ts";
import type { MadeSecret } from "./secret-dialog.tsx";

interface KeyDialogProps {
  /** null = create a key. */
  keyRow: Key | null;
  /** Owner of a new key; null = to be chosen. */
  owner: { id: string; name: string } | null;
  me: SignedIn["user"];
  admin: boolean;
  onClose(): void;
  onCreated(made: MadeSecret): void;
}

interface KeyValues extends LimitValues, PolicyValues {
  userId: string;
  name: string;
  group: string;
}

type ListUsers = Partial<ListUsersInput>;

/** Enough to choose from; for others, keys are created from the page of users. */
const someUsers: ListUsers = { status: "active", sort: "name", order: "asc", limit: 200, fields: ["email"] };

/** Users name their keys; group, limits, expiry and owner can be set only by an administrator. */
export function KeyDialog({ keyRow, owner, me, admin, onClose, onCreated }: KeyDialogProps) {
  const { t } = useTexts();
  const choosesOwner = admin && keyRow === null && owner === null;
  const { data: users } = useQuery(api.users.list.queryOptions(someUsers, { enabled: choosesOwner }));
  const toInput = (values: KeyValues) => {
    const own = { name: values.name };
    const ruled = {
      group: values.group.trim(),
      ...limitsInput(values),
      ...policiesInput(values, keyRow),
    };
    if (keyRow) return { id: keyRow.id, ...own, ...(admin ? ruled : {}) };
    return { userId: values.userId, ...own, ...(admin ? ruled : {}) };
  };
  const { form, onSubmit, failure, errorOf, busy } = useInputForm({
    schema: keyRow ? UpdateKeyInput : CreateKeyInput,
    defaults: valuesOf(keyRow, owner?.id ?? me.id),
    toInput,
    async submit(_input, values) {
      if (keyRow) {
        await client.keys.update.mutate(UpdateKeyInput.parse(toInput(values)));
        toastDone(t("common.saved"));
        onClose();
      } else onCreated({ ...(await client.keys.create.mutate(CreateKeyInput.parse(toInput(values)))), rotated: false });
    },
  });
  return (
    <FormDialog
      title={keyRow ? t("keys.editTitle", { name: keyRow.name }) : t("keys.newTitle")}
      description={owner ? t("keys.leadOf", { name: owner.name }) : undefined}
      onSubmit={onSubmit}
      onClose={onClose}
      failure={failure}
      busy={busy}
      action={keyRow ? t("common.save") : t("keys.new")}
    >
      <Field label={t("keys.name")} error={errorOf("name")}>
        {(ids) => <Input {...ids} autoComplete="off" {...form.register("name")} />}
      </Field>
      {choosesOwner && (
        <Field label={t("keys.owner")} error={errorOf("userId")}>
          {(ids) => (
            <NativeSelect {...ids} {...form.register("userId")}>
              <option value={me.id}>
                {me.name} ({t("users.you")})
              </option>
              {users?.items
                .filter(({ id }) => id !== me.id)
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
          <Field label={t("keys.expires")} hint={t("keys.expiresHint")} error={errorOf("expiresAtMs")}>
            {(ids) => <Input {...ids} type="date" {...form.register("expiresAtMs")} />}
          </Field>
          <PolicyFields register={form.register} errorOf={errorOf} />
          <LimitFields register={form.register} errorOf={errorOf} stored={keyRow !== null} />
        </>
      )}
    </FormDialog>
  );
}

function valuesOf(key: Key | null, userId: string): KeyValues {
  return {
    userId: key?.userId ?? userId,
    name: key?.name ?? "",
    group: key?.group ?? "default",
    ...limitValuesOf(key),
    ...policyValuesOf(key),
  };
}
