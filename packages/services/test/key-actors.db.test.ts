import { newId } from "@sluice/core/ids";
import { contextOf } from "@sluice/services/create-services";
import { getKeyLimits } from "@sluice/services/keys/get-key-limits";
import { listKeys } from "@sluice/services/keys/list-keys";
import { revokeKey } from "@sluice/services/keys/revoke-key";
import { findKeyActor } from "@sluice/services/logins/find-key-actor";
import { isStillSignedIn } from "@sluice/services/logins/is-still-signed-in";
import { exportLogs } from "@sluice/services/logs/export-logs";
import { getLog } from "@sluice/services/logs/get-log";
import { listLogs } from "@sluice/services/logs/list-logs";
import { getOverview } from "@sluice/services/overview/get-overview";
import { listSessions } from "@sluice/services/sessions/list-sessions";
import { until } from "@sluice/testing/deadline";
import { makeKey, makeRequestRow, makeUser, requestRow } from "@sluice/testing/factories";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startServices, type TestServices } from "./harness.ts";

let world: TestServices;
beforeAll(async () => {
  world = await startServices();
});
afterAll(() => world?.close());

/** Two keys of one administrator, each with a stored request, one in flight and a session. */
async function arrange() {
  const user = await makeUser(world.database.prisma, { role: "admin" });
  const [mine, other] = [await makeThings(user.id), await makeThings(user.id)];
  await world.services.snapshot.refresh();
  const ctx = contextOf(world.services, await findKeyActor(world.services, mine.secret, "127.0.0.1"));
  return { ctx, user, mine, other };
}

async function makeThings(userId: string) {
  const { key, secret } = await makeKey(world.database.prisma, { userId, rpm: 7 });
  const row = await makeRequestRow(world.database.pool, { userId, keyId: key.id, providerId: newId() });
  const inFlight = requestRow({ userId, keyId: key.id, state: "in_flight" });
  world.live.registry.started(inFlight);
  const sessionId = world.live.sessions.idOf(key.id, newId());
  const of = { id: sessionId, userId, keyId: key.id, providerId: "p", model: "m", client: "test", dialect: row.dialect };
  world.live.sessions.began(of);
  await until(async () => (await world.live.sessions.find(sessionId)) !== null, { what: "the session is known" });
  return { key, secret, row, inFlight, sessionId };
}

describe("the holder of a key who is not signed in", () => {
  it("sees the key's own requests, stored or in flight, and nothing of its owner's other keys", async () => {
    const { ctx, mine, other } = await arrange();
    const page = await listLogs(ctx);
    expect(page.items.map(({ id }) => id).sort()).toEqual([mine.row.id, mine.inFlight.id].sort());
    expect(page.items.map(({ providerId }) => providerId)).toEqual(["", ""]);
    expect((await listLogs(ctx, { filter: { keyId: other.key.id } })).items).toEqual([]);
    expect((await getLog(ctx, { id: mine.row.id })).row.id).toBe(mine.row.id);
    for (const id of [other.row.id, other.inFlight.id]) await expect(getLog(ctx, { id })).rejects.toMatchObject({ code: "not_found" });
    expect((await listSessions(ctx)).rows.map(({ id }) => id)).toEqual([mine.sessionId]);
    expect((await getKeyLimits(ctx, { id: mine.key.id })).limits).toContainEqual({ limit: "rpm", value: 7, owner: 0 });
    await expect(getKeyLimits(ctx, { id: other.key.id })).rejects.toMatchObject({ code: "not_found" });
    let exported = "";
    for await (const piece of await exportLogs(ctx, { format: "json" })) exported += piece;
    expect(JSON.parse(exported)).toEqual([expect.objectContaining({ id: mine.row.id, key: mine.key.name, user: "" })]);
  });

  it("may do nothing else, not even when the owner is an administrator", async () => {
    const { ctx, mine } = await arrange();
    expect((await listKeys(ctx)).items.map(({ id }) => id)).toEqual([mine.key.id]);
    for (const call of [
      () => revokeKey(ctx, { id: mine.key.id }),
      () => getOverview(ctx),
      () => listLogs(ctx, { filter: { providerId: "p" } }),
    ])
      await expect(call()).rejects.toMatchObject({ code: "forbidden" });
  });

  it("is admitted as long as the gateway would admit the key, from where the key may be used", async () => {
    const { ctx, user, mine } = await arrange();
    const { prisma } = world.database;
    const find = async (secret = mine.secret): Promise<string> => {
      await world.services.snapshot.refresh();
      return findKeyActor(world.services, secret, "127.0.0.1").then(
        ({ kind }) => kind,
        (error: { code: string }) => error.code,
      );
    };
    const change = async (data: Parameters<typeof prisma.key.update>[0]["data"]): Promise<void> => {
      await prisma.$transaction([
        prisma.key.update({ where: { id: mine.key.id }, data }),
        prisma.$executeRaw`UPDATE config_version SET version = version + 1`,
      ]);
    };
    expect(await find()).toBe("key");
    expect(await find("sk-sluice-of-nobody")).toBe("invalid_key");
    await change({ policies: { addresses: ["10.0.0.0/8"] } });
    expect(await find()).toBe("address_not_allowed");
    await change({ policies: {}, disabledAt: new Date() });
    expect(await find()).toBe("key_disabled");
    expect(await isStillSignedIn(ctx)).toBe(false);
    await change({ disabledAt: null });
    expect([await find(), await isStillSignedIn(ctx)]).toEqual(["key", true]);
    await prisma.user.update({ where: { id: user.id }, data: { disabledAt: new Date() } });
    await change({});
    expect([await find(), await isStillSignedIn(ctx)]).toEqual(["user_disabled", false]);
    await prisma.user.update({ where: { id: user.id }, data: { disabledAt: null } });
    await change({ revokedAt: new Date() });
    expect([await find(), await isStillSignedIn(ctx)]).toEqual(["invalid_key", false]);
  });
});
