import type { DeclaredProcedure } from "@sluice/api/declared-access";
import { collectRoutes } from "@sluice/api/declared-routes";
import { procedures } from "@sluice/api/router";
import { newId } from "@sluice/core/ids";
import type { User } from "@sluice/db/generated/client";
import { until } from "@sluice/testing/deadline";
import { makeKey, makeProvider, makeRequestDetail, makeRequestRow, requestRow } from "@sluice/testing/factories";
import { createTestDatabase, type TestDatabase } from "@sluice/testing/postgres";
import { startTestRedis, type TestRedis } from "@sluice/testing/redis";
import Fastify from "fastify";
import SuperJSON from "superjson";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Answer, type CallOptions, call, makePerson, openStream, post, signIn, startApi, type TestApi } from "./harness.ts";

/** Ten times what is promised (5 s) is too long to wait for a red test; five times the usual is enough here. */
const deadlineMs = 25_000;

let database: TestDatabase;
let redis: TestRedis;
let api: TestApi;
/** Another instance, joined by Redis and Postgres only. */
let other: TestApi;

const people = {} as Record<"user" | "otherUser" | "admin" | "disabled" | "demoted", User>;
const principals: { name: string; rank: "nobody" | "user" | "admin"; as: CallOptions }[] = [];

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

/** The code that keeps a principal out; null = may come in. */
function refusal(access: DeclaredProcedure["access"], rank: "nobody" | "user" | "admin"): string | null {
  if (access === "public") return null;
  if (rank === "nobody") return "unauthenticated";
  return access === "admin" && rank !== "admin" ? "forbidden" : null;
}

function expectAccess(answer: Pick<Answer, "status" | "code">, wanted: string | null): void {
  if (wanted === null) expect(["unauthenticated", "forbidden", "internal"]).not.toContain(answer.code);
  else expect(answer).toMatchObject({ code: wanted, status: wanted === "forbidden" ? 403 : 401 });
}

describe("every procedure", () => {
  const calls = procedures.filter(({ type }) => type !== "subscription");

  it.each(calls)("$path lets in whom it declares ($access)", async ({ path, type, access }) => {
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

  it.each(procedures.filter(({ type }) => type === "subscription"))("$path lets in whom it declares ($access)", async ({ access }) => {
    for (const { rank, as, name } of principals) {
      const stream = await openStream(api.url, as);
      const wanted = refusal(access, rank);
      await until(() => (wanted === null ? stream.frames.length > 0 : stream.errors.length > 0), { what: `an answer to ${name}` });
      expect(stream.errors).toEqual(wanted === null ? [] : [wanted]);
      stream.close();
    }
    expect((await openStream(api.url, { ...principals.at(-1)?.as, headers: { origin: "https://evil.example" } })).status).toBe(403);
  });
});

describe("every route", () => {
  it("declares its access, and there are no others", () => {
    const routes = api.api.routes.filter(({ method }) => method !== "HEAD").map(({ method, url, access }) => `${method} ${url} ${access}`);
    expect(routes.sort()).toEqual([
      "GET /* public",
      "GET /trpc/:path procedure",
      "POST /auth/login public",
      "POST /auth/logout public",
      "POST /auth/setup public",
      "POST /trpc/:path procedure",
    ]);
  });

  it("is refused while it is added when it does not", () => {
    const app = Fastify();
    collectRoutes(app);
    expect(() => app.get("/open", () => "")).toThrow("the route GET /open declares no access");
  });

  it.each(["/auth/login", "/auth/logout", "/auth/setup"])("%s takes JSON from our own pages only", async (path) => {
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
  it("are to another user as if they did not exist", async () => {
    const [mine, theirs] = [await makePerson(database), await makePerson(database)];
    const provider = await makeProvider(database.prisma, { name: `secret-name-${newId()}` });
    const { key } = await makeKey(database.prisma, { userId: mine.id });
    const row = await makeRequestRow(database.pool, { userId: mine.id, keyId: key.id, sessionId: `s-${newId()}`, providerId: provider.id });
    await makeRequestDetail(database.pool, { id: row.id });
    const inFlight = requestRow({ userId: mine.id, keyId: key.id, state: "in_flight", providerId: provider.id });
    api.live.registry.started(inFlight);

    const cookie = await signIn(api.url, theirs.email);
    const own = await signIn(api.url, mine.email);
    expect(JSON.stringify((await call(api.url, "query", "logs.list", {}, { cookie: own })).data)).toContain(row.id);
    const ids = [mine.id, key.id, row.id, inFlight.id, row.sessionId];
    const replays: [type: "query" | "mutation", path: string, input: (id: string) => unknown][] = [
      ["query", "logs.get", (id) => ({ id })],
      ["query", "logs.byIds", (id) => ({ ids: [id] })],
      ["query", "logs.list", (id) => ({ filter: { requestId: id } })],
      ["query", "logs.list", (id) => ({ filter: { userId: id } })],
      ["query", "logs.list", (id) => ({ filter: { keyId: id } })],
      ["query", "logs.list", (id) => ({ filter: { sessionId: id } })],
      ["query", "logs.list", (id) => ({ filter: { providerId: id } })],
      ["query", "keys.list", (id) => ({ userId: id })],
      ["query", "keys.list", (id) => ({ cursor: id })],
      ["mutation", "keys.update", (id) => ({ id, name: `renamed ${newId()}` })],
      ["mutation", "keys.revoke", (id) => ({ id })],
      ["mutation", "keys.create", (id) => ({ userId: id, name: `planted ${newId()}` })],
    ];
    for (const [type, path, input] of replays) {
      for (const id of ids) {
        const answer = await call(api.url, type, path, input(id), { cookie });
        const unknown = await call(api.url, type, path, input(id.startsWith("s-") ? `s-${newId()}` : newId()), { cookie });
        expect([path, answer.status, answer.code, answer.error?.message]).toEqual([
          path,
          unknown.status,
          unknown.code,
          unknown.error?.message,
        ]);
        if (path !== "keys.list") expect(JSON.stringify(answer.data)).not.toContain(key.id);
        for (const seen of [row.id, key.preview, mine.email]) expect(answer.text).not.toContain(seen);
      }
    }
    expect(await database.prisma.key.findMany({ where: { userId: mine.id } })).toEqual([key]);
    for (const path of ["names.list", "sessions.list", "keys.list", "logs.list"]) {
      const { text } = await call(api.url, "query", path, undefined, { cookie });
      for (const seen of [row.id, inFlight.id, key.id, key.preview, mine.email, provider.id, provider.name])
        expect(text).not.toContain(seen);
    }
    api.live.registry.settled([inFlight.id]);
  });

  it("do not tell their owner where a request was sent", async () => {
    const mine = await makePerson(database);
    const provider = await makeProvider(database.prisma);
    const row = await makeRequestRow(database.pool, { userId: mine.id, providerId: provider.id, upstreamModel: "inner-model" });
    await makeRequestDetail(database.pool, { id: row.id, error: { message: "The provider failed.", detail: "inner detail" } });
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

  it("keep the limits an administrator gave them", async () => {
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

describe("rights taken away while a stream is open", () => {
  const cases: [what: string, change: (victim: User, admin: string, cookie: string) => Promise<Answer>, then: "user" | "nobody"][] = [
    [
      "demotion",
      (victim, admin) => call(api.url, "mutation", "users.update", { id: victim.id, role: "user" }, { cookie: admin }),
      "nobody",
    ],
    [
      "disabling",
      (victim, admin) => call(api.url, "mutation", "users.update", { id: victim.id, enabled: false }, { cookie: admin }),
      "nobody",
    ],
    [
      "a new password",
      (victim, admin) => call(api.url, "mutation", "users.update", { id: victim.id, password: "quite another one" }, { cookie: admin }),
      "nobody",
    ],
    ["signing out", (_victim, _admin, cookie) => post(api.url, "/auth/logout", {}, { cookie }), "nobody"],
  ];

  it.each(cases)("%s ends it on every instance, and it does not come back", async (_, change) => {
    const victim = await makePerson(database, "admin");
    const cookie = await signIn(api.url, victim.email);
    const admin = await signIn(api.url, people.admin.email);
    const streams = [await openStream(api.url, { cookie }), await openStream(other.url, { cookie })];
    await until(() => streams.every(({ frames }) => frames.length > 0), { what: "both streams are open" });
    const bystander = await openStream(other.url, { cookie: admin });
    await until(() => bystander.frames.length > 0, { what: "the bystander's stream is open" });

    expect((await change(victim, admin, cookie)).status).toBe(200);
    await Promise.all(streams.map(({ ended }) => within(ended, deadlineMs)));
    expect(streams.map(({ returned }) => returned)).toEqual([false, false]);
    for (const instance of [api, other]) {
      await until(
        async () => (await call(instance.url, "query", "providers.bootstrap", undefined, { cookie })).code === "unauthenticated",
        { what: "calls are refused", deadlineMs },
      );
      const again = await openStream(instance.url, { cookie, lastEventId: streams[0]?.frames.at(-1)?.id ?? "" });
      await until(() => again.errors.length > 0, { what: "the new stream is refused", deadlineMs });
      expect(again.errors).toEqual(["unauthenticated"]);
      expect(again.frames).toEqual([]);
    }
    bystander.close();
  });
});

describe("what is pushed", () => {
  it("is each user's own, live and in replay", async () => {
    const [mine, theirs] = [await makePerson(database), await makePerson(database)];
    const [own, foreign] = [await signIn(api.url, mine.email), await signIn(api.url, theirs.email)];
    const position = await api.live.bus.position();
    const streams = [await openStream(other.url, { cookie: own }), await openStream(other.url, { cookie: foreign })];
    await until(() => streams.every(({ frames }) => frames.length > 0), { what: "both streams are open" });
    const row = requestRow({ userId: mine.id, providerId: "p-secret", state: "in_flight" });
    api.live.registry.started(row);
    await until(() => JSON.stringify(streams[0]?.frames).includes(row.id), { what: "the owner sees the row" });
    expect(JSON.stringify(streams[0]?.frames)).not.toContain("p-secret");

    const replays = [
      await openStream(other.url, { cookie: own, lastEventId: position }),
      await openStream(other.url, { cookie: foreign, lastEventId: position }),
    ];
    await until(() => replays.every(({ frames }) => frames.length > 0), { what: "both replays arrived" });
    expect(JSON.stringify(replays[0]?.frames)).toContain(row.id);
    expect(JSON.stringify([streams[1]?.frames, replays[1]?.frames])).not.toContain(row.id);
    for (const stream of [...streams, ...replays]) stream.close();
    api.live.registry.settled([row.id]);
  });
});

async function within(work: Promise<void>, ms: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not within ${ms} ms`)), ms);
  });
  await Promise.race([work, late]).finally(() => clearTimeout(timer));
}

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
