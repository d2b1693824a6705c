import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "@sluice/testing/ports";
import { startServer } from "@sluice/testing/server-process";
import { apiClient, callMessages, expect, makeWorld, models, signIn, test } from "./fixtures.ts";
import { admin, upstreamPort } from "./places.ts";

test("the api restarts under a viewer, who then sees exactly what registry and database hold @stack", async ({ page }) => {
  // Starts its own servers.
  test.slow();
  const dataDir = await mkdtemp(join(tmpdir(), "sluice-restart-"));
  const env = {
    SLUICE_ADMIN_EMAIL: admin.email,
    SLUICE_ADMIN_PASSWORD: admin.password,
    SLUICE_ALLOW_PRIVATE_UPSTREAMS: `127.0.0.1:${upstreamPort}`,
  };
  const gateway = await startServer({ dataDir, port: await freePort(), roles: "gateway", env });
  const apiPort = await freePort();
  let console = await startServer({ dataDir, port: apiPort, roles: "api,worker", env });
  const place = { name: "restart", consoleUrl: console.url, gatewayUrl: gateway.url };
  try {
    const world = await makeWorld(await apiClient(place));
    await signIn(page, place);
    await page.goto(`${console.url}/logs`);
    const state = page.getByRole("status", { name: "Live state" });
    await expect(state).toHaveText("Live");
    for (let i = 0; i < 3; i++) await (await callMessages(place, world.secret)).text();
    const slow = callMessages(place, world.secret, { model: models.slow, stream: true });
    const rows = page.getByRole("table", { name: "Requests" }).locator("[data-id]");
    await expect(rows).toHaveCount(4);

    await console.stop("SIGKILL");
    await expect(state).not.toHaveText("Live");
    for (let i = 0; i < 3; i++) await (await callMessages(place, world.secret)).text();
    console = await startServer({ dataDir, port: apiPort, roles: "api,worker", env });
    await expect(state).toHaveText("Live", { timeout: 40_000 });
    await (await slow).text();
    await expect(rows).toHaveCount(7);
    await expect(rows.filter({ hasText: "Done" })).toHaveCount(7);
    const shown = await rows.evaluateAll((all) => all.map((row) => row.getAttribute("data-id")).sort());
    const listed = await (await apiClient(place)).logs.list.query({ limit: 50 });
    expect(shown).toEqual(listed.items.map((row) => row.id).sort());
  } finally {
    await console.stop();
    await gateway.stop();
    await rm(dataDir, { recursive: true, force: true });
  }
});
