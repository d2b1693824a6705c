import { defaultSettings } from "@sluice/core/inputs/settings";
import { shippedPrices, shippedPricesDate } from "@sluice/core/pricing/shipped-prices";
import { bumpConfigVersion } from "@sluice/snapshot/config-version";
import { seedShippedPrices } from "@sluice/snapshot/seed-shipped-prices";
import { makeKey, makePrice, makeProvider, makeUser, uniqueName } from "@sluice/testing/factories";
import { createTestDatabase } from "@sluice/testing/postgres";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { createWorld, keptLog, type World } from "./arrange.ts";

let world: World;
beforeAll(async () => {
  world = await createWorld();
});
afterEach(() => world.tidy());
afterAll(() => world.close());

describe("what is loaded", () => {
  test("keys, users, providers, prices and settings in the form of the contract", async () => {
    const { prisma } = world.database;
    const user = await makeUser(prisma, { role: "admin" });
    await prisma.account.update({ where: { userId: user.id }, data: { billing: "prepaid" } });
    const expiresAt = new Date(Date.now() + 3_600_000);
    const { key } = await makeKey(prisma, { userId: user.id, rpm: 60, inFlight: 3, expiresAt, group: "vip" });
    const disabled = (await makeKey(prisma, { userId: user.id, disabledAt: new Date() })).key;
    const provider = await makeProvider(prisma, {
      secret: "sk-upstream",
      priority: 2,
      weight: 3,
      models: ["m"],
      modelRedirects: { m: "m-2" },
      costMultiplier: "1.50",
    });
    const deleted = await makeProvider(prisma, { deletedAt: new Date() });
    const model = uniqueName("model");
    await makePrice(prisma, { model, inputPerMTok: "1" });
    const newest = await makePrice(prisma, { model, inputPerMTok: "2.50", cacheReadPerMTok: "0.075" });
    await prisma.setting.create({ data: { name: "breaker.failures", value: 9 } });

    const snapshot = await world.start();
    const config = snapshot.current();
    expect(config.keysBySha256.get(key.sha256)).toMatchObject({
      id: key.id,
      userId: user.id,
      name: key.name,
      group: "vip",
      sha256: key.sha256,
      rpm: 60,
      inFlight: 3,
      expiresAtMs: expiresAt.getTime(),
      enabled: true,
    });
    expect(config.keysBySha256.get(disabled.sha256)).toMatchObject({ enabled: false, expiresAtMs: null, rpm: null });
    expect(config.users.get(user.id)).toMatchObject({
      id: user.id,
      email: user.email,
      name: user.name,
      role: "admin",
      enabled: true,
      billing: "prepaid",
    });
    const loaded = config.providers.find(({ id }) => id === provider.id);
    expect(loaded).toMatchObject({
      dialect: "openai",
      priority: 2,
      weight: 3,
      models: ["m"],
      modelRedirects: { m: "m-2" },
      costMultiplier: "1.5",
    });
    expect(loaded && snapshot.secretOf(loaded)).toBe("sk-upstream");
    expect(JSON.stringify(config.providers)).not.toContain("sk-upstream");
    expect(config.providers.some(({ id }) => id === deleted.id)).toBe(false);
    expect(config.prices.get(model)).toMatchObject({
      id: newest.id,
      model,
      inputPerMTok: "2.5",
      outputPerMTok: "2",
      cacheWrite5mPerMTok: null,
      cacheWrite1hPerMTok: null,
      cacheReadPerMTok: "0.075",
    });
    expect(config.settings).toEqual({ ...defaultSettings(), "breaker.failures": 9 });
    expect(snapshot.ageMs()).toBeLessThan(60_000);
  });

  test("a stored setting that is not valid falls back to its default, with a log line; unknown ones are ignored", async () => {
    const { prisma } = world.database;
    await prisma.setting.createMany({
      data: [
        { name: "routing.maxAttempts", value: "many" },
        { name: "toString", value: 1 },
      ],
    });
    const log = keptLog();
    const snapshot = await world.start({ log });
    expect(snapshot.current().settings["routing.maxAttempts"]).toBe(3);
    expect(log.lines.filter(({ level }) => level === "warn")).toHaveLength(1);
    await prisma.setting.deleteMany();
  });

  test("the same object until something changes, then another complete one, announced to listeners", async () => {
    const snapshot = await world.start();
    const before = snapshot.current();
    const told: [string, string][] = [];
    const unsubscribe = snapshot.onChange((config, previous) => told.push([previous.version, config.version]));
    snapshot.onChange(() => {
      throw new Error("a listener's own fault");
    });
    await snapshot.refresh();
    expect(snapshot.current()).toBe(before);
    const { key } = await makeKey(world.database.prisma);
    const version = await world.bump();
    await Promise.all([snapshot.refresh(), snapshot.refresh(), snapshot.refresh()]);
    expect(snapshot.current()).not.toBe(before);
    expect(before.keysBySha256.has(key.sha256)).toBe(false);
    expect(snapshot.current().keysBySha256.has(key.sha256)).toBe(true);
    expect(told).toEqual([[before.version, version]]);
    unsubscribe();
    await world.bump();
    await snapshot.refresh();
    expect(told).toHaveLength(1);
  });

  test("a version rises by one with each change, also when two happen at once", async () => {
    const { pool } = world.database;
    const first = BigInt(await world.bump());
    const [a, b] = await Promise.all([pool.connect(), pool.connect()]);
    await a.query("BEGIN");
    expect(await bumpConfigVersion(a)).toBe(String(first + 1n));
    const second = bumpConfigVersion(b);
    await a.query("COMMIT");
    expect(await second).toBe(String(first + 2n));
    a.release();
    b.release();
  });
});

describe("shipped prices", () => {
  test("are written once for models without a price, and never over an administrator's", async () => {
    const { pool, prisma } = world.database;
    await prisma.price.create({
      data: { id: crypto.randomUUID(), model: "gpt-5", inputPerMTok: "99", outputPerMTok: "99", source: "console" },
    });
    const before = (await world.start()).current().version;
    const [a, b] = await Promise.all([seedShippedPrices(pool), seedShippedPrices(pool)]);
    expect(a + b).toBe(shippedPrices.length - 1);
    expect(await seedShippedPrices(pool)).toBe(0);
    const { prices, version } = (await world.start()).current();
    expect(BigInt(version)).toBe(BigInt(before) + 1n);
    expect(prices.get("gpt-5")?.inputPerMTok).toBe("99");
    expect(prices.get("claude-sonnet-4-5")).toMatchObject({ inputPerMTok: "3", outputPerMTok: "15", cacheReadPerMTok: null });
    expect(prices.get("gpt-4o")).toMatchObject({ inputPerMTok: "2.5", cacheReadPerMTok: "1.25" });
    const { rows } = await pool.query("SELECT DISTINCT source FROM prices WHERE model LIKE 'claude-%'");
    expect(rows).toEqual([{ source: `shipped ${shippedPricesDate}` }]);
  });

  test("a failure leaves nothing half done", async () => {
    const broken = await createTestDatabase({ empty: true });
    await expect(seedShippedPrices(broken.pool)).rejects.toThrow(/prices/);
    await broken.drop();
  });
});
