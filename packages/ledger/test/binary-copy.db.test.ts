import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createTestDatabase, type TestDatabase } from "@sluice/testing/postgres";
import { from as copyFrom } from "pg-copy-streams";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type BinaryRow, binaryCopy } from "../src/binary-copy.ts";

let db: TestDatabase;
beforeAll(async () => {
  db = await createTestDatabase();
});
afterAll(() => db?.drop());

/** The written values as Postgres reads them, as text, in their order. */
async function readBack<T>(type: string, values: readonly T[], write: (row: BinaryRow, value: T) => void): Promise<(string | null)[]> {
  const client = await db.pool.connect();
  try {
    await client.query(`BEGIN; CREATE TEMP TABLE copied (n INT, value ${type}) ON COMMIT DROP`);
    const bytes = binaryCopy(values, 2, (row, value, index) => {
      row.integer(index);
      write(row, value);
    });
    await pipeline(Readable.from(bytes), client.query(copyFrom("COPY copied FROM STDIN (FORMAT binary)")));
    const { rows } = await client.query<{ value: string | null }>("SELECT value::text FROM copied ORDER BY n");
    return rows.map(({ value }) => value);
  } finally {
    await client.query("ROLLBACK");
    client.release();
  }
}

describe("Postgres reads what was written", () => {
  test("texts of any length and script", async () => {
    const values = ["", "a", "tab\t\\N\n", "日本 🦊", "é".repeat(200_000), ...Array.from({ length: 3_000 }, (_, i) => `row ${i}`)];
    expect(await readBack("TEXT", values, (row, value) => row.text(value))).toEqual(values);
  });

  test("whole numbers to the ends of their types, as numbers and as text", async () => {
    const values = [0, 1, -1, 2 ** 32, -(2 ** 32) - 1, Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER, null];
    expect(await readBack("BIGINT", values, (row, value) => row.bigint(value))).toEqual(values.map((value) => value?.toString() ?? null));
    const texts = ["-7", "9223372036854775807", "-9223372036854775808"];
    expect(await readBack("BIGINT", texts, (row, value) => row.bigint(value))).toEqual(texts);
    expect(await readBack("INT", [-2_147_483_648, null], (row, value) => row.integer(value))).toEqual(["-2147483648", null]);
    expect(await readBack("SMALLINT", [32_767, -32_768], (row, value) => row.smallint(value))).toEqual(["32767", "-32768"]);
  });

  test("decimals, with their twelve digits", async () => {
    const values = ["0", "1", "0.000000000001", "999999.999999999999", "12.5", null];
    const expected = ["0.000000000000", "1.000000000000", "0.000000000001", "999999.999999999999", "12.500000000000", null];
    expect(await readBack("DECIMAL(18,12)", values, (row, value) => row.decimal(value))).toEqual(expected);
  });

  test("ids, moments, truth and lists", async () => {
    const id = "019a0000-0000-7000-8000-0000000000ff";
    expect(await readBack("UUID", [id, null], (row, value) => row.uuid(value))).toEqual([id, null]);
    const moments = [0, Date.UTC(1999, 11, 31, 23, 59, 59, 999), Date.UTC(2026, 10, 29, 4, 5, 6, 7)];
    const read = await readBack("TIMESTAMPTZ(3)", moments, (row, value) => row.timestamp(value));
    expect(read.map((value) => Date.parse(value ?? ""))).toEqual(moments);
    expect(await readBack("BOOLEAN", [true, false], (row, value) => row.boolean(value))).toEqual(["true", "false"]);
    expect(await readBack("TEXT[]", [[], ["a"], ["partial", "estimated"]], (row, value) => row.texts(value))).toEqual([
      ...["{}", "{a}", "{partial,estimated}"],
    ]);
  });
});

test("a number that does not fit is refused, not cut", () => {
  const written = (write: (row: BinaryRow) => void) => () => [...binaryCopy([0], 1, write)];
  expect(written((row) => row.smallint(32_768))).toThrow(RangeError);
  expect(written((row) => row.integer(2 ** 31))).toThrow(RangeError);
  expect(written((row) => row.bigint("9223372036854775808"))).toThrow(RangeError);
});
