import { createAlertChannel, deleteAlertChannel, updateAlertChannel } from "@sluice/services/alerts/alert-channels";
import { createAlertRule, listAlertRules, updateAlertRule } from "@sluice/services/alerts/alert-rules";
import { applyConfig } from "@sluice/services/config/apply-config";
import type { Ctx } from "@sluice/services/context";
import { topUp } from "@sluice/services/credits/add-entry";
import { getAccount } from "@sluice/services/credits/get-account";
import { deleteGroup } from "@sluice/services/groups/delete-group";
import { setGroup } from "@sluice/services/groups/set-group";
import { createKey } from "@sluice/services/keys/create-key";
import { importPrices } from "@sluice/services/prices/import-prices";
import { listPrices } from "@sluice/services/prices/list-prices";
import { setPrice } from "@sluice/services/prices/set-price";
import { createProvider } from "@sluice/services/providers/create-provider";
import { getProvider } from "@sluice/services/providers/get-provider";
import { updateProvider } from "@sluice/services/providers/update-provider";
import { updateProviders } from "@sluice/services/providers/update-providers";
import { rollBackSettings } from "@sluice/services/settings/roll-back-settings";
import { settingsHistory } from "@sluice/services/settings/settings-history";
import { updateSettings } from "@sluice/services/settings/update-settings";
import { type TxCtx, withTransaction } from "@sluice/services/transaction";
import { createUser } from "@sluice/services/users/create-user";
import { deleteUser } from "@sluice/services/users/delete-user";
import { updateUser } from "@sluice/services/users/update-user";
import { until } from "@sluice/testing/deadline";
import { makeUser, uniqueName } from "@sluice/testing/factories";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startServices, type TestServices } from "./harness.ts";

let world: TestServices;
let first: Ctx & { userId: string };
let second: Ctx & { userId: string };

beforeAll(async () => {
  world = await startServices();
  [first, second] = [await world.as("admin"), await world.as("admin")];
});
afterAll(() => world?.close());

const waiting = "SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";

/** Runs both concurrently: the second one starts when the work of the first is done but not committed. */
async function atOnce<T>(
  work: (ctx: TxCtx) => Promise<unknown>,
  other: () => Promise<T>,
  last?: (ctx: TxCtx) => Promise<unknown>,
): Promise<T> {
  let answer: Promise<T> | undefined;
  await withTransaction(first, async (ctx) => {
    await work(ctx);
    answer = other();
    answer.catch(() => undefined);
    await until(async () => (await world.database.pool.query(waiting)).rowCount === 1, { what: "the second one waits for the first" });
    await last?.(ctx);
  });
  return answer ?? expect.fail("the second one has not begun");
}

describe("a provider", () => {
  const address = "https://api.example.com/v1";
  const fields = { dialect: "openai" as const, baseUrl: address, secret: "sk-upstream-0123456789" };
  const moved = { baseUrl: "https://elsewhere.example.com/v1", secret: "sk-elsewhere-0123456789" };
  const make = async () => (await createProvider(first, { ...fields, name: uniqueName("p") })).id;
  const stored = (id: string) => {
    const config = world.services.snapshot.current().providers.find((one) => one.id === id) ?? expect.fail("not in the snapshot");
    return { baseUrl: config.baseUrl, secret: world.services.snapshot.secretOf(config) };
  };

  it("that moves while somebody else saves its old address does not send its new secret there", async () => {
    const id = await make();
    const back = atOnce(
      (ctx) => updateProvider(ctx, { id, ...moved }),
      () => updateProvider(second, { id, baseUrl: address, weight: 3 }),
    );
    await expect(back).rejects.toMatchObject({ code: "invalid_request", field: "secret" });
    expect(stored(id)).toEqual(moved);
  });

  it.each([
    ["baseUrl", moved],
    ["proxy", { proxy: "http://user:secret@proxy.example.com:8080" }],
  ])("gets no secret that was meant for another %s", async (field, change) => {
    const id = await make();
    const { baseUrl, proxy } = await getProvider(second, { id });
    const ask = { id, secret: "sk-rotated-0123456789", expected: { baseUrl, proxy } };
    const rotated = atOnce(
      (ctx) => updateProvider(ctx, { id, ...change }),
      () => updateProvider(second, ask),
    );
    await expect(rotated).rejects.toMatchObject({ code: "conflict", field: `expected.${field}` });
    await expect(updateProvider(second, ask)).rejects.toMatchObject({ code: "conflict" });
    expect(stored(id)).toEqual({ ...fields, dialect: undefined, ...change, proxy: undefined });

    const now = await getProvider(second, { id });
    await updateProvider(second, { ...ask, expected: { baseUrl: now.baseUrl, proxy: now.proxy } });
    expect(stored(id)).toMatchObject({ secret: ask.secret });
  });

  it("is at the address of the configuration file when it gets the file's secret", async () => {
    const id = await make();
    const { name } = await getProvider(second, { id });
    const secret = "sk-of-the-file-0123456789";
    const file = JSON.stringify({ providers: [{ ...fields, name, secret: { env: "KEY" } }] });
    await atOnce(
      (ctx) => updateProvider(ctx, { id, ...moved }),
      () => applyConfig(second, file, { KEY: secret }),
    );
    expect(stored(id)).toEqual({ baseUrl: address, secret });
  });

  it.each(["adds another one, and then changes it", "changes it, and then adds another one"])(
    "is renamed while the configuration file %s",
    async (order) => {
      const id = await make();
      const { name } = await getProvider(second, { id });
      const renamed = uniqueName("p");
      const added = uniqueName("p");
      const apply = (wanted: object) => (ctx: TxCtx) =>
        applyConfig(ctx, JSON.stringify({ providers: [{ ...fields, secret: { env: "KEY" }, ...wanted }] }), { KEY: fields.secret });
      const steps = [apply({ name: added }), apply({ name, weight: 7 })] as const;
      const [one, two] = order.startsWith("adds") ? steps : [steps[1], steps[0]];
      await atOnce(one, () => updateProvider(second, { id, name: renamed }), two);
      expect(await getProvider(first, { id })).toMatchObject({ name: renamed, weight: 7 });
    },
  );

  it("of a batch is waited for by the batch, which blocks nobody meanwhile", async () => {
    const ids = [await make(), await make()];
    const [, id = ""] = ids;
    await atOnce(
      (ctx) => ctx.transaction.tx.provider.update({ where: { id }, data: { weight: 7 } }),
      () => updateProviders(second, { changes: ids.map((id) => ({ id, priority: 9 })) }),
      (ctx) => updateProvider(ctx, { id, costMultiplier: "2" }),
    );
    expect(await getProvider(first, { id })).toMatchObject({ weight: 7, priority: 9, costMultiplier: "2" });
  });
});

it("two changes that wait for each other are a conflict for one of them, whatever statement notices it", async () => {
  const lock = (ctx: TxCtx, name: string) => ctx.transaction.tx.$executeRaw`SELECT pg_advisory_xact_lock(hashtext(${name}))`;
  const both = atOnce(
    (ctx) => lock(ctx, "deadlock.a"),
    () =>
      withTransaction(second, async (ctx) => {
        await lock(ctx, "deadlock.b");
        await lock(ctx, "deadlock.a");
      }),
    (ctx) => lock(ctx, "deadlock.b"),
  );
  await expect(both).rejects.toMatchObject({ code: "conflict" });
});

describe("a user who is being deleted", () => {
  const make = () => makeUser(world.database.prisma);

  it("stays if another administrator is creating a key for them", async () => {
    const { id } = await make();
    const gone = atOnce(
      (ctx) => createKey(ctx, { userId: id, name: "laptop" }),
      () => deleteUser(second, { id }),
    );
    await expect(gone).rejects.toMatchObject({ code: "conflict", message: expect.stringContaining("keys or a history") });
  });

  it("gets no new key", async () => {
    const { id } = await make();
    const made = atOnce(
      (ctx) => deleteUser(ctx, { id }),
      () => createKey(second, { userId: id, name: "laptop" }),
    );
    await expect(made).rejects.toMatchObject({ code: "conflict" });
  });

  it("stays if another administrator is adding credit", async () => {
    const { id } = await make();
    const gone = atOnce(
      (ctx) => topUp(ctx, { userId: id, amountUsd: "5", reason: "paid", idempotencyKey: id }),
      () => deleteUser(second, { id }),
    );
    await expect(gone).rejects.toMatchObject({ code: "conflict" });
    expect(await getAccount(first, { userId: id })).toMatchObject({ balanceNanoUsd: "5000000000" });
  });
});

describe("alerts", () => {
  const here = { host: "mail.example.com", port: 25, security: "none" as const, user: "u", from: "a@example.com", to: ["a@example.com"] };
  const there = { ...here, host: "elsewhere.example.com" };

  it("a mail server's password does not go to the previous host", async () => {
    const { id } = (await createAlertChannel(first, { kind: "email", name: uniqueName("c"), secret: "password-of-here", config: here }))
      .channel;
    const back = atOnce(
      (ctx) => updateAlertChannel(ctx, { id, kind: "email", config: there, secret: "password-of-there" }),
      () => updateAlertChannel(second, { id, kind: "email", config: here }),
    );
    await expect(back).rejects.toMatchObject({ code: "invalid_request", field: "secret" });
  });

  it("two changes of a rule do not undo each other", async () => {
    const rule = await createAlertRule(first, { kind: "cost", name: uniqueName("r"), threshold: 1, channelIds: [] });
    const { id } = rule;
    await atOnce(
      (ctx) => updateAlertRule(ctx, { id, threshold: 7 }),
      () => updateAlertRule(second, { id, enabled: false }),
    );
    const rules = await listAlertRules(first);
    expect(rules.find((one) => one.id === id)).toMatchObject({ threshold: 7, enabled: false });
  });

  it("a rule does not name a channel that is deleted meanwhile", async () => {
    const make = async () => (await createAlertChannel(first, { kind: "email", name: uniqueName("c"), config: here })).channel.id;
    const rule = (channelIds: string[]) => ({ kind: "cost" as const, name: uniqueName("r"), threshold: 1, channelIds });
    const [one, other] = [await make(), await make()];
    let id = "";
    await atOnce(
      async (ctx) => ({ id } = await createAlertRule(ctx, rule([one]))),
      () => deleteAlertChannel(second, { id: one }),
    );
    expect((await listAlertRules(first)).find((each) => each.id === id)).toMatchObject({ channelIds: [] });
    const late = atOnce(
      (ctx) => deleteAlertChannel(ctx, { id: other }),
      () => updateAlertRule(second, { id, channelIds: [other] }),
    );
    await expect(late).rejects.toMatchObject({ code: "invalid_request", field: "channelIds" });
  });
});

describe("what is saved", () => {
  it("neither waits for another administrator's change of something else nor delays it", async () => {
    await withTransaction(first, async (ctx) => {
      await createUser(ctx, { email: `${uniqueName("u")}@example.test`, name: "U" });
      await updateSettings(second, { "routing.maxAttempts": 4 });
      await updateSettings(ctx, { "breaker.failures": 7 });
    });
    expect(world.services.snapshot.current().settings).toMatchObject({ "routing.maxAttempts": 4, "breaker.failures": 7 });
  });

  it("while somebody rolls the settings back is rolled back too", async () => {
    await updateSettings(first, { "breaker.openSeconds": 61 });
    const [save] = (await settingsHistory(first, { limit: 1 })).items;
    await atOnce(
      (ctx) => updateSettings(ctx, { "sessions.activeWindowSeconds": 77 }),
      () => rollBackSettings(second, { id: save?.id ?? "" }),
    );
    expect(world.services.snapshot.current().settings).toMatchObject({ "breaker.openSeconds": 60, "sessions.activeWindowSeconds": 300 });
  });

  it("is recorded in the audit separately from what the other one saved concurrently", async () => {
    const { id } = await makeUser(world.database.prisma);
    await atOnce(
      (ctx) => updateUser(ctx, { id, rpm: 5 }),
      () => updateUser(second, { id, name: "Renamed" }),
    );
    const entry = await world.database.prisma.auditEntry.findFirst({ where: { targetId: id, actorId: second.userId } });
    expect(entry).toMatchObject({ before: { rpm: 5 }, after: { rpm: 5, name: "Renamed" } });
  });

  it("a manually set price is not replaced by a concurrent import", async () => {
    const model = uniqueName("model");
    const own = { model, inputPerMTok: "1", outputPerMTok: "2" };
    const text = JSON.stringify({
      [model]: { litellm_provider: "openai", mode: "chat", input_cost_per_token: 9e-6, output_cost_per_token: 9e-6 },
    });
    const imported = await atOnce(
      (ctx) => setPrice(ctx, own),
      () => importPrices(second, { text, apply: true }),
    );
    expect(imported.kept).toHaveLength(1);
    expect((await listPrices(first)).find((price) => price.model === model)).toMatchObject(own);
  });

  it("a group deleted by both is not found by the second one", async () => {
    const name = uniqueName("g").toLowerCase();
    await setGroup(first, { name, costMultiplier: "2" });
    const again = atOnce(
      (ctx) => deleteGroup(ctx, { name }),
      () => deleteGroup(second, { name }),
    );
    await expect(again).rejects.toMatchObject({ code: "not_found" });
  });
});
