import { Validator } from "@seriousme/openapi-schema-validator";
import { basePath, hasBody, type Operation, pathFields } from "@sluice/api/rest/operation";
import { operations } from "@sluice/api/rest/operations";
import { newId } from "@sluice/core/ids";
import { noUsage, type RequestRow } from "@sluice/core/requests";
import { makeKey, makeRequestRow } from "@sluice/testing/factories";
import { createTestDatabase, type TestDatabase } from "@sluice/testing/postgres";
import { parse as parseCsv } from "csv-parse/sync";
import { type Document, OpenAPIClientAxios } from "openapi-client-axios";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { call, makePerson, signIn, startApi, type TestApi } from "./harness.ts";
import { makeThings, restPath, restSweep, type Things } from "./sweep.ts";

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

interface Credential {
  cookie?: string;
  key?: string;
}

/** One call, as a program would make it from the document alone. */
async function ask(operation: Operation, input: Record<string, unknown>, { cookie, key }: Credential) {
  const named = pathFields(operation.path);
  const inBody = hasBody(operation);
  const ofPath = Object.fromEntries(Object.entries(input).filter(([name]) => !inBody || named.includes(name)));
  const body = Object.fromEntries(Object.entries(input).filter(([name]) => !named.includes(name)));
  return fetch(api.url + restPath(operation, ofPath), {
    method: operation.method,
    headers: {
      ...(cookie && { cookie, origin: api.url }),
      ...(key && { authorization: `Bearer ${key}` }),
      ...(inBody && { "content-type": "application/json" }),
    },
    ...(inBody && { body: JSON.stringify(body) }),
  });
}

async function get(path: string, { cookie, key }: Credential = {}, headers: Record<string, string> = {}) {
  const response = await fetch(api.url + basePath + path, {
    headers: { ...headers, ...(cookie && { cookie }), ...(key && { authorization: `Bearer ${key}` }) },
  });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}

const document = async (): Promise<Document> => (await (await fetch(`${api.url}${basePath}/openapi.json`)).json()) as Document;

describe("the OpenAPI document", () => {
  it("is public, and valid for a validator that knows nothing of us", async () => {
    const validator = new Validator();
    expect(await validator.validate({ ...(await document()) })).toEqual({ valid: true });
    expect(validator.version).toBe("3.1");
  });

  it("states milliseconds for every time and duration", async () => {
    const silent: string[] = [];
    const read = (part: unknown, path: string): void => {
      for (const [name, value] of Object.entries(part ?? {})) {
        const text = JSON.stringify(value) ?? "";
        const isTime = /Ms$|^(from|to|asOf)$/.test(name) && /"type":"(number|integer)"/.test(text) && !text.includes('"properties"');
        if (isTime && !text.includes("illisecond")) silent.push(`${path}.${name}`);
        if (typeof value === "object") read(value, `${path}.${name}`);
      }
    };
    read((await document()).paths, "paths");
    expect(silent).toEqual([]);
  });

  it("is sufficient for a client generated from it to call every operation", async () => {
    const things = await makeThings(database, api);
    const own = await signIn(api.url, things.user.email);
    const client = await new OpenAPIClientAxios({ definition: await document() }).init();
    client.defaults.baseURL = api.url;
    client.defaults.paramsSerializer = { indexes: null };
    const called = client as unknown as Record<string, (parameters: object, body?: object, config?: object) => Promise<{ status: number }>>;
    expect(Object.keys(restSweep).sort(), "packages/api/test/sweep.ts").toEqual(operations.map(({ id }) => id).sort());
    for (const operation of operations) {
      const { id, path, access } = operation;
      const cookie = access === "admin" ? admin : own;
      for (const input of restSweep[id]?.(things) ?? []) {
        const isOfPath = (name: string): boolean => !hasBody(operation) || pathFields(path).includes(name);
        const split = (wanted: boolean) => Object.fromEntries(Object.entries(input).filter(([name]) => isOfPath(name) === wanted));
        const answer = await called[id]?.(split(true), hasBody(operation) ? split(false) : undefined, {
          headers: { cookie, origin: api.url },
          validateStatus: () => true,
        });
        expect([id, [200, 201, 204].includes(answer?.status ?? 0)], JSON.stringify(answer, ["status", "data", "error", "message"])).toEqual(
          [id, true],
        );
      }
    }
  });
});

describe("an operation", () => {
  it("admits the callers it declares, and a replay by another user finds and changes nothing", async () => {
    const [stranger, holder] = [await makePerson(database), await makePerson(database, "admin")];
    const { secret } = await makeKey(database.prisma, { userId: holder.id });
    await api.services.snapshot.refresh();
    const foreign = await signIn(api.url, stranger.email);
    const things = await makeThings(database, api);
    for (const operation of operations) {
      const { id, access } = operation;
      for (const input of restSweep[id]?.(things) ?? []) {
        const status = async (of: Credential): Promise<number> => (await ask(operation, input, of)).status;
        // A browser sends an Origin header even when nobody is signed in.
        expect([id, await status({ cookie: "sid=none" })]).toEqual([id, 401]);
        expect([id, await status({ key: "sk-sluice-of-nobody", cookie: admin })]).toEqual([id, 401]);
        if (access !== "key") expect([id, await status({ key: secret })]).toEqual([id, 403]);
        if (access === "admin") expect([id, await status({ cookie: foreign })]).toEqual([id, 403]);
        for (const of of [{ cookie: foreign }, { key: secret }]) {
          const text = await (await ask(operation, input, of)).text();
          for (const mark of marksOf(things)) expect(text, `${id} as ${Object.keys(of)}`).not.toContain(mark);
        }
      }
    }
    expect(await database.prisma.key.findMany({ where: { userId: things.user.id } })).toEqual([things.key]);
    expect(await database.prisma.user.findUnique({ where: { id: things.user.id } })).toEqual(things.user);
  });

  it("shows a key its own requests, whatever its owner's role", async () => {
    const owner = await makePerson(database, "admin");
    const [mine, other] = [await makeKey(database.prisma, { userId: owner.id }), await makeKey(database.prisma, { userId: owner.id })];
    await api.services.snapshot.refresh();
    const row = await makeRequestRow(database.pool, { userId: owner.id, keyId: mine.key.id });
    await makeRequestRow(database.pool, { userId: owner.id, keyId: other.key.id });
    const { body } = await get("/logs", { key: mine.secret });
    expect((body.items as { id: string }[]).map(({ id }) => id)).toEqual([row.id]);
    expect((await get(`/keys/${other.key.id}/limits`, { key: mine.secret })).status).toBe(404);
    // The key counts, whatever cookie accompanies it.
    expect((await get("/users", { key: mine.secret, cookie: admin })).body).toMatchObject({ error: { code: "forbidden" } });
  });

  it("answers what the procedure of the same name answers", async () => {
    const things = await makeThings(database, api);
    const cookie = await signIn(api.url, things.user.email);
    const { body } = await get(`/logs?model=${things.price.model}&notState=error&notState=lost&limit=7`, { cookie });
    const filter = { model: things.price.model, notState: ["error", "lost"] };
    const { data } = await call(api.url, "query", "logs.list", { filter, limit: 7 }, { cookie });
    const { items, nextCursor, hasMore } = data as { items: RequestRow[]; nextCursor: string | null; hasMore: boolean };
    expect(body).toMatchObject({
      items: items.map(({ tenantId: _tenant, correctsId: _corrects, ...row }) => row),
      nextCursor,
      hasMore,
    });
    expect(items).toHaveLength(2);
    expect((await get("/keys/pages?pageSize=1000", { cookie })).body).toMatchObject({
      total: 1,
      page: 1,
      pageSize: 100,
      totalPages: 1,
      hasNext: false,
    });
    // Fields that the document does not describe are not sent.
    expect(Object.keys(body)).not.toContain("busId");
  });

  it.each([
    ["/logs?limit=many", "invalid_request", "limit"],
    ["/logs?limit=1000", "invalid_request", "limit"],
    ["/logs?fromMs=yesterday", "invalid_request", "fromMs"],
    ["/logs?colour=red", "invalid_request", "colour"],
    ["/sessions?limit=5", "invalid_request", "limit"],
    ["/logs?__proto__=1", "invalid_request", "__proto__"],
    ["/logs/none", "invalid_request", "id"],
    [`/logs/${newId()}`, "not_found", undefined],
    ["/nothing", "not_found", undefined],
  ])("refuses %s in the one shape of errors: %s", async (path, code, field) => {
    const { status, body } = await get(path, { cookie: admin });
    expect(status).toBe(code === "not_found" ? 404 : 400);
    const { error } = body as { error: Record<string, unknown> };
    expect(error).toMatchObject({
      code,
      message: expect.any(String),
      requestId: expect.stringMatching(/^[0-9a-f-]{36}$/),
      retryable: false,
    });
    expect(error.field).toBe(field);
  });

  it("refuses a time in another unit, or outside the valid range, at its field", async () => {
    const { id, userId } = (await makeKey(database.prisma)).key;
    const atMs = 253_402_300_799_999;
    for (const [type, path, input] of [
      ["mutation", "keys.update", (at: number) => ({ id, expiresAtMs: at })],
      ["mutation", "users.update", (at: number) => ({ id: userId, expiresAtMs: at })],
      ["query", "audit.list", (at: number) => ({ filter: { fromMs: at } })],
      ["query", "audit.list", (at: number) => ({ filter: { toMs: at } })],
      ["query", "logs.list", (at: number) => ({ filter: { fromMs: at } })],
      ["query", "logs.list", (at: number) => ({ filter: { toMs: at } })],
      ["query", "statistics.series", (at: number) => ({ to: at, zone: "Asia/Shanghai", step: "month" })],
    ] as const) {
      const answer = await call(api.url, type, path, input(atMs), { cookie: admin });
      expect([path, answer.status]).toEqual([path, 200]);
      if (type === "mutation") expect(answer.data).toMatchObject({ expiresAtMs: atMs });
      for (const beyond of [atMs + 1, Date.now() * 1_000, 8.64e15, Number.MAX_SAFE_INTEGER]) {
        const refused = await call(api.url, type, path, input(beyond), { cookie: admin });
        expect([path, beyond, refused.code, refused.error?.field]).toEqual([
          ...[path, beyond, "invalid_request", expect.stringMatching(/expiresAtMs|fromMs|toMs|to/)],
        ]);
      }
    }
  });

  it("takes a body that is an object of JSON, from the console's own pages", async () => {
    const { id } = (await makeKey(database.prisma)).key;
    const patch = async (body: string, headers: Record<string, string> = {}) => {
      const response = await fetch(`${api.url}${basePath}/keys/${id}`, {
        method: "PATCH",
        headers: { cookie: admin, origin: api.url, "content-type": "application/json", ...headers },
        body,
      });
      const { error } = (await response.json()) as { error?: { code: string; field?: string } };
      return [response.status, error?.code, error?.field];
    };
    expect(await patch("{")).toEqual([400, "invalid_json", undefined]);
    expect(await patch("[]")).toEqual([400, "invalid_request", undefined]);
    expect(await patch(JSON.stringify({ id: newId() }))).toEqual([400, "invalid_request", "id"]);
    expect(await patch("{}", { "content-type": "text/plain" })).toEqual([415, "unsupported_media_type", undefined]);
    expect(await patch("{}", { origin: "https://evil.example" })).toEqual([403, "bad_origin", undefined]);
    expect(await patch(JSON.stringify({ name: "Of a program" }))).toEqual([200, undefined, undefined]);
    expect((await get("/overview", { cookie: admin }, { "sec-fetch-site": "cross-site" })).body).toMatchObject({
      error: { code: "bad_origin" },
    });
  });
});

describe("P22: the export", () => {
  it("downloads as CSV and JSON the same numbers as the ledger's, for a reader of another make; filters and ownership hold", async () => {
    const { key, secret } = await makeKey(database.prisma, { name: "=1+1" });
    await api.services.snapshot.refresh();
    const of = { keyId: key.id, userId: key.userId };
    const models = ["@sum", 'plain, with "quotes"\nand lines', "-3", "plain"];
    for (const [at, model] of models.entries())
      await makeRequestRow(database.pool, {
        ...of,
        model,
        usage: { ...noUsage, input: 10 ** at, output: at },
        costNanoUsd: `${1_000_000_001 * at}`,
      });
    await makeRequestRow(database.pool, { userId: key.userId, keyId: newId() });
    const download = (query: string) =>
      fetch(`${api.url}${basePath}/logs/export?${query}`, { headers: { authorization: `Bearer ${secret}` } });

    const answer = await download("format=csv");
    expect(answer.headers.get("content-disposition")).toMatch(/^attachment; filename="sluice-logs-[\dT-]+\.csv"$/);
    const rows = parseCsv(await answer.text(), { columns: true, bom: true }) as Record<string, string>[];
    const stored = await database.pool.query<{ input: string; output: string; cost: string }>(
      "SELECT sum(input_tokens) AS input, sum(output_tokens) AS output, sum(cost_nano_usd) AS cost FROM requests WHERE key_id = $1",
      [key.id],
    );
    const sum = (column: string): number => rows.reduce((total, row) => total + Number(row[column]), 0);
    expect({
      input: String(sum("input_tokens")),
      output: String(sum("output_tokens")),
      cost: String(Math.round(sum("cost_usd") * 1e9)),
    }).toEqual(stored.rows[0]);
    expect(rows.map(({ model }) => model)).toEqual(["plain", "'-3", models[1], "'@sum"]);
    expect(new Set(rows.map((row) => row.key))).toEqual(new Set(["'=1+1"]));

    const json = (await (
      await download(`format=json&model=${encodeURIComponent("@sum")}&columns=model&columns=input_tokens`)
    ).json()) as unknown;
    expect(json).toEqual([{ model: "@sum", input_tokens: 1 }]);
    expect((await download("format=csv&columns=provider")).status).toBe(403);
    expect((await download("format=xml")).status).toBe(400);
  });
});

/** Values that would reveal somebody's data. */
function marksOf({ user, key, keySecret, row, inFlight, sessionId, provider }: Things): string[] {
  return [user.email, key.preview, keySecret, row.id, inFlight.id, sessionId, provider.name];
}
