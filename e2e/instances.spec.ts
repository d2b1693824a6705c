import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Page } from "@playwright/test";
import { freePort } from "@sluice/testing/ports";
import { callMessages, expect, models, test } from "./fixtures.ts";
import { startJoinedGateway } from "./joined-gateway.ts";
import type { Place } from "./places.ts";

/* Actions in the console apply to every instance of the gateway: streams here run on one that serves no console. */

const session = () => `user_x_account__session_${crypto.randomUUID()}`;
const second = (place: Place): Place => ({ ...place, gatewayUrl: place.secondGatewayUrl ?? place.gatewayUrl });
const requests = (page: Page) => page.getByRole("table", { name: "Requests" }).locator("[data-id]");

test("terminate at the console cuts a stream that runs on the second gateway @stack", async ({ adminPage: page, place, world }) => {
  await page.goto(`/sessions?key=${world.keyId}`);
  await expect(page.getByRole("status", { name: "Live state" })).toHaveText("Live");
  const open = await callMessages(second(place), world.secret, { session: session(), model: models.endless, stream: true });
  await page.getByRole("button", { name: /^Terminate session/ }).click();
  await page.getByRole("alertdialog").getByRole("button", { name: "Terminate" }).click();
  const text = await open.text();
  expect(text).toContain("content_block_delta");
  expect(text).toContain("This session was terminated.");
  await expect(page.locator("[data-session]")).toContainText("Ended");
});

test("revoking a key closes the streams it has on both gateways @stack", async ({ adminPage: page, place, api, world }) => {
  const { key, secret } = await api.keys.create.mutate({ userId: world.userId, name: `revoked ${world.id}`, group: world.group });
  await page.goto(`/logs?key=${key.id}`);
  const answers = await Promise.all(
    [place, second(place)].map((each) => callMessages(each, secret, { model: models.endless, stream: true })),
  );
  await expect(requests(page)).toHaveCount(2);
  await api.keys.revoke.mutate({ id: key.id });
  for (const answer of answers) expect(await answer.text()).toContain('"code":"invalid_key"');
  await expect(requests(page).filter({ hasText: "Error" })).toHaveCount(2);
});

test("a gateway is killed: its session ends, its row turns lost, and is recovered when it starts again @stack", async ({
  adminPage: page,
  context,
  place,
  world,
}) => {
  // A dead instance is noticed after ten seconds without a heartbeat.
  test.setTimeout(300_000);
  const dataDir = await mkdtemp(join(tmpdir(), "sluice-joined-"));
  const port = await freePort();
  let gateway = await startJoinedGateway({ dataDir, port });
  try {
    await page.goto(`/logs?key=${world.keyId}`);
    await expect(page.getByRole("status", { name: "Live state" })).toHaveText("Live");
    const sessions = await context.newPage();
    await sessions.goto(`/sessions?key=${world.keyId}`);
    const open = await callMessages({ ...place, gatewayUrl: gateway.url }, world.secret, {
      session: session(),
      model: models.endless,
      stream: true,
    });
    const cut = open.text().catch(() => "cut");
    const row = requests(page).first();
    await expect(row).toContainText("Streaming");
    await expect(sessions.locator("[data-session]")).toHaveCount(1);
    // PROGRESS is written with the first content and every 500 ms.
    await expect(row).not.toContainText("In flight");

    await gateway.stop("SIGKILL");
    expect(await cut).toBe("cut");
    await expect(row).toContainText("Lost", { timeout: 50_000 });
    await expect(sessions.locator("[data-session]")).toContainText("Ended", { timeout: 30_000 });
    await page.reload();
    await expect(row).toContainText("Lost");

    gateway = await startJoinedGateway({ dataDir, port });
    await expect(row).toContainText("Error");
    await expect(row).not.toContainText("Lost");
    await expect(requests(page)).toHaveCount(1);
    await row.click();
    await expect(page.getByRole("complementary", { name: "Request" })).toContainText("Recovered");
  } finally {
    await gateway.stop();
    await rm(dataDir, { recursive: true, force: true });
  }
});
