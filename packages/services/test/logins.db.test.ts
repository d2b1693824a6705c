import { contextOf, systemContext } from "@sluice/services/create-services";
import { followEvents } from "@sluice/services/live/follow-events";
import { openBorrowedLogin } from "@sluice/services/logins/borrow-login";
import { createLogin } from "@sluice/services/logins/create-login";
import { findActor } from "@sluice/services/logins/find-actor";
import { isStillSignedIn } from "@sluice/services/logins/is-still-signed-in";
import { loginIdOf } from "@sluice/services/logins/login-token";
import { prepareSetup } from "@sluice/services/setup/prepare-setup";
import { setupRequired } from "@sluice/services/setup/setup-required";
import { makeLogin, makeUser } from "@sluice/testing/factories";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startServices, type TestServices } from "./harness.ts";

let world: TestServices;
beforeAll(async () => {
  world = await startServices();
});
afterAll(() => world?.close());

describe("the headless first administrator", () => {
  it("is made once and can sign in", async () => {
    const boot = systemContext(world.services, "boot");
    await expect(openBorrowedLogin(boot)).rejects.toMatchObject({ code: "not_found" });
    expect(setupRequired(world.services)).toBe(true);
    const who = { email: "Root@example.com", password: "a long enough password" };
    const both = await Promise.all([prepareSetup(boot, who), prepareSetup(boot, who)]);
    expect(both).toEqual([{ token: null }, { token: null }]);
    expect(setupRequired(world.services)).toBe(false);
    expect(await world.database.prisma.user.findMany()).toEqual([expect.objectContaining({ email: "root@example.com", role: "admin" })]);
    const { token, user } = await createLogin(
      contextOf(world.services, { kind: "anonymous" }),
      { email: who.email, password: who.password },
      { userAgent: "test" },
    );
    expect(user).toMatchObject({ email: "root@example.com", role: "admin" });
    expect(await findActor(world.services, token)).toMatchObject({ kind: "user", role: "admin" });
  });
});

describe("a stream whose position was lost", () => {
  const events = async (loginId: string, userId: string, role: "admin" | "user"): Promise<string[]> => {
    const ctx = contextOf(world.services, { kind: "user", userId, role, email: "", name: "", loginId });
    const stop = new AbortController();
    const seen: string[] = [];
    try {
      for await (const frame of followEvents(ctx, { lastEventId: "0123456789abcdef:1-0" }, stop.signal)) {
        seen.push(frame.reset ?? "frame");
        // An event after the reset shows that the stream continues.
        world.live.bus.publish({ type: "key.changed", id: "k", userId });
        if (seen.length > 1) stop.abort();
      }
    } catch (error) {
      seen.push(error instanceof Error ? error.name : "");
    }
    return seen;
  };

  it("continues for a user who is still signed in", async () => {
    const user = await makeUser(world.database.prisma);
    const { login } = await makeLogin(world.database.prisma, { userId: user.id });
    expect(await events(login.id, user.id, "user")).toEqual(["epoch", "frame"]);
  });

  it("ends, so that its client is authorised again, for one who is not", async () => {
    const user = await makeUser(world.database.prisma);
    expect(await events(loginIdOf("gone"), user.id, "user")).toEqual(["epoch", "AbortError"]);
    const { login } = await makeLogin(world.database.prisma, { userId: user.id });
    expect(await events(login.id, user.id, "admin")).toEqual(["epoch", "AbortError"]);
    expect(await isStillSignedIn(systemContext(world.services, "cli"))).toBe(true);
    expect(await isStillSignedIn(contextOf(world.services, { kind: "anonymous" }))).toBe(false);
  });
});
