import { PrismaClientKnownRequestError } from "@prisma/client/runtime/client";
import { until } from "@sluice/testing/deadline";
import { makeUser } from "@sluice/testing/factories";
import type { TestDatabase } from "@sluice/testing/postgres";
import { createTestDatabase } from "@sluice/testing/postgres";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createPool, createPrisma } from "./postgres.ts";

let database: TestDatabase;

beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

describe("connections", () => {
  it("cancel statements that take too long and name themselves", async () => {
    const pool = createPool(database.url, { applicationName: "named", statementTimeoutMs: 50 });
    await expect(pool.query("SELECT pg_sleep(60)")).rejects.toThrow(/statement timeout/);
    expect((await pool.query("SHOW application_name")).rows).toEqual([{ application_name: "named" }]);
    await pool.end();
  });

  it("that the server ends are replaced without the process noticing", async () => {
    const pool = createPool(database.url, { max: 1, applicationName: "ended" });
    const pid = (await pool.query<{ pid: number }>("SELECT pg_backend_pid() AS pid")).rows[0]?.pid;
    await database.pool.query("SELECT pg_terminate_backend($1)", [pid]);
    await until(() => pool.totalCount === 0, { what: "the pool has noticed" });
    expect((await pool.query("SELECT 1 AS n")).rows).toEqual([{ n: 1 }]);
    await pool.end();
  });

  it("of Prisma end with it when it was given a URL, and report a taken name as P2002", async () => {
    const prisma = createPrisma(database.url);
    const user = await makeUser(prisma);
    const again = makeUser(prisma, { email: user.email });
    await expect(again).rejects.toBeInstanceOf(PrismaClientKnownRequestError);
    await expect(again).rejects.toMatchObject({ code: "P2002" });
    await prisma.$disconnect();
    const { rows } = await database.pool.query(
      "SELECT count(*)::int AS n FROM pg_stat_activity WHERE application_name = 'sluice' AND datname = $1",
      [database.name],
    );
    expect(rows).toEqual([{ n: 0 }]);
  });
});
