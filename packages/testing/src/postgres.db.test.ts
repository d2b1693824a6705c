import { timeOfId } from "@sluice/core/ids";
import { isProcessAlive } from "@sluice/db/process-facts";
import { hashToken, openSecret } from "@sluice/db/secrets";
import pg from "pg";
import { describe, expect, it } from "vitest";
import * as factories from "./factories.ts";
import { createTestDatabase } from "./postgres.ts";
import { startTestRedis } from "./redis.ts";

describe("test databases", () => {
  it("are migrated, apart from each other, and gone after drop", async () => {
    const [one, other] = await Promise.all([createTestDatabase(), createTestDatabase()]);
    await factories.makeUser(one.prisma);
    expect([await one.prisma.user.count(), await other.prisma.user.count()]).toEqual([1, 0]);
    await one.drop();
    await one.drop();
    const client = new pg.Client({ connectionString: one.url });
    await expect(client.connect()).rejects.toThrow(/does not exist/);
    await other.drop();
  });

  it("accept what the factories create", async () => {
    const { prisma, pool, drop } = await createTestDatabase();
    const { key, secret } = await factories.makeKey(prisma, { rpm: 7 });
    expect(key).toMatchObject({ sha256: hashToken(secret), rpm: 7, group: "default" });
    const provider = await factories.makeProvider(prisma, { secret: "clear" });
    expect(openSecret(factories.testSecret, provider.secret, factories.providerSecretPlace(provider.id))).toBe("clear");
    expect((await factories.makePrice(prisma)).outputPerMTok.toString()).toBe("2");
    expect((await factories.makeLogin(prisma)).login.expiresAt.getTime()).toBeGreaterThan(Date.now());

    const startedAtMs = Date.UTC(2020, 1, 3);
    const row = await factories.makeRequestRow(pool, { startedAtMs, state: "error", costNanoUsd: null });
    await factories.makeRequestDetail(pool, { id: row.id });
    expect(timeOfId(row.id)).toBe(startedAtMs);
    expect(await prisma.request.findUnique({ where: { id: row.id } })).toMatchObject({
      state: "error",
      inputTokens: 100n,
      costNanoUsd: null,
    });
    expect(await prisma.requestDetail.count()).toBe(1);
    await drop();
  });
});

describe("the test Redis", () => {
  it("comes back empty on its port and is gone after stop", async () => {
    const server = await startTestRedis();
    const { port, pid } = server;
    await server.restart();
    expect(server.port).toBe(port);
    expect(server.pid).not.toBe(pid);
    await server.stop();
    expect(await isProcessAlive(server.pid)).toBe(false);
  });
});
