import { hashToken } from "@sluice/db/secrets";
import { createAlertRule, updateAlertRule } from "@sluice/services/alerts/alert-rules";
import { listAudit } from "@sluice/services/audits/list-audit";
import { systemContext } from "@sluice/services/create-services";
import { createKey } from "@sluice/services/keys/create-key";
import { listKeys } from "@sluice/services/keys/list-keys";
import { revokeKey } from "@sluice/services/keys/revoke-key";
import { updateKey } from "@sluice/services/keys/update-key";
import { listLogs } from "@sluice/services/logs/list-logs";
import { listNames } from "@sluice/services/names/list-names";
import { listPrices } from "@sluice/services/prices/list-prices";
import { setPrice } from "@sluice/services/prices/set-price";
import { createProvider } from "@sluice/services/providers/create-provider";
import { deleteProvider } from "@sluice/services/providers/delete-provider";
import { updateProvider } from "@sluice/services/providers/update-provider";
import { listSessions } from "@sluice/services/sessions/list-sessions";
import { getSettings } from "@sluice/services/settings/get-settings";
import { updateSettings } from "@sluice/services/settings/update-settings";
import { compare } from "@sluice/services/statistics/compare";
import { getUsage } from "@sluice/services/statistics/get-usage";
import { withTransaction } from "@sluice/services/transaction";
import { createUser } from "@sluice/services/users/create-user";
import { listUsers } from "@sluice/services/users/list-users";
import { updateUser } from "@sluice/services/users/update-user";
import { until } from "@sluice/testing/deadline";
import { uniqueName } from "@sluice/testing/factories";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startServices, type TestServices } from "./harness.ts";

let world: TestServices;
beforeAll(async () => {
  world = await startServices();
});
afterAll(() => world?.close());

const provider = { dialect: "openai" as const, baseUrl: "https://api.openai.com/v1", secret: "sk-upstream-0123456789" };

describe("keys", () => {
  it("work at once, are shown once and known by their hash only", async () => {
    const admin = await world.as("admin");
    const { key, secret } = await createKey(admin, { userId: admin.userId, name: "laptop", group: "vip", rpm: 10 });
    expect(world.services.snapshot.current().keysBySha256.get(hashToken(secret))).toMatchObject({ id: key.id, group: "vip", rpm: 10 });
    expect(JSON.stringify(key)).not.toContain(secret);
    const { rows } = await world.database.pool.query(
      "SELECT (k.*)::text AS text FROM keys k UNION ALL SELECT (a.*)::text FROM audit_entries a",
    );
    expect(JSON.stringify(rows)).not.toContain(secret);
  });

  it("can be renamed by their owner and nothing more", async () => {
    const [admin, user] = [await world.as("admin"), await world.as("user")];
    const { key } = await createKey(user, { userId: user.userId, name: "mine" });
    expect(await updateKey(user, { id: key.id, name: "still mine" })).toMatchObject({ name: "still mine" });
    await expect(updateKey(user, { id: key.id, rpm: 5 })).rejects.toMatchObject({ code: "forbidden", field: "rpm" });
    expect(await updateKey(admin, { id: key.id, rpm: 5, inFlight: 2, enabled: false, expiresAtMs: 4_000_000_000_000 })).toMatchObject({
      rpm: 5,
      inFlight: 2,
      enabled: false,
      expiresAtMs: 4_000_000_000_000,
    });
    expect(await updateKey(admin, { id: key.id, enabled: true, expiresAtMs: null, rpm: null })).toMatchObject({
      enabled: true,
      expiresAtMs: null,
      rpm: null,
    });
  });

  it("stop working when revoked, and give their name back", async () => {
    const user = await world.as("user");
    const { key, secret } = await createKey(user, { userId: user.userId, name: "old" });
    const revoked = await revokeKey(user, { id: key.id });
    expect(revoked.revokedAtMs).toEqual(expect.any(Number));
    expect(await world.services.snapshot.findKey(hashToken(secret))).toBeNull();
    expect(await revokeKey(user, { id: key.id })).toEqual(revoked);
    await expect(updateKey(user, { id: key.id, name: "again" })).rejects.toMatchObject({ code: "conflict" });
    await expect(createKey(user, { userId: user.userId, name: "old" })).resolves.toBeDefined();
    await expect(createKey(user, { userId: user.userId, name: "old" })).rejects.toMatchObject({ code: "conflict", field: "name" });
  });

  it("are listed page by page", async () => {
    const user = await world.as("user");
    for (const name of ["a", "b", "c"]) await createKey(user, { userId: user.userId, name });
    const first = await listKeys(user, { limit: 2 });
    const second = await listKeys(user, { limit: 2, cursor: first.nextCursor });
    expect([...first.items, ...second.items].map(({ name }) => name)).toEqual(["c", "b", "a"]);
    expect([first.hasMore, second.hasMore, second.nextCursor]).toEqual([true, false, null]);
  });

  it("are announced to their owner's viewers", async () => {
    const user = await world.as("user");
    const events = await world.eventsOf(() => createKey(user, { userId: user.userId, name: "seen" }));
    expect(events).toEqual([expect.objectContaining({ type: "key.changed", userId: user.userId })]);
  });
});

describe("users", () => {
  it("are made once per address, however it is written", async () => {
    const admin = await world.as("admin");
    const name = uniqueName("ada");
    expect(await createUser(admin, { email: `${name}@Example.COM`, name: "Ada" })).toMatchObject({
      email: `${name}@example.com`,
      role: "user",
      hasPassword: false,
    });
    await expect(createUser(admin, { email: `${name.toUpperCase()}@example.com`, name: "Ada" })).rejects.toMatchObject({
      code: "conflict",
    });
    expect((await listUsers(admin, { limit: 1 })).items[0]).toMatchObject({ name: "Ada" });
  });

  it("never remove their own rights, and the last administrator stays", async () => {
    const admin = await world.as("admin");
    await expect(updateUser(admin, { id: admin.userId, role: "user" })).rejects.toMatchObject({ code: "forbidden" });
    await expect(updateUser(admin, { id: admin.userId, enabled: false })).rejects.toMatchObject({ code: "forbidden" });
    await world.database.prisma.user.updateMany({ where: { id: { not: admin.userId } }, data: { role: "user" } });
    const cli = systemContext(world.services, "cli");
    await expect(updateUser(cli, { id: admin.userId, role: "user" })).rejects.toMatchObject({ code: "conflict" });
    const [one, two] = [await world.as("admin"), await world.as("admin")];
    await world.database.prisma.user.update({ where: { id: admin.userId }, data: { role: "user" } });
    const both = await Promise.allSettled([
      updateUser(one, { id: two.userId, role: "user" }),
      updateUser(two, { id: one.userId, role: "user" }),
    ]);
    expect(both.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
  });

  it("are managed by administrators only", async () => {
    const user = await world.as("user");
    await expect(listUsers(user)).rejects.toMatchObject({ code: "forbidden" });
    await expect(createUser(user, { email: "x@example.com", name: "x", role: "admin" })).rejects.toMatchObject({ code: "forbidden" });
    await expect(updateUser(user, { id: user.userId, role: "admin" })).rejects.toMatchObject({ code: "forbidden" });
  });
});

describe("providers", () => {
  it("keep their secret to themselves", async () => {
    const admin = await world.as("admin");
    const made = await createProvider(admin, { ...provider, name: uniqueName("p") });
    expect(made).toMatchObject({ secretTail: "6789", serves: ["chat", "responses", "embeddings"], costMultiplier: "1" });
    expect(JSON.stringify(made)).not.toContain(provider.secret);
    const { rows } = await world.database.pool.query(
      "SELECT (p.*)::text AS text FROM providers p UNION ALL SELECT (a.*)::text FROM audit_entries a",
    );
    expect(JSON.stringify(rows)).not.toContain(provider.secret);
    const config = world.services.snapshot.current().providers.find(({ id }) => id === made.id);
    expect(config && world.services.snapshot.secretOf(config)).toBe(provider.secret);
  });

  it("require the secret again before it goes to another origin", async () => {
    const admin = await world.as("admin");
    const { id } = await createProvider(admin, { ...provider, name: uniqueName("p") });
    await expect(updateProvider(admin, { id, baseUrl: "https://evil.example/v1" })).rejects.toMatchObject({
      code: "invalid_request",
      field: "secret",
    });
    await expect(updateProvider(admin, { id, baseUrl: "http://api.openai.com/v1" })).rejects.toMatchObject({ field: "secret" });
    expect(await updateProvider(admin, { id, baseUrl: "https://api.openai.com/v2" })).toMatchObject({
      baseUrl: "https://api.openai.com/v2",
      secretTail: "6789",
    });
    expect(await updateProvider(admin, { id, baseUrl: "https://other.example/v1", secret: "sk-other-abcdefghijk" })).toMatchObject({
      secretTail: "hijk",
    });
  });

  it("may not have an address that is blocked", async () => {
    const admin = await world.as("admin");
    for (const baseUrl of ["http://10.0.0.1/v1", "http://169.254.169.254", "http://0xa.1:1/", "http://[::ffff:10.0.0.1]/"]) {
      await expect(createProvider(admin, { ...provider, name: uniqueName("p"), baseUrl })).rejects.toMatchObject({
        code: "invalid_request",
        field: "baseUrl",
      });
    }
  });

  it("have unique names, and are gone when deleted", async () => {
    const admin = await world.as("admin");
    const name = uniqueName("p");
    const { id } = await createProvider(admin, { ...provider, name });
    await expect(createProvider(admin, { ...provider, name })).rejects.toMatchObject({ code: "conflict", field: "name" });
    await deleteProvider(admin, { id });
    expect(await world.database.prisma.provider.findUnique({ where: { id } })).toMatchObject({
      deletedAt: expect.any(Date),
      enabled: false,
    });
    expect(world.services.snapshot.current().providers.some((each) => each.id === id)).toBe(false);
    expect((await listNames(admin)).providers).toContainEqual({ id, name });
    await expect(deleteProvider(admin, { id })).rejects.toMatchObject({ code: "not_found" });
    await expect(updateProvider(admin, { id, weight: 2 })).rejects.toMatchObject({ code: "not_found" });
    await expect(createProvider(admin, { ...provider, name })).resolves.toBeDefined();
  });
});

describe("prices", () => {
  it("are versions: what was billed keeps its own", async () => {
    const admin = await world.as("admin");
    const model = uniqueName("model");
    const first = await setPrice(admin, { model, inputPerMTok: "3", outputPerMTok: "15" });
    expect(await setPrice(admin, { model, inputPerMTok: "3.00", outputPerMTok: "15" })).toEqual(first);
    const second = await setPrice(admin, { model, inputPerMTok: "4", outputPerMTok: "15", cacheReadPerMTok: "0.4" });
    expect(second).toMatchObject({ source: "console", cacheReadPerMTok: "0.4" });
    expect((await listPrices(admin)).filter((price) => price.model === model)).toEqual([second]);
    expect(await world.database.prisma.price.count({ where: { model } })).toBe(2);
    expect(world.services.snapshot.current().prices.get(model)).toMatchObject({ id: second.id });
  });
});

describe("settings", () => {
  it("refuse what they do not know and what does not fit", async () => {
    const admin = await world.as("admin");
    await expect(updateSettings(admin, { "no.such": 1 } as never)).rejects.toMatchObject({ code: "invalid_request", field: "no.such" });
    await expect(updateSettings(admin, { "time.zone": "Mars/Olympus" })).rejects.toMatchObject({
      code: "invalid_request",
      field: "time.zone",
    });
    expect(await getSettings(admin)).toMatchObject({ "time.zone": "UTC" });
  });

  it("tell viewers which changed", async () => {
    const admin = await world.as("admin");
    const events = await world.eventsOf(() => updateSettings(admin, { "routing.maxAttempts": 4, "breaker.failures": 5 }));
    expect(events).toContainEqual({ type: "settings.changed", names: ["routing.maxAttempts"] });
  });
});

describe("a transaction that fails", () => {
  it("leaves no row, no audit, no version and no event", async () => {
    const admin = await world.as("admin");
    const name = uniqueName("p");
    const audits = await world.database.prisma.auditEntry.count();
    const { version } = world.services.snapshot.current();
    const failing = withTransaction(admin, async (ctx) => {
      await createProvider(ctx, { ...provider, name });
      throw new Error("after all");
    });
    const events = await world.eventsOf(() => expect(failing).rejects.toThrow("after all"));
    expect(events).toEqual([]);
    expect(await world.database.prisma.provider.count({ where: { name } })).toBe(0);
    expect(await world.database.prisma.auditEntry.count()).toBe(audits);
    await world.services.snapshot.refresh();
    expect(world.services.snapshot.current().version).toBe(version);
  });
});

describe("sessions", () => {
  it("are each user's own, without the provider", async () => {
    const [user, other] = [await world.as("user"), await world.as("user")];
    const id = world.live.sessions.idOf("key-1", "conversation-1");
    world.live.sessions.began({ id, userId: user.userId, keyId: "key-1", providerId: "p-1", model: "m", client: "", dialect: "openai" });
    await until(async () => (await listSessions(user)).rows.length > 0, { what: "the session is listed" });
    expect((await listSessions(user)).rows).toEqual([expect.objectContaining({ id, providerId: "" })]);
    expect((await listSessions(other)).rows).toEqual([]);
    expect((await listSessions(await world.as("admin"))).rows).toEqual([expect.objectContaining({ id, providerId: "p-1" })]);
  });
});

describe("an id in capitals", () => {
  it("is the same id in filters, too, and in what an alert looks at", async () => {
    const admin = await world.as("admin");
    const { key } = await createKey(admin, { userId: admin.userId, name: "capitals" });
    await world.settle({ userId: admin.userId, keyId: key.id, costNanoUsd: "5" });
    const [keyId, userId] = [key.id.toUpperCase(), admin.userId.toUpperCase()];
    expect((await listLogs(admin, { filter: { keyId, userId } })).items).toHaveLength(1);
    expect((await listLogs(admin, { filter: { userId, notKeyId: [keyId] } })).items).toEqual([]);
    expect((await getUsage(admin, { filter: { keyId } })).totals.requests).toBe(1);
    const compared = await compare(admin, { by: "key", ids: [keyId, admin.userId] });
    expect(compared.entries[0]).toMatchObject({ failed: false, totals: { requests: 1 } });
    const audited = await listAudit(admin, { filter: { actorId: userId, targetId: keyId, action: "key.create" } });
    expect(audited.items).toHaveLength(1);
    const rule = { kind: "budget" as const, name: "capitals", scope: "key" as const };
    const { id, scopeId } = await createAlertRule(admin, { ...rule, scopeId: keyId });
    expect([scopeId, (await updateAlertRule(admin, { id, scopeId: keyId })).scopeId]).toEqual([key.id, key.id]);
  });
});
