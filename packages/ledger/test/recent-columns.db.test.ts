import { createTestDatabase, type TestDatabase } from "@sluice/testing/postgres";
import { afterAll, beforeAll, expect, it } from "vitest";
import { isUuid } from "../src/recent-columns.ts";

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database?.drop());

it("an id is ours when it is a UUID in small letters, and nothing else is", async () => {
  const id = "019aa400-0000-7abc-8000-00000000def9";
  const others = [
    ...["", "client-7", id.toUpperCase(), `{${id}}`, id.replaceAll("-", ""), `${id}0`, ` ${id}`, `${id}\n`, id.slice(1)],
    ...[id.replace("9", "g"), id.replace("9", "-"), id.replace("9", "é"), id.replace("9", "\n"), id.replace("-", "0"), "-".repeat(36)],
    "019aa4000-000-7abc-8000-00000000def9",
  ];
  const { rows } = await database.pool.query<{ text: string }>(`SELECT text FROM unnest($1::text[]) AS of(text) WHERE ${isUuid("text")}`, [
    [id, ...others],
  ]);
  expect(rows.map(({ text }) => text)).toEqual([id]);
});
