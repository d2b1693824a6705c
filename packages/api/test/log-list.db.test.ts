import { newId } from "@sluice/core/ids";
import type { Page } from "@sluice/core/inputs/page";
import type { RequestRow } from "@sluice/core/requests";
import { makeKey, makeProvider, makeRequestDetail, makeRequestRow } from "@sluice/testing/factories";
import { createTestDatabase, type TestDatabase } from "@sluice/testing/postgres";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { call, makePerson, signIn, startApi, type TestApi } from "./harness.ts";

let database: TestDatabase;
let api: TestApi;
let cookie: string;

beforeAll(async () => {
  database = await createTestDatabase();
  api = await startApi({ database });
  cookie = await signIn(api.url, (await makePerson(database, "admin")).email);
});
afterAll(async () => {
  await api?.close();
  await database?.drop();
});

const list = async (input: object) => (await call(api.url, "query", "logs.list", input, { cookie })).data as Page<RequestRow>;

describe("P44 pages of the log", () => {
  it("W26 have items, nextCursor and hasMore; 20 unless asked; each row once while rows are inserted", async () => {
    const { key } = await makeKey(database.prisma);
    const ids: string[] = [];
    for (let i = 0; i < 47; i++) ids.push((await makeRequestRow(database.pool, { keyId: key.id })).id);
    const seen: string[] = [];
    let cursor: string | null = null;
    for (const size of [20, 20, 7]) {
      const page: Page<RequestRow> = await list({ filter: { keyId: key.id }, cursor });
      expect(page.items).toHaveLength(size);
      expect(page.hasMore).toBe(size === 20);
      seen.push(...page.items.map(({ id }) => id));
      cursor = page.nextCursor;
      await makeRequestRow(database.pool, { keyId: key.id });
    }
    expect(cursor).toBeNull();
    expect(seen).toEqual(ids.toReversed());
  });

  it.each(["x", "0", "'; DROP TABLE requests", "00000000-0000-4000-8000-000000000000", newId().toUpperCase()])(
    "refuse the cursor %j",
    async (cursor) => {
      expect(await call(api.url, "query", "logs.list", { cursor }, { cookie })).toMatchObject({ status: 400, code: "invalid_request" });
    },
  );
});

describe("H20 a page of 50 rows", () => {
  it("W27 is under 20 KB, without bodies, keys or secrets", async () => {
    const provider = await makeProvider(database.prisma, { secret: "sk-upstream-of-the-page" });
    const { key, secret } = await makeKey(database.prisma);
    for (let i = 0; i < 50; i++) {
      const fields = { keyId: key.id, userId: key.userId, providerId: provider.id, sessionId: newId(), model: "claude-sonnet-4-5" };
      const row = await makeRequestRow(database.pool, {
        ...fields,
        client: "claude-code 2.1",
        upstreamModel: "claude-sonnet-4-5-20250929",
      });
      await makeRequestDetail(database.pool, { id: row.id, error: { message: "said", detail: "what lay behind it ".repeat(50) } });
    }
    const { text, data } = await call(api.url, "query", "logs.list", { filter: { keyId: key.id }, limit: 50 }, { cookie });
    // The uncompressed size.
    expect(Buffer.byteLength(text)).toBeLessThan(20_000);
    expect((data as Page<RequestRow>).items).toHaveLength(50);
    for (const row of (data as Page<RequestRow>).items) expect(JSON.stringify(row).length).toBeLessThan(1_000);
    for (const hidden of [secret, key.preview, "sk-upstream-of-the-page", "what lay behind it"]) expect(text).not.toContain(hidden);
  });
});
