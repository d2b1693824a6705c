import { getCACertificates, setDefaultCACertificates } from "node:tls";
import { silentLog } from "@sluice/core/log";
import { createEgress } from "@sluice/egress/egress";
import { sendMail } from "@sluice/services/alerts/send-mail";
import { type MailSink, type MailSinkTls, startMailSink } from "@sluice/testing/mail-sink";
import { makeCertificate } from "@sluice/testing/self-made-certificate";
import { afterAll, afterEach, describe, expect, it } from "vitest";

const login = { user: "sluice", password: "canary-mail-password" };
const egress = createEgress({ allowPrivateHosts: ["127.0.0.1"], log: silentLog });
const trusted = getCACertificates("default");
const sinks: MailSink[] = [];

afterEach(async () => {
  setDefaultCACertificates(trusted);
  for (const sink of sinks.splice(0)) await sink.stop();
});
afterAll(() => egress.close());

async function startSink(tls?: MailSinkTls): Promise<MailSink> {
  const sink = await startMailSink(login, tls);
  sinks.push(sink);
  return sink;
}

const send = (sink: MailSink, security: "tls" | "starttls" | "none", password = login.password) =>
  sendMail(egress, {
    config: {
      ...{ host: "127.0.0.1", port: sink.port, security, user: login.user },
      ...{ from: "sluice@example.test", to: ["on-call@example.test"] },
    },
    ...{ password, id: "0001", message: { title: "[Sluice] Alert", text: "Error rate: now 40 %" } },
    signal: AbortSignal.timeout(15_000),
  });

describe.each(["tls", "starttls"] as const)("mail by %s", (security) => {
  it("arrives at a server whose certificate is trusted", async () => {
    const made = makeCertificate("127.0.0.1");
    const sink = await startSink({ ...made, security });
    setDefaultCACertificates([...trusted, made.cert]);
    expect(await send(sink, security)).toMatchObject({ ok: true });
    expect(sink.received).toEqual([expect.objectContaining({ to: ["on-call@example.test"], source: expect.stringContaining("now 40 %") })]);
  });

  it("is not sent to one that nobody trusts, or that is another's, and the answer says so", async () => {
    const sink = await startSink({ ...makeCertificate("127.0.0.1"), security });
    const refused = "The mail server's certificate is not accepted: ";
    expect(await send(sink, security)).toEqual({ ok: false, status: null, answer: `${refused}self-signed certificate` });
    const anothers = makeCertificate("mail.example.test");
    const other = await startSink({ ...anothers, security });
    setDefaultCACertificates([...trusted, anothers.cert]);
    const { ok, answer } = await send(other, security);
    expect([ok, answer]).toEqual([false, expect.stringMatching(new RegExp(`^${refused}.*127\\.0\\.0\\.1 is not in the cert`))]);
    expect([...sink.received, ...other.received]).toEqual([]);
  });
});

it("neither mail nor password goes in clear to a server without STARTTLS", async () => {
  const sink = await startSink();
  expect(await send(sink, "starttls")).toMatchObject({ ok: false, answer: expect.stringMatching(/STARTTLS|TLS/) });
  expect(sink.received).toEqual([]);
});

it("a server that repeats the password it refuses does not have it shown", async () => {
  const { ok, answer } = await send(await startSink(), "none", "canary-other  password");
  expect([ok, answer]).toEqual([false, expect.stringContaining("wrong login: sluice …")]);
});
