import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "@sluice/testing/ports";
import { startServer } from "@sluice/testing/server-process";
import { callMessages, expect, test, upstreamSecret, upstreamUrl } from "./fixtures.ts";
import { upstreamPort } from "./places.ts";

test("from nothing to the first request in four steps @stack", async ({ page }) => {
  // Starts its own servers.
  test.slow();
  const dataDir = await mkdtemp(join(tmpdir(), "sluice-setup-"));
  const server = await startServer({
    dataDir,
    port: await freePort(),
    env: { SLUICE_ADMIN_EMAIL: "", SLUICE_ADMIN_PASSWORD: "", SLUICE_ALLOW_PRIVATE_UPSTREAMS: `127.0.0.1:${upstreamPort}` },
  });
  try {
    const address = /Sluice is ready: (\S+)/.exec(server.output())?.[1] ?? "";
    expect(address).toContain("/setup?token=");
    await page.goto(address);
    await page.getByLabel("Your name").fill("Ada");
    await page.getByLabel("E-mail").fill("ada@example.com");
    await page.getByLabel("Password").fill("a long enough password");
    await page.getByRole("button", { name: "Create administrator" }).click();

    await expect(page.getByRole("heading", { name: "Add your first provider" })).toBeVisible();
    // The button that led here is gone.
    await expect(page.getByRole("heading", { name: "Add your first provider" })).toBeFocused();
    // The suggested name follows the dialect, like the address, until somebody types another.
    await page.getByLabel("Dialect").selectOption("openai");
    await expect(page.getByLabel("Name")).toHaveValue("OpenAI");
    await page.getByLabel("Name").fill("first");
    await page.getByLabel("Dialect").selectOption("anthropic");
    await expect(page.getByLabel("Name")).toHaveValue("first");
    await page.getByLabel("Base URL").fill(upstreamUrl);
    await page.getByLabel("API key").fill(upstreamSecret);
    await page.getByRole("button", { name: "Test connection" }).click();
    await expect(page.getByText(/Connected in/)).toBeVisible();
    await page.getByRole("button", { name: "Add provider" }).click();

    await page.getByRole("button", { name: "Create key" }).click();
    await expect(page.getByText("Waiting for the first request")).toBeVisible();
    const secret =
      (
        await page
          .getByText(/sk-sluice-\w{20,}/)
          .first()
          .textContent()
      )?.match(/sk-sluice-\w+/)?.[0] ?? "";
    await (await callMessages({ name: "setup", consoleUrl: server.url, gatewayUrl: server.url }, secret)).text();
    await expect(page.getByText("First request received")).toBeVisible();
    await page.getByRole("link", { name: "Open the log" }).click();
    await expect(page.getByRole("table", { name: "Requests" }).locator("[data-id]")).toHaveCount(1);
  } finally {
    await server.stop();
    await rm(dataDir, { recursive: true, force: true });
  }
});
