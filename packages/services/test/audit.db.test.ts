import { newId } from "@sluice/core/ids";
import { auditDenied } from "@sluice/services/audits/audit-denied";
import { listAudit } from "@sluice/services/audits/list-audit";
import { applyConfig } from "@sluice/services/config/apply-config";
import { systemContext } from "@sluice/services/create-services";
import { createKey } from "@sluice/services/keys/create-key";
import { createProvider } from "@sluice/services/providers/create-provider";
import { updateProvider } from "@sluice/services/providers/update-provider";
import { createUser } from "@sluice/services/users/create-user";
import { updateUser } from "@sluice/services/users/update-user";
import { until } from "@sluice/testing/deadline";
import { uniqueName } from "@sluice/testing/factories";
import { beforeAll, describe, expect, it } from "vitest";
import { startServices, type TestServices } from "./harness.ts";

let world: TestServices;
beforeAll(async () => {
  world = await startServices();
  return () => world.close();
});

const provider = { dialect: "openai" as const, baseUrl: "https://api.openai.com/v1" };

describe("the audit", () => {
  it("says who did what to what, from where, with what was before and after, and never a secret", async () => {
    const admin = { ...(await world.as("admin")), ip: "192.0.2.7", requestId: newId() };
    const canaries = ["sk-canary-of-a-provider-0001", "sk-canary-of-a-provider-0002", "a canary password", "another canary password"];
    const [first, second, password, changed] = canaries as [string, string, string, string];
    const made = await createProvider(admin, { ...provider, name: uniqueName("audited"), secret: first });
    await updateProvider(admin, { id: made.id, priority: 7, secret: second });
    const user = await createUser(admin, { email: `${uniqueName("audited")}@example.test`, name: "Audited", password });
    await updateUser(admin, { id: user.id, password: changed });
    const { secret } = await createKey(admin, { userId: user.id, name: "audited" });
    await applyConfig(
      systemContext(world.services, "config"),
      `providers: [{ name: ${uniqueName("file")}, dialect: openai, baseUrl: https://api.openai.com/v1, secret: sk-canary-of-the-file-0003 }]
users: [{ email: ${uniqueName("file")}@example.test, keys: [{ name: fixed, key: sk-canary-fixed-key-0004 }] }]`,
    );

    const { items } = await listAudit(admin, { limit: 200 });
    expect(items.find(({ action }) => action === "provider.update")).toMatchObject({
      actor: { kind: "user", id: admin.userId, email: expect.stringContaining("@") },
      outcome: "done",
      targetKind: "provider",
      targetId: made.id,
      before: { priority: 0 },
      after: { priority: 7, secretChanged: true },
      ip: "192.0.2.7",
      requestId: admin.requestId,
      atMs: expect.any(Number),
    });
    expect(items.some(({ actor }) => actor.kind === "config")).toBe(true);
    const text = JSON.stringify(items);
    for (const canary of [...canaries, secret, "sk-canary-of-the-file-0003", "sk-canary-fixed-key-0004"])
      expect(text).not.toContain(canary);
  });

  it("is read in pages, each entry once, and filtered by who, what, which and when", async () => {
    const [one, other] = [await world.as("admin"), await world.as("admin")];
    for (const name of ["a", "b", "c", "d", "e"]) await createKey(one, { userId: one.userId, name });
    const { key } = await createKey(other, { userId: other.userId, name: "theirs" });
    const ids: string[] = [];
    for (let cursor: string | null = null, more = true; more; ) {
      const page = await listAudit(one, { limit: 2, cursor, filter: { actorId: one.userId } });
      ids.push(...page.items.map(({ id }) => id));
      cursor = page.nextCursor;
      more = page.hasMore;
    }
    expect(ids).toHaveLength(5);
    expect([...ids].sort().reverse()).toEqual(ids);
    expect(new Set(ids).size).toBe(5);

    const count = async (filter: NonNullable<Parameters<typeof listAudit>[1]>["filter"]) =>
      (await listAudit(one, { filter, limit: 200 })).items.length;
    expect(await count({ targetKind: "key", targetId: key.id })).toBe(1);
    expect(await count({ actorId: one.userId, action: "key.create" })).toBe(5);
    expect(await count({ actorId: one.userId, action: "key.revoke" })).toBe(0);
    expect(await count({ actorId: one.userId, fromMs: Date.now() - 60_000, toMs: Date.now() })).toBe(5);
    expect(await count({ actorId: one.userId, toMs: Date.now() - 60_000 })).toBe(0);
    await expect(listAudit(await world.as("user"), {})).rejects.toMatchObject({ code: "forbidden" });
  });

  it("notes what was denied, once a minute for the same attempt", async () => {
    const [admin, user] = [await world.as("admin"), await world.as("user")];
    for (let times = 0; times < 3; times++) auditDenied(user, "users.create");
    auditDenied(user, "settings.update");
    const denied = async () => (await listAudit(admin, { filter: { actorId: user.userId, outcome: "denied" }, limit: 200 })).items;
    await until(async () => (await denied()).length === 2, { what: "both attempts are there" });
    expect((await denied()).map(({ action, targetKind }) => [action, targetKind]).sort()).toEqual([
      ["settings.update", "access"],
      ["users.create", "access"],
    ]);
    for (let n = 0; n < 100; n++) auditDenied(user, `flood.${n}`);
    await until(async () => (await denied()).length > 50, { what: "some of the flood" });
    expect((await world.database.prisma.auditEntry.count({ where: { outcome: "denied" } })) <= 60).toBe(true);
  });
});
