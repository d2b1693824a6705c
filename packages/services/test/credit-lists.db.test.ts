import type { Ctx } from "@sluice/services/context";
import { getAccount } from "@sluice/services/credits/get-account";
import { listEntries } from "@sluice/services/credits/list-entries";
import { listUsers } from "@sluice/services/users/list-users";
import { statementsDuring } from "@sluice/testing/statements";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { startServices, type TestServices } from "./harness.ts";

const USERS = 100_000;
/** This test is about plans: enough rows to make every wrong one expensive. */
const ENTRIES = 200_000;
/** One entry in a hundred belongs to this user. */
const BUSY = "019aa400-0000-7000-9000-000000000007";

let world: TestServices;
let admin: Ctx & { userId: string };
beforeAll(async () => {
  world = await startServices();
  admin = await world.as("admin");
  const fill = (sql: string) => world.database.pool.query(`SET LOCAL statement_timeout = 0; ${sql}`);
  await fill(`INSERT INTO users (id, email, name, updated_at)
    SELECT ('019aa400-0000-7000-9000-' || lpad(to_hex(n), 12, '0'))::uuid, n || '@example.test', 'many ' || n, now() FROM generate_series(1, ${USERS}) n`);
  await fill(`INSERT INTO account_entries (id, user_id, kind, amount_nano_usd, balance_nano_usd)
    SELECT ('019aa400-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid,
      ('019aa400-0000-7000-9000-' || lpad(to_hex(CASE WHEN n % 100 = 0 THEN 7 ELSE 8 + n % 1000 END), 12, '0'))::uuid, 'top_up', 1000, 1000
    FROM generate_series(1, ${ENTRIES}) n`);
  await fill("ANALYZE users; ANALYZE accounts; ANALYZE account_entries");
}, 300_000);
afterAll(() => world?.close());

/** The plan of the one statement on a table that the code actually sent, with its values. */
async function planOf(table: string, work: () => Promise<unknown>): Promise<string> {
  const { pool } = world.database;
  const sent = vi.spyOn(pool, "query");
  await work();
  const asked = (sent.mock.calls as unknown as [{ text: string; values: unknown[] }][]).map(([query]) => query);
  sent.mockRestore();
  const [query, ...more] = asked.filter(({ text }) => text.includes(`"${table}"`));
  expect([query?.text, more]).toEqual([expect.stringMatching(/^SELECT/), []]);
  const { rows } = await pool.query(`EXPLAIN ${query?.text}`, query?.values);
  return rows.map((row) => row["QUERY PLAN"]).join("\n");
}

describe("W01 a balance by user", () => {
  it("is one lookup in the primary key among 100,000 accounts", async () => {
    const plan = await planOf("accounts", () => getAccount(admin, { userId: BUSY }));
    expect(plan).toContain("Index Scan using accounts_pkey");
    expect(plan).not.toMatch(/Seq Scan|Sort/);
  });
});

describe("W02 the credit log among 200,000 entries", () => {
  it("of one user, newest first, from any cursor, is read from the index in its order", async () => {
    const first = await planOf("account_entries", () => listEntries(admin, { filter: { userId: BUSY } }));
    expect(first).toContain("Index Scan using account_entries_user_id_id_idx");
    expect(first).not.toMatch(/Seq Scan|Sort/);
    const cursor = "019aa400-0000-7000-8000-00000000ffff";
    const later = await planOf("account_entries", () => listEntries(admin, { filter: { userId: BUSY }, cursor }));
    expect(later).toContain("Index Scan using account_entries_user_id_id_idx");
    expect(later).not.toMatch(/Seq Scan|Sort/);
    const all = await planOf("account_entries", () => listEntries(admin, {}));
    // With a single tenant the primary key is just as good.
    expect(all).toMatch(/Index Scan (using account_entries_tenant_id_id_idx|Backward using account_entries_pkey)/);
    expect(all).not.toMatch(/Seq Scan|Sort/);
  });

  it("is walked in the order of time, and only through one's own", async () => {
    const page = await listEntries(admin, { filter: { userId: BUSY }, limit: 100 });
    expect(page.items).toHaveLength(100);
    expect(page.items.every(({ userId }) => userId === BUSY)).toBe(true);
    const next = await listEntries(admin, { filter: { userId: BUSY }, limit: 100, cursor: page.nextCursor });
    const ids = [...page.items, ...next.items].map(({ id }) => id);
    expect(ids).toEqual([...new Set(ids)].toSorted().toReversed());
  });
});

describe("W09 users with their credit", () => {
  it("takes as many queries for 100 rows as for 10, three at most; without an account row it is 0", async () => {
    const { pool } = world.database;
    const count = async (limit: number): Promise<number> => {
      const statements = await statementsDuring(pool, async () => {
        expect((await listUsers(admin, { limit, search: "many ", fields: ["email", "credit"] })).items).toHaveLength(limit);
      });
      return statements.length;
    };
    await count(10);
    const few = await count(10);
    expect(few).toBeLessThanOrEqual(3);
    expect(await count(100)).toBe(few);
    await world.database.prisma.account.delete({ where: { userId: BUSY } });
    const [user] = (await listUsers(admin, { search: "7@example.test", fields: ["credit"], limit: 1 })).items;
    expect(user).toMatchObject({ id: BUSY, credit: { billing: "postpaid", balanceNanoUsd: "0", availableNanoUsd: "0" } });
  });
});
