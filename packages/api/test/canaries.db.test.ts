import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { procedures } from "@sluice/api/router";
import type { Log } from "@sluice/core/log";
import { type Canaries, dumpFiles, dumpPostgres, dumpRedis, foundCanaries, type Outputs } from "@sluice/testing/canaries";
import { until } from "@sluice/testing/deadline";
import { testSecret } from "@sluice/testing/factories";
import { createTestDatabase, type TestDatabase } from "@sluice/testing/postgres";
import { startTestRedis, type TestRedis } from "@sluice/testing/redis";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type Answer, call, makePerson, openStream, password, post, signIn, startApi, type TestApi } from "./harness.ts";
import { makeThings, procedureSweep, routeSweep, type Things } from "./sweep.ts";

const canaries: Canaries = {
  SLUICE_SECRET: testSecret,
  "a stored provider's secret": "canary-provider-secret-5f0c2",
  "a new provider's secret": "canary-new-provider-secret-91d7a",
  "a replaced provider's secret": "canary-replaced-secret-e33b0",
  "a tested provider's secret": "canary-tested-secret-77a1c",
  "a password": "canary-password-48be1",
  "a wrong password": "canary-wrong-password-02fd9",
  "a setup token": "canary-setup-token-c7719",
  "a mail server's password": "canary-mail-password-5b02e",
};

let database: TestDatabase;
let redis: TestRedis;
let api: TestApi;
const lines: string[] = [];
const write = (fields: object, message: string): void => void lines.push(`${message} ${inspected(fields)}`);
const log: Log = { debug: write, info: write, warn: write, error: write };

/** Everything in an object, including causes and stacks of errors. */
function inspected(fields: object): string {
  return JSON.stringify(fields, (_, value: unknown) =>
    value instanceof Error ? { ...value, text: String(value), stack: value.stack, cause: value.cause } : value,
  );
}

/** A provider that repeats the request in its answer. */
const echo = createServer((request, response) => {
  response
    .writeHead(401, { "content-type": "application/json" })
    .end(JSON.stringify({ error: { message: JSON.stringify(request.headers) } }));
});

beforeAll(async () => {
  echo.listen(0, "127.0.0.1");
  [database, redis] = await Promise.all([createTestDatabase(), startTestRedis()]);
  api = await startApi({ database, redisUrl: redis.url, log });
});
afterAll(async () => {
  echo.close();
  await api?.close();
  await redis?.stop();
  await database?.drop();
});

/** Calls that bring secrets in, in addition to those of the sweep. */
async function plant(cookie: string, things: Things): Promise<Record<string, Answer>> {
  const baseUrl = `http://127.0.0.1:${(echo.address() as AddressInfo).port}/v1`;
  const of = { dialect: "openai", baseUrl };
  const email = "planted@example.test";
  const mutate = (path: string, input: unknown): Promise<Answer> => call(api.url, "mutation", path, input, { cookie });
  const secretOf = (name: string): string => canaries[name] ?? "";
  const created = await mutate("providers.create", { ...of, name: "Planted", secret: secretOf("a new provider's secret") });
  const { id } = created.data as { id: string };
  return {
    created,
    conflict: await mutate("providers.create", { ...of, name: "Planted", secret: secretOf("a new provider's secret") }),
    invalid: await mutate("providers.create", {
      ...of,
      name: "",
      secret: secretOf("a new provider's secret"),
      [secretOf("a new provider's secret")]: 1,
    }),
    testedStored: await mutate("providers.test", { id }),
    testedNew: await mutate("providers.test", { ...of, secret: secretOf("a tested provider's secret") }),
    updated: await mutate("providers.update", { id: things.provider.id, baseUrl, secret: secretOf("a replaced provider's secret") }),
    mailbox: await mutate("alerts.createChannel", {
      ...{ kind: "email", name: "Planted", secret: secretOf("a mail server's password") },
      config: { host: "127.0.0.1", port: 9, security: "none", user: "u", from: email, to: [email] },
    }),
    user: await mutate("users.create", { email, name: "Planted", password: secretOf("a password") }),
    login: await post(api.url, "/auth/login", { email, password: secretOf("a password") }),
    wrong: await post(api.url, "/auth/login", { email, password: secretOf("a wrong password") }),
    token: await post(api.url, "/auth/setup", { token: secretOf("a setup token"), email, name: "P", password: secretOf("a password") }),
    broken: await call(
      api.url,
      "mutation",
      "users.create",
      { password: secretOf("a password") },
      { cookie, headers: { "x-api-key": things.keySecret } },
    ),
  };
}

it("planted secrets appear nowhere: in no answer, frame, log line, row, key or file", async () => {
  const admin = await makePerson(database, "admin");
  const cookie = await signIn(api.url, admin.email);
  Object.assign(canaries, { "a cookie": cookie.replace(/^sid=/, "") });
  const position = await api.live.bus.position();
  const stream = await openStream(api.url, { cookie, lastEventId: position });
  await until(() => stream.frames.length > 0, { what: "the stream is open" });
  const outputs: Outputs = {};

  const planted = await plant(cookie, await makeThings(database, api, { secret: canaries["a stored provider's secret"] }));
  for (const [what, { text }] of Object.entries(planted)) outputs[what] = text;
  expect(Object.entries(planted).filter(([, { status }]) => status === 500)).toEqual([]);
  const { created, updated, mailbox, user, login } = planted;
  expect([created, updated, mailbox, user, login].map((one) => one?.status)).toEqual([200, 200, 200, 200, 200]);

  for (const { path, type } of procedures) {
    if (type === "subscription") continue;
    const things = await makeThings(database, api, { secret: canaries["a stored provider's secret"] });
    canaries[`the key of ${path}`] = things.keySecret;
    const own = await signIn(api.url, things.user.email);
    // An administrator per procedure: a call may end the login that makes it.
    const administrator = await signIn(api.url, (await makePerson(database, "admin")).email);
    canaries[`a cookie of ${path}`] = administrator.replace(/^sid=/, "");
    for (const [i, input] of ((await procedureSweep[path]?.(things)) ?? []).entries()) {
      for (const [who, as] of [
        ["its owner", own],
        ["an administrator", administrator],
      ] as const) {
        const { text, data } = await call(api.url, type === "query" ? "query" : "mutation", path, input, { cookie: as });
        const made = shownOnce(data);
        // Shown to its creator, in this one answer.
        if (made) canaries[`the key that ${path} made for ${who}`] = made;
        outputs[`${path} ${i} for ${who}`] = made ? text.replaceAll(made, "") : text;
      }
    }
  }
  const things = await makeThings(database, api);
  for (const { method, url } of api.api.routes.filter(({ method }) => method === "GET"))
    for (const path of routeSweep[`${method} ${url}`]?.(things) ?? [])
      outputs[path] = await (await fetch(`${api.url}${path}`, { headers: { cookie } })).text();

  await api.services.snapshot.refresh();
  await api.live.bus.flush();
  const last = await makeThings(database, api);
  await until(() => JSON.stringify(stream.frames).includes(last.inFlight.id), { what: "the stream has all of it" });
  Object.assign(outputs, await dumpFiles(api.dir));
  outputs.frames = JSON.stringify(stream.frames);
  outputs.log = lines.join("\n");
  outputs.Postgres = await dumpPostgres(database.pool);
  outputs.Redis = await dumpRedis(redis.url);
  stream.close();

  // The data that is searched really exists.
  expect(Object.keys(outputs).some((name) => name.endsWith("snapshot.json"))).toBe(true);
  expect(outputs.Postgres).toContain("planted@example.test");
  expect(outputs.Redis).toContain(last.inFlight.id);
  expect(Object.keys(canaries).filter((name) => name.startsWith("the key that"))).toContain("the key that keys.create made for its owner");
  expect(password.length).toBeGreaterThan(11);
  expect(foundCanaries({ ...canaries, "everybody's password": password }, outputs)).toEqual([]);
  // Every procedure is called, each by users who have just signed in.
}, 180_000);

/** The text of a new key or the signing secret of a new webhook, in the one answer that contains it. */
function shownOnce(data: unknown): string | null {
  if (typeof data !== "object" || data === null) return null;
  const secret = "secret" in data ? data.secret : "signingSecret" in data ? data.signingSecret : null;
  return typeof secret === "string" ? secret : null;
}
