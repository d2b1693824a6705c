import type { LiveEvent } from "@sluice/core/events";
import { newId } from "@sluice/core/ids";
import { until } from "@sluice/testing/deadline";
import { makeKey, requestRow } from "@sluice/testing/factories";
import { createTestDatabase, type TestDatabase } from "@sluice/testing/postgres";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { call, makePerson, openStream, post, signIn, signInByKey, startApi, type TestApi } from "./harness.ts";

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

/** Two keys of one user, and a browser signed in with the first. */
async function arrange() {
  const user = await makePerson(database);
  const [mine, other] = [await makeKey(database.prisma, { userId: user.id }), await makeKey(database.prisma, { userId: user.id })];
  return { user, mine, other, cookie: await signInByKey(api, mine.secret) };
}

const whoIs = async (cookie: string): Promise<unknown> => (await call(api.url, "query", "logins.current", undefined, { cookie })).data;
const change = (path: string, input: object) => call(api.url, "mutation", path, input, { cookie: admin });

describe("signing in by a key alone", () => {
  it("shows the key's own requests as they come, and none of its owner's other keys", async () => {
    const { user, mine, other, cookie } = await arrange();
    expect(await whoIs(cookie)).toMatchObject({ user: { id: mine.key.id, name: mine.key.name, role: "key", email: "" } });
    const stream = await openStream(api.url, { cookie });
    await until(() => stream.frames.length > 0, { what: "the stream is open" });
    const rows = [other, mine].map(({ key }) => requestRow({ userId: user.id, keyId: key.id, state: "in_flight" }));
    for (const row of rows) {
      api.live.registry.started(row);
      api.live.bus.publish({ type: "request.started", rev: 0, row });
    }
    const heard = (): LiveEvent[] => stream.frames.flatMap(({ events }) => events);
    await until(() => heard().length > 0, { what: "the key's own request" });
    expect(heard().map((event) => "row" in event && event.row.id)).toEqual([rows[1]?.id]);
    const { data } = await call(api.url, "query", "keys.list", { fields: ["owner", "totals"] }, { cookie });
    expect(data).toMatchObject({ items: [{ id: mine.key.id }], hasMore: false });
    stream.close();
  });

  it("changes nothing", async () => {
    const { mine, cookie } = await arrange();
    for (const [path, input] of [
      ["keys.rotate", { id: mine.key.id }],
      ["keys.create", { userId: mine.key.userId, name: newId() }],
      ["logins.changePassword", { current: "x", password: "quite another one" }],
    ] as const)
      expect(await call(api.url, "mutation", path, input, { cookie })).toMatchObject({ code: "forbidden", status: 403 });
  });

  it.each([
    ["revoked", (id: string) => change("keys.revoke", { id })],
    ["disabled", (id: string) => change("keys.update", { id, enabled: false })],
    ["rotated without overlap", (id: string) => change("keys.rotate", { id, overlapSeconds: 0 })],
  ])("is over at once when the key is %s, also on an open stream", async (_what, end) => {
    const { mine, cookie } = await arrange();
    const stream = await openStream(api.url, { cookie });
    await until(() => stream.frames.length > 0, { what: "the stream is open" });
    expect(await end(mine.key.id)).toMatchObject({ status: 200 });
    await stream.ended;
    expect(await whoIs(cookie)).toMatchObject({ user: null });
    expect(await call(api.url, "query", "logs.list", {}, { cookie })).toMatchObject({ code: "unauthenticated" });
  });

  it("is refused for anything that is not a key, from where the key may not be used, and when it is switched off; guessing is throttled", async () => {
    const { mine } = await arrange();
    const by = (key: string) => post(api.url, "/auth/key-login", { key });
    await change("keys.update", { id: mine.key.id, policies: { addresses: ["10.0.0.0/8"] } });
    expect(await by(mine.secret)).toMatchObject({ status: 403, code: "address_not_allowed" });
    await change("keys.update", { id: mine.key.id, policies: {} });
    await change("settings.update", { "portal.keySignIn": "off" });
    expect(await by(mine.secret)).toMatchObject({ status: 403, code: "forbidden" });
    await change("settings.update", { "portal.keySignIn": "allowed" });
    expect(await by(mine.secret)).toMatchObject({ status: 200 });
    const guesses = await Promise.all(Array.from({ length: 60 }, (_, at) => by(`sk-sluice-guess-${at}`)));
    expect([...new Set(guesses.map(({ code }) => code))].sort()).toEqual(["invalid_key", "login_throttled"]);
  });
});
