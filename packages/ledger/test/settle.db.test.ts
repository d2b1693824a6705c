import { createTestDatabase, type TestDatabase } from "@sluice/testing/postgres";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createLedger } from "../src/ledger.ts";
import { ledgerOptions, randomFinish, seededRandom, startOf, temporaryDirectory } from "./arrange.ts";

let db: TestDatabase;
let place: Awaited<ReturnType<typeof temporaryDirectory>>;
beforeAll(async () => {
  db = await createTestDatabase();
  place = await temporaryDirectory();
});
afterAll(async () => {
  await db?.drop();
  await place?.remove();
});

test("a finished request becomes one row, its detail and its sums", async () => {
  const ledger = await createLedger(ledgerOptions(place.dir, db.pool));
  const random = seededRandom(1);
  const ends = Array.from({ length: 700 }, () => randomFinish(random));
  await Promise.all(
    ends.map(async (end) => {
      await ledger.start(startOf(end));
      await ledger.finish(end);
    }),
  );
  await ledger.close();
  const { rows } = await db.pool.query("SELECT count(*)::int AS n FROM requests");
  expect(rows[0].n).toBe(700);
});
