import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "@sluice/testing/ports";
import { createTestDatabase } from "@sluice/testing/postgres";
import { startServer } from "@sluice/testing/server-process";
import { startSlowProxy } from "@sluice/testing/slow-proxy";
import { expect, signIn, test } from "./fixtures.ts";
import { admin } from "./places.ts";

test("pages that could not be read while the database was away come by themselves when it is back @stack", async ({ page }) => {
  // Starts its own server.
  test.slow();
  const dataDir = await mkdtemp(join(tmpdir(), "sluice-outage-"));
  const database = await createTestDatabase();
  const line = await startSlowProxy(Number(new URL(database.url).port));
  const url = new URL(database.url);
  url.port = String(line.port);
  const server = await startServer({
    dataDir,
    port: await freePort(),
    env: { DATABASE_URL: url.href, REDIS_URL: "none", SLUICE_ADMIN_EMAIL: admin.email, SLUICE_ADMIN_PASSWORD: admin.password },
  });
  try {
    await signIn(page, { name: "outage", consoleUrl: server.url, gatewayUrl: server.url });
    await page.goto(`${server.url}/`);
    await expect(page.getByRole("status", { name: "Live state" })).toHaveText("Live");
    await line.cut();
    await page.getByRole("link", { name: "Logs", exact: true }).click();
    await expect(page.getByText("The database is unavailable")).toBeVisible();
    await expect(page.getByText("The timeline could not be loaded")).toBeVisible();
    await expect(page.getByRole("main")).toContainText("Stored requests are shown once the database is available again");
    await expect(page.getByText("Waiting for the first request")).toHaveCount(0);
    await page.getByRole("link", { name: "Users", exact: true }).click();
    await expect(page.getByRole("button", { name: "Try again" })).toBeVisible();
    await line.restore();
    await expect(page.getByRole("treegrid").getByText(admin.email)).toBeVisible();
    await page.getByRole("link", { name: "Logs", exact: true }).click();
    await expect(page.getByText("The database is unavailable")).toHaveCount(0);
    await expect(page.getByText("Waiting for the first request")).toBeVisible();
  } finally {
    await server.stop();
    await line.close();
    await database.drop();
    await rm(dataDir, { recursive: true, force: true });
  }
});

test("offline, a change is reported as not made, and is not made later", async ({ adminPage: page, world }) => {
  await page.goto(`/keys?user=${world.userId}`);
  const own = page.getByRole("table", { name: "Keys" }).getByRole("row").filter({ hasText: world.keyName }).getByRole("switch");
  await expect(own).toBeChecked();
  await page.context().setOffline(true);
  await own.click();
  await expect(page.getByRole("paragraph").filter({ hasText: "The server cannot be reached." })).toBeVisible();
  await page.context().setOffline(false);
  await page.reload();
  await expect(own).toBeChecked();
});

test("offline, a page that is not loaded yet says so, and the others stay", async ({ adminPage: page }) => {
  await page.goto("/keys");
  await expect(page.getByRole("heading", { name: "Keys", exact: true })).toBeVisible();
  await page.context().setOffline(true);
  const open = (name: string) => page.getByRole("navigation", { name: "Main" }).getByRole("link", { name, exact: true }).click();
  await open("Leaderboard");
  await expect(page.getByRole("main")).toContainText("Part of the console did not load");
  await open("Keys");
  await expect(page.getByRole("heading", { name: "Keys", exact: true })).toBeVisible();
  await page.context().setOffline(false);
  await open("Leaderboard");
  await expect(page.getByRole("heading", { name: "Leaderboard", exact: true })).toBeVisible();
});
