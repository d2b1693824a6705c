import { silentLog } from "@sluice/core/log";
import { createEgress } from "@sluice/egress/egress";
import { createAlertChannel, deleteAlertChannel, testAlertChannel, updateAlertChannel } from "@sluice/services/alerts/alert-channels";
import { createAlertRule, listAlertRules } from "@sluice/services/alerts/alert-rules";
import type { Ctx } from "@sluice/services/context";
import { type MailSink, startMailSink } from "@sluice/testing/mail-sink";
import { startWebhookSink, type WebhookSink } from "@sluice/testing/webhook-sink";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { alertRule, emailTo, webhookTo } from "./alert-inputs.ts";
import { startServices, type TestServices } from "./harness.ts";

let test: TestServices;
let hook: WebhookSink;
let mail: MailSink;
let admin: Ctx & { userId: string };

beforeAll(async () => {
  [test, hook, mail] = await Promise.all([startServices(), startWebhookSink(), startMailSink({ user: "sluice", password: "mail-secret" })]);
  admin = await test.as("admin");
});
afterAll(async () => {
  await Promise.all([test?.close(), hook?.stop(), mail?.stop()]);
});
afterEach(async () => {
  hook.received.length = 0;
  mail.received.length = 0;
  hook.answers(200);
  await test.database.pool.query("TRUNCATE alert_rules, alert_channels CASCADE");
});

const webhook = () => createAlertChannel(admin, webhookTo(hook.url));
const email = (login?: Parameters<typeof emailTo>[1]) => createAlertChannel(admin, emailTo(mail.port, login));
const rule = (...fields: Parameters<typeof alertRule>) => createAlertRule(admin, alertRule(...fields));

describe("an alert channel", () => {
  it("is tried with a message, and its answer is shown", async () => {
    const { channel } = await webhook();
    expect(await testAlertChannel(admin, { id: channel.id })).toEqual({ ok: true, status: 200, answer: "taken" });
    hook.answers(500);
    expect(await testAlertChannel(admin, { id: channel.id })).toEqual({ ok: false, status: 500, answer: "not now" });
    const { channel: mailbox } = await email();
    expect(await testAlertChannel(admin, { id: mailbox.id })).toMatchObject({ ok: true });
    await updateAlertChannel(admin, { id: mailbox.id, kind: "email", secret: "wrong" });
    expect(await testAlertChannel(admin, { id: mailbox.id })).toMatchObject({ ok: false, answer: expect.stringContaining("535") });
    expect(mail.received).toHaveLength(1);
  });

  it("may not lead to a private address unless it was allowed, by webhook or by mail, whatever its name resolves to", async () => {
    const closed = { ...admin, egress: createEgress({ allowPrivateHosts: [], log: silentLog }) };
    const config = { host: "127.0.0.1", port: 25, security: "none" as const, user: "", from: "a@example.test", to: ["b@example.test"] };
    await expect(createAlertChannel(closed, { kind: "webhook", name: "x", config: { url: hook.url } })).rejects.toMatchObject({
      field: "config.url",
    });
    await expect(createAlertChannel(closed, { kind: "email", name: "x", config })).rejects.toMatchObject({ field: "config.host" });
    const { channel } = await email();
    expect(await testAlertChannel(closed, { id: channel.id })).toMatchObject({
      ok: false,
      answer: "The address cannot be reached.",
    });
    expect(mail.received).toHaveLength(0);
    await closed.egress.close();
  });

  it("keeps its secret to itself, and does not take a password along to another host", async () => {
    const { channel } = await email({ password: "canary-password" });
    expect(JSON.stringify(channel)).not.toContain("canary-password");
    const { rows } = await test.database.pool.query<{ secret: string; audited: string }>(
      "SELECT c.secret, (SELECT string_agg(a.after::text, ' ') FROM audit_entries a WHERE a.target_id = c.id::text) AS audited FROM alert_channels c",
    );
    expect(rows[0]?.secret).toMatch(/^v1:/);
    expect(rows[0]?.audited).not.toContain("canary-password");
    if (channel.kind !== "email") throw new Error("not a mailbox");
    const moved = { id: channel.id, kind: "email" as const, config: { ...channel.config, port: 1 } };
    await expect(updateAlertChannel(admin, moved)).rejects.toMatchObject({ field: "secret" });
  });

  it("is taken out of the rules that name it when it goes", async () => {
    const { channel } = await webhook();
    await rule("cost", { channelIds: [channel.id] });
    await deleteAlertChannel(admin, { id: channel.id });
    expect((await listAlertRules(admin))[0]?.channelIds).toEqual([]);
  });
});

describe("a rule", () => {
  it("that makes no sense is refused with its field", async () => {
    await expect(rule("spool_depth", { scope: "key", scopeId: crypto.randomUUID() })).rejects.toMatchObject({ field: "scope" });
    await expect(rule("error_rate", { threshold: 101 })).rejects.toMatchObject({ field: "threshold" });
    await expect(rule("error_rate", { channelIds: [crypto.randomUUID()] })).rejects.toMatchObject({ field: "channelIds" });
    await expect(rule("error_rate", { windowMinutes: 7 })).rejects.toMatchObject({ field: "windowMinutes" });
    await rule("error_rate");
    await expect(rule("error_rate")).rejects.toMatchObject({ code: "conflict" });
  });
});
