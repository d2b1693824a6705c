import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { silentLog } from "@sluice/core/log";
import { startEmbeddedPostgres } from "@sluice/db/embedded-postgres";
import { createPool } from "@sluice/db/postgres";
import { freePort } from "@sluice/testing/ports";
import { startServer } from "@sluice/testing/server-process";
import { apiClient, asksForRows, callMessages, expect, makeWorld, models, signIn, test, upstreamSecret } from "./fixtures.ts";
import { flawsAtWidths } from "./flaws.ts";
import { admin, upstreamPort } from "./places.ts";

test("the ledger shows how far each gateway is and how it works, without asking", async ({
  adminPage: page,
  place,
  world,
  api,
  settingsAlone: _,
}) => {
  test.slow();
  await page.goto("/system");
  await page.getByRole("link", { name: "Ledger" }).click();
  const settlers = page.getByRole("table", { name: "Settlers" });
  await expect(settlers.getByRole("row").filter({ hasText: "gateway" }).first()).toContainText("Writable");
  const since = page.getByRole("region", { name: "Since start-up" });
  const rows = async (): Promise<number> => Number((await since.locator("dd").first().textContent())?.replaceAll(",", ""));
  await expect(page.getByRole("status", { name: "Live state" })).toHaveText("Live");
  const inForce = page.getByRole("region", { name: "In force" });
  await expect(inForce).toContainText("Batched");
  const before = await rows();
  const asked: string[] = [];
  page.on("request", (request) => asked.push(request.url()));
  await (await callMessages(place, world.secret)).text();
  await expect.poll(rows, { timeout: 30_000 }).toBeGreaterThan(before);
  await expect(page.getByRole("region", { name: "Settlement lag" })).toContainText(/\d+ ms|\d+\.\d+ s/);
  expect(asked.filter(asksForRows)).toEqual([]);

  try {
    await api.settings.update.mutate({ "ledger.batchSize": 321, "ledger.durability": "write" });
    await expect(inForce).toContainText("321");
    await expect(inForce).toContainText("write");
  } finally {
    await api.settings.update.mutate({ "ledger.batchSize": 500, "ledger.durability": "fsync" });
  }
  await expect(inForce).toContainText("500");
  expect(await flawsAtWidths(page, "ledger")).toEqual([]);
  await inForce.getByRole("link", { name: "Change" }).click();
  await expect(page.getByLabel("Batch size", { exact: true })).toHaveValue("500");
});

test("a refused record is inspected and released, and the books are checked @stack", async ({ page }) => {
  // Starts a server with a separate PostgreSQL.
  test.slow();
  const dataDir = await mkdtemp(join(tmpdir(), "sluice-ledger-"));
  const env = { REDIS_URL: "none", SLUICE_ADMIN_EMAIL: admin.email, SLUICE_ADMIN_PASSWORD: admin.password };
  const server = await startServer({
    dataDir,
    port: await freePort(),
    env: { ...env, SLUICE_ALLOW_PRIVATE_UPSTREAMS: `127.0.0.1:${upstreamPort}` },
  });
  const postgres = await startEmbeddedPostgres({ dataDir, log: silentLog });
  const pool = createPool(postgres.url, { max: 1 });
  try {
    const place = { name: "ledger", consoleUrl: server.url, gatewayUrl: server.url };
    const world = await makeWorld(await apiClient(place));
    await signIn(page, place);
    await page.goto(`${server.url}/system/ledger`);
    await expect(page.getByText("Nothing is quarantined.")).toBeVisible();
    await expect(page.getByRole("status", { name: "Live state" })).toHaveText("Live");

    await pool.query(`ALTER TABLE requests ADD CONSTRAINT refused_here CHECK (model <> '${models.plain}') NOT VALID`);
    const answer = await callMessages(place, world.secret);
    expect(answer.status).toBe(200);
    await answer.text();
    const quarantine = page.getByRole("table", { name: "Quarantined records" });
    await expect(quarantine).toContainText("refused_here", { timeout: 30_000 });
    await expect(quarantine).toContainText("Waiting");
    await quarantine.getByRole("button").click();
    const dialog = page.getByRole("dialog", { name: "Quarantined record" });
    const content = dialog.locator("pre");
    await expect(content).toContainText(`"model": "${models.plain}"`);
    for (const secret of [world.secret, upstreamSecret]) await expect(content).not.toContainText(secret);
    expect(await flawsAtWidths(page, "quarantined")).toEqual([]);
    await dialog.getByRole("button", { name: "Release" }).click();
    await expect(dialog.getByRole("alert")).toHaveText("The record was rejected again.");
    await pool.query("ALTER TABLE requests DROP CONSTRAINT refused_here");
    await dialog.getByRole("button", { name: "Release" }).click();
    await expect(page.getByText("Released: the request is now in the ledger.")).toBeVisible();
    await expect(dialog.getByRole("link", { name: "Open the request" })).toBeVisible();
    await page.keyboard.press("Escape");
    await expect(quarantine).toContainText("Released");

    await expect(page.getByText("Not reconciled yet.")).toBeVisible();
    await page.getByRole("button", { name: "Reconcile" }).click();
    await expect(page.getByText("No differences")).toBeVisible({ timeout: 60_000 });
    await pool.query("UPDATE rollups_hour SET requests = requests + 4");
    await page.getByRole("button", { name: "Reconcile" }).click();
    const differences = page.getByRole("table", { name: "Differences" });
    await expect(differences).toContainText("requests 1", { timeout: 60_000 });
    await expect(differences).toContainText("requests 5");
    await expect(differences.getByRole("link", { name: world.keyName }).first()).toBeVisible();
    expect(await flawsAtWidths(page, "differences")).toEqual([]);

    await page.goto(`${server.url}/system/ledger`);
    await expect(differences).toContainText("requests 5");
    await page.goto(`${server.url}/audit`);
    await expect(page.getByRole("table", { name: "Audit entries" })).toContainText("quarantine.release");
  } finally {
    await pool.end();
    await server.stop();
    await postgres.stop();
    await rm(dataDir, { recursive: true, force: true });
  }
});
