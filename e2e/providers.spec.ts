import { callMessages, expect, test, upstreamSecret, upstreamUrl } from "./fixtures.ts";

test("the providers page opens with one call, and its figures arrive by themselves", async ({ adminPage: page, place, world }) => {
  const calls: string[] = [];
  page.on("request", (request) => {
    if (new URL(request.url()).pathname.includes("providers.")) calls.push(request.url());
  });
  await page.goto("/providers");
  const row = page.getByRole("table", { name: "Providers" }).getByRole("row").filter({ hasText: world.providerName });
  await expect(row).toContainText("No traffic today");
  await (await callMessages(place, world.secret)).text();
  await expect(row).toContainText("Healthy");
  await expect(row).toContainText("$");
  expect(calls.filter((url) => url.includes("providers.bootstrap")).length).toBeGreaterThan(0);
  expect(calls.every((url) => url.includes("providers.bootstrap"))).toBe(true);
});

test("a provider is added, tested, disabled with effect at once, edited and deleted", async ({ adminPage: page, api, place, world }) => {
  const name = `spare ${world.id}`;
  await page.goto("/providers");
  await page.getByRole("button", { name: "Add provider" }).first().click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("Name").fill(name);
  await dialog.getByLabel("Base URL").fill(upstreamUrl);
  await dialog.getByLabel("API key").fill(upstreamSecret);
  await dialog.getByRole("button", { name: "Test connection" }).click();
  await expect(dialog.getByText(/Connected in/)).toBeVisible();
  await dialog.getByRole("button", { name: /Add provider|Create|Save/ }).click();
  await expect(dialog).toBeHidden();
  const row = page.getByRole("table", { name: "Providers" }).getByRole("row").filter({ hasText: name });
  await expect(row).toHaveCount(1);

  const own = page.getByRole("switch", { name: `Enabled: ${world.providerName}` });
  await own.click();
  await expect(own).not.toBeChecked();
  await expect.poll(async () => (await callMessages(place, world.secret)).status).toBe(503);
  await own.click();
  await expect(own).toBeChecked();
  await expect.poll(async () => (await callMessages(place, world.secret)).status).toBe(200);

  await row.getByRole("button", { name }).first().click();
  const edit = page.getByRole("dialog");
  await expect(edit.getByLabel("API key")).toHaveValue("");
  await edit.getByLabel("Name").fill(`${name} renamed`);
  await edit.getByRole("button", { name: "Save" }).click();
  await expect(row).toContainText("renamed");

  await row.getByRole("button", { name: /More actions/ }).click();
  await page.getByRole("menuitem", { name: "Delete" }).click();
  await page.getByRole("alertdialog").getByRole("button", { name: "Delete" }).click();
  // What is behind an open dialog is hidden from roles: it must be gone before the table says anything.
  await expect(page.getByRole("alertdialog")).toBeHidden();
  await expect(row).toHaveCount(0);
  const { providers } = await api.providers.bootstrap.query();
  expect(providers.filter((provider) => provider.name.startsWith(name))).toEqual([]);
});

test("a form says which field is wrong", async ({ adminPage: page }) => {
  await page.goto("/providers");
  await page.getByRole("button", { name: "Add provider" }).first().click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("Name").fill("x");
  await dialog.getByLabel("Base URL").fill("not a url");
  await dialog.getByRole("button", { name: /Add provider|Create|Save/ }).click();
  await expect(dialog.getByLabel("Base URL")).toHaveAttribute("aria-invalid", "true");
  await expect(dialog).toBeVisible();
});
