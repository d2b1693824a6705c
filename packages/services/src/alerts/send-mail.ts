import type { AlertMessage } from "@sluice/core/alerts/alert-text";
import type { emailConfig } from "@sluice/core/inputs/alert";
import { maskTexts } from "@sluice/core/mask-texts";
import type { Egress } from "@sluice/egress/contract";
import { createTransport } from "nodemailer";
import type { z } from "zod";
import type { SendResult } from "./alert-view.ts";

const CONNECT_MS = 5_000;
const ANSWER_MS = 10_000;
const EXCERPT = 200;

export interface MailCall {
  config: z.infer<typeof emailConfig>;
  /** Empty = the server requires no login. */
  password: string;
  /** The same for every attempt at one message. The Message-ID is derived from it, so mail systems can drop duplicates. */
  id: string;
  message: AlertMessage;
  signal: AbortSignal;
}

/**
 * Sends one message by SMTP over a connection made by the guarded egress; the mail library opens none of its own. The server's answer is
 * a result, even if it is a refusal.
 * @throws SluiceError when the connection cannot be made.
 */
export async function sendMail(egress: Egress, { config, password, id, message, signal }: MailCall): Promise<SendResult> {
  const { host, port, security, user, from, to } = config;
  const socket = await egress.connect({ host, port, timeoutMs: CONNECT_MS });
  const cut = (): void => void socket.destroy();
  signal.addEventListener("abort", cut, { once: true });
  // Some servers repeat the login they refuse, in plain text or as AUTH LOGIN and AUTH PLAIN encode it.
  const hide = maskTexts([password, base64(password), base64(`\0${user}\0${password}`)]);
  const transport = createTransport({
    ...{ host, port, connection: socket },
    secure: security === "tls",
    requireTLS: security === "starttls",
    ignoreTLS: security === "none",
    ...(user !== "" && { auth: { user, pass: password } }),
    greetingTimeout: ANSWER_MS,
    socketTimeout: ANSWER_MS,
    disableFileAccess: true,
    disableUrlAccess: true,
  });
  try {
    const sent = await transport.sendMail({
      ...{ from, to, subject: message.title, text: `${message.text}\n` },
      messageId: `<${id}@sluice>`,
      headers: { "X-Sluice-Message": id },
    });
    return { ok: sent.rejected.length === 0, status: null, answer: hide(sent.response).slice(0, EXCERPT) };
  } catch (thrown) {
    return { ok: false, status: null, answer: hide(refusalOf(thrown)).replaceAll(/\s+/g, " ").slice(0, EXCERPT) };
  } finally {
    signal.removeEventListener("abort", cut);
    transport.close();
    socket.destroy();
  }
}

function base64(text: string): string {
  return text === "" ? "" : Buffer.from(text).toString("base64");
}

/** Matches TLS errors about a certificate that is untrusted, expired or issued for another host. */
const certificateWords = /certificate|altnames/i;

/** The mail server's answer, which may repeat the login, or the connection's error. */
function refusalOf(thrown: unknown): string {
  if (typeof thrown !== "object" || thrown === null) return "";
  const response = "response" in thrown && typeof thrown.response === "string" ? thrown.response : "";
  const message = thrown instanceof Error ? thrown.message : "";
  // After the semicolon Node adds advice about its own command-line options.
  const [reason = ""] = message.split(";");
  const refused = response === "" && certificateWords.test(reason) ? `The mail server's certificate is not accepted: ${reason}` : "";
  // Without STARTTLS the server's own answer would only be "unknown command".
  const said = "code" in thrown && thrown.code === "ETLS" ? message : response || message;
  return refused || said;
}
