import { hashToken } from "@sluice/db/secrets";
import { applyConfig } from "@sluice/services/config/apply-config";
import { systemContext } from "@sluice/services/create-services";
import { createKey } from "@sluice/services/keys/create-key";
import { revokeKey } from "@sluice/services/keys/revoke-key";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startServices, type TestServices } from "./harness.ts";

let world: TestServices;
beforeAll(async () => {
  world = await startServices();
});
afterAll(() => world?.close());

const environment = {
  UPSTREAM_KEY: "sk-upstream-0123456789",
  SPARE_KEY: "sk-spare-0123456789",
  PROXY_URL: "socks5://me:secret@proxy.example.com",
};
const file = `
providers:
  - name: main
    dialect: anthropic
    baseUrl: https://api.anthropic.com
    secret: { env: UPSTREAM_KEY }
    models: [claude-a]
    costMultiplier: 0.8
    modelRedirects: { claude-b: claude-a, "claude-*": claude-c }
    schedule: { windows: [{ from: "00:00", to: "00:00" }] }
    timeouts: { totalMs: 60000 }
    credentials: [{ label: spare, secret: { env: SPARE_KEY } }]
    headers: { X-Team: blue }
    proxy: { env: PROXY_URL }
users:
  - email: ada@example.com
    role: admin
    keys:
      - { name: fixed, key: sk-fixed-for-tests-only, rpm: 60, policies: { models: ["claude-*"], addresses: [10.0.0.0/8] } }
prices:
  - { model: claude-a, inputPerMTok: 3, outputPerMTok: 15 }
settings:
  sessions.activeWindowSeconds: 60
`;
const apply = (text: string, options = {}) => applyConfig(systemContext(world.services, "config"), text, environment, options);

describe("applying a configuration file", () => {
  it("creates what it describes, in force at once", async () => {
    const { created, updated } = await apply(file);
    expect(created).toEqual(["provider main", "user ada@example.com", "key fixed of ada@example.com", "price claude-a"]);
    expect(updated).toEqual(["settings (sessions.activeWindowSeconds)"]);
    const config = world.services.snapshot.current();
    expect(config.settings["sessions.activeWindowSeconds"]).toBe(60);
    expect(config.keysBySha256.get(hashToken("sk-fixed-for-tests-only"))).toMatchObject({
      rpm: 60,
      policies: { models: ["claude-*"], addresses: ["10.0.0.0/8"] },
    });
    const [provider] = config.providers;
    expect(provider && world.services.snapshot.secretOf(provider)).toBe(environment.UPSTREAM_KEY);
    expect(provider && world.services.snapshot.secretOf(provider, provider.credentials?.[0])).toBe(environment.SPARE_KEY);
    expect(provider && world.services.snapshot.proxyOf(provider)).toBe(environment.PROXY_URL);
  });

  it("does nothing the second time, not even raise the version", async () => {
    const { version } = world.services.snapshot.current();
    const audits = await world.database.prisma.auditEntry.count();
    expect(await apply(file)).toEqual({ created: [], updated: [], unchanged: 4, notes: [], secrets: [] });
    await world.services.snapshot.refresh();
    expect(world.services.snapshot.current().version).toBe(version);
    expect(await world.database.prisma.auditEntry.count()).toBe(audits);
  });

  it("changes what differs and leaves what it does not mention", async () => {
    const admin = systemContext(world.services, "cli");
    const user = await world.database.prisma.user.findFirstOrThrow({ where: { email: "ada@example.com" } });
    await createKey(admin, { userId: user.id, name: "from the console" });
    const changed = file
      .replace("costMultiplier: 0.8", "costMultiplier: 0.90\n    weight: 3")
      .replace("rpm: 60", "rpm: 30")
      .replace("role: admin\n", "role: admin\n    name: Ada\n");
    expect((await apply(changed)).updated).toEqual([
      "provider main (weight, costMultiplier)",
      "user ada@example.com (name)",
      "key fixed of ada@example.com (rpm)",
    ]);
    expect(await world.database.prisma.key.count({ where: { userId: user.id, revokedAt: null } })).toBe(2);
    expect((await apply(changed)).updated).toEqual([]);
  });

  it("moves a provider to another origin with the secret it contains", async () => {
    const moved = file.replace("https://api.anthropic.com", "https://proxy.example");
    expect((await apply(moved)).updated).toContainEqual(expect.stringMatching(/^provider main \(baseUrl/));
  });

  it.each([
    ["a variable without value", file.replace("UPSTREAM_KEY", "NOT_THERE"), /^line 6: providers\[0\]\.secret: .*NOT_THERE$/],
    ["an address nobody may call", file.replace("https://api.anthropic.com", "http://10.0.0.1"), /^line 5: providers\[0\]\.baseUrl: /],
    ["another dialect", file.replace("dialect: anthropic", "dialect: gemini"), /^line 4: providers\[0\]\.dialect: /],
    [
      "another secret for a key",
      file.replace("sk-fixed-for-tests-only", "sk-another-fixed-key-of-us"),
      /^line 19: users\[0\]\.keys\[0\]\.key: /,
    ],
    [
      "a setting out of bounds",
      file.replace("activeWindowSeconds: 60", "activeWindowSeconds: 0"),
      /^line 23: settings\.sessions\.activeWindowSeconds: /,
    ],
  ])("refuses %s by line and field, and changes nothing", async (_, text, problem) => {
    const { version } = world.services.snapshot.current();
    await expect(apply(text)).rejects.toMatchObject({ problems: [expect.stringMatching(problem)] });
    await world.services.snapshot.refresh();
    expect(world.services.snapshot.current().version).toBe(version);
  });

  it("says how a user pays, in force at once; left out it stays as it is", async () => {
    const text = "users:\n  - email: payer@example.com\n    billing: prepaid\n";
    const billing = async (): Promise<string | undefined> => {
      const { id } = await world.database.prisma.user.findFirstOrThrow({ where: { email: "payer@example.com" } });
      return world.services.snapshot.current().users.get(id)?.billing;
    };
    expect((await apply(text)).created).toEqual(["user payer@example.com"]);
    expect(await billing()).toBe("prepaid");
    expect(await apply(text)).toMatchObject({ created: [], updated: [], unchanged: 1 });
    expect((await apply(text.replace("prepaid", "both"))).updated).toEqual(["user payer@example.com (billing)"]);
    expect(await billing()).toBe("both");
    expect(await apply("users:\n  - email: payer@example.com\n")).toMatchObject({ updated: [], unchanged: 1 });
    expect(await billing()).toBe("both");
    const wrong = text.replace("prepaid", "monthly");
    await expect(apply(wrong)).rejects.toMatchObject({ problems: [expect.stringMatching(/^line 3: users\[0\]\.billing: /)] });
  });

  it("sets alerts up: channels whose secrets open, rules that name them and what they watch; twice the same changes nothing", async () => {
    const { prisma } = world.database;
    const alerting = `
alerts:
  channels:
    - { name: ops, kind: webhook, config: { url: { env: HOOK_URL } }, secret: { env: SIGNING } }
    - name: mail
      kind: email
      language: zh-CN
      config: { host: mail.example.com, port: 465, security: tls, user: me, from: a@example.com, to: [b@example.com] }
      secret: { env: PASSWORD }
  rules:
    - { name: failing, kind: error_rate, threshold: 12.5, scope: provider, scopeName: main, channels: [mail, ops] }
    - { name: spent, kind: cost, scope: key, scopeName: ada@example.com/fixed }
`;
    const secrets = {
      SIGNING: `whsec_${Buffer.alloc(32, 7).toString("base64")}`,
      PASSWORD: "mail-secret",
      HOOK_URL: "https://hooks.example.com/T0/B1",
    };
    const applyAlerts = (text: string) => applyConfig(systemContext(world.services, "config"), text, secrets);
    expect((await applyAlerts(alerting)).created).toEqual([
      ...["alert channel ops", "alert channel mail"],
      ...["alert rule failing", "alert rule spent"],
    ]);
    const channels = new Map((await prisma.alertChannel.findMany()).map((row) => [row.name, row]));
    const opened = ["ops", "mail"].map((name) => {
      const { id = "", secret = "" } = channels.get(name) ?? {};
      return world.services.channelSecrets.decrypt(secret, id);
    });
    expect(opened).toEqual([secrets.SIGNING, secrets.PASSWORD]);
    expect(channels.get("ops")?.config).toEqual({ url: secrets.HOOK_URL });
    const provider = await prisma.provider.findFirstOrThrow({ where: { name: "main" } });
    const key = await prisma.key.findFirstOrThrow({ where: { name: "fixed" } });
    const rule = (name: string) => prisma.alertRule.findFirstOrThrow({ where: { name } });
    expect(await rule("failing")).toMatchObject({
      ...{ scope: "provider", scopeId: provider.id, severity: "warning", minimumRequests: 20 },
      channelIds: [channels.get("mail")?.id, channels.get("ops")?.id],
    });
    expect(await rule("spent")).toMatchObject({ scope: "key", scopeId: key.id, channelIds: [] });

    await world.services.snapshot.refresh();
    const { version } = world.services.snapshot.current();
    expect(await applyAlerts(alerting)).toMatchObject({ created: [], updated: [], unchanged: 4 });
    await world.services.snapshot.refresh();
    expect(world.services.snapshot.current().version).toBe(version);

    const changed = alerting.replace("12.5", "20").replace("mail.example.com", "smtp.example.com").replace("[mail, ops]", "[ops]");
    secrets.SIGNING = `whsec_${Buffer.alloc(32, 8).toString("base64")}`;
    expect((await applyAlerts(changed)).updated).toEqual([
      ...["alert channel ops (secret)", "alert channel mail (config)"],
      "alert rule failing (threshold, channelIds)",
    ]);
    expect((await applyAlerts(changed)).updated).toEqual([]);
    secrets.HOOK_URL = "https://hooks.example.com/T0/B2";
    expect((await applyAlerts(changed)).updated).toEqual(["alert channel ops (config)"]);
  });

  it.each([
    ["a channel that is not there", "{ name: a, kind: cost, channels: [gone] }", /^line 3: alerts\.rules\[0\]\.channels: .*gone/],
    [
      "a provider that is not there",
      "{ name: a, kind: cost, scope: provider, scopeName: gone }",
      /^line 3: .*\.scopeName: There is no provider/,
    ],
    [
      "a scope without its name",
      "{ name: a, kind: cost, scope: user }",
      /^line 3: alerts\.rules\[0\]\.scopeName: Name one with this scope/,
    ],
    ["a scope that the kind has not", "{ name: a, kind: spool_depth, scope: model, scopeName: x }", /^line 3: alerts\.rules\[0\]\.scope: /],
    ["a rule of another kind by now", "{ name: spent, kind: ttft }", /^line 3: alerts\.rules\[0\]\.kind: /],
    ["an unknown field", "{ name: a, kind: cost, treshold: 3 }", /^line 3: alerts\.rules\[0\]\.treshold: unknown field/],
  ])("refuses an alert rule with %s by line and field", async (_, rule, problem) => {
    const count = () => world.database.prisma.alertRule.count();
    const before = await count();
    await expect(apply(`alerts:\n  rules:\n    - ${rule}\n`)).rejects.toMatchObject({ problems: [expect.stringMatching(problem)] });
    expect(await count()).toBe(before);
  });

  it.each([
    ["a variable without value", "config: { url: https://hooks.example.com }, secret: { env: NOT_THERE }", /\.secret: .*NOT_THERE$/],
    [
      "an address in a variable without value",
      "config: { url: { env: NOT_THERE } }, secret: whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
      /^line 3: alerts\.channels\[0\]\.config\.url: .*NOT_THERE$/,
    ],
    ["no secret to sign with", "config: { url: https://hooks.example.com }", /\.secret: /],
    ["an address nobody may call", "config: { url: http://10.0.0.1 }, secret: whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", /\.config\.url: /],
  ])("refuses an alert channel with %s", async (_, rest, problem) => {
    const text = `alerts:\n  channels:\n    - { name: a, kind: webhook, ${rest} }\n`;
    await expect(apply(text)).rejects.toMatchObject({ problems: [expect.stringMatching(problem)] });
  });

  it("creates keys without a fixed secret only where somebody reads them", async () => {
    const text = "users:\n  - email: bob@example.com\n    keys: [{ name: made }]\n";
    expect(await apply(text)).toMatchObject({
      created: ["user bob@example.com"],
      notes: [expect.stringContaining("config apply")],
      secrets: [],
    });
    const { secrets } = await apply(text, { showsSecrets: true });
    expect(secrets).toEqual([{ user: "bob@example.com", key: "made", secret: expect.stringMatching(/^sk-sluice-/) }]);
    expect(await apply(text, { showsSecrets: true })).toMatchObject({ created: [], secrets: [] });
  });

  it("does not bring back a key that was revoked", async () => {
    const key = await world.database.prisma.key.findFirstOrThrow({ where: { name: "fixed" } });
    await revokeKey(systemContext(world.services, "cli"), { id: key.id });
    expect((await apply(file)).notes).toEqual(["key fixed of ada@example.com was revoked and stays revoked"]);
    expect(world.services.snapshot.current().keysBySha256.has(hashToken("sk-fixed-for-tests-only"))).toBe(false);
  });
});
