import type { DeclaredProcedure } from "@sluice/api/declared-access";
import { collectRoutes } from "@sluice/api/declared-routes";
import { procedures } from "@sluice/api/router";
import type { LiveCommand } from "@sluice/core/events";
import { newId } from "@sluice/core/ids";
import type { User } from "@sluice/db/generated/client";
import { until } from "@sluice/testing/deadline";
import { makeKey, makeProvider, makeRequestDetail, makeRequestRow } from "@sluice/testing/factories";
import { createTestDatabase, type TestDatabase } from "@sluice/testing/postgres";
import { startTestRedis, type TestRedis } from "@sluice/testing/redis";
import Fastify from "fastify";
import SuperJSON from "superjson";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  type Answer,
  type CallOptions,
  call,
  makePerson,
  openStream,
  post,
  signIn,
  signInByKey,
  startApi,
  type TestApi,
} from "./harness.ts";
import { makeThings, nobodysThings, procedureSweep, routeSweep, type Things } from "./sweep.ts";

let database: TestDatabase;
let redis: TestRedis;
let api: TestApi;
/** Another instance, connected only by Redis and Postgres. */
let other: TestApi;

const people = {} as Record<"user" | "otherUser" | "admin" | "disabled" | "demoted", User>;
/** `key`: signed in with a client key. */
type Rank = "nobody" | "key" | "user" | "admin";
const principals: { name: string; rank: Rank; as: CallOptions }[] = [];

beforeAll(async () => {
  [database, redis] = await Promise.all([createTestDatabase(), startTestRedis()]);
  api = await startApi({ database, redisUrl: redis.url, name: "a" });
  other = await startApi({ database, redisUrl: redis.url, name: "b" });
  people.user = await makePerson(database);
  people.otherUser = await makePerson(database);
  people.disabled = await makePerson(database);
  people.demoted = await makePerson(database, "admin");
  people.admin = await makePerson(database, "admin");
  const cookies = Object.fromEntries(
    await Promise.all(Object.entries(people).map(async ([name, { email }]) => [name, await signIn(api.url, email)])),
  ) as Record<keyof typeof people, string>;
  const admin = { cookie: cookies.admin };
  await call(api.url, "mutation", "users.update", { id: people.disabled.id, enabled: false }, admin);
  await call(api.url, "mutation", "users.update", { id: people.demoted.id, role: "user" }, admin);
  const { secret } = await makeKey(database.prisma, { userId: people.user.id });
  principals.push(
    { name: "anonymous", rank: "nobody", as: {} },
    { name: "a client's key", rank: "nobody", as: { headers: { authorization: `Bearer ${secret}`, "x-api-key": secret } } },
    { name: "who signed in by a key", rank: "key", as: { cookie: await signInByKey(api, secret) } },
    { name: "a user", rank: "user", as: { cookie: cookies.user } },
    { name: "another user", rank: "user", as: { cookie: cookies.otherUser } },
    { name: "a disabled user", rank: "nobody", as: { cookie: cookies.disabled } },
    { name: "a demoted administrator's old login", rank: "nobody", as: { cookie: cookies.demoted } },
    { name: "a demoted administrator", rank: "user", as: { cookie: await signIn(api.url, people.demoted.email) } },
    { name: "an administrator", rank: "admin", as: admin },
  );
});
afterAll(async () => {
  await Promise.all([api?.close(), other?.close()]);
  await redis?.stop();
  await database?.drop();
});

const ranks: readonly string[] = ["key", "user", "admin"] satisfies Rank[];

/** The error code that refuses a principal; null = admitted. */
function refusal(access: DeclaredProcedure["access"], rank: Rank): string | null {
  if (access === "public") return null;
  if (rank === "nobody") return "unauthenticated";
  return ranks.indexOf(rank) < ranks.indexOf(access) ? "forbidden" : null;
}

function expectAccess(answer: Pick<Answer, "status" | "code">, wanted: string | null): void {
  if (wanted === null) expect(["unauthenticated", "forbidden", "internal"]).not.toContain(answer.code);
  else expect(answer).toMatchObject({ code: wanted, status: wanted === "forbidden" ? 403 : 401 });
}

describe("every procedure", () => {
  const calls = procedures.filter(({ type }) => type !== "subscription");

  it.each(calls)("$path admits the callers it declares ($access)", async ({ path, type, access }) => {
    for (const { rank, as, name } of principals) {
      const answer = await call(api.url, type === "query" ? "query" : "mutation", path, undefined, as);
      expectAccess(answer, refusal(access, rank));
      if (answer.error)
        expect(answer.error, name).toMatchObject({ requestId: expect.stringMatching(/^[0-9a-f-]{36}$/), retryable: expect.any(Boolean) });
    }
  });

  it.each(calls)("$path is checked inside a batch as outside", async ({ path, type, access }) => {
    for (const { rank, as } of principals) {
      const answers = await batch(api.url, type === "query" ? ["logins.current", path] : [path, path], type === "query", as);
      expectAccess(answers[1] ?? { status: 0, code: "" }, refusal(access, rank));
    }
  });

  it.each(calls.filter(({ type }) => type === "mutation"))("$path changes nothing by GET, text or another site", async ({ path }) => {
    const { as } = principals.at(-1) ?? { as: {} };
    expect(await call(api.url, "query", path, {}, as)).toMatchObject({ status: 405, code: "method_not_allowed" });
    expect(await call(api.url, "mutation", path, {}, { ...as, headers: { "content-type": "text/plain" } })).toMatchObject({ status: 415 });
    expect(await call(api.url, "mutation", path, {}, { ...as, headers: { origin: "https://evil.example" } })).toMatchObject({
      status: 403,
      code: "bad_origin",
    });
    expect(await call(api.url, "mutation", path, {}, { ...as, headers: { "sec-fetch-site": "cross-site" } })).toMatchObject({
      status: 403,
      code: "bad_origin",
    });
  });

  it.each(procedures.filter(({ type }) => type === "subscription"))(
    "$path admits the callers it declares ($access)",
    async ({ path, access }) => {
      for (const { rank, as, name } of principals) {
        const stream = await openStream(api.url, { ...as, path });
        const wanted = refusal(access, rank);
        await until(() => (wanted === null ? stream.frames.length > 0 : stream.errors.length > 0), { what: `an answer to ${name}` });
        expect(stream.errors).toEqual(wanted === null ? [] : [wanted]);
        stream.close();
      }
      expect((await openStream(api.url, { ...principals.at(-1)?.as, path, headers: { origin: "https://evil.example" } })).status).toBe(403);
    },
  );
});

describe("the sweep", () => {
  it("knows every procedure and every route, and no others", () => {
    expect(Object.keys(procedureSweep).sort(), "packages/api/test/sweep.ts").toEqual(procedures.map(({ path }) => path).sort());
    const routes = api.api.routes.filter(({ method }) => method !== "HEAD").map(({ method, url }) => `${method} ${url}`);
    expect(Object.keys(routeSweep).sort(), "packages/api/test/sweep.ts").toEqual(routes.sort());
  });

  it.each(procedures.filter(({ type }) => type !== "subscription"))(
    "$path: who may call it can, and another user's replay finds nothing, changes nothing, commands nothing and pushes nothing",
    async ({ path, type, access }) => {
      const mine = await makeThings(database, api);
      const theirs = await makePerson(database);
      const [own, foreign] = [await signIn(api.url, mine.user.email), await signIn(api.url, theirs.email)];
      const { secret: otherKey } = await makeKey(database.prisma, { userId: mine.user.id });
      const [byKey, byOtherKey] = [await signInByKey(api, mine.keySecret), await signInByKey(api, otherKey)];
      const kind = type === "query" ? "query" : "mutation";
      const inputs = (await procedureSweep[path]?.(mine)) ?? [];
      const unknown = (await procedureSweep[path]?.(nobodysThings(mine))) ?? [];
      const stream = await openStream(other.url, { cookie: foreign, lastEventId: mine.position });
      const commands: LiveCommand[] = [];
      const unlisten = [api, other].map(({ live }) => live.commands.listen((command) => commands.push(command)));
      const before = await stateOf(mine);
      const answers: Answer[] = [];
      for (const [i, input] of inputs.entries()) {
        const answer = await call(api.url, kind, path, input, { cookie: foreign });
        const none = await call(api.url, kind, path, unknown[i], { cookie: foreign });
        answers.push(answer);
        expect([answer.status, answer.code, answer.error?.message]).toEqual([none.status, none.code, none.error?.message]);
      }
      expect(await stateOf(mine)).toEqual(before);
      expect(commands).toEqual([]);
      await until(() => stream.frames.length > 0, { what: "the other user's stream is open" });
      const seen = JSON.stringify([answers.map(({ text }) => text), stream.frames]);
      for (const mark of marksOf(mine)) expect(seen).not.toContain(mark);
      stream.close();
      for (const stop of unlisten) stop();

      const cookie = access === "admin" ? principals.at(-1)?.as.cookie : own;
      expect(await call(api.url, kind, path, inputs[0], { cookie })).toMatchObject({ code: "", status: 200 });
      if (access !== "key") return;
      expect(await call(api.url, kind, path, inputs[0], { cookie: byKey })).toMatchObject({ code: "", status: 200 });
      // The owner's other key sees none of it.
      for (const input of inputs) {
        const { text } = await call(api.url, kind, path, input, { cookie: byOtherKey });
        for (const mark of marksOf(mine).filter((mark) => mark !== mine.user.id)) expect(text).not.toContain(mark);
      }
    },
  );
});

/** Values that would reveal somebody's data. */
function marksOf({ user, key, keySecret, row, inFlight, sessionId, provider }: Things): string[] {
  return [user.id, user.email, key.id, key.preview, keySecret, row.id, inFlight.id, sessionId, provider.id, provider.name];
}

/** The state that a replay must not change. */
async function stateOf({ user, key, provider, price }: Things): Promise<unknown> {
  const { prisma, pool } = database;
  const { rows: requests } = await pool.query("SELECT * FROM requests WHERE user_id = $1 ORDER BY id", [user.id]);
  return {
    requests,
    inFlight: (await api.live.registry.list()).filter((row) => row.userId === user.id),
    user: await prisma.user.findUnique({ where: { id: user.id }, include: { logins: { select: { id: true }, orderBy: { id: "asc" } } } }),
    keys: await prisma.key.findMany({ where: { userId: user.id }, orderBy: { id: "asc" } }),
    key: await prisma.key.findUnique({ where: { id: key.id } }),
    provider: await prisma.provider.findUnique({ where: { id: provider.id } }),
    prices: await prisma.price.count({ where: { model: price.model } }),
    settings: await prisma.setting.findMany({ orderBy: { name: "asc" } }),
  };
}

describe("every route", () => {
  it("admits the callers it declares", async () => {
    const things = await makeThings(database, api);
    for (const { method, url, access } of api.api.routes) {
      if (access === "procedure") continue;
      for (const path of routeSweep[`${method} ${url}`]?.(things) ?? []) {
        for (const { rank, as, name } of principals) {
          const { cookie, headers } = as;
          const { status } = await fetch(`${api.url}${path}`, { method, headers: { ...(cookie && { cookie }), ...headers } });
          // There, a client key is a credential.
          const isKey = name === "a client's key" && url.startsWith("/api/v1/");
          const refused = { unauthenticated: 401, forbidden: 403 }[refusal(access, isKey ? "key" : rank) ?? ""];
          if (refused) expect([path, name, status]).toEqual([path, name, refused]);
          else expect([401, 403, 500], `${path} for ${name}`).not.toContain(status);
        }
      }
    }
  });

  it("is refused at registration when it declares no access", () => {
    const app = Fastify();
    collectRoutes(app);
    expect(() => app.get("/open", () => "")).toThrow("the route GET /open declares no access");
  });

  it("tells another user nothing", async () => {
    const mine = await makeThings(database, api);
    const cookie = await signIn(api.url, (await makePerson(database)).email);
    for (const { method, url } of api.api.routes.filter(({ method }) => method === "GET")) {
      for (const path of routeSweep[`${method} ${url}`]?.(mine) ?? []) {
        const text = await (await fetch(`${api.url}${path}`, { headers: { cookie } })).text();
        for (const mark of marksOf(mine)) expect(text, path).not.toContain(mark);
      }
    }
  });

  it.each(["/auth/login", "/auth/key-login", "/auth/logout", "/auth/setup"])("%s takes JSON from our own pages only", async (path) => {
    expect((await fetch(`${api.url}${path}`)).status).toBe(405);
    expect(await post(api.url, path, {}, { headers: { "content-type": "text/plain" } })).toMatchObject({
      status: 415,
      code: "unsupported_media_type",
    });
    expect(await post(api.url, path, {}, { headers: { origin: "https://evil.example" } })).toMatchObject({
      status: 403,
      code: "bad_origin",
    });
  });
});

describe("one user's things", () => {
  it("does not show its owner where a request was sent", async () => {
    const mine = await makePerson(database);
    const provider = await makeProvider(database.prisma);
    const row = await makeRequestRow(database.pool, { userId: mine.id, providerId: provider.id, upstreamModel: "inner-model" });
    await makeRequestDetail(database.pool, { id: row.id, error: { message: "The provider returned an error.", detail: "inner detail" } });
    const cookie = await signIn(api.url, mine.email);
    for (const [path, input] of [
      ["logs.list", {}],
      ["logs.get", { id: row.id }],
      ["logs.byIds", { ids: [row.id] }],
    ] as const) {
      const { text, status } = await call(api.url, "query", path, input, { cookie });
      expect(status).toBe(200);
      expect(text).toContain(row.id);
      for (const hidden of [provider.id, "inner-model", "inner detail"]) expect(text).not.toContain(hidden);
    }
    expect(await call(api.url, "query", "logs.list", { filter: { providerId: provider.id } }, { cookie })).toMatchObject({
      code: "forbidden",
    });
  });

  it("keeps the limits an administrator set", async () => {
    const mine = await makePerson(database);
    const { key } = await makeKey(database.prisma, { userId: mine.id, rpm: 5 });
    const cookie = await signIn(api.url, mine.email);
    const extras = [
      { rpm: null },
      { inFlight: 100 },
      { group: "vip" },
      { enabled: true },
      { expiresAtMs: null },
      { userId: people.admin.id },
      { role: "admin" },
      { isAdmin: true },
    ];
    for (const extra of extras) {
      const update = await call(api.url, "mutation", "keys.update", { id: key.id, ...extra }, { cookie });
      expect([400, 403]).toContain(update.status);
    }
    for (const extra of [{ rpm: 1 }, { inFlight: 1 }, { group: "vip" }, { expiresAtMs: 1 }, { sha256: "0" }]) {
      const create = await call(api.url, "mutation", "keys.create", { userId: mine.id, name: newId(), ...extra }, { cookie });
      expect([400, 403]).toContain(create.status);
    }
    expect(await database.prisma.key.findMany({ where: { userId: mine.id } })).toEqual([key]);
  });
});

async function batch(
  url: string,
  paths: string[],
  isQuery: boolean,
  { cookie, headers }: CallOptions,
): Promise<{ status: number; code: string }[]> {
  const inputs = JSON.stringify(Object.fromEntries(paths.map((_, i) => [i, SuperJSON.serialize(undefined)])));
  const query = isQuery ? `&input=${encodeURIComponent(inputs)}` : "";
  const response = await fetch(`${url}/trpc/${paths.join(",")}?batch=1${query}`, {
    method: isQuery ? "GET" : "POST",
    headers: { origin: url, ...(cookie && { cookie }), ...(!isQuery && { "content-type": "application/json" }), ...headers },
    ...(!isQuery && { body: inputs }),
  });
  const answers = (await response.json()) as { error?: Parameters<typeof SuperJSON.deserialize>[0] }[];
  return answers.map(({ error }) => {
    if (!error) return { status: 200, code: "" };
    const { data } = SuperJSON.deserialize(error) as { data: { code: string; httpStatus: number } };
    return { status: data.httpStatus, code: data.code };
  });
}
