import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "@sluice/testing/ports";
import { startServer } from "@sluice/testing/server-process";
import { asksForRows, callMessages, expect, signIn, test } from "./fixtures.ts";
import { admin } from "./places.ts";

test("the system shows every process and store, and what they do without asking", async ({ adminPage: page, place, world }) => {
  await page.goto("/system");
  const instances = page.getByRole("table", { name: "Instances" });
  await expect(instances.getByRole("row").filter({ hasText: "Gateway" }).filter({ hasText: "Running" }).first()).toBeVisible();
  await expect(instances.getByRole("row").filter({ hasText: "Console · Worker" })).toContainText("Running");
  await expect(page.getByRole("region", { name: "PostgreSQL" })).toContainText(/\d+ of \d+/);
  await expect(page.getByRole("region", { name: "Redis" })).toContainText("Memory");
  await expect(page.getByRole("region", { name: "Live events" })).toContainText("Position");
  await expect(page.getByRole("region", { name: "Configuration file" })).toContainText("Applied");

  await expect(page.getByRole("status", { name: "Live state" })).toHaveText("Live");
  const served = async (): Promise<number> => {
    const cells = await instances.getByRole("row").filter({ hasText: "Gateway" }).locator('td[data-label="Requests"]').allTextContents();
    return cells.reduce((sum, text) => sum + Number(text.replaceAll(",", "")), 0);
  };
  const asked: string[] = [];
  page.on("request", (request) => asked.push(request.url()));
  const before = await served();
  await (await callMessages(place, world.secret)).text();
  await expect.poll(served, { timeout: 30_000 }).toBeGreaterThan(before);
  expect(asked.filter(asksForRows)).toEqual([]);
});

test("a broken configuration file is told above every page, and the banner goes with the mistake @stack", async ({ page }) => {
  // Starts a server with a separate PostgreSQL.
  test.slow();
  const dataDir = await mkdtemp(join(tmpdir(), "sluice-config-"));
  const path = join(dataDir, "sluice.yaml");
  await writeFile(path, "settings:\n  breaker.failures: 6\n");
  const server = await startServer({
    dataDir,
    port: await freePort(),
    env: { SLUICE_CONFIG: path, REDIS_URL: "none", SLUICE_ADMIN_EMAIL: admin.email, SLUICE_ADMIN_PASSWORD: admin.password },
  });
  try {
    const place = { name: "config", consoleUrl: server.url, gatewayUrl: server.url };
    await signIn(page, place);
    await page.goto(`${server.url}/logs`);
    await expect(page.getByRole("status", { name: "Live state" })).toHaveText("Live");
    const banner = page.getByRole("region", { name: "Configuration file" });
    await expect(banner).toHaveCount(0);
    await writeFile(path, "settings:\n  breaker.failures: 6\n  breaker.failurs: 7\n");
    await expect(banner).toContainText("The previous configuration stays in force");
    await expect(banner).toContainText("line 3: settings.breaker.failurs: unknown field");
    await page.goto(`${server.url}/settings`);
    await expect(banner).toBeVisible();
    await banner.getByRole("link", { name: "Show" }).click();
    await expect(page.getByRole("region", { name: "Configuration file" }).last()).toContainText("Not applied");
    await writeFile(path, "settings:\n  breaker.failures: 9\n");
    await expect(page.getByText("The previous configuration stays in force")).toHaveCount(0);
    await page.goto(`${server.url}/settings`);
    await expect(page.getByLabel("Failure threshold", { exact: true })).toHaveValue("9");
    await expect(page.locator('[data-setting="breaker.failures"]')).toContainText("Configuration file");
  } finally {
    await server.stop();
    await rm(dataDir, { recursive: true, force: true });
  }
});
