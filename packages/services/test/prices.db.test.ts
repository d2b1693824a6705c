import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { systemContext } from "@sluice/services/create-services";
import { importPrices } from "@sluice/services/prices/import-prices";
import { priceHistory } from "@sluice/services/prices/price-history";
import { getPriceSource } from "@sluice/services/prices/price-source";
import { refreshPrices } from "@sluice/services/prices/refresh-prices";
import { setPrice } from "@sluice/services/prices/set-price";
import { updateSettings } from "@sluice/services/settings/update-settings";
import { seedShippedPrices } from "@sluice/snapshot/seed-shipped-prices";
import { uniqueName } from "@sluice/testing/factories";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startServices, type TestServices } from "./harness.ts";

let world: TestServices;
let source: Server;
/** The answer of the price source. */
let answer: { status: number; body: string };
let url: string;
beforeAll(async () => {
  source = createServer((_request, response) => {
    response.writeHead(answer.status, { "content-type": "application/json" });
    response.end(answer.body);
  });
  await new Promise<void>((resolve) => source.listen(0, "127.0.0.1", resolve));
  const { port } = source.address() as AddressInfo;
  url = `http://127.0.0.1:${port}/prices.json`;
  world = await startServices({ allowPrivateHosts: [`127.0.0.1:${port}`] });
  await seedShippedPrices(world.database.pool);
  await world.services.snapshot.refresh();
});
afterAll(async () => {
  source?.close();
  await world?.close();
});

type Entry = { input_cost_per_token: number; output_cost_per_token: number } & Record<string, unknown>;
const table = (entries: Record<string, Entry>): string =>
  JSON.stringify(
    Object.fromEntries(Object.entries(entries).map(([name, entry]) => [name, { litellm_provider: "openai", mode: "chat", ...entry }])),
  );
const inForce = (model: string) => world.services.snapshot.current().prices.get(model);
const amounts = { inputPerMTok: "1", outputPerMTok: "2" };

describe("a price table", () => {
  it("is shown before it is applied, and then does just that", async () => {
    const admin = await world.as("admin");
    const [own, fresh] = [uniqueName("own"), uniqueName("new")];
    await setPrice(admin, { model: own, ...amounts });
    const text = table({
      [own]: { input_cost_per_token: 5e-6, output_cost_per_token: 6e-6 },
      [fresh]: { input_cost_per_token: 1.25e-6, output_cost_per_token: 1e-5 },
      // States explicitly what the shipped table leaves to be derived; it bills the same.
      "gpt-5": { input_cost_per_token: 1.25e-6, output_cost_per_token: 1e-5, cache_read_input_token_cost: 1.25e-7 },
      "gpt-5-mini": { input_cost_per_token: 3e-7, output_cost_per_token: 2e-6 },
      pictures: { input_cost_per_token: 1, output_cost_per_token: 1, mode: "image_generation" },
    });
    const { version } = world.services.snapshot.current();
    const preview = await importPrices(admin, { text });
    expect(preview).toMatchObject({
      applied: false,
      created: [{ model: fresh, inputPerMTok: "1.25", outputPerMTok: "10" }],
      changed: [{ before: { model: "gpt-5-mini", inputPerMTok: "0.25" }, after: { inputPerMTok: "0.3" } }],
      kept: [{ before: { model: own, source: "console" } }],
      unchanged: 1,
      skipped: [{ reason: "mode", count: 1, names: ["pictures"] }],
    });
    expect(world.services.snapshot.current().version).toBe(version);
    expect(inForce(fresh)).toBeUndefined();

    expect(await importPrices(admin, { text, apply: true })).toEqual({ ...preview, applied: true });
    expect(inForce(fresh)).toMatchObject({ inputPerMTok: "1.25" });
    expect(inForce("gpt-5-mini")).toMatchObject({ inputPerMTok: "0.3" });
    expect(inForce(own)).toMatchObject({ inputPerMTok: "1" });
    expect(await importPrices(admin, { text, apply: true })).toMatchObject({ created: [], changed: [], unchanged: 3 });
    expect(await importPrices(admin, { text, apply: true, replaceOwn: true })).toMatchObject({ changed: [{ after: { model: own } }] });
    expect(inForce(own)).toMatchObject({ inputPerMTok: "5" });
    expect((await priceHistory(admin, { model: own })).map(({ inputPerMTok, source }) => [inputPerMTok, source])).toEqual([
      ["5", "import"],
      ["1", "console"],
    ]);
  });

  it("that is none says what is wrong with it, and where", async () => {
    const admin = await world.as("admin");
    await expect(importPrices(admin, { text: '{\n  "a": {},\n  oops\n}' })).rejects.toMatchObject({
      code: "invalid_request",
      field: "text",
      message: "The file is not valid JSON (line 3).",
    });
    await expect(importPrices(admin, { text: "{}" })).rejects.toThrow(/no chat, responses or embedding model/);
    await expect(importPrices(admin, { text: " ".repeat(8 * 1024 * 1024 + 1) })).rejects.toThrow(/at most 8 MB/);
    await expect(importPrices(await world.as("user"), { text: "{}" })).rejects.toMatchObject({ code: "forbidden" });
  });
});

describe("A22 prices are refreshed from their source", () => {
  it("the shipped table by default: what was changed by a person stays", async () => {
    const admin = await world.as("admin");
    await setPrice(admin, { model: "gpt-4o", ...amounts });
    expect(await refreshPrices(admin)).toMatchObject({
      ok: true,
      source: { url: "", refreshed: { version: expect.stringMatching(/^shipped 20/) }, failure: null },
    });
    expect(inForce("gpt-4o")).toMatchObject(amounts);
  });

  it("an address: version and time change, and so do prices; a source that fails leaves everything as it was", async () => {
    const admin = await world.as("admin");
    await updateSettings(admin, { "pricing.sourceUrl": url });
    const model = uniqueName("refreshed");
    answer = { status: 200, body: table({ [model]: { input_cost_per_token: 1e-6, output_cost_per_token: 2e-6 } }) };
    const first = await refreshPrices(admin);
    expect(first).toMatchObject({ ok: true, created: 1, changed: 0, source: { url, failure: null } });
    answer = { status: 200, body: table({ [model]: { input_cost_per_token: 7e-6, output_cost_per_token: 2e-6 } }) };
    const second = await refreshPrices(admin);
    expect(second).toMatchObject({ ok: true, created: 0, changed: 1 });
    expect(second.source.refreshed?.version).not.toBe(first.source.refreshed?.version);
    expect(second.source.refreshed?.atMs).toBeGreaterThanOrEqual(first.source.refreshed?.atMs ?? Number.POSITIVE_INFINITY);
    expect(inForce(model)).toMatchObject({ inputPerMTok: "7" });
    expect((await priceHistory(admin, { model }))[0]?.source).toBe(`source ${new URL(url).host}`);

    const { version } = world.services.snapshot.current();
    const failures: [Partial<typeof answer>, object][] = [
      [{ status: 500 }, { reason: "status", status: 500 }],
      [{ status: 302 }, { reason: "status", status: 302 }],
      [{ body: "<html>" }, { reason: "not_json" }],
      [{ body: "{}" }, { reason: "nothing_priced" }],
      [{ body: `[${" ".repeat(9 * 1024 * 1024)}]` }, { reason: "too_large" }],
    ];
    for (const [broken, failure] of failures) {
      answer = { status: 200, body: "", ...broken };
      expect(await refreshPrices(admin)).toMatchObject({ ok: false, source: { failure, refreshed: second.source.refreshed } });
    }
    await new Promise((resolve) => source.close(resolve).closeAllConnections());
    expect(await refreshPrices(admin)).toMatchObject({ ok: false, source: { failure: { reason: "unreachable" } } });
    expect(world.services.snapshot.current().version).toBe(version);
    expect(inForce(model)).toMatchObject({ inputPerMTok: "7" });
    expect((await getPriceSource(admin)).failure).toMatchObject({ reason: "unreachable" });
  });

  it("never an address inside", async () => {
    const admin = await world.as("admin");
    for (const inside of ["http://169.254.169.254/latest", "http://127.0.0.1:1/x", "http://[::1]/x"])
      await expect(updateSettings(admin, { "pricing.sourceUrl": inside })).rejects.toMatchObject({
        code: "invalid_request",
        field: "pricing.sourceUrl",
      });
    await expect(updateSettings(admin, { "pricing.sourceUrl": "file:///etc/passwd" })).rejects.toMatchObject({
      field: "pricing.sourceUrl",
    });
    await updateSettings(systemContext(world.services, "boot"), { "pricing.sourceUrl": "" });
  });
});
