import { hashToken } from "@sluice/db/secrets";
import type { Ctx } from "@sluice/services/context";
import { contextOf } from "@sluice/services/create-services";
import { checkKey } from "@sluice/services/keys/check-key";
import { createKey } from "@sluice/services/keys/create-key";
import { getKeyLimits } from "@sluice/services/keys/get-key-limits";
import { revokeKey } from "@sluice/services/keys/revoke-key";
import { rotateKey } from "@sluice/services/keys/rotate-key";
import { updateKey } from "@sluice/services/keys/update-key";
import { createLogin } from "@sluice/services/logins/create-login";
import { hashPassword, verifyPassword } from "@sluice/services/logins/password";
import { startValidity } from "@sluice/services/policies/start-validity";
import { simulateRouting } from "@sluice/services/providers/simulate-routing";
import { withTransaction } from "@sluice/services/transaction";
import { changePassword } from "@sluice/services/users/change-password";
import { deleteUser } from "@sluice/services/users/delete-user";
import { updateUser } from "@sluice/services/users/update-user";
import { makeKey, makeLogin, makePrice, makeProvider, makeRequestRow, makeUser, uniqueName } from "@sluice/testing/factories";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startServices, type TestServices } from "./harness.ts";

let world: TestServices;
let admin: Ctx & { userId: string };
let user: Ctx & { userId: string };
beforeAll(async () => {
  world = await startServices();
  admin = await world.as("admin");
  user = await world.as("user");
});
afterAll(() => world?.close());

const known = (secret: string) => world.services.snapshot.current().keysBySha256.get(hashToken(secret));

describe("a rotated key", () => {
  it("is the same key by both secrets until the overlap is over, and then by the new one", async () => {
    const { key, secret } = await createKey(user, { userId: user.userId, name: uniqueName("k") });
    const before = Date.now();
    const rotated = await rotateKey(user, { id: key.id, overlapSeconds: 3_600 });
    expect(rotated.key).toMatchObject({ id: key.id, name: key.name });
    expect(rotated.secret).not.toBe(secret);
    expect(rotated.key.preview).not.toBe(key.preview);
    expect(known(rotated.secret)).toMatchObject({ id: key.id, expiresAtMs: null });
    const old = known(secret);
    expect(old).toMatchObject({ id: key.id, userId: user.userId });
    expect(old?.expiresAtMs).toBeGreaterThanOrEqual(before + 3_600_000);
    expect(old?.expiresAtMs).toBe(rotated.key.previousValidUntilMs);
  });

  it("may end the overlap early, and a further rotation ends the secret before the last", async () => {
    const { key, secret: first } = await createKey(user, { userId: user.userId, name: uniqueName("k") });
    const { secret: second } = await rotateKey(user, { id: key.id, overlapSeconds: 60 });
    await updateKey(user, { id: key.id, endPrevious: true });
    expect(known(first)?.expiresAtMs).toBeLessThanOrEqual(Date.now());
    expect(known(second)?.expiresAtMs).toBeNull();
    await rotateKey(user, { id: key.id });
    expect(known(first)).toBeUndefined();
    expect(known(second)?.expiresAtMs).toBeLessThanOrEqual(Date.now());
  });

  it("never outlives the key: its own expiry and its end count for both secrets", async () => {
    const expiresAtMs = Date.now() + 60_000;
    const { key, secret } = await createKey(admin, { userId: user.userId, name: uniqueName("k"), expiresAtMs });
    const rotated = await rotateKey(admin, { id: key.id, overlapSeconds: 3_600 });
    expect(known(secret)?.expiresAtMs).toBe(expiresAtMs);
    await revokeKey(admin, { id: key.id });
    expect(known(secret)).toBeUndefined();
    expect(known(rotated.secret)).toBeUndefined();
    await expect(rotateKey(admin, { id: key.id })).rejects.toMatchObject({ code: "conflict" });
  });

  it("is its owner's to rotate, announced and audited without either secret", async () => {
    const { key, secret } = await createKey(admin, { userId: admin.userId, name: uniqueName("k") });
    await expect(rotateKey(user, { id: key.id })).rejects.toMatchObject({ code: "not_found" });
    let rotated = "";
    const events = await world.eventsOf(async () => {
      rotated = (await rotateKey(admin, { id: key.id })).secret;
    });
    expect(events).toContainEqual({ type: "key.changed", id: key.id, userId: admin.userId });
    const entry = await world.database.prisma.auditEntry.findFirstOrThrow({ where: { targetId: key.id, action: "key.rotate" } });
    for (const hidden of [secret, rotated, hashToken(secret), hashToken(rotated)]) expect(JSON.stringify(entry)).not.toContain(hidden);
  });

  it("rotated twice concurrently, replaces its old secrets one after the other", async () => {
    const { key, secret } = await createKey(user, { userId: user.userId, name: uniqueName("k") });
    const both = await Promise.all([1, 2].map(() => rotateKey(user, { id: key.id, overlapSeconds: 60 })));
    const stored = await world.database.prisma.key.findUniqueOrThrow({ where: { id: key.id } });
    const hashes = both.map((rotation) => hashToken(rotation.secret));
    expect(hashes).toEqual(expect.arrayContaining([stored.sha256, stored.previousSha256]));
    expect(stored.previousSha256).not.toBe(hashToken(secret));
  });
});

describe("a key that is being revoked", () => {
  it("gives up its name permanently: a change that began before it comes too late", async () => {
    const { key } = await createKey(user, { userId: user.userId, name: uniqueName("k") });
    const revoked = Promise.withResolvers<void>();
    const commits = Promise.withResolvers<void>();
    const revoking = withTransaction(user, async (user) => {
      await revokeKey(user, { id: key.id });
      revoked.resolve();
      await commits.promise;
    });
    await revoked.promise;
    const late = updateKey(user, { id: key.id, name: key.name, tags: ["late"] });
    void late.catch(() => undefined);
    await new Promise((resolve) => setTimeout(resolve, 300));
    commits.resolve();
    await revoking;
    await expect(late).rejects.toMatchObject({ code: "conflict", message: "This key was revoked." });
    expect(await createKey(user, { userId: user.userId, name: key.name })).toMatchObject({ key: { name: key.name } });
  });
});

/** A request by one key with limits. */
function keyAsk(requestId: string, { keyId, ...values }: { keyId: string; rpm: number | null; inFlight: number | null }) {
  const owners = [{ owner: "key" as const, id: keyId, values }];
  return { requestId, startedAtMs: Date.now(), tokens: 0, costNanoUsd: 0, owners };
}

describe("the limits of a key", () => {
  it("name their value, their owner and what is used of them now", async () => {
    const { key } = await createKey(admin, { userId: user.userId, name: uniqueName("k"), rpm: 2, inFlight: 5 });
    const take = async (id: string) => world.admission.admit(keyAsk(id, { keyId: key.id, rpm: key.rpm, inFlight: key.inFlight }));
    await take("r1");
    await take("r2");
    world.admission.release("r1");
    const { limits, owners } = await getKeyLimits(user, { id: key.id });
    expect(limits).toEqual([
      { limit: "in_flight", value: 5, owner: 0 },
      { limit: "rpm", value: 2, owner: 0 },
    ]);
    expect(owners).toMatchObject([{ kind: "key", id: key.id, name: key.name, inFlight: 1 }]);
    expect(owners[0]?.rate.reduce((sum, { count }) => sum + count, 0)).toBe(2);
    const { key: free } = await createKey(admin, { userId: user.userId, name: uniqueName("k") });
    expect(await getKeyLimits(admin, { id: free.id })).toMatchObject({ limits: [], owners: [] });
    const other = await world.as("user");
    await expect(getKeyLimits(other, { id: key.id })).rejects.toMatchObject({ code: "not_found" });
    world.admission.release("r2");
  });
});

describe("whether a key can call a model now", () => {
  const failed = async (ctx: Ctx, id: string, model: string) => {
    const { rules, allowed } = await checkKey(ctx, { id, model, dialect: "openai" });
    expect(allowed).toBe(rules.every(({ passed }) => passed === true));
    return rules.filter(({ passed }) => passed !== true).map(({ rule, code }) => `${rule}: ${code}`);
  };

  it("is decided by each rule on its own, with the code a client would get", async () => {
    const group = uniqueName("g").slice(0, 30);
    const { prisma } = world.database;
    const price = await makePrice(prisma);
    const unpriced = uniqueName("unpriced");
    const provider = await makeProvider(prisma, { groups: [group], models: [price.model, unpriced] });
    const owner = await makeUser(prisma);
    await world.services.snapshot.refresh();
    const { key } = await createKey(admin, { userId: owner.id, name: uniqueName("k"), group, rpm: 1 });
    expect(await failed(admin, key.id, price.model)).toEqual([]);
    expect(await failed(admin, key.id, uniqueName("unknown"))).toEqual(["providers: unknown_model", "price: null"]);
    expect(await failed(admin, key.id, unpriced)).toEqual(["price: unpriced_model"]);

    for (let i = 0; i < 3; i++) expect(await failed(admin, key.id, price.model)).toEqual([]);
    await world.admission.admit(keyAsk("c1", { keyId: key.id, rpm: 1, inFlight: null }));
    expect(await failed(admin, key.id, price.model)).toEqual(["rpm: rate_limited"]);
    const { rules, decision } = await checkKey(admin, { id: key.id, model: price.model, dialect: "openai" });
    const rpm = rules.find(({ rule }) => rule === "rpm");
    expect(rpm).toMatchObject({ limit: 1, used: 1 });
    expect(rpm?.freesAtMs).toBeGreaterThan(Date.now());
    expect(decision?.candidates.map(({ providerId }) => providerId)).toEqual([provider.id]);

    for (let i = 0; i < 5; i++) world.services.breakers.failed(provider.id, price.model, { cause: "test" });
    await updateKey(admin, { id: key.id, enabled: false });
    await updateUser(admin, { id: owner.id, enabled: false });
    expect(await failed(admin, key.id, price.model)).toEqual([
      "key: key_disabled",
      "owner: user_disabled",
      "providers: no_provider",
      "price: null",
      "rpm: rate_limited",
    ]);
    await revokeKey(admin, { id: key.id });
    expect((await failed(admin, key.id, price.model))[0]).toBe("key: invalid_key");
  });

  it("names the policy that stops it, the key's or its owner's; client and address do not matter unless given", async () => {
    const { prisma } = world.database;
    const { model } = await makePrice(prisma);
    const group = uniqueName("g").slice(0, 30);
    await makeProvider(prisma, { groups: [group] });
    const owner = await makeUser(prisma, { policies: { blockedClients: ["curl/*"] } });
    await world.services.snapshot.refresh();
    const policies = { models: [model], addresses: ["10.0.0.0/8"] };
    const { key } = await createKey(admin, { userId: owner.id, name: uniqueName("k"), group, policies });
    expect(key.policies).toEqual(policies);
    const check = async (input: object) => {
      const { rules, allowed } = await checkKey(admin, { id: key.id, model, dialect: "openai", ...input });
      return { allowed, not: rules.filter(({ passed }) => passed !== true).map(({ rule, code, owner }) => [rule, code, owner?.kind]) };
    };
    expect(await check({})).toEqual({
      allowed: true,
      not: [
        ["address", null, undefined],
        ["client", null, undefined],
      ],
    });
    expect(await check({ userAgent: "codex/1", address: "10.1.1.1" })).toEqual({ allowed: true, not: [] });
    expect(await check({ userAgent: "curl/8", address: "::1" })).toEqual({
      allowed: false,
      not: [
        ["address", "address_not_allowed", "key"],
        ["client", "client_not_allowed", "user"],
      ],
    });
    const other = await makePrice(prisma);
    await world.services.snapshot.refresh();
    expect(await failed(admin, key.id, other.model)).toContain("model: model_not_allowed");
    const simulated = await simulateRouting(admin, { keyId: key.id, dialect: "openai", endpoint: "chat", model: other.model, session: "" });
    expect(simulated.refusal).toBe("model_not_allowed");
    await expect(updateKey(admin, { id: key.id, policies: { models: ["a*b*c"] } })).rejects.toMatchObject({ field: "policies.models" });
    await expect(updateKey(admin, { id: key.id, policies: { addresses: ["10.0.0.0/40"] } })).rejects.toMatchObject({
      code: "invalid_request",
    });
    await expect(createKey(user, { userId: user.userId, name: "k2", policies })).rejects.toMatchObject({
      code: "forbidden",
      field: "policies",
    });
  });

  it("is told to owners without the providers", async () => {
    const { key } = await createKey(user, { userId: user.userId, name: uniqueName("k") });
    const check = await checkKey(user, { id: key.id, model: "claude-sonnet-4-5" });
    expect(check).toMatchObject({ dialect: "anthropic", endpoint: "messages", group: "default", decision: null });
    await expect(checkKey(await world.as("user"), { id: key.id, model: "m" })).rejects.toMatchObject({ code: "not_found" });
  });
});

describe("validity in days from the first request", () => {
  it("begin with the first one that was not refused, for a key and for a user", async () => {
    const { prisma, pool } = world.database;
    const dayMs = 86_400_000;
    const owner = await makeUser(prisma, { policies: { validDays: 30 } });
    const { key } = await makeKey(prisma, { userId: owner.id, policies: { validDays: 7 } });
    await world.services.snapshot.refresh();
    const end = async () => [
      (await prisma.key.findUniqueOrThrow({ where: { id: key.id } })).expiresAt?.getTime(),
      (await prisma.user.findUniqueOrThrow({ where: { id: owner.id } })).expiresAt?.getTime(),
    ];
    const used = { keyId: key.id, userId: owner.id };
    await makeRequestRow(pool, { ...used, state: "refused", status: 403 });
    await startValidity(admin);
    expect(await end()).toEqual([undefined, undefined]);
    const { startedAtMs } = await makeRequestRow(pool, used);
    await makeRequestRow(pool, used);
    await startValidity(admin);
    expect(await end()).toEqual([startedAtMs + 7 * dayMs, startedAtMs + 30 * dayMs]);
    expect(world.services.snapshot.current().users.get(owner.id)?.expiresAtMs).toBe(startedAtMs + 30 * dayMs);
    // A later change by an administrator stands.
    await updateKey(admin, { id: key.id, expiresAtMs: startedAtMs + 90 * dayMs });
    await startValidity(admin);
    expect((await end())[0]).toBe(startedAtMs + 90 * dayMs);
  });
});

describe("one's own password", () => {
  it("changes when the present one is right, and signs every other browser out", async () => {
    const { prisma } = world.database;
    const me = await makeUser(prisma, { passwordHash: await hashPassword("the present one") });
    const [own, other] = [await makeLogin(prisma, { userId: me.id }), await makeLogin(prisma, { userId: me.id })];
    const actor = { kind: "user", userId: me.id, role: "user", email: me.email, name: me.name, loginId: own.login.id } as const;
    const ctx = { ...admin, actor };
    await expect(changePassword(ctx, { current: "a wrong one", password: "quite a new one" })).rejects.toMatchObject({
      code: "bad_credentials",
      field: "current",
    });
    await expect(changePassword(ctx, { current: "the present one", password: "short" })).rejects.toMatchObject({ code: "invalid_request" });
    await changePassword(ctx, { current: "the present one", password: "quite a new one" });
    const { passwordHash } = await prisma.user.findUniqueOrThrow({ where: { id: me.id } });
    expect(await verifyPassword(passwordHash, "quite a new one")).toBe(true);
    expect((await prisma.login.findMany({ where: { userId: me.id } })).map(({ id }) => id)).toEqual([own.login.id]);
    expect(other.login.id).not.toBe(own.login.id);
    const entries = await prisma.auditEntry.findMany({ where: { targetId: me.id } });
    expect(JSON.stringify(entries)).not.toMatch(/quite a new one|argon2/);
  });
});

describe("a password that is reset while the old one is being verified", () => {
  const [old, reset] = ["the old password", "the administrator's one"];
  /** Replaces the password after the old one was found correct, and before that result is used. */
  const overtaken = <C extends Ctx>(ctx: C, userId: string): C => ({
    ...ctx,
    throttle: { ...ctx.throttle, succeeded: async () => void (await updateUser(admin, { id: userId, password: reset })) },
  });
  const stored = async (id: string) => (await world.database.prisma.user.findUniqueOrThrow({ where: { id } })).passwordHash;

  it("signs nobody in any more", async () => {
    const { prisma } = world.database;
    const one = await makeUser(prisma, { passwordHash: await hashPassword(old) });
    const guest = overtaken(contextOf(world.services, { kind: "anonymous" }), one.id);
    const signingIn = createLogin(guest, { email: one.email, password: old }, { userAgent: "test" });
    await expect(signingIn).rejects.toMatchObject({ code: "bad_credentials" });
    expect(await prisma.login.count({ where: { userId: one.id } })).toBe(0);
  });

  it("does not change it back", async () => {
    const one = await world.as("user");
    await updateUser(admin, { id: one.userId, password: old });
    const changing = changePassword(overtaken(one, one.userId), { current: old, password: "the intruder's own" });
    await expect(changing).rejects.toMatchObject({ code: "bad_credentials", field: "current" });
    expect(await verifyPassword(await stored(one.userId), reset)).toBe(true);
  });
});

describe("deleting a user", () => {
  it("is refused while anything names them, and for oneself", async () => {
    const { prisma, pool } = world.database;
    const [keyed, logged, actor, blank] = [await makeUser(prisma), await makeUser(prisma), await world.as("admin"), await makeUser(prisma)];
    await makeKey(prisma, { userId: keyed.id });
    await makeRequestRow(pool, { userId: logged.id });
    await createKey(actor, { userId: actor.userId, name: "k" }).then(({ key }) => revokeKey(actor, { id: key.id }));
    for (const id of [keyed.id, logged.id, actor.userId])
      await expect(deleteUser(admin, { id })).rejects.toMatchObject({ code: "conflict" });
    await expect(deleteUser(admin, { id: admin.userId })).rejects.toMatchObject({ code: "forbidden" });
    await makeLogin(prisma, { userId: blank.id });
    await deleteUser(admin, { id: blank.id });
    expect(await prisma.user.findUnique({ where: { id: blank.id } })).toBeNull();
    expect(world.services.snapshot.current().users.has(blank.id)).toBe(false);
    await expect(deleteUser(admin, { id: blank.id })).rejects.toMatchObject({ code: "not_found" });
  });

  it.each([
    { beside: "a deletion", remove: deleteUser },
    { beside: "a demotion", remove: (ctx: Ctx, { id }: { id: string }) => updateUser(ctx, { id, role: "user" }) },
  ])("leaves an administrator, also beside $beside", async ({ remove }) => {
    const { prisma } = world.database;
    const [one, other] = [await world.as("admin"), await world.as("admin")];
    const rest = { role: "admin" as const, disabledAt: null, id: { notIn: [one.userId, other.userId] } };
    const away = (await prisma.user.findMany({ where: rest })).map(({ id }) => id);
    await prisma.user.updateMany({ where: rest, data: { disabledAt: new Date() } });
    try {
      const removed = Promise.withResolvers<void>();
      const commits = Promise.withResolvers<void>();
      const first = withTransaction(one, async (one) => {
        await remove(one, { id: other.userId });
        removed.resolve();
        await commits.promise;
      });
      await removed.promise;
      const second = deleteUser(other, { id: one.userId });
      void second.catch(() => undefined);
      // Long enough to complete if nothing blocked it.
      await Promise.race([second, new Promise((resolve) => setTimeout(resolve, 300))]).catch(() => undefined);
      commits.resolve();
      await first;
      await expect(second).rejects.toMatchObject({ code: "conflict" });
      expect(await prisma.user.count({ where: { role: "admin", disabledAt: null } })).toBe(1);
    } finally {
      await prisma.user.updateMany({ where: { id: { in: away } }, data: { disabledAt: null } });
    }
  });
});
