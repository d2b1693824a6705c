import { RoutingRule } from "@sluice/core/inputs/routing-rules";
import { checkKey } from "@sluice/services/keys/check-key";
import { bootstrapProviders } from "@sluice/services/providers/bootstrap-providers";
import { cloneProvider } from "@sluice/services/providers/clone-provider";
import { createProvider } from "@sluice/services/providers/create-provider";
import { deleteProvider } from "@sluice/services/providers/delete-provider";
import { getProvider } from "@sluice/services/providers/get-provider";
import { getProviderImpact } from "@sluice/services/providers/get-provider-impact";
import { listProviderHistory } from "@sluice/services/providers/list-provider-history";
import { overrideProvider } from "@sluice/services/providers/override-provider";
import { readProviderSeries } from "@sluice/services/providers/read-provider-series";
import { resetBreaker } from "@sluice/services/providers/reset-breaker";
import { restoreProvider } from "@sluice/services/providers/restore-provider";
import { simulateRouting } from "@sluice/services/providers/simulate-routing";
import { updateProvider } from "@sluice/services/providers/update-provider";
import { updateProviders } from "@sluice/services/providers/update-providers";
import { updateSettings } from "@sluice/services/settings/update-settings";
import { until } from "@sluice/testing/deadline";
import { makeKey, makePrice, uniqueName } from "@sluice/testing/factories";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startServices, type TestServices } from "./harness.ts";

let world: TestServices;
let admin: Awaited<ReturnType<TestServices["as"]>>;

beforeAll(async () => {
  world = await startServices();
  admin = await world.as("admin");
});
afterAll(() => world?.close());

const secret = "sk-upstream-0123456789";
const fields = { dialect: "anthropic" as const, baseUrl: "https://api.anthropic.com", secret };

/** Providers in a separate group. */
async function group(...specs: Partial<Parameters<typeof createProvider>[1]>[]): Promise<{ group: string; ids: string[] }> {
  const name = uniqueName("g").toLowerCase();
  const made = [];
  for (const spec of specs) made.push(await createProvider(admin, { ...fields, name: uniqueName("p"), groups: [name], ...spec }));
  return { group: name, ids: made.map(({ id }) => id) };
}

const ask = (group: string, more: { session?: string; model?: string } = {}) =>
  simulateRouting(admin, { group, dialect: "anthropic", endpoint: "countTokens", model: "m", ...more });

describe("a batch", () => {
  it("changes all or none, keeps an entry for each, and is undone by the same call", async () => {
    const { ids } = await group({ priority: 1 }, { priority: 2, weight: 3 });
    const [first = "", second = ""] = ids;
    const before = await Promise.all(ids.map((id) => getProvider(admin, { id })));
    const changes = ids.map((id) => ({ id, enabled: false, priority: 9, groups: ["default", "extra"], costMultiplier: "1.5" }));
    const events = await world.eventsOf(() => updateProviders(admin, { changes }));
    expect(events.map((event) => "id" in event && event.id).sort()).toEqual([...ids].sort());
    expect(await getProvider(admin, { id: second })).toMatchObject({ enabled: false, priority: 9, weight: 3, costMultiplier: "1.5" });
    expect((await listProviderHistory(admin, { id: first })).items).toHaveLength(2);

    const undo = before.map(({ id, enabled, priority, groups, costMultiplier }) => ({ id, enabled, priority, groups, costMultiplier }));
    await updateProviders(admin, { changes: undo });
    expect(await Promise.all(ids.map((id) => getProvider(admin, { id })))).toEqual(before);

    const unknown = "019aa400-0000-7000-8000-000000000999";
    await expect(
      updateProviders(admin, {
        changes: [
          { id: first, priority: 77 },
          { id: unknown, priority: 77 },
        ],
      }),
    ).rejects.toMatchObject({
      code: "not_found",
    });
    expect(await getProvider(admin, { id: first })).toMatchObject({ priority: 1 });
    await expect(updateProviders(admin, { changes: [{ id: first }, { id: first }] })).rejects.toMatchObject({ code: "invalid_request" });
  });
});

describe("a clone", () => {
  it("has the same secret, a name of its own, and waits disabled", async () => {
    const name = uniqueName("origin");
    const origin = await createProvider(admin, { ...fields, name, models: ["a"], modelRedirects: { b: "c" }, weight: 5 });
    const clone = await cloneProvider(admin, { id: origin.id });
    expect(clone).toMatchObject({
      name: `${name} (2)`,
      enabled: false,
      weight: 5,
      models: ["a"],
      modelRedirects: [{ from: "b", to: "c" }],
      secretTail: "6789",
    });
    expect((await cloneProvider(admin, { id: clone.id })).name).toBe(`${name} (3)`);
    const config = world.services.snapshot.current().providers.find(({ id }) => id === clone.id);
    expect(config && world.services.snapshot.secretOf(config)).toBe(secret);
  });
});

describe("R31 an earlier version", () => {
  it("comes back by one action, and the secret stays", async () => {
    const { id, ...made } = await createProvider(admin, { ...fields, name: uniqueName("p"), models: ["a"] });
    await updateProvider(admin, { id, models: ["b"], weight: 7 });
    await updateProvider(admin, { id, secret: "sk-another-abcdefghijk", priority: 4 });
    const { items: rows } = await listProviderHistory(admin, { id });
    expect(rows.map(({ action, actor }) => [action, actor !== ""])).toEqual([
      ["provider.update", true],
      ["provider.update", true],
      ["provider.create", true],
    ]);
    expect(rows[1]).toMatchObject({ before: { models: ["a"], weight: 1 }, after: { models: ["b"], weight: 7 } });
    expect(JSON.stringify(rows)).not.toContain("sk-another");
    const first = rows.at(-1)?.id ?? "";
    expect(await restoreProvider(admin, { id, versionId: first })).toEqual({ ...made, id, secretTail: "hijk" });
    expect((await listProviderHistory(admin, { id, limit: 1 })).items).toMatchObject([
      { action: "provider.restore", before: { weight: 7 } },
    ]);
    await expect(restoreProvider(admin, { id: (await group({})).ids[0] ?? "", versionId: first })).rejects.toMatchObject({
      code: "not_found",
    });
  });

  it("at another origin wants the secret, as any move does", async () => {
    const { id } = await createProvider(admin, { ...fields, name: uniqueName("p") });
    await updateProvider(admin, { id, baseUrl: "https://other.example", secret: "sk-other-abcdefghijk" });
    const versionId = (await listProviderHistory(admin, { id })).items.at(-1)?.id ?? "";
    await expect(restoreProvider(admin, { id, versionId })).rejects.toMatchObject({ code: "invalid_request", field: "secret" });
    expect(await restoreProvider(admin, { id, versionId, secret })).toMatchObject({ baseUrl: fields.baseUrl, secretTail: "6789" });
  });

  it("of a deleted one brings it back as it was, until its secret is destroyed", async () => {
    const { group: name, ids } = await group({ weight: 2 });
    const id = ids[0] ?? "";
    const before = await getProvider(admin, { id });
    const { versionId } = await deleteProvider(admin, { id });
    expect((await ask(name)).refusal).toBe("unknown_model");
    expect(await restoreProvider(admin, { id, versionId })).toEqual(before);
    expect((await ask(name)).candidates).toHaveLength(1);

    const again = await deleteProvider(admin, { id });
    await world.database.prisma.provider.update({ where: { id }, data: { secret: "" } });
    await expect(restoreProvider(admin, { id, versionId: again.versionId })).rejects.toMatchObject({ field: "secret" });
    expect(await restoreProvider(admin, { id, versionId: again.versionId, secret })).toEqual(before);
  });

  it("does not come back under a name that is taken by now", async () => {
    const name = uniqueName("p");
    const { id } = await createProvider(admin, { ...fields, name });
    const { versionId } = await deleteProvider(admin, { id });
    await createProvider(admin, { ...fields, name });
    await expect(restoreProvider(admin, { id, versionId })).rejects.toMatchObject({ code: "conflict" });
  });
});

describe("an override", () => {
  it("is in the configuration at once, with its end and its reason, and is lifted", async () => {
    const { group: name, ids } = await group({}, { priority: 1 });
    const id = ids[0] ?? "";
    const began = Date.now();
    const { override } = await overrideProvider(admin, { id, kind: "open", forSeconds: 600, note: "billing dispute" });
    expect(override).toMatchObject({ kind: "open", note: "billing dispute" });
    expect(override?.untilMs).toBeGreaterThanOrEqual(began + 600_000);
    expect((await ask(name)).excluded[0]).toEqual({ providerId: id, reason: "forced_open" });
    expect(world.services.snapshot.current().providers.find((each) => each.id === id)?.override).toEqual(override);
    expect((await listProviderHistory(admin, { id, limit: 1 })).items).toMatchObject([{ action: "provider.open", after: { override } }]);
    expect((await overrideProvider(admin, { id, kind: null })).override).toBeNull();
    expect((await ask(name)).candidates[0]?.providerId).toBe(id);
  });

  it("draining keeps the sessions that are bound to it", async () => {
    const { group: name, ids } = await group({}, { priority: 1 });
    const [id = "", other = ""] = ids;
    admin.sticky.bind("bound-session", id);
    await overrideProvider(admin, { id, kind: "drain" });
    expect(await ask(name, { session: "bound-session" })).toMatchObject({ chosenBy: "sticky", stickyProviderId: id });
    expect(await ask(name)).toMatchObject({ chosenBy: "only", candidates: [{ providerId: other, share: 1 }] });
  });
});

describe("the simulator", () => {
  it("says who would be tried, how likely first, and why not the others", async () => {
    const { group: name, ids } = await group(
      { weight: 1 },
      { weight: 3, modelRedirects: { m: "m-large" } },
      { priority: 5 },
      { models: ["x"] },
      { enabled: false },
    );
    const { candidates, excluded, chosenBy, refusal } = await ask(name);
    expect(candidates.map(({ providerId, share }) => [providerId, share])).toEqual([
      [ids[1], 0.75],
      [ids[0], 0.25],
      [ids[2], 0],
    ]);
    expect(candidates[0]).toMatchObject({ upstreamModel: "m-large", breaker: "closed" });
    expect(excluded).toEqual(expect.arrayContaining([expect.objectContaining({ providerId: ids[3], reason: "model" })]));
    expect(excluded).toEqual(expect.arrayContaining([expect.objectContaining({ providerId: ids[4], reason: "disabled" })]));
    expect({ chosenBy, refusal }).toEqual({ chosenBy: "weighted", refusal: null });
  });

  it("follows a breaker, and a reset, without taking its probe", async () => {
    const { group: name, ids } = await group({});
    const id = ids[0] ?? "";
    for (let i = 0; i < 5; i++) admin.breakers.failed(id, "m", { cause: "500 from upstream" });
    expect(await ask(name)).toMatchObject({
      candidates: [],
      refusal: "no_provider",
      excluded: expect.arrayContaining([{ providerId: id, reason: "breaker_open" }]),
    });
    expect((await bootstrapProviders(admin)).health.find(({ providerId }) => providerId === id)?.breakers).toMatchObject([
      { state: "open", failures: 5, cause: "500 from upstream" },
    ]);
    await overrideProvider(admin, { id, kind: "closed", forSeconds: 60 });
    expect((await ask(name)).candidates).toMatchObject([{ providerId: id, breaker: "open" }]);
    await overrideProvider(admin, { id, kind: null });
    const unlisten = world.live.commands.listen((command) => {
      if (command.kind === "breaker.reset") admin.breakers.reset(command.providerId);
    });
    await resetBreaker(admin, { id });
    unlisten();
    expect((await ask(name)).candidates).toMatchObject([{ providerId: id, breaker: "closed" }]);
    expect((await listProviderHistory(admin, { id, limit: 1 })).items[0]?.action).toBe("provider.reset-breaker");
  });

  it("knows every reason against a key, and its sessions by either name", async () => {
    const { group: name, ids } = await group({});
    const user = await world.as("user");
    const { key } = await makeKey(world.database.prisma, { userId: user.userId, group: name });
    await world.services.snapshot.refresh();
    const byKey = (more: object = {}) =>
      simulateRouting(admin, { keyId: key.id, dialect: "anthropic", endpoint: "messages", model: "priced-nowhere", ...more });
    expect(await byKey()).toMatchObject({ group: name, refusal: "unpriced_model" });
    await makePrice(world.database.prisma, { model: "priced-nowhere" });
    await world.services.snapshot.refresh();
    expect((await byKey()).refusal).toBeNull();
    admin.sticky.bind(world.live.sessions.idOf(key.id, "mine"), ids[0] ?? "");
    expect(await byKey({ session: "mine" })).toMatchObject({ chosenBy: "sticky" });
    await world.database.prisma.key.update({ where: { id: key.id }, data: { disabledAt: new Date() } });
    await world.services.snapshot.refresh();
    expect((await byKey()).refusal).toBe("key_disabled");
    await expect(simulateRouting(admin, { dialect: "anthropic", endpoint: "messages", model: "m" })).rejects.toMatchObject({
      code: "invalid_request",
    });
  });
});

describe("where costs are compared", () => {
  it("a rule's model counts in the simulator and for a key, as in the gateway", async () => {
    const { prisma } = world.database;
    const [lean, dear] = [await makePrice(prisma, { outputPerMTok: "1" }), await makePrice(prisma, { outputPerMTok: "10" })];
    const [asked, routed] = [uniqueName("m"), uniqueName("m")];
    const { group: name, ids } = await group({ modelRedirects: { [routed]: dear.model } }, { modelRedirects: { [routed]: lean.model } });
    const { key } = await makeKey(prisma, { userId: admin.userId, group: name });
    await updateSettings(admin, {
      "routing.strategy": "lowest_cost",
      "pricing.billedModel": "redirected",
      "routing.rules": [RoutingRule.parse({ name: "Cheaper", models: [asked], model: routed })],
    });
    try {
      const { candidates, refusal } = await ask(name, { model: asked });
      expect(candidates.map(({ providerId }) => providerId)).toEqual(ids.toReversed());
      expect(candidates[0]?.saw?.costNanoUsd ?? 0).toBeLessThan(candidates[1]?.saw?.costNanoUsd ?? 0);
      expect(refusal).toBeNull();
      const { decision, rules } = await checkKey(admin, { id: key.id, model: asked, dialect: "anthropic" });
      expect(decision?.candidates.map(({ providerId }) => providerId)).toEqual(ids.toReversed());
      expect(rules).toContainEqual({ rule: "price", passed: true, code: null });
    } finally {
      await updateSettings(admin, { "routing.strategy": "weighted", "pricing.billedModel": "requested", "routing.rules": [] });
    }
  });
});

describe("what stops with a provider", () => {
  it("is counted from live figures", async () => {
    const { ids } = await group({});
    const id = ids[0] ?? "";
    const session = { userId: admin.userId, keyId: "k", model: "m", client: "", dialect: "anthropic" as const, chosenBy: "only" as const };
    world.live.sessions.began({ ...session, id: "impact-1", providerId: id });
    world.live.sessions.began({ ...session, id: "impact-2", providerId: "another" });
    const impact = async () => (await getProviderImpact(admin, { ids: [id] })).providers;
    await until(async () => (await impact())[0]?.sessions === 1, { what: "the session is counted" });
    expect(await impact()).toEqual([{ id, sessions: 1, inFlight: 0, requests: 0 }]);
  });
});

describe("the last hours", () => {
  it("come by five minutes from the rollups, with errors and times to first content", async () => {
    const { ids } = await group({});
    const id = ids[0] ?? "";
    const insert = (statusClass: string, count: number, minutesAgo: number) =>
      world.database.pool.query(
        `INSERT INTO rollups_5m (tenant_id, bucket, user_id, key_id, provider_id, model, "group", dialect, status_class, requests, billable_requests,
           input_tokens, output_tokens, cache_write_5m_tokens, cache_write_1h_tokens, cache_read_tokens, cost_nano_usd, upstream_cost_nano_usd, ttft_count, ttft_ms_sum)
         VALUES ('default', date_bin('5 minutes', now() - make_interval(mins => $4::int), 'epoch'), '', '', $1, 'm', 'g', 'anthropic', $2, $3::int, 0, 0, 0, 0, 0, 0, 0, 0, $3::int, $3::int * 200)`,
        [id, statusClass, count, minutesAgo],
      );
    await Promise.all([insert("2xx", 5, 10), insert("5xx", 2, 10), insert("2xx", 9, 300)]);
    const series = await readProviderSeries(admin);
    const own = series?.providers.find(({ providerId }) => providerId === id);
    const at = own?.requests.findIndex((count) => count > 0) ?? -1;
    expect(series?.fromMs).toBeLessThan(Date.now() - 2.5 * 3_600_000);
    expect([32, 33]).toContain(at);
    expect([own?.requests[at], own?.errors[at], own?.ttftMs[at], own?.ttfts[at]]).toEqual([7, 2, 1_400, 7]);
    expect(own?.requests.reduce((sum, count) => sum + count, 0)).toBe(7);
  });
});

describe("H20 the list of providers", () => {
  it("is under 10 KB for fifty, with counters read separately", async () => {
    const { providers: others } = await bootstrapProviders(admin);
    for (let i = 0; i < 50; i++)
      await createProvider(admin, { ...fields, name: `anthropic account ${i}`, priority: i, groups: ["default"] });
    const { providers, health, series } = await bootstrapProviders(admin);
    const fifty = providers.filter(({ id }) => !others.some((other) => other.id === id));
    expect(fifty).toHaveLength(50);
    expect(JSON.stringify(fifty).length).toBeLessThan(10_000);
    expect(Object.keys(fifty[0] ?? {})).not.toContain("requests");
    expect(health.length).toBe(providers.length);
    expect(series).toMatchObject({ bucketMs: 300_000 });
  });
});

it("a provider's own threshold is in its row, and only there", async () => {
  const own = await createProvider(admin, { ...fields, name: "touchy", breaker: { failures: 2 } });
  const usual = await createProvider(admin, { ...fields, name: "usual" });
  const { providers } = await bootstrapProviders(admin);
  expect(providers.find(({ id }) => id === own.id)).toMatchObject({ breakerFailures: 2 });
  expect(providers.find(({ id }) => id === usual.id)).not.toHaveProperty("breakerFailures");
});

describe("patterns of models", () => {
  it("one that cannot be used is refused at its field; an object of redirects keeps its order", async () => {
    await expect(createProvider(admin, { ...fields, name: uniqueName("p"), models: ["gpt-*-mini"] })).rejects.toMatchObject({
      code: "invalid_request",
      field: "models",
    });
    const { ids, group: name } = await group({ modelRedirects: { "claude-opus-4": "a", "claude-*": "b" } });
    const [id = ""] = ids;
    const broken = updateProvider(admin, { id, modelRedirects: [{ from: "/(/", to: "a" }] });
    await expect(broken).rejects.toMatchObject({ code: "invalid_request", field: "modelRedirects" });
    await world.services.snapshot.refresh();
    for (const [model, sent] of [
      ["claude-opus-4", "a"],
      ["claude-opus-5", "b"],
    ] as const) {
      expect((await ask(name, { model })).candidates).toMatchObject([{ upstreamModel: sent }]);
    }
  });

  it("the simulator says when a provider that is outside its hours opens", async () => {
    const hour = new Date(Date.now() + 3 * 3_600_000).toISOString().slice(11, 13);
    const { group: name, ids } = await group({ schedule: { zone: "UTC", windows: [{ from: `${hour}:00`, to: `${hour}:30` }] } });
    await world.services.snapshot.refresh();
    const { excluded, refusal } = await ask(name);
    const [closed] = excluded.filter(({ providerId }) => providerId === ids[0]);
    expect(closed?.reason).toBe("schedule");
    expect(new Date(closed?.opensAtMs ?? 0).toISOString().slice(11, 16)).toBe(`${hour}:00`);
    expect(refusal).toBe("no_provider");
  });
});

describe("further credentials and a proxy", () => {
  const spare = "sk-spare-0123456789abcdef";
  const proxy = "socks5://user:hunter2-and-more@proxy.example.com:1080";

  it("are write-only, kept by label, and demanded again where they would be sent elsewhere", async () => {
    const made = await createProvider(admin, {
      ...{ ...fields, name: uniqueName("p"), proxy, headers: { "X-Team": "blue" }, credentialOrder: "weighted" },
      credentials: [{ label: "spare", secret: spare, weight: 2 }],
    });
    const shown = {
      credentials: [{ label: "spare", weight: 2, secretTail: "cdef" }],
      proxy: "socks5://proxy.example.com:1080",
      headers: { "x-team": "blue" },
    };
    expect(made).toMatchObject(shown);
    const { id } = made;
    await updateProvider(admin, { id, credentials: [{ label: "spare", weight: 5 }], weight: 4 });
    const config = world.services.snapshot.current().providers.find((one) => one.id === id) ?? expect.fail("not in the snapshot");
    expect(config.credentials?.map((one) => [one.weight, world.services.snapshot.secretOf(config, one)])).toEqual([[5, spare]]);
    expect(world.services.snapshot.proxyOf(config)).toBe(proxy);

    await expect(updateProvider(admin, { id, credentials: [{ label: "other" }] })).rejects.toMatchObject({ field: "credentials" });
    const moved = { id, baseUrl: "https://evil.example.com", secret };
    await expect(updateProvider(admin, moved)).rejects.toMatchObject({ code: "invalid_request", field: "credentials" });
    const copy = await cloneProvider(admin, { id });
    expect(await getProvider(admin, { id: copy.id })).toMatchObject({
      ...shown,
      credentials: [{ label: "spare", weight: 5, secretTail: "cdef" }],
    });
    // It is not stored anywhere in readable form.
    const { rows } = await world.database.pool.query("SELECT p::text FROM providers p UNION ALL SELECT a::text FROM audit_entries a");
    expect(JSON.stringify([rows, await listProviderHistory(admin, { id }), copy])).not.toMatch(/sk-spare|hunter2/);
  });

  it.each([
    ["headers", { headers: { Authorization: "Bearer x" } }],
    ["headers", { headers: { "X-Api-Key": "x" } }],
    ["headers", { headers: { cookie: "a=b" } }],
    ["headers", { headers: { Host: "x" } }],
    ["headers", { headers: { "transfer-encoding": "chunked" } }],
    ["headers", { headers: { "proxy-authorization": "x" } }],
    ["headers", { headers: { "x-team": "a\r\nx-evil: b" } }],
    ["proxy", { proxy: "socks5://10.0.0.7:1080" }],
    ["proxy", { proxy: "ftp://proxy.example.com" }],
    ["credentials", { credentials: [{ label: "main", secret: "x" }] }],
    ["credentials", { credentials: [{ label: "a" }] }],
    ["schedule", { schedule: { zone: "Mars/Olympus", windows: [] } }],
  ])("what may not be is refused at %s: %j", async (field, wrong) => {
    const refused = createProvider(admin, { ...fields, name: uniqueName("p"), ...wrong });
    await expect(refused).rejects.toMatchObject({ code: "invalid_request", field: expect.stringContaining(field) });
  });

  it("a reset has refused credentials tried again", async () => {
    const { ids } = await group({ credentials: [{ label: "spare", secret: spare }] });
    const [id = ""] = ids;
    world.services.coolDowns.cool({ providerId: id, label: "spare", untilMs: Date.now() + 60_000, cause: "429" });
    const healthOf = async () => (await bootstrapProviders(admin)).health.find((one) => one.providerId === id);
    expect(await healthOf()).toMatchObject({ coolDowns: [{ label: "spare", cause: "429" }] });
    const events = await world.eventsOf(() => resetBreaker(admin, { id }));
    expect(events).toContainEqual(
      expect.objectContaining({ type: "credential.cooled", coolDown: expect.objectContaining({ untilMs: 0 }) }),
    );
  });
});
