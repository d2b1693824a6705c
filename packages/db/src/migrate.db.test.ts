import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { silentLog } from "@sluice/core/log";
import type { TestDatabase } from "@sluice/testing/postgres";
import { createTestDatabase } from "@sluice/testing/postgres";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { migrate, migrationStatus } from "./migrate.ts";

let database: TestDatabase;
let migrationsDir: string;

beforeEach(async () => {
  database = await createTestDatabase({ empty: true });
  migrationsDir = await mkdtemp(join(tmpdir(), "sluice-migrations-"));
  await add("1_first", "CREATE TABLE first (n INT);");
  await add("2_second", "INSERT INTO first VALUES (1);");
});

afterEach(async () => {
  await database.drop();
  await rm(migrationsDir, { recursive: true, force: true });
});

async function add(name: string, sql: string): Promise<void> {
  await mkdir(join(migrationsDir, name), { recursive: true });
  await writeFile(join(migrationsDir, name, "migration.sql"), sql);
}

function run(): Promise<string[]> {
  return migrate(database.url, { migrationsDir, log: silentLog });
}

async function counted(): Promise<unknown> {
  return (await database.pool.query("SELECT count(*)::int AS n FROM first")).rows[0]?.n;
}

describe("migrate", () => {
  it("applies what is pending, in order, once", async () => {
    expect(await migrationStatus(database.url, { migrationsDir })).toMatchObject({ applied: [], pending: ["1_first", "2_second"] });
    expect(await run()).toEqual(["1_first", "2_second"]);
    expect(await run()).toEqual([]);
    await add("3_third", "INSERT INTO first VALUES (2)");
    expect(await run()).toEqual(["3_third"]);
    expect(await counted()).toBe(2);
    expect(await migrationStatus(database.url, { migrationsDir })).toMatchObject({
      applied: ["1_first", "2_second", "3_third"],
      pending: [],
      unknown: [],
      edited: [],
      failed: [],
    });
  });

  it("is done once when several processes start together", async () => {
    const results = await Promise.all([run(), run(), run()]);
    expect(results.flat()).toEqual(["1_first", "2_second"]);
    expect(await counted()).toBe(1);
  });

  it("leaves nothing of a migration that fails, says where it failed, and goes on once it is repaired", async () => {
    await add("3_bad", "CREATE TABLE half (n INT);\nINSERT INTO first VALUES (2);\nSELECT nonsense;\n");
    await expect(run()).rejects.toThrow(/3_bad failed and was rolled back: column "nonsense" does not exist \(line 3\)/);
    expect(await counted()).toBe(1);
    await add("3_bad", "CREATE TABLE half (n INT)");
    expect(await run()).toEqual(["3_bad"]);
  });

  it("refuses a migration edited after it was applied; other line ends are no edit", async () => {
    await add("1_first", "CREATE TABLE first\n(n INT);\n");
    await run();
    await add("1_first", "CREATE TABLE first\r\n(n INT);\r\n");
    expect(await run()).toEqual([]);
    await add("1_first", "CREATE TABLE first (n BIGINT);");
    await expect(run()).rejects.toThrow(/1_first was edited after it was applied/);
  });

  it("refuses a database that is newer than the code", async () => {
    await add("3_third", "SELECT 1");
    await run();
    await rm(join(migrationsDir, "3_third"), { recursive: true });
    await expect(run()).rejects.toThrow(/newer than this version of Sluice: it has 3_third/);
    expect((await migrationStatus(database.url, { migrationsDir })).unknown).toEqual(["3_third"]);
  });

  it("refuses to go on over a migration that the stock CLI left halfway, until it is resolved", async () => {
    await run();
    await database.pool.query(`INSERT INTO _prisma_migrations (id, checksum, migration_name) VALUES ('x', 'y', '3_third')`);
    await expect(run()).rejects.toThrow(/3_third failed halfway/);
    await database.pool.query("UPDATE _prisma_migrations SET rolled_back_at = now() WHERE id = 'x'");
    expect(await run()).toEqual([]);
  });
});
