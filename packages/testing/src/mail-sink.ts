import type { AddressInfo } from "node:net";
import { SMTPServer } from "smtp-server";
import type { SelfMadeCertificate } from "./self-made-certificate.ts";

export interface MailReceived {
  from: string;
  to: string[];
  /** Headers and body as received. */
  source: string;
}

/** A mail server on a free port that stores every message it receives. */
export interface MailSink {
  port: number;
  received: MailReceived[];
  stop(): Promise<void>;
}

export interface MailSinkTls extends SelfMadeCertificate {
  /** tls: from the first byte; starttls: offered, and required for a login. */
  security: "tls" | "starttls";
}

/** Starts a mail server, unencrypted without `tls`; with `login` it requires that login and repeats a wrong one in its answer. */
export async function startMailSink(login?: { user: string; password: string }, tls?: MailSinkTls): Promise<MailSink> {
  const received: MailReceived[] = [];
  const server = new SMTPServer({
    ...(tls && { key: tls.key, cert: tls.cert, secure: tls.security === "tls" }),
    disabledCommands: tls?.security === "starttls" ? [] : ["STARTTLS"],
    allowInsecureAuth: !tls,
    authOptional: login === undefined,
    onAuth: ({ username, password }, _session, done) =>
      username === login?.user && password === login?.password
        ? done(null, { user: username })
        : done(new Error(`wrong login: ${username} ${password}`)),
    onData(stream, { envelope }, done) {
      const chunks: Buffer[] = [];
      stream.on("data", (chunk: Buffer) => chunks.push(chunk));
      stream.on("end", () => {
        const from = envelope.mailFrom === false ? "" : envelope.mailFrom.address;
        received.push({ from, to: envelope.rcptTo.map(({ address }) => address), source: Buffer.concat(chunks).toString("utf8") });
        done();
      });
    },
  });
  server.on("error", () => undefined);
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  return {
    port: (server.server.address() as AddressInfo).port,
    received,
    stop: () => new Promise((closed) => server.close(closed)),
  };
}
