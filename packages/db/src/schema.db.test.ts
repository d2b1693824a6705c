import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { silentLog } from "@sluice/core/log";
import type { TestDatabase } from "@sluice/testing/postgres";
import { createTestDatabase } from "@sluice/testing/postgres";
import { diffSchema, prismaWouldApply } from "@sluice/testing/schema-diff";
import type pg from "pg";
import { afterEach, describe, expect, it } from "vitest";
import type { Migration } from "./migrate.ts";
import { migrate, readMigrations } from "./migrate.ts";
import { ensurePartitions } from "./partitions.ts";

const prismaDir = fileURLToPath(new URL("../../../prisma/", import.meta.url));
const nothingToDo = "-- This is an empty migration.";

const cleanups: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function emptyDatabase(): Promise<TestDatabase> {
  const database = await createTestDatabase({ empty: true });
  cleanups.push(() => database.drop());
  return database;
}

/** A copy of the migrations up to and including `last`, in a separate directory. */
async function migrationsUpTo(last: string): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), "sluice-migrations-"));
  cleanups.push(() => rm(dir, { recursive: true, force: true }));
  for (const { name } of await readMigrations()) {
    if (name <= last) await cp(join(prismaDir, "migrations", name), join(dir, name), { recursive: true });
  }
  return dir;
}

async function countRows(pool: pg.Pool): Promise<Record<string, number>> {
  const { rows } = await pool.query<{ name: string; n: number }>(
    `SELECT c.relname AS name, (xpath('/row/n/text()', query_to_xml(format('SELECT count(*) AS n FROM %I', c.relname), false, true, '')))[1]::text::int AS n
     FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND c.relname <> '_prisma_migrations'`,
  );
  return Object.fromEntries(rows.map(({ name, n }) => [name, n]));
}

/** What the code of every version up to `last` writes or reads; each version adds to the earlier ones. */
async function fixture(kind: "rows" | "queries", last: string): Promise<string> {
  const names = (await readMigrations()).map(({ name }) => name).filter((name) => name <= last);
  return (await Promise.all(names.map((name) => readFile(join(prismaDir, "upgrades", name, `${kind}.sql`), "utf8")))).join("\n");
}

/** Fills a database at the previous migration, applies the next one and runs the statements of all older code on the result. */
async function upgrade(previous: Migration, next: { name: string; sql: string }): Promise<void> {
  const database = await emptyDatabase();
  const dir = await migrationsUpTo(previous.name);
  await migrate(database.url, { migrationsDir: dir, log: silentLog });
  await ensurePartitions(database.pool, { nowMs: Date.UTC(2025, 10, 21) });
  await database.pool.query(await fixture("rows", previous.name));
  const before = await countRows(database.pool);
  expect(
    Object.entries(before).filter(([, n]) => n === 0),
    "rows.sql fills every table",
  ).toEqual([]);

  await mkdir(join(dir, next.name), { recursive: true });
  await writeFile(join(dir, next.name, "migration.sql"), next.sql);
  expect(await migrate(database.url, { migrationsDir: dir, log: silentLog })).toEqual([next.name]);
  const after = await countRows(database.pool);
  // A migration may add rows, such as sums of existing ones.
  expect(
    Object.entries(before).filter(([table, n]) => (after[table] ?? 0) < n),
    "no row is lost",
  ).toEqual([]);
  await database.pool.query(await fixture("queries", previous.name));
}

/** Destructive statements: an older process that runs beside the new one would fail. */
function takesAway(sql: string): string[] {
  const code = sql.replaceAll(/--.*$/gm, "");
  return (
    code.match(
      /\b(DROP\s+(TABLE|COLUMN|SCHEMA|TYPE|VIEW|SEQUENCE)|RENAME|(?<!BEFORE )TRUNCATE|DELETE\s+FROM|SET\s+NOT\s+NULL|SET\s+DATA\s+TYPE|ALTER\s+COLUMN\s+\S+\s+TYPE)\b/gi,
    ) ?? []
  );
}

describe("P31 a migration ships", () => {
  it("a fresh database migrates, and Prisma's engine finds nothing to change", async () => {
    const database = await emptyDatabase();
    const all = (await readMigrations()).map(({ name }) => name);
    expect(await migrate(database.url, { log: silentLog })).toEqual(all);
    await ensurePartitions(database.pool, { nowMs: Date.now() });
    expect((await diffSchema(database.url)).trim()).toBe(nothingToDo);
  });

  it("the comparison sees what is missing", async () => {
    const database = await emptyDatabase();
    await migrate(database.url, { log: silentLog });
    await database.pool.query("ALTER TABLE keys DROP COLUMN preview; DROP INDEX requests_model_id_idx");
    const difference = await diffSchema(database.url);
    expect(difference).toContain("preview");
    expect(difference).toContain("requests_model_id_idx");
  });

  it("the stock Prisma engine accepts the history as its own", async () => {
    const database = await emptyDatabase();
    expect(await prismaWouldApply(database.url)).toEqual((await readMigrations()).map(({ name }) => name));
    await migrate(database.url, { log: silentLog });
    expect(await prismaWouldApply(database.url)).toEqual([]);
  });
});

describe("H22 migrations only add", () => {
  it("every migration after the first upgrades a populated database of the one before, and the older code still runs", async () => {
    const migrations = await readMigrations();
    for (const [index, migration] of migrations.entries()) {
      const previous = migrations[index - 1];
      if (previous === undefined) continue;
      expect(takesAway(migration.sql), migration.name).toEqual([]);
      await upgrade(previous, migration);
    }
    const newest = migrations.at(-1);
    expect(newest).toBeDefined();
    // The newest migration has its rows and queries ready for the next one.
    if (newest !== undefined) {
      await upgrade(newest, {
        name: "99990101000000_additive",
        sql: `ALTER TABLE "keys" ADD COLUMN "note" TEXT NOT NULL DEFAULT ''; ALTER TABLE "requests" ADD COLUMN "region" TEXT; CREATE TABLE "notes" ("id" UUID PRIMARY KEY);`,
      });
    }
  });

  it("a destructive migration is caught: by its text, by lost rows or by the older code's queries", async () => {
    const newest = (await readMigrations()).at(-1);
    if (newest === undefined) throw new Error("There is no migration.");
    const bad = (sql: string) => upgrade(newest, { name: "99990101000000_bad", sql });
    expect(takesAway(`ALTER TABLE "keys" DROP COLUMN "rpm"`)).not.toEqual([]);
    await expect(bad(`ALTER TABLE "keys" DROP COLUMN "rpm"`)).rejects.toThrow(/rpm/);
    await expect(bad(`ALTER TABLE "keys" ADD COLUMN "owner" TEXT NOT NULL`)).rejects.toThrow(/owner/);
    await expect(
      bad(`ALTER TABLE "users" ADD COLUMN "a" TEXT NOT NULL DEFAULT ''; ALTER TABLE "users" ALTER COLUMN "a" DROP DEFAULT`),
    ).rejects.toThrow(/null value in column "a"/);
    await expect(bad(`DELETE FROM "prices"`)).rejects.toThrow();
  });
});

it("sums that rollups keep since a later migration hold what was settled before it, too", async () => {
  const before = "20261121000000_foundation";
  const after = "20261121103000_rollup_times";
  const database = await emptyDatabase();
  await migrate(database.url, { migrationsDir: await migrationsUpTo(before), log: silentLog });
  await ensurePartitions(database.pool, { nowMs: Date.UTC(2025, 10, 21) });
  await database.pool.query(await readFile(join(prismaDir, "upgrades", before, "rows.sql"), "utf8"));
  await database.pool.query(`
    UPDATE rollups_5m SET user_id = '019aa400-0000-7000-8000-000000000002', key_id = '019aa400-0000-7000-8000-000000000003',
      provider_id = '019aa400-0000-7000-8000-000000000004';
    DELETE FROM rollups_hour; INSERT INTO rollups_hour SELECT * FROM rollups_5m;
    DELETE FROM rollups_day; INSERT INTO rollups_day SELECT * FROM rollups_5m`);
  await migrate(database.url, { migrationsDir: await migrationsUpTo(after), log: silentLog });
  for (const table of ["rollups_5m", "rollups_hour", "rollups_day"]) {
    const { rows } = await database.pool.query(`SELECT ttft_count::int, ttft_ms_sum::int, duration_ms_sum::int FROM ${table}`);
    expect(rows, table).toEqual([{ ttft_count: 1, ttft_ms_sum: 120, duration_ms_sum: 350 }]);
  }
});
