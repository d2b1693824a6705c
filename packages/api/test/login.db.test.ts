import { newId } from "@sluice/core/ids";
import { systemContext } from "@sluice/services/create-services";
import { prepareSetup } from "@sluice/services/setup/prepare-setup";
import { makeLogin } from "@sluice/testing/factories";
import { createTestDatabase, type TestDatabase } from "@sluice/testing/postgres";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { call, cookieOf, makePerson, password, post, signIn, startApi, type TestApi } from "./harness.ts";

let database: TestDatabase;
let api: TestApi;

beforeAll(async () => {
  database = await createTestDatabase();
  api = await startApi({ database });
});
afterAll(async () => {
  await api?.close();
  await database?.drop();
});

const current = async (cookie?: string): Promise<unknown> => (await call(api.url, "query", "logins.current", undefined, { cookie })).data;

describe("the first administrator", () => {
  it("needs the token of the last start, once", async () => {
    const { token: old } = await prepareSetup(systemContext(api.services, "boot"), null);
    const { token } = await prepareSetup(systemContext(api.services, "boot"), null);
    expect(await current()).toMatchObject({ user: null, setupRequired: true, version: "1.2.3", baseUrl: api.url });
    const person = { email: "First@Example.com", name: "First", password };
    expect(await post(api.url, "/auth/setup", { ...person, token: old })).toMatchObject({ status: 401, code: "bad_credentials" });

    const both = await Promise.all([
      post(api.url, "/auth/setup", { ...person, token }),
      post(api.url, "/auth/setup", { ...person, email: "second@example.com", token }),
    ]);
    expect(both.map(({ status }) => status).sort()).toEqual([200, 409]);
    const cookie = cookieOf(both.find(({ status }) => status === 200)?.headers ?? new Headers());
    expect(await current(cookie)).toMatchObject({ user: { role: "admin" }, setupRequired: false });
    expect(await prepareSetup(systemContext(api.services, "boot"), null)).toEqual({ token: null });
  });

  it("is not made twice by the environment", async () => {
    expect(await prepareSetup(systemContext(api.services, "boot"), { email: "env@example.com", password })).toEqual({ token: null });
    expect(await database.prisma.user.count({ where: { email: "env@example.com" } })).toBe(0);
  });
});

describe("signing in", () => {
  it("sets a cookie that scripts and other sites cannot use, and keeps only its hash", async () => {
    const person = await makePerson(database);
    const answer = await post(api.url, "/auth/login", { email: person.email.toUpperCase(), password });
    expect(answer.status).toBe(200);
    const [cookie = ""] = answer.headers.getSetCookie();
    expect(cookie).toMatch(/^sid=[\w-]{43}; .*HttpOnly/);
    expect(cookie).toContain("SameSite=Lax");
    expect(cookie).toContain("Path=/");
    const token = cookieOf(answer.headers).slice("sid=".length);
    expect(JSON.stringify(await database.prisma.login.findMany())).not.toContain(token);
    expect(await current(cookieOf(answer.headers))).toMatchObject({ user: { email: person.email, role: "user" } });
  });

  it("gives one answer to a wrong password, an unknown e-mail, a disabled user and one without password", async () => {
    const person = await makePerson(database);
    const disabled = await makePerson(database);
    await database.prisma.user.update({ where: { id: disabled.id }, data: { disabledAt: new Date() } });
    const passwordless = await makePerson(database);
    await database.prisma.user.update({ where: { id: passwordless.id }, data: { passwordHash: null } });
    const answers = await Promise.all([
      post(api.url, "/auth/login", { email: person.email, password: "wrong password" }),
      post(api.url, "/auth/login", { email: "nobody@example.com", password }),
      post(api.url, "/auth/login", { email: disabled.email, password }),
      post(api.url, "/auth/login", { email: passwordless.email, password }),
    ]);
    for (const answer of answers) {
      expect(answer).toMatchObject({ status: 401, code: "bad_credentials" });
      expect(answer.error?.message).toBe(answers[0].error?.message);
      expect(answer.headers.getSetCookie()).toEqual([]);
    }
  });

  it("ends the login that the browser came with", async () => {
    const person = await makePerson(database);
    const first = await signIn(api.url, person.email);
    const again = await post(api.url, "/auth/login", { email: person.email, password }, { cookie: first });
    expect(cookieOf(again.headers)).not.toBe(first);
    expect(await current(first)).toMatchObject({ user: null });
  });

  it("is throttled per address and account, while an existing login continues", async () => {
    const person = await makePerson(database);
    const cookie = await signIn(api.url, person.email);
    const attempts = await Promise.all(
      Array.from({ length: 14 }, () => post(api.url, "/auth/login", { email: person.email, password: "wrong password" })),
    );
    const refused = attempts.filter(({ status }) => status === 429);
    expect(refused.length).toBeGreaterThan(0);
    expect(refused[0]).toMatchObject({ code: "login_throttled", error: { retryable: true } });
    expect(Number(refused[0]?.headers.get("retry-after"))).toBeGreaterThan(0);
    expect(await current(cookie)).toMatchObject({ user: { email: person.email } });
    const other = await makePerson(database);
    await expect(signIn(api.url, other.email)).resolves.toMatch(/^sid=/);
  });
});

describe("a login", () => {
  it("is gone on the server after signing out", async () => {
    const person = await makePerson(database);
    const cookie = await signIn(api.url, person.email);
    const answer = await post(api.url, "/auth/logout", {}, { cookie });
    expect(answer.status).toBe(200);
    expect(answer.headers.getSetCookie()[0]).toMatch(/^sid=;/);
    expect(await current(cookie)).toMatchObject({ user: null });
    expect(await database.prisma.login.count({ where: { userId: person.id } })).toBe(0);
  });

  it.each([
    ["over", { expiresAt: new Date(Date.now() - 1_000) }],
    ["unused for a week", { lastSeenAt: new Date(Date.now() - 8 * 24 * 3_600_000) }],
  ])("lets nobody in when it is %s", async (_, fields) => {
    const person = await makePerson(database);
    const { token } = await makeLogin(database.prisma, { userId: person.id, ...fields });
    expect(await current(`sid=${token}`)).toMatchObject({ user: null });
  });

  it.each(["", "x", newId(), "A".repeat(43), "' OR 1=1 --"])("is not created by the cookie '%s'", async (token) => {
    expect(await current(`sid=${token}`)).toMatchObject({ user: null });
  });

  it("ends everywhere else with a new password", async () => {
    const person = await makePerson(database);
    const admin = await makePerson(database, "admin");
    const [cookie, adminCookie] = [await signIn(api.url, person.email), await signIn(api.url, admin.email)];
    const change = await call(
      api.url,
      "mutation",
      "users.update",
      { id: person.id, password: "quite another password" },
      { cookie: adminCookie },
    );
    expect(change.status).toBe(200);
    expect(await current(cookie)).toMatchObject({ user: null });
  });
});

describe("under https", () => {
  it("the cookie is Secure and bound to the host", async () => {
    const secure = await startApi({ database, publicUrl: "https://sluice.example", name: "secure" });
    try {
      const person = await makePerson(database);
      const answer = await post(
        secure.url,
        "/auth/login",
        { email: person.email, password },
        { headers: { origin: "https://sluice.example" } },
      );
      const [cookie = ""] = answer.headers.getSetCookie();
      expect(cookie).toMatch(/^__Host-sid=[\w-]{43}; /);
      expect(cookie).toContain("Secure");
      expect(cookie).not.toContain("Domain");
      expect(answer.headers.get("strict-transport-security")).toMatch(/max-age=\d+/);
    } finally {
      await secure.close();
    }
  });
});
