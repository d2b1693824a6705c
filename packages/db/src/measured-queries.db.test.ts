import { createTestDatabase, type TestDatabase } from "@sluice/testing/postgres";
import type { Pool } from "pg";
import { afterAll, beforeAll, describe, expect, it, test } from "vitest";
import { type MeasuredQuery, tableOf } from "./measured-queries.ts";
import { createPool, createPrisma } from "./postgres.ts";

let database: TestDatabase;
let pool: Pool;
let seen: MeasuredQuery[] = [];
beforeAll(async () => {
  database = await createTestDatabase();
  pool = createPool(database.url, { max: 2, onQuery: (query) => void seen.push(query) });
});
afterAll(async () => {
  await pool?.end();
  await database?.drop();
});

describe("statements are measured wherever they come from", () => {
  it("from the pool, from a transaction and from Prisma, on the one pool they share", async () => {
    seen = [];
    await pool.query("SELECT count(*) FROM requests WHERE id > $1", ["00000000-0000-0000-0000-000000000000"]);
    const client = await pool.connect();
    await client.query("BEGIN");
    await client.query('UPDATE "public"."users" SET name = name');
    await client.query("ROLLBACK");
    client.release();
    await createPrisma(pool).provider.findMany();
    expect(seen.map(({ table, failed }) => [table, failed])).toEqual([
      ["requests", false],
      ["none", false],
      ["users", false],
      ["none", false],
      ["providers", false],
    ]);
    for (const { ms } of seen) expect(ms).toBeGreaterThan(0);
  });

  it("W37: an error is counted as one and thrown as it was, by promise, by callback and through Prisma", async () => {
    seen = [];
    await expect(pool.query("SELECT 1/0 FROM keys")).rejects.toMatchObject({ code: "22012" });
    const client = await pool.connect();
    await expect(client.query("SELECT nothing FROM groups")).rejects.toMatchObject({ code: "42703" });
    client.release();
    await expect(createPrisma(pool).$queryRawUnsafe("SELECT nothing FROM prices")).rejects.toThrow();
    expect(seen.map(({ table, failed }) => [table, failed])).toEqual([
      ["keys", true],
      ["groups", true],
      ["prices", true],
    ]);
  });
});

test.each([
  ["INSERT INTO requests (id) SELECT id FROM unnest($1::uuid[]) AS t(id)", "requests"],
  [
    "WITH batch AS (SELECT * FROM jsonb_to_recordset($1)), more(a) AS MATERIALIZED (SELECT 1) SELECT * FROM batch JOIN rollups_hour USING (id)",
    "rollups_hour",
  ],
  ['SELECT "public"."keys"."id" FROM "public"."keys" WHERE 1=1', "keys"],
  ['DELETE FROM partitions."requests_2026_11" WHERE id < $1', "requests"],
  ["SELECT count(*) FROM pg_stat_activity", "pg_catalog"],
  ["SELECT extract(epoch FROM now())", "none"],
  ["SELECT 1 FROM prices WHERE a IS DISTINCT FROM b", "prices"],
  ["SELECT extract(epoch FROM created_at) FROM logins FOR UPDATE SKIP LOCKED", "logins"],
  ["SELECT pg_advisory_xact_lock($1)", "none"],
  ["DROP TABLE partitions.request_details_2025_01", "request_details"],
])("%s → %s", (text, table) => {
  expect(tableOf(text)).toBe(table);
});

test("names are bounded: what comes after many is other", () => {
  const found = new Set(Array.from({ length: 200 }, (_, n) => tableOf(`SELECT 1 FROM made_up_${n}`)));
  expect(found.size).toBeLessThanOrEqual(65);
  expect(found).toContain("other");
});
