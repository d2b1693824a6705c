import { callMessages, expect, signIn, test } from "./fixtures.ts";

test("a key is shown once, works at once, and stops at once", async ({ adminPage: page, place, world }) => {
  const name = `console key ${world.id}`;
  await page.goto("/keys");
  await page.getByRole("button", { name: "Create key" }).first().click();
  const form = page.getByRole("dialog");
  await form.getByLabel("Name").fill(name);
  await form.getByLabel("Group").fill(world.group);
  await form.getByRole("button", { name: /Create/ }).click();
  const created = page.getByRole("dialog", { name: "Key created" });
  const secret =
    (
      await created
        .getByText(/sk-sluice-\w{20,}/)
        .first()
        .textContent()
    )?.match(/sk-sluice-\w+/)?.[0] ?? "";
  expect(secret).not.toBe("");
  await created.getByRole("button", { name: "I have copied it" }).click();
  expect((await callMessages(place, secret)).status).toBe(200);
  await expect(page.getByText(secret)).toHaveCount(0);

  const row = page.getByRole("table", { name: "Keys" }).getByRole("row").filter({ hasText: name });
  await row.getByRole("switch").click();
  await expect.poll(async () => (await callMessages(place, secret)).status).toBe(403);
  await row.getByRole("button", { name: /More actions/ }).click();
  await page.getByRole("menuitem", { name: "Revoke" }).click();
  await page.getByRole("alertdialog").getByRole("button", { name: "Revoke" }).click();
  // What is behind an open dialog is hidden from roles: it must be gone before the table says anything.
  await expect(page.getByRole("alertdialog")).toBeHidden();
  await expect(row).toHaveCount(0);
  await expect.poll(async () => (await callMessages(place, secret)).status).toBe(401);
});

test("a user sees their own requests, live, and no administration", async ({ page, place, world }) => {
  await signIn(page, place, { email: world.userEmail, password: `password-${world.id}` });
  await page.goto("/logs");
  await expect(page.getByRole("status", { name: "Live state" })).toHaveText("Live");
  await (await callMessages(place, world.secret)).text();
  const rows = page.locator("[data-id]");
  await expect(rows).toHaveCount(1);
  await expect(rows.first()).toContainText("Done");
  await expect(rows.first()).not.toContainText(world.providerName);
  const navigation = page.getByRole("navigation", { name: "Main" });
  await expect(navigation.getByRole("link", { name: "Keys" })).toBeVisible();
  await expect(navigation.getByRole("link", { name: "Providers" })).toHaveCount(0);
  await page.goto("/providers");
  await expect(page.getByRole("table", { name: "Providers" })).toHaveCount(0);
});
