import { mkdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { until } from "@sluice/testing/deadline";
import { makeKey, makePrice, makeProvider } from "@sluice/testing/factories";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { createWorld, keptLog, type World } from "./arrange.ts";

let world: World;
beforeAll(async () => {
  world = await createWorld();
});
beforeEach(() => rm(world.path, { force: true, recursive: true }));
afterEach(() => world.tidy());
afterAll(() => world.close());

const deaf = { pollMs: 3_600_000, backOffMs: 3_600_000, maxBackOffMs: 3_600_000 };

async function seed() {
  const { prisma } = world.database;
  const { key } = await makeKey(prisma, { rpm: 5 });
  const provider = await makeProvider(prisma, { secret: "sk-canary-upstream" });
  const price = await makePrice(prisma);
  await world.bump();
  return { key, provider, price };
}

describe("a restart while Postgres is down", () => {
  test("serves known keys from the copy on disk; unknown ones are unavailable, not refused", async () => {
    const { key, provider, price } = await seed();
    const first = await world.start();
    const before = first.current();
    await first.close();

    const wire = await world.wire();
    wire.cut();
    const log = keptLog();
    const second = await world.start({ pool: wire.pool, timing: deaf, log });
    expect(second.current()).toEqual(before);
    expect(await second.findKey(key.sha256)).toMatchObject({ id: key.id, rpm: 5 });
    const loaded = second.current().providers.find(({ id }) => id === provider.id);
    expect(loaded && second.secretOf(loaded)).toBe("sk-canary-upstream");
    expect(second.current().prices.get(price.model)?.id).toBe(price.id);
    await expect(second.findKey("unknown")).rejects.toMatchObject({ code: "unavailable", retryAfterS: expect.any(Number) });
    expect(log.lines.map(({ message }) => message).join()).toContain("copy on disk");
  });

  test("catches up when Postgres is back", async () => {
    await seed();
    await (await world.start()).close();
    const wire = await world.wire();
    wire.cut();
    const second = await world.start({ pool: wire.pool, timing: { backOffMs: 20, maxBackOffMs: 50, minCheckMs: 10, pollMs: 50 } });
    const { key } = await seed();
    expect(second.current().keysBySha256.has(key.sha256)).toBe(false);
    wire.heal();
    await until(() => second.current().keysBySha256.has(key.sha256), { what: "the new key is known" });
    await until(() => second.ageMs() < 1_000, { what: "it is fresh" });
  });

  test("without a copy there is nothing to start with", async () => {
    const wire = await world.wire();
    wire.cut();
    await expect(world.start({ pool: wire.pool })).rejects.toMatchObject({ code: "unavailable" });
  });
});

describe("the copy on disk", () => {
  test("is the owner's alone, follows changes, and holds no secret in clear", async () => {
    await seed();
    const snapshot = await world.start();
    const { key } = await seed();
    await snapshot.refresh();
    await snapshot.close();
    const text = await readFile(world.path, "utf8");
    expect((await stat(world.path)).mode & 0o777).toBe(0o600);
    expect(text).toContain(key.sha256);
    expect(text).not.toContain("sk-canary-upstream");
    expect(JSON.parse(text)).toMatchObject({ format: 1, config: { tenantId: "default" } });
  });

  test.each<[string, (text: string) => string]>([
    ["cut short", (text) => text.slice(0, text.length / 2)],
    ["edited", (text) => text.replace('"rpm":5', '"rpm":5000')],
    ["of another format", (text) => text.replace('"format":1', '"format":99')],
    ["empty", () => ""],
    ["no object", () => "null"],
  ])("%s: ignored with a log line, and Postgres' data stands", async (_, damage) => {
    await seed();
    const first = await world.start();
    const before = first.current();
    await first.close();
    await writeFile(world.path, damage(await readFile(world.path, "utf8")));

    const wire = await world.wire();
    wire.cut();
    const log = keptLog();
    await expect(world.start({ pool: wire.pool, log })).rejects.toMatchObject({ code: "unavailable" });
    expect(log.lines.filter(({ level }) => level === "error").map(({ message }) => message)).toEqual([
      "the configuration's copy on disk cannot be used",
    ]);
    expect((await world.start()).current()).toEqual(before);
  });

  test("of another tenant is not used", async () => {
    await seed();
    await (await world.start()).close();
    const wire = await world.wire();
    wire.cut();
    await expect(world.start({ pool: wire.pool, tenantId: "other" })).rejects.toMatchObject({ code: "unavailable" });
  });

  test("that cannot be written is logged; the process works without it", async () => {
    await mkdir(world.path);
    const log = keptLog();
    const snapshot = await world.start({ log });
    await snapshot.close();
    expect(log.lines).toContainEqual({ level: "error", message: "the configuration's copy on disk cannot be written" });
    expect(snapshot.current().tenantId).toBe("default");
  });
});
