import type { CacheKind } from "@sluice/core/cache-kinds";
import { listGroups } from "@sluice/services/groups/list-groups";
import { createKey } from "@sluice/services/keys/create-key";
import { updateKey } from "@sluice/services/keys/update-key";
import { listNames } from "@sluice/services/names/list-names";
import { listPrices } from "@sluice/services/prices/list-prices";
import { setPrice } from "@sluice/services/prices/set-price";
import { settingSources } from "@sluice/services/settings/setting-sources";
import { updateSettings } from "@sluice/services/settings/update-settings";
import { afterAll, beforeAll, expect, it } from "vitest";
import { startServices, type TestServices } from "./harness.ts";

let test: TestServices;
beforeAll(async () => {
  test = await startServices();
});
afterAll(() => test?.close());

/** Reads twice; the second read must not compute. */
async function readTwice<T>(kind: CacheKind, read: () => Promise<T>): Promise<T> {
  const figures = () => test.services.cache.figures()[kind];
  const before = figures();
  const answer = await read();
  expect(await read()).toEqual(answer);
  expect([figures().misses - before.misses, figures().hits - before.hits]).toEqual([1, 1]);
  return answer;
}

it("lists that every page reads are kept, and what changes them is in the next answer", async () => {
  const [admin, user] = [await test.as("admin"), await test.as("user")];
  const group = "kept";
  expect(await readTwice("config", () => listGroups(admin))).toEqual([]);
  const { key } = await createKey(admin, { userId: user.userId, name: "before", group });
  expect(await readTwice("config", () => listGroups(admin))).toMatchObject([{ name: group, keys: 1 }]);

  const namesOf = async (ctx: typeof admin) => (await readTwice("userInfo", () => listNames(ctx))).keys.map(({ name }) => name);
  expect([await namesOf(admin), await namesOf(user), await namesOf(await test.as("user"))]).toEqual([["before"], ["before"], []]);
  await updateKey(admin, { id: key.id, name: "after" });
  expect([await namesOf(admin), await namesOf(user)]).toEqual([["after"], ["after"]]);

  const price = { model: "m", inputPerMTok: "1", outputPerMTok: "2" };
  expect(await readTwice("modelList", () => listPrices(admin))).toEqual([]);
  await setPrice(admin, price);
  expect(await readTwice("modelList", () => listPrices(admin))).toMatchObject([price]);

  expect(await readTwice("config", () => settingSources(admin))).toEqual({});
  await updateSettings(admin, { "cache.statsSeconds": 61 });
  expect(await readTwice("config", () => settingSources(admin))).toEqual({
    "cache.statsSeconds": { source: "console", changedAtMs: expect.any(Number) },
  });
});
