import type { Route } from "@playwright/test";
import { callMessages, expect, holdBack, models, test } from "./fixtures.ts";
import { flaws } from "./flaws.ts";

test("a setting is found, checked, reviewed, in force at once, and rolled back by one action", async ({
  adminPage: page,
  place,
  world,
  settingsAlone: _,
}) => {
  const model = `unpriced-${world.id}`;
  const statusOfUnpriced = async (): Promise<number> => {
    const answer = await callMessages(place, world.secret, { model });
    await answer.text();
    return answer.status;
  };
  expect(await statusOfUnpriced()).toBe(400);
  await page.goto("/settings");
  const field = page.getByLabel("Models without a price", { exact: true });
  await expect(field).toBeVisible();

  await page.getByRole("searchbox", { name: "Search settings" }).fill("without a price");
  await expect(page.locator("[data-setting]")).toHaveCount(1);
  await page.getByRole("searchbox", { name: "Search settings" }).fill("no such setting");
  await expect(page.getByRole("heading", { name: "No setting matches" })).toBeVisible();
  await page.getByRole("button", { name: "Clear search" }).click();
  await expect(page.locator('[data-setting="sessions.activeWindowSeconds"]')).toContainText("Configuration file");

  const attempts = page.getByLabel("Total time for attempts", { exact: true });
  await attempts.fill("12");
  await expect(page.getByText("Must be a whole number from 1000 to 600000")).toBeVisible();
  await expect(page.getByRole("button", { name: "Review and save" })).toBeDisabled();
  await page.getByRole("button", { name: "Reset Total time for attempts to its default" }).click();

  await field.selectOption({ label: "Record without cost" });
  await expect(page.getByText("1 unsaved change")).toBeVisible();
  await page.getByRole("button", { name: "Review and save" }).click();
  const review = page.getByRole("dialog", { name: "Save these changes?" });
  await expect(review.locator("del")).toHaveText("Refuse");
  await expect(review.locator("ins")).toHaveText("Record without cost");
  await review.getByRole("button", { name: "Save 1 change" }).click();
  await expect(review).toBeHidden();
  await expect(page.locator('[data-setting="pricing.unknownModel"]')).toContainText("Console");
  await expect.poll(statusOfUnpriced).toBe(200);

  await page.getByRole("button", { name: "History" }).click();
  const history = page.getByRole("dialog", { name: "Settings history" });
  const save = history.getByRole("listitem").filter({ hasText: "Roll back" }).filter({ hasText: "Record without cost" }).first();
  await save.getByRole("button", { name: /^Roll back/ }).click();
  const rollBack = page.getByRole("dialog", { name: "Roll back to before this save?" });
  await expect(rollBack.locator("li", { hasText: "Models without a price" }).locator("ins")).toHaveText("Refuse");
  await rollBack.getByRole("button", { name: "Roll back" }).click();
  await expect(rollBack).toBeHidden();
  await expect(field).toHaveValue("refuse");
  await expect.poll(statusOfUnpriced).toBe(400);
});

test("unsaved changes are not lost by a slip", async ({ adminPage: page }) => {
  await page.goto("/settings");
  await page.getByLabel("Batch size", { exact: true }).fill("400");
  await page.getByRole("navigation", { name: "Main" }).getByRole("link", { name: "Prices" }).click();
  const question = page.getByRole("alertdialog", { name: "Leave without saving?" });
  await question.getByRole("button", { name: "Cancel" }).click();
  await expect(page).toHaveURL(/\/settings/);
  await expect(page.getByLabel("Batch size", { exact: true })).toHaveValue("400");
  await page.getByRole("button", { name: "Discard" }).click();
  await page.getByRole("navigation", { name: "Main" }).getByRole("link", { name: "Prices" }).click();
  await expect(page).toHaveURL(/\/prices/);
});

test("a save and a rollback that outlive their dialogs do not affect what was started after them", async ({
  adminPage: page,
  api,
  settingsAlone: _,
}) => {
  const batchSize = page.getByLabel("Batch size", { exact: true });
  const interval = page.getByLabel("Batch interval", { exact: true });
  await page.goto("/settings");
  try {
    let release = await holdBack(page, /settings\.(update|rollBack)/);
    await batchSize.fill("400");
    await page.getByRole("button", { name: "Review and save" }).click();
    const review = page.getByRole("dialog", { name: "Save these changes?" });
    await review.getByRole("button", { name: "Save 1 change" }).click();
    await page.keyboard.press("Escape");
    await expect(review).toBeHidden();
    await interval.fill("300");
    await page.getByRole("button", { name: "Review and save" }).click();
    await expect(review.getByRole("button", { name: "Save 2 changes" })).toBeVisible();
    release();
    await expect(page.getByText("Settings saved", { exact: true })).toBeVisible();
    await review.getByRole("button", { name: "Save 1 change" }).click();
    await expect(review).toBeHidden();
    expect(await api.settings.get.query()).toMatchObject({ "ledger.batchSize": 400, "ledger.intervalMs": 300 });

    release = await holdBack(page, /settings\.(update|rollBack)/);
    await page.getByRole("button", { name: "History" }).click();
    const history = page.getByRole("dialog", { name: "Settings history" });
    const rollBack = page.getByRole("dialog", { name: "Roll back to before this save?" });
    const buttons = history.getByRole("button", { name: /^Roll back/ });
    await buttons.first().click();
    await rollBack.getByRole("button", { name: "Roll back" }).click();
    await rollBack.getByRole("button", { name: "Cancel" }).click();
    await buttons.nth(1).click();
    await expect(rollBack.locator("li", { hasText: "Batch size" }).locator("ins")).toHaveText("500");
    release();
    await expect(page.getByText("Settings rolled back")).toBeVisible();
    await expect(rollBack.locator("li", { hasText: "Batch size" }).locator("ins")).toHaveText("500");
  } finally {
    await api.settings.update.mutate({ "ledger.batchSize": 500, "ledger.intervalMs": 250 });
  }
});

test("what somebody else saved at the same moment is not overwritten, and the review says so", async ({
  adminPage: page,
  api,
  settingsAlone: _,
}) => {
  await page.goto("/settings");
  await page.getByLabel("Batch size", { exact: true }).fill("400");
  await page.getByRole("button", { name: "Review and save" }).click();
  const review = page.getByRole("dialog", { name: "Save these changes?" });
  const meanwhile = async (route: Route): Promise<void> => {
    await api.settings.update.mutate({ "ledger.batchSize": 300 });
    await route.continue();
  };
  await page.route(/\/trpc\/settings\.update/, meanwhile, { times: 1 });
  try {
    await review.getByRole("button", { name: "Save 1 change" }).click();
    await expect(review).toContainText("Someone else changed one of these settings. Nothing was saved.");
    await expect(review.locator("del")).toHaveText("300");
    expect((await api.settings.get.query())["ledger.batchSize"]).toBe(300);
  } finally {
    await api.settings.update.mutate({ "ledger.batchSize": 500 });
  }
});

test("error rules are added, put in order, in force at the next request, shown with its attempt, and removed", async ({
  adminPage: page,
  place,
  world,
  settingsAlone: _,
}) => {
  const ask = async (): Promise<{ status: number; text: string; id: string }> => {
    const answer = await callMessages(place, world.secret, { model: models.failing });
    return { status: answer.status, text: await answer.text(), id: answer.headers.get("x-request-id") ?? "" };
  };
  const [first, second] = [`First of ${world.id}`, `Second of ${world.id}`];
  await page.goto("/settings");
  const rules = page.getByRole("region", { name: "Error rules" });
  for (const name of [first, second]) {
    await rules.getByRole("button", { name: "Add rule" }).click();
    const dialog = page.getByRole("dialog", { name: "New error rule" });
    await dialog.getByLabel("Name", { exact: true }).fill(name);
    await dialog.getByLabel("Statuses").fill("five hundred");
    await dialog.getByRole("button", { name: "Save" }).click();
    await expect(dialog.getByLabel("Statuses")).toHaveAttribute("aria-invalid", "true");
    await dialog.getByLabel("Statuses").fill("500");
    await dialog.getByLabel("Providers").fill(world.providerName);
    await dialog.getByLabel("Then").selectOption({ label: "Respond to the client" });
    await dialog.getByLabel("Status for the client").fill("418");
    await dialog.getByLabel("Message for the client").fill(`Says ${name}.`);
    await dialog.getByRole("button", { name: "Save" }).click();
    await expect(dialog).toBeHidden();
  }
  await expect(rules.getByRole("listitem").filter({ hasText: first })).toContainText(`Status 500 · from ${world.providerName}`);
  await expect.poll(async () => (await ask()).text).toContain(`Says ${first}.`);
  await rules.getByRole("button", { name: `Move ${second} up` }).click();
  await expect.poll(async () => (await ask()).text).toContain(`Says ${second}.`);
  const { id, status } = await ask();
  expect(status).toBe(418);
  await page.goto(`/logs?log=${id}`);
  await expect(page.getByText(`Rule “${second}”: Respond to the client`)).toBeVisible();
  await page.goto("/settings");
  for (const name of [first, second]) {
    await rules.getByRole("button", { name: `Remove ${name}` }).click();
    await page.getByRole("alertdialog").getByRole("button", { name: "Remove rule" }).click();
    await expect(rules.getByText(name, { exact: true })).toBeHidden();
  }
  await expect.poll(async () => (await ask()).status).not.toBe(418);
});

test("R13: a routing rule is added, followed by the next request, named by its decision, switched off and removed", async ({
  adminPage: page,
  place,
  world,
  settingsAlone: _,
}) => {
  const ask = () => callMessages(place, world.secret, { model: models.failing });
  expect((await ask()).status).toBe(500);
  const name = `Elsewhere for ${world.id}`;
  await page.goto("/settings");
  const rules = page.getByRole("region", { name: "Routing rules" });
  await rules.getByRole("button", { name: "Add rule" }).click();
  const dialog = page.getByRole("dialog", { name: "New routing rule" });
  await dialog.getByLabel("Name", { exact: true }).fill(name);
  await dialog.getByLabel("Models", { exact: true }).fill("/(/");
  await dialog.getByLabel("Model instead of the client's").fill(models.plain);
  await dialog.getByRole("button", { name: "Save" }).click();
  await expect(dialog.getByLabel("Models", { exact: true })).toHaveAttribute("aria-invalid", "true");
  await dialog.getByLabel("Models", { exact: true }).fill(models.failing);
  await dialog.getByLabel("Key", { exact: true }).selectOption({ label: `${world.keyName} · User ${world.id}` });
  expect(await flaws(page, "routing-rule")).toEqual([]);
  await dialog.getByRole("button", { name: "Save" }).click();
  await expect(dialog).toBeHidden();
  const row = rules.getByRole("listitem").filter({ hasText: name });
  await expect(row).toContainText(`as ${models.plain}`);
  await expect.poll(async () => (await ask()).status).toBe(200);
  const followed = await ask();
  await page.goto(`/logs?log=${followed.headers.get("x-request-id")}`);
  await expect(page.getByText(`Rule “${name}”: as ${models.plain}`)).toBeVisible();

  await page.goto("/settings");
  await row.getByRole("switch", { name: `Use ${name}` }).click();
  await expect.poll(async () => (await ask()).status).toBe(500);
  expect(await flaws(page, "routing-rules")).toEqual([]);
  await row.getByRole("button", { name: `Remove ${name}` }).click();
  await page.getByRole("alertdialog").getByRole("button", { name: "Remove rule" }).click();
  await expect(row).toBeHidden();
});

test("a change made after the page was read and before its stream is open shows all the same", async ({
  adminPage: page,
  api,
  settingsAlone: _,
}) => {
  const release = await holdBack(page, /\/trpc\/live\.events/);
  try {
    await page.goto("/settings");
    const field = page.getByLabel("Batch size", { exact: true });
    await expect(field).toHaveValue("500");
    await api.settings.update.mutate({ "ledger.batchSize": 300 });
    release();
    await expect(field).toHaveValue("300");
  } finally {
    await api.settings.update.mutate({ "ledger.batchSize": 500 });
  }
});
