import type { AlertLanguage } from "@sluice/core/alerts/alert-text";
import { CreateAlertChannelInput, emailConfig, webhookConfig } from "@sluice/core/inputs/alert";
import { z } from "zod";
import { items } from "../../ui/use-input-form.ts";
import type { Channel } from "./alert-words.ts";

/** The form's values, of both kinds. */
export interface ChannelValues {
  kind: Channel["kind"];
  name: string;
  language: AlertLanguage;
  url: string;
  host: string;
  port: string;
  security: "tls" | "starttls" | "none";
  user: string;
  from: string;
  to: string;
  /** Empty = keep the stored one, or none. */
  secret: string;
}

const [webhook, email] = CreateAlertChannelInput.options;

/** The server's schemas, with the fields of `config` at the top level. */
export const ChannelForm = z.discriminatedUnion("kind", [
  webhook.omit({ config: true }).extend(webhookConfig.shape),
  email.omit({ config: true }).extend(emailConfig.shape),
]);

/** The form's values as input. */
export function toChannelInput(form: z.output<typeof ChannelForm>) {
  if (form.kind === "webhook") {
    const { url, ...fields } = form;
    return { ...fields, config: { url } };
  }
  const { host, port, security, user, from, to, ...fields } = form;
  return { ...fields, config: { host, port, security, user, from, to } };
}

export function toChannelValues(channel: Channel | null, language: AlertLanguage): ChannelValues {
  const mail = channel?.kind === "email" ? channel.config : null;
  return {
    kind: channel?.kind ?? "webhook",
    name: channel?.name ?? "",
    language: channel?.language ?? language,
    url: channel?.kind === "webhook" ? channel.config.url : "",
    host: mail?.host ?? "",
    port: String(mail?.port ?? 465),
    security: mail?.security ?? "tls",
    user: mail?.user ?? "",
    from: mail?.from ?? "",
    to: mail?.to.join(", ") ?? "",
    secret: "",
  };
}

export function toChannelFields({ kind, name, language, secret, url, to, port, host, ...mail }: ChannelValues) {
  const fields = { kind, name, language, ...(secret.trim() !== "" && { secret: secret.trim() }) };
  return kind === "webhook" ? { ...fields, url: url.trim() } : { ...fields, ...mail, host: host.trim(), port: Number(port), to: items(to) };
}
