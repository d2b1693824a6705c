import type { LiveCommand } from "@sluice/core/events";
import { newId } from "@sluice/core/ids";
import { revokeKey } from "@sluice/services/keys/revoke-key";
import { cancelRequest } from "@sluice/services/logs/cancel-request";
import { getSession } from "@sluice/services/sessions/get-session";
import { listSessions } from "@sluice/services/sessions/list-sessions";
import { terminateSession } from "@sluice/services/sessions/terminate-session";
import { until } from "@sluice/testing/deadline";
import { makeKey, requestDetail, requestRow } from "@sluice/testing/factories";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { startServices, type TestServices } from "./harness.ts";

let world: TestServices;
const sent: LiveCommand[] = [];
beforeAll(async () => {
  world = await startServices();
  world.live.commands.listen((command) => sent.push(command));
});
afterAll(() => world.close());
beforeEach(() => void sent.splice(0));

const notFound = { code: "not_found" };

function begin(userId: string): string {
  const row = requestRow({ userId, state: "in_flight", status: 0, durationMs: null });
  world.live.registry.started(row);
  return row.id;
}

/** Starts a session with one request and waits until it is listed. */
async function converse(userId: string): Promise<string> {
  const id = world.live.sessions.idOf("key-1", newId());
  const at = {
    userId,
    keyId: "key-1",
    providerId: "p-1",
    model: "m",
    client: "claude-code 2",
    dialect: "anthropic",
    chosenBy: "sticky",
  } as const;
  world.live.sessions.began({ id, ...at });
  world.live.sessions.ended(requestRow({ sessionId: id, ...at }));
  await until(async () => (await world.live.sessions.find(id))?.inFlight === 0, { what: "the session" });
  return id;
}

const audits = (targetId: string) => world.database.prisma.auditEntry.findMany({ where: { targetId } });

describe("cancelling a request", () => {
  it("is for administrators, any, and for users, their own; audited", async () => {
    const [user, admin] = [await world.as("user"), await world.as("admin")];
    for (const ctx of [user, admin]) {
      const id = begin(user.userId);
      expect(await cancelRequest(ctx, { id })).toEqual({ cancelled: true });
      expect(sent.splice(0)).toEqual([{ kind: "request.cancel", requestId: id }]);
      expect(await audits(id)).toMatchObject([{ action: "request.cancel", targetKind: "request", actorId: ctx.userId }]);
    }
  });

  it("does not find another user's request, or one that does not exist", async () => {
    const [user, other] = [await world.as("user"), await world.as("user")];
    const id = begin(user.userId);
    await expect(cancelRequest(other, { id })).rejects.toMatchObject(notFound);
    await expect(cancelRequest(other, { id: newId() })).rejects.toMatchObject(notFound);
    expect(sent).toEqual([]);
    expect(await audits(id)).toEqual([]);
  });

  it("says that a request was over, and does nothing", async () => {
    const user = await world.as("user");
    const row = requestRow({ userId: user.userId });
    world.live.registry.finished(row, requestDetail({ id: row.id }));
    expect(await cancelRequest(user, { id: row.id })).toEqual({ cancelled: false });
    expect(sent).toEqual([]);
  });
});

describe("a session", () => {
  it("says why it is where it is, to administrators", async () => {
    const [user, admin] = [await world.as("user"), await world.as("admin")];
    const id = await converse(user.userId);
    expect(await getSession(admin, { id })).toMatchObject({ row: { id, providerId: "p-1", chosenBy: "sticky" }, sticky: null });
    world.services.sticky.bind(id, "p-1");
    const { row, sticky, stickySeconds } = await getSession(admin, { id });
    expect(sticky).toEqual({ providerId: "p-1", sinceMs: row.providerSinceMs });
    expect(stickySeconds).toBeGreaterThan(0);
    expect(await getSession(user, { id })).toMatchObject({ row: { id, providerId: "", chosenBy: "" }, sticky: null });
  });

  it("of another user is not found, nor is one that is over", async () => {
    const [user, other] = [await world.as("user"), await world.as("user")];
    const id = await converse(user.userId);
    await expect(getSession(other, { id })).rejects.toMatchObject(notFound);
    await expect(terminateSession(other, { id })).rejects.toMatchObject(notFound);
    await expect(terminateSession(user, { id: "nobodys" })).rejects.toMatchObject(notFound);
    expect(sent).toEqual([]);
    expect((await listSessions(user)).rows).toHaveLength(1);
  });

  it("is terminated by its user: gone, unbound, its requests told to end, audited", async () => {
    const user = await world.as("user");
    const id = await converse(user.userId);
    world.services.sticky.bind(id, "p-1");
    await terminateSession(user, { id });
    expect(sent).toEqual([{ kind: "session.terminate", sessionId: id }]);
    expect((await listSessions(user)).rows).toEqual([]);
    expect(await world.services.sticky.peek(id)).toBeNull();
    expect(await audits(id)).toMatchObject([{ action: "session.terminate", targetKind: "session", actorId: user.userId }]);
    await expect(getSession(user, { id })).rejects.toMatchObject(notFound);
  });
});

it("a revoked key's streams are told to end", async () => {
  const user = await world.as("user");
  const { key } = await makeKey(world.database.prisma, { userId: user.userId });
  await revokeKey(user, { id: key.id });
  expect(sent).toEqual([{ kind: "key.cut", keyId: key.id }]);
});
