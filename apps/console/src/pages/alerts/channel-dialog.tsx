import { client } from "../../api/client.ts";
import { isLanguage, languages, useTexts } from "../../text/i18n.ts";
import { Field, Input, NativeSelect, Textarea } from "../../ui/field.tsx";
import { FormDialog } from "../../ui/form-dialog.tsx";
import { toastDone } from "../../ui/toast.tsx";
import { useInputForm } from "../../ui/use-input-form.ts";
import type { Channel } from "./alert-words.ts";
import { ChannelForm, type ChannelValues, toChannelFields, toChannelInput, toChannelValues } from "./channel-form.ts";

const securities = ["tls", "starttls", "none"] as const;

interface ChannelDialogProps {
  /** The channel to edit; null = a new one. */
  channel: Channel | null;
  /** Called with the signing secret of a new webhook, which must be shown now. */
  onSecret(secret: string): void;
  onClose(): void;
}

/** Creates or edits a channel: a webhook or a mailbox. */
export function ChannelDialog({ channel, onSecret, onClose }: ChannelDialogProps) {
  const { t, language } = useTexts();
  const { form, onSubmit, failure, errorOf, busy } = useInputForm({
    schema: ChannelForm,
    defaults: toChannelValues(channel, isLanguage(language) ? language : "en") as ChannelValues,
    fieldOf: (field) => field.replace(/^config\./, "").split(/[.[]/)[0] ?? "",
    toInput: (values: ChannelValues) => ({ ...toChannelFields(values), enabled: channel?.enabled ?? true }),
    async submit(filled) {
      const input = toChannelInput(filled);
      if (channel) await client.alerts.updateChannel.mutate({ id: channel.id, ...input });
      else {
        const { signingSecret } = await client.alerts.createChannel.mutate(input);
        if (signingSecret !== null) onSecret(signingSecret);
      }
      toastDone(t("alerts.channelSaved"));
      onClose();
    },
  });
  const { register } = form;
  const kind = form.watch("kind");
  const kept = channel ? t("alerts.keptHint") : undefined;
  return (
    <FormDialog
      title={channel ? t("alerts.editChannel", { name: channel.name }) : t("alerts.newChannelTitle")}
      onSubmit={onSubmit}
      onClose={onClose}
      failure={failure}
      busy={busy}
    >
      <div className="grid gap-4 sm:grid-cols-2">
        <Field label={t("alerts.channelKindName")}>
          {(ids) => (
            <NativeSelect {...ids} disabled={channel !== null} {...register("kind")}>
              <option value="webhook">{t("alerts.channelKind.webhook")}</option>
              <option value="email">{t("alerts.channelKind.email")}</option>
            </NativeSelect>
          )}
        </Field>
        <Field label={t("alerts.language")}>
          {(ids) => (
            <NativeSelect {...ids} {...register("language")}>
              {Object.entries(languages).map(([language, name]) => (
                <option key={language} value={language}>
                  {name}
                </option>
              ))}
            </NativeSelect>
          )}
        </Field>
        <Field label={t("alerts.name")} error={errorOf("name")} className="sm:col-span-2">
          {(ids) => <Input {...ids} autoComplete="off" {...register("name")} />}
        </Field>
        {kind === "webhook" && (
          <>
            <Field label={t("alerts.url")} hint={t("alerts.urlHint")} error={errorOf("url")} className="sm:col-span-2">
              {(ids) => <Input {...ids} type="url" inputMode="url" spellCheck={false} {...register("url")} />}
            </Field>
            <Field
              label={t("alerts.signingSecret")}
              hint={kept ?? t("alerts.signingHint")}
              error={errorOf("secret")}
              optional={t("common.optional")}
              className="sm:col-span-2"
            >
              {(ids) => <Input {...ids} type="password" autoComplete="off" {...register("secret")} />}
            </Field>
          </>
        )}
        {kind === "email" && (
          <>
            <Field label={t("alerts.host")} error={errorOf("host")}>
              {(ids) => <Input {...ids} spellCheck={false} {...register("host")} />}
            </Field>
            <Field label={t("alerts.port")} error={errorOf("port")}>
              {(ids) => <Input {...ids} inputMode="numeric" {...register("port")} />}
            </Field>
            <Field label={t("alerts.security")}>
              {(ids) => (
                <NativeSelect {...ids} {...register("security")}>
                  {securities.map((one) => (
                    <option key={one} value={one}>
                      {t(`alerts.securities.${one}`)}
                    </option>
                  ))}
                </NativeSelect>
              )}
            </Field>
            <Field label={t("alerts.from")} error={errorOf("from")}>
              {(ids) => <Input {...ids} type="email" autoComplete="off" {...register("from")} />}
            </Field>
            <Field label={t("alerts.user")} hint={t("alerts.userHint")} error={errorOf("user")} optional={t("common.optional")}>
              {(ids) => <Input {...ids} autoComplete="off" spellCheck={false} {...register("user")} />}
            </Field>
            <Field label={t("alerts.password")} hint={kept} error={errorOf("secret")} optional={t("common.optional")}>
              {(ids) => <Input {...ids} type="password" autoComplete="off" {...register("secret")} />}
            </Field>
            <Field label={t("alerts.to")} hint={t("alerts.toHint")} error={errorOf("to")} className="sm:col-span-2">
              {(ids) => <Textarea {...ids} rows={2} spellCheck={false} {...register("to")} />}
            </Field>
          </>
        )}
      </div>
    </FormDialog>
  );
}
