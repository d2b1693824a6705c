import { newId } from "@sluice/core/ids";
import { sortNames } from "@sluice/core/sort-names";
import type { Ctx } from "@sluice/services/context";
import { countKeysStatement, type KeysAsk, keysStatement } from "@sluice/services/keys/keys-statement";
import { listKeys, pageKeys } from "@sluice/services/keys/list-keys";
import { listUsers, pageUsers } from "@sluice/services/users/list-users";
import { keyCountsSql, usersStatement } from "@sluice/services/users/users-statement";
import { until } from "@sluice/testing/deadline";
import { makeKey, makeUser, requestDetail, requestRow, uniqueName } from "@sluice/testing/factories";
import { statementsDuring } from "@sluice/testing/statements";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startServices, type TestServices } from "./harness.ts";

let world: TestServices;
let admin: Ctx & { userId: string };
beforeAll(async () => {
  world = await startServices();
  admin = await world.as("admin");
});
afterAll(() => world?.close());

interface Used {
  requests?: number;
  tokens?: number;
  usedAtMs?: number;
}

async function useKey(keyId: string, { requests = 0, tokens = 0, usedAtMs = 0 }: Used): Promise<void> {
  const moved = { requests: BigInt(requests), totalTokens: BigInt(tokens), lastUsedAt: new Date(usedAtMs) };
  await world.database.prisma.keyTotals.update({ where: { keyId }, data: moved });
}

/** One user's keys in every state and with different usage; some names are capitalised. */
async function makeKeys() {
  const { prisma } = world.database;
  const user = await makeUser(prisma, { name: uniqueName("Owner") });
  const of = async (name: string, fields: object, used: Used) => {
    const { key } = await makeKey(prisma, { userId: user.id, name, ...fields });
    await useKey(key.id, used);
    return key.id;
  };
  const past = new Date(Date.now() - 1_000);
  return {
    user,
    beta: await of("beta", {}, { requests: 5, tokens: 50, usedAtMs: 3_000 }),
    alpha: await of("Alpha", { expiresAt: new Date(Date.now() + 60_000) }, { requests: 5, tokens: 70, usedAtMs: 1_001 }),
    off: await of("off", { disabledAt: past }, { requests: 9, tokens: 10, usedAtMs: 2_000 }),
    over: await of("over", { expiresAt: past }, {}),
    gone: await of("gone", { revokedAt: past }, { requests: 1, tokens: 60, usedAtMs: 1_002 }),
  };
}

describe("the list of keys", () => {
  it("comes in every order, forwards and backwards, page by page without a gap or a repetition", async () => {
    const { user, beta, alpha, off, over, gone } = await makeKeys();
    const orders = {
      created: [beta, alpha, off, over, gone],
      name: [alpha, beta, gone, off, over],
      lastUsed: [over, alpha, gone, off, beta],
      requests: [over, gone, beta, alpha, off],
      tokens: [over, off, beta, gone, alpha],
    };
    for (const sort of sortNames) {
      for (const order of ["asc", "desc"] as const) {
        const walked: string[] = [];
        let cursor: string | null = null;
        do {
          const page = await listKeys(admin, { userId: user.id, sort, order, limit: 2, cursor });
          walked.push(...page.items.map(({ id }) => id));
          cursor = page.nextCursor;
        } while (cursor !== null);
        expect(walked, `${sort} ${order}`).toEqual(order === "asc" ? orders[sort] : orders[sort].toReversed());
      }
    }
  });

  it("filters by state, by the beginning of a name and by the owner", async () => {
    const { user, beta, alpha, off, over, gone } = await makeKeys();
    const ids = async (input: Parameters<typeof listKeys>[1]) =>
      (await listKeys(admin, { userId: user.id, ...input })).items.map(({ id }) => id);
    expect(await ids({ status: ["active"] })).toEqual([alpha, beta]);
    expect(await ids({ status: ["disabled"] })).toEqual([off]);
    expect(await ids({ status: ["expired"] })).toEqual([over]);
    expect(await ids({ status: ["revoked"] })).toEqual([gone]);
    expect(await ids({ status: ["disabled", "expired", "revoked"], sort: "tokens" })).toEqual([gone, off, over]);
    expect(await ids({ search: "AL" })).toEqual([alpha]);
    expect(await ids({ search: "lpha" })).toEqual([]);
    expect(await ids({ search: "100%_" })).toEqual([]);
    for (const search of [user.name.toUpperCase(), user.email.slice(0, -3)]) {
      const found = await listKeys(admin, { search });
      expect(found.items.map(({ id }) => id)).toEqual([gone, over, off, alpha, beta]);
    }
  });

  it("W23 contains owners and totals only on request, and nothing about owners for users", async () => {
    const { user, alpha } = await makeKeys();
    const [plain] = (await listKeys(admin, { userId: user.id, search: "alpha" })).items;
    expect(Object.keys(plain ?? {})).not.toEqual(expect.arrayContaining(["owner"]));
    expect(plain).not.toHaveProperty("totals");
    expect(JSON.stringify(plain)).not.toContain(user.email);
    const full = await listKeys(admin, { userId: user.id, search: "alpha", fields: ["owner", "totals"] });
    expect(full.items[0]).toMatchObject({
      id: alpha,
      owner: { name: user.name, email: user.email },
      totals: { requests: 5, totalTokens: 70, costNanoUsd: "0", lastUsedAtMs: 1_001 },
    });
    const own = await listKeys(
      { ...admin, actor: { kind: "user", userId: user.id, role: "user", email: user.email, name: user.name, loginId: "" } },
      { fields: ["owner", "totals"] },
    );
    expect(own.items).toHaveLength(5);
    for (const item of own.items) expect(item).not.toHaveProperty("owner");
  });
});

describe("the list of users", () => {
  it("W23 has neither e-mail nor credit unless asked", async () => {
    await makeUser(world.database.prisma);
    const { items } = await listUsers(admin);
    expect(items.length).toBeGreaterThan(1);
    for (const item of items) {
      expect(item).not.toHaveProperty("email");
      expect(item).not.toHaveProperty("credit");
      expect(item).not.toHaveProperty("totals");
    }
    expect((await listUsers(admin, { fields: ["email"] })).items[0]).toHaveProperty("email");
  });

  it("finds by name or e-mail, filters by state, sorts by use and counts keys", async () => {
    const { prisma } = world.database;
    const mark = uniqueName("zz");
    const one = await makeUser(prisma, { name: `${mark} One` });
    const two = await makeUser(prisma, { email: `${mark}@example.test`, name: "Two", disabledAt: new Date() });
    await makeKey(prisma, { userId: one.id });
    await makeKey(prisma, { userId: one.id, revokedAt: new Date() });
    await prisma.userTotals.update({ where: { userId: two.id }, data: { totalTokens: 7n, requests: 1n } });
    const ids = async (input: Parameters<typeof listUsers>[1]) => (await listUsers(admin, { search: mark.toUpperCase(), ...input })).items;
    expect((await ids({ sort: "tokens" })).map(({ id }) => id)).toEqual([two.id, one.id]);
    expect((await ids({ sort: "tokens", order: "asc", fields: ["keys"] })).map(({ id, keys }) => [id, keys])).toEqual([
      [one.id, 1],
      [two.id, 0],
    ]);
    expect((await ids({ status: "disabled" })).map(({ id }) => id)).toEqual([two.id]);
    expect((await ids({ status: "active" })).map(({ id }) => id)).toEqual([one.id]);
  });
});

describe("totals in lists", () => {
  it("include what ended before they were read, and the list names it to those who may see it", async () => {
    const { user, alpha } = await makeKeys();
    const ofUser = {
      ...admin,
      actor: { kind: "user", userId: user.id, role: "user", email: user.email, name: user.name, loginId: "" },
    } as Ctx;
    const ends = [{ userId: user.id, keyId: alpha }, {}].map((fields) =>
      requestRow({ id: newId(), startedAtMs: Date.now() - 5, durationMs: 5, ...fields }),
    );
    for (const row of ends) world.live.registry.finished(row, requestDetail({ id: row.id }));
    const reading = Promise.all([
      listKeys(admin, { userId: user.id, search: "alpha", fields: ["totals"] }),
      listKeys(ofUser, { search: "alpha", fields: ["totals"] }),
      listUsers(admin, { search: user.email, fields: ["totals"] }),
    ]);
    setTimeout(() => void world.settle(...ends).then(() => world.live.registry.settled(ends.map(({ id }) => id))), 150);
    const [ofAll, own, users] = await reading;
    expect([ofAll, own].map(({ items }) => items[0]?.totals?.requests)).toEqual([6, 6]);
    expect(users.items[0]?.totals?.requests).toBe(1);
    const ids = ends.map(({ id }) => id);
    expect([ofAll, users].map(({ recent }) => recent?.ids.toSorted())).toEqual([ids.toSorted(), ids.toSorted()]);
    expect(own.recent?.ids).toEqual(ids.slice(0, 1));
    expect(await listKeys(admin)).not.toHaveProperty("recent");
  });
});

describe("W25 pages by number", () => {
  it("carry items, totals and what is before and after", async () => {
    const { user } = await makeKeys();
    const page = (input: object) => pageKeys(admin, { userId: user.id, ...input });
    expect(await page({ pageSize: 2 })).toMatchObject({ total: 5, page: 1, pageSize: 2, totalPages: 3, hasNext: true, hasPrev: false });
    expect(await page({ pageSize: 2, page: 3 })).toMatchObject({ total: 5, page: 3, totalPages: 3, hasNext: false, hasPrev: true });
    expect((await page({ pageSize: 2, page: 3 })).items).toHaveLength(1);
    expect(await page({})).toMatchObject({ pageSize: 20, totalPages: 1, hasNext: false });
    expect(await page({ pageSize: 1_000 })).toMatchObject({ pageSize: 100 });
    expect(await page({ pageSize: 2, page: 9 })).toMatchObject({ items: [], total: 5, hasNext: false, hasPrev: true });
    expect(await page({ search: uniqueName("nothing") })).toMatchObject({
      items: [],
      total: 0,
      totalPages: 0,
      hasNext: false,
      hasPrev: false,
    });
    expect(await pageUsers(admin, { search: user.email })).toMatchObject({ total: 1, items: [{ id: user.id }] });
  });

  it.each([0, -1, Number.NaN, 1.5])("refuse page %s", async (page) => {
    await expect(pageKeys(admin, { page })).rejects.toMatchObject({ code: "invalid_request", field: "page" });
    await expect(pageUsers(admin, { page })).rejects.toMatchObject({ code: "invalid_request", field: "page" });
  });

  it("refuse a size below one, and cursors that are none", async () => {
    await expect(pageKeys(admin, { pageSize: 0 })).rejects.toMatchObject({ code: "invalid_request" });
    await expect(listKeys(admin, { cursor: "'; --" })).rejects.toMatchObject({ code: "invalid_request", field: "cursor" });
  });
});

describe("P25 with 100,000 keys", () => {
  const KEYS = 100_000;
  const OWNERS = 1_000;
  let owner = "";
  const ask = (fields: Partial<KeysAsk>): KeysAsk => ({
    ...{ tenantId: "default", userId: null, searchesOwners: true, sort: "created", order: "desc", nowMs: Date.now() },
    ...fields,
  });

  beforeAll(async () => {
    const { pool } = world.database;
    // One id per millisecond, so that they are distributed like real ones.
    const id = (n: string, kind: string) =>
      `(lpad(to_hex(1763700000000 + ${n}), 12, '0') || '7000${kind}000' || lpad(to_hex(${n}), 12, '0'))::uuid`;
    await pool.query(`INSERT INTO users (id, email, name, updated_at)
      SELECT ${id("n", "8")}, 'many-' || n || '@example.test', 'Many ' || n, now() FROM generate_series(1, ${OWNERS}) n`);
    await pool.query(`INSERT INTO keys (id, user_id, name, sha256, preview, disabled_at, revoked_at, expires_at, updated_at)
      SELECT ${id("n", "9")}, ${id(`(1 + n % ${OWNERS})`, "8")}, 'many ' || n, 'many-' || n, '…',
        CASE WHEN n / ${OWNERS} % 10 = 0 THEN now() END, CASE WHEN n / ${OWNERS} % 20 = 1 THEN now() END,
        CASE WHEN n / ${OWNERS} % 30 = 2 THEN now() END, now()
      FROM generate_series(1, ${KEYS}) n`);
    await pool.query(`UPDATE key_totals SET requests = (random() * 1000)::int, total_tokens = (random() * 1000000)::int,
      last_used_at = now() - random() * interval '30 days'`);
    await pool.query("VACUUM ANALYZE keys, key_totals, users, user_totals");
    owner = (await pool.query("SELECT id FROM users WHERE email = 'many-7@example.test'")).rows[0].id;
  }, 300_000);

  interface Plan {
    "Node Type": string;
    "Index Name"?: string;
    "Relation Name"?: string;
    "Actual Rows": number;
    "Actual Loops": number;
    "Rows Removed by Filter"?: number;
    "Rows Removed by Index Recheck"?: number;
    Plans?: Plan[];
  }

  async function explain({ text, values }: { text: string; values: unknown[] }): Promise<Plan[]> {
    const { rows } = await world.database.pool.query(`EXPLAIN (ANALYZE, FORMAT JSON) ${text}`, values);
    const flat = (plan: Plan): Plan[] => [plan, ...(plan.Plans ?? []).flatMap(flat)];
    return flat(rows[0]["QUERY PLAN"][0].Plan);
  }

  /** Rows read from tables and indexes, including the ones that were filtered out. */
  const touched = (nodes: Plan[]): number =>
    nodes
      .filter((node) => node["Relation Name"] || node["Index Name"])
      .reduce((sum, node) => sum + node["Actual Loops"] * (node["Actual Rows"] + (node["Rows Removed by Filter"] ?? 0)), 0);
  const tables = (nodes: Plan[]): Set<string> => new Set(nodes.flatMap((node) => node["Relation Name"] ?? []));

  it("P29 each order comes from its index, without a scan of a table", async () => {
    const orders: [index: string, ask: Partial<KeysAsk>][] = [
      ["key_totals_tenant_id_total_tokens_key_id_idx", { sort: "tokens" }],
      ["key_totals_tenant_id_requests_key_id_idx", { sort: "requests" }],
      ["keys_user_id_state_id_idx", { userId: owner, status: ["disabled"] }],
      ["keys_user_id_name_id_idx", { userId: owner, sort: "name" }],
      ["key_totals_user_id_total_tokens_key_id_idx", { userId: owner, sort: "tokens" }],
      ["key_totals_user_id_last_used_at_key_id_idx", { userId: owner, sort: "lastUsed" }],
    ];
    for (const [index, fields] of orders) {
      const nodes = await explain(keysStatement(ask(fields), { limit: 21 }));
      expect(nodes.map((node) => node["Index Name"])).toContain(index);
      expect(nodes.map((node) => node["Node Type"])).not.toContain("Seq Scan");
      expect(
        nodes.map((node) => node["Node Type"]).filter((type) => /^(Incremental )?Sort/.test(type) && fields.sort !== undefined),
      ).toEqual([]);
    }
  });

  it("W11 a page joins one large table, and a search reads owners by their index", async () => {
    for (const sort of sortNames) {
      for (const userId of [null, owner]) {
        const nodes = await explain(keysStatement(ask({ sort, userId, status: ["active"] }), { limit: 21 }));
        expect([...tables(nodes)].sort(), sort).toEqual(["key_totals", "keys"]);
      }
      const people = await explain(usersStatement({ tenantId: "default", sort, order: "desc" }, { limit: 21 }));
      expect([...tables(people)].sort(), sort).toEqual(["user_totals", "users"]);
    }
    const search = await explain(keysStatement(ask({ search: "many-7@" }), { limit: 21 }));
    expect(search.filter((node) => node["Relation Name"] === "users").map((node) => node["Node Type"])).not.toContain("Seq Scan");
  });

  it("A19 the cost of a page depends on its size, not on the number of keys", async () => {
    for (const sort of sortNames) {
      for (const limit of [11, 101]) {
        const first = await explain(keysStatement(ask({ sort }), { limit }));
        expect(touched(first), `${sort} ${limit}`).toBeLessThan(4 * limit);
        const page = await listKeys(admin, { sort, limit });
        const later = await explain(keysStatement(ask({ sort }), { limit, cursor: page.nextCursor }));
        expect(touched(later), `${sort} ${limit}, later`).toBeLessThan(4 * limit + 10);
      }
      const mine = await explain(keysStatement(ask({ sort, userId: owner }), { limit: 11 }));
      expect(touched(mine), `${sort}, of one user`).toBeLessThan(500);
    }
    const counts = await explain({ text: keyCountsSql, values: [[owner]] });
    expect(touched(counts)).toBeLessThan(500);
    expect((await explain(countKeysStatement(ask({ userId: owner })))).map((node) => node["Node Type"])).not.toContain("Seq Scan");
  });

  it("A20 the first page comes at once, and pages by number know the rest", async () => {
    const times: number[] = [];
    for (let i = 0; i < 20; i++) {
      const began = performance.now();
      const page = await listKeys(admin, { limit: 50, fields: ["owner", "totals"] });
      times.push(performance.now() - began);
      expect(page.items).toHaveLength(50);
      expect(page.hasMore).toBe(true);
    }
    // The promise is 300 ms; a busy machine gets five times that.
    expect(times.toSorted((a, b) => a - b)[18]).toBeLessThan(1_500);
    const { total, totalPages } = await pageKeys(admin, { pageSize: 100, search: "many " });
    expect([total, totalPages]).toEqual([KEYS, KEYS / 100]);
  });

  it("W10 10 rows and 100 rows take the same number of queries", async () => {
    const { pool } = world.database;
    const count = async (work: () => Promise<unknown>): Promise<number> => {
      const statements = await statementsDuring(pool, async () => {
        await work();
        // The last statement of a transaction is counted with its COMMIT, which callers do not wait for.
        await until(() => pool.idleCount === pool.totalCount, { what: "transactions are over" });
      });
      return statements.length;
    };
    const lists: [what: string, list: (limit: number) => Promise<{ items: unknown[] }>][] = [
      ["keys", (limit) => listKeys(admin, { limit, fields: ["owner", "totals"], sort: "tokens" })],
      ["users", (limit) => listUsers(admin, { limit, fields: ["email", "totals", "keys"] })],
      ["numbered keys", (pageSize) => pageKeys(admin, { pageSize, fields: ["owner", "totals"] })],
    ];
    for (const [what, list] of lists) {
      const few = await count(async () => expect((await list(10)).items).toHaveLength(10));
      const many = await count(async () => expect((await list(100)).items).toHaveLength(100));
      expect([what, many]).toEqual([what, few]);
      expect(few).toBeGreaterThan(0);
    }
  });

  it("a cursor of another order, or of a key that is gone, leads on without an error", async () => {
    const page = await listKeys(admin, { sort: "name", limit: 5 });
    expect((await listKeys(admin, { sort: "created", limit: 5, cursor: page.nextCursor })).items).toHaveLength(5);
    expect((await listKeys(admin, { sort: "name", limit: 5, cursor: newId() })).items).toHaveLength(5);
    for (const sort of ["lastUsed", "requests", "tokens"] as const) {
      for (const cursor of [page.nextCursor, `${newId()}~${"9".repeat(40)}`, `${newId()}~NaN`]) {
        expect((await listKeys(admin, { sort, limit: 5, cursor })).items).toHaveLength(5);
        expect((await listUsers(admin, { sort, limit: 1, cursor })).items).toHaveLength(1);
      }
    }
  });
});
