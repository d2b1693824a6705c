import { noUsage, type RequestRow } from "@sluice/core/requests";
import { makeKey, makeProvider, makeRequestRow } from "@sluice/testing/factories";
import { createTestDatabase, type TestDatabase } from "@sluice/testing/postgres";
import { seedRequestRows } from "@sluice/testing/seed-request-rows";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { call, makePerson, signIn, startApi, type TestApi } from "./harness.ts";

let database: TestDatabase;
let api: TestApi;
let admin: string;

beforeAll(async () => {
  database = await createTestDatabase();
  api = await startApi({ database });
  admin = await signIn(api.url, (await makePerson(database, "admin")).email);
});
afterAll(async () => {
  await api?.close();
  await database?.drop();
});

function download(format: "csv" | "json", query: { filter?: object; columns?: string[] }, cookie: string, signal?: AbortSignal) {
  const params = new URLSearchParams();
  if (query.filter) params.set("filter", JSON.stringify(query.filter));
  if (query.columns) params.set("columns", query.columns.join(","));
  return fetch(`${api.url}/export/logs.${format}?${params}`, { headers: { cookie }, signal: signal ?? null });
}

describe("an export of the log", () => {
  it("holds exactly what the filter lists, newest first, money as a decimal and times as ISO 8601", async () => {
    const user = await makePerson(database);
    const provider = await makeProvider(database.prisma);
    const { key } = await makeKey(database.prisma, { userId: user.id });
    const of = { userId: user.id, keyId: key.id, providerId: provider.id };
    const rows: RequestRow[] = [];
    for (let i = 0; i < 7; i++) rows.push(await makeRequestRow(database.pool, { ...of, model: i % 2 ? "odd" : "even" }));
    await makeRequestRow(database.pool, { model: "even" });
    const filter = { keyId: key.id, notModel: ["odd"] };
    const answer = await download("json", { filter }, admin);
    expect(answer.headers.get("content-type")).toBe("application/json; charset=utf-8");
    expect(answer.headers.get("content-disposition")).toMatch(/^attachment; filename="sluice-logs-[\dT-]+\.json"$/);
    const exported = (await answer.json()) as Record<string, unknown>[];
    const listed = (await call(api.url, "query", "logs.list", { filter, limit: 200 }, { cookie: admin })).data as { items: RequestRow[] };
    expect(exported.map(({ id }) => id)).toEqual(listed.items.map(({ id }) => id));
    expect(exported).toHaveLength(4);
    const newest = rows.at(-1);
    expect(exported[0]).toMatchObject({
      started_at: new Date(newest?.startedAtMs ?? 0).toISOString(),
      cost_usd: "0.00014",
      user: user.name,
      key: key.name,
      provider: provider.name,
      input_tokens: 100,
      billable: true,
      stream: false,
    });
  });

  it("in CSV has the chosen columns, and no cell that a spreadsheet would run", async () => {
    const { key } = await makeKey(database.prisma, { name: '=HYPERLINK("http://evil.example")' });
    const models = ["=1+1", "+2", "-3", "@sum", 'plain, with "quotes"\nand lines'];
    for (const model of models) await makeRequestRow(database.pool, { keyId: key.id, model, costNanoUsd: null, usage: noUsage });
    const answer = await download("csv", { filter: { keyId: key.id }, columns: ["model", "key", "cost_usd", "input_tokens"] }, admin);
    expect(answer.headers.get("content-type")).toBe("text/csv; charset=utf-8");
    const name = `"'=HYPERLINK(""http://evil.example"")"`;
    const cells = [`"plain, with ""quotes""\nand lines"`, "'@sum", "'-3", "'+2", "'=1+1"];
    const lines = cells.map((model) => `${model},${name},,0`);
    // Not text(), which removes the byte order mark.
    expect(Buffer.from(await answer.arrayBuffer()).toString()).toBe(
      `\ufeff${["model,key,cost_usd,input_tokens", ...lines, ""].join("\r\n")}`,
    );
  });

  it("of nothing is a header, or an empty list", async () => {
    const filter = { userId: "nobody" };
    expect((await (await download("csv", { filter, columns: ["id"] }, admin)).text()).trim()).toBe("id");
    expect(await (await download("json", { filter }, admin)).json()).toEqual([]);
  });

  it("gives users their own rows, and no providers", async () => {
    const [mine, theirs] = [await makePerson(database), await makePerson(database)];
    const provider = await makeProvider(database.prisma);
    const own = await makeRequestRow(database.pool, { userId: mine.id, providerId: provider.id, upstreamModel: "inner-model" });
    await makeRequestRow(database.pool, { userId: theirs.id });
    const cookie = await signIn(api.url, mine.email);
    const text = await (await download("json", {}, cookie)).text();
    expect((JSON.parse(text) as { id: string }[]).map(({ id }) => id)).toEqual([own.id]);
    for (const hidden of [provider.id, provider.name, "inner-model", "upstream_model", "provider"]) expect(text).not.toContain(hidden);
    expect((await download("csv", { columns: ["id", "provider"] }, cookie)).status).toBe(403);
    expect((await download("csv", { filter: { notProviderId: [provider.id] } }, cookie)).status).toBe(403);
    expect(await (await download("json", { filter: { userId: theirs.id } }, cookie)).json()).toEqual([]);
  });

  it.each([
    ["filter=%7B", "filter"],
    ['filter={"unknown":1}', "filter"],
    ["columns=id,secret", "columns"],
    ["limit=5", "limit"],
  ])("refuses ?%s", async (query, field) => {
    const answer = await fetch(`${api.url}/export/logs.csv?${query}`, { headers: { cookie: admin } });
    expect(answer.status).toBe(400);
    expect(((await answer.json()) as { error: { field: string } }).error.field).toContain(field);
  });

  it("is not for pages of other sites", async () => {
    const headers = { cookie: admin, "sec-fetch-site": "cross-site" };
    expect((await fetch(`${api.url}/export/logs.csv`, { headers })).status).toBe(403);
  });
});

describe("a large export", () => {
  const ROWS = 30_000;
  beforeAll(() => seedRequestRows(database.pool, ROWS, 20_000));

  it("is produced as it is read: a client that reads nothing costs a few pages, and one that leaves stops it", async () => {
    let statements = 0;
    const count = (): void => {
      statements += 1;
    };
    database.pool.on("acquire", count);
    const leave = new AbortController();
    const answer = await download("json", {}, admin, leave.signal);
    await answer.body?.getReader().read();
    expect(api.services.streams.size).toBe(1);
    leave.abort();
    await expect.poll(() => api.services.streams.size).toBe(0);
    database.pool.off("acquire", count);
    // The whole export takes two statements for each of its 60 pieces.
    expect(statements).toBeLessThan(60);
  });

  it("runs twice at a time for a user; the third is refused until one is over", async () => {
    const leave = new AbortController();
    // Referenced until the end: a response that is garbage-collected closes its connection, which ends the export.
    const running = [await download("json", {}, admin, leave.signal), await download("json", {}, admin, leave.signal)];
    expect(running.map(({ status }) => status)).toEqual([200, 200]);
    const refused = await download("csv", { columns: ["id"] }, admin);
    expect(refused.status).toBe(429);
    expect(await refused.json()).toMatchObject({ error: { code: "too_many_exports" } });
    const other = await signIn(api.url, (await makePerson(database)).email);
    expect(await (await download("json", {}, other)).json()).toEqual([]);
    expect(running.map(({ bodyUsed }) => bodyUsed)).toEqual([false, false]);
    leave.abort();
    await expect.poll(async () => (await download("csv", { filter: { userId: "nobody" } }, admin)).status).toBe(200);
  });

  it("holds every row once, and none that was settled after it began", async () => {
    const answer = await download("csv", { columns: ["id", "user_id"] }, admin);
    expect(answer.status).toBe(200);
    await makeRequestRow(database.pool, { userId: "too-late", startedAtMs: Date.now() - 3_600_000 });
    const lines = (await answer.text()).trim().split("\r\n").slice(1);
    expect(lines.length).toBeGreaterThanOrEqual(ROWS);
    expect(new Set(lines.map((line) => line.split(",")[0])).size).toBe(lines.length);
    expect(lines.join()).not.toContain("too-late");
  });

  it("breaks off visibly when the server goes", async () => {
    const gone = await startApi({ database, name: "gone" });
    const cookie = await signIn(gone.url, (await makePerson(database, "admin")).email);
    const answer = await fetch(`${gone.url}/export/logs.json`, { headers: { cookie } });
    const reader = answer.body?.getReader();
    await reader?.read();
    const rest = (async () => {
      while (!(await reader?.read())?.done);
    })();
    const [outcome] = await Promise.allSettled([rest, gone.close()]);
    expect(outcome?.status).toBe("rejected");
  });
});
