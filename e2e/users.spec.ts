import type { Page } from "@playwright/test";
import { callMessages, expect, holdBack, signIn, test } from "./fixtures.ts";

const tree = (page: Page) => page.getByRole("treegrid", { name: "Users and their keys" });

test("the tree of users and keys is walked by the keyboard", async ({ adminPage: page, api, world }) => {
  await api.keys.create.mutate({ userId: world.userId, name: `second ${world.id}`, group: world.group });
  await page.goto(`/users?q=${encodeURIComponent(`User ${world.id}`)}`);
  const rows = tree(page).locator("[data-id]");
  await expect(rows).toHaveCount(1);
  const user = rows.first();
  await expect(user).toHaveAttribute("aria-expanded", "false");
  await expect(user).toHaveAttribute("aria-level", "1");
  await user.focus();
  await page.keyboard.press("ArrowRight");
  await expect(user).toHaveAttribute("aria-expanded", "true");
  await expect(rows).toHaveCount(3);
  await expect(rows.nth(1)).toHaveAttribute("aria-level", "2");
  await page.keyboard.press("ArrowRight");
  await expect(rows.nth(1)).toBeFocused();
  await page.keyboard.press("End");
  await expect(rows.nth(2)).toBeFocused();
  await page.keyboard.press("Enter");
  await expect(page.getByRole("dialog", { name: world.keyName })).toBeVisible();
  await page.keyboard.press("Escape");
  await expect(page.getByRole("dialog")).toBeHidden();
  await expect(rows.nth(2)).toBeFocused();
  await page.keyboard.press("ArrowUp");
  await expect(rows.nth(1)).toBeFocused();
  await page.keyboard.press("ArrowLeft");
  await expect(user).toBeFocused();
  await page.keyboard.press("ArrowLeft");
  await expect(rows).toHaveCount(1);
  await expect(user).toHaveAttribute("aria-expanded", "false");
  await page.keyboard.press("Home");
  await expect(user).toBeFocused();
});

test("figures of a user and of the keys below move together", async ({ adminPage: page, place, world }) => {
  await page.goto(`/users?q=${encodeURIComponent(world.userEmail)}`);
  const rows = tree(page).locator("[data-id]");
  await rows
    .first()
    .getByRole("button", { name: /^Keys:/ })
    .click();
  await expect(rows).toHaveCount(2);
  for (const row of [rows.first(), rows.nth(1)]) await expect(row).toContainText("Never used");
  for (let i = 0; i < 2; i++) await (await callMessages(place, world.secret)).text();
  for (const row of [rows.first(), rows.nth(1)]) await expect(row.getByRole("gridcell").filter({ hasText: /^2$/ })).toHaveCount(1);
});

test("a user is added, disabled, brought back by one press, and deleted while nothing names them", async ({ adminPage: page, world }) => {
  const name = `New ${world.id}`;
  await page.goto("/users");
  await page.getByRole("button", { name: "Add user" }).click();
  const form = page.getByRole("dialog");
  await form.getByLabel("Name").fill(name);
  await form.getByLabel("E-mail").fill(`new-${world.id}@example.com`);
  await form.getByRole("button", { name: "Add user" }).click();
  await expect(form).toBeHidden();
  await page.getByRole("searchbox", { name: "Search" }).fill(name);
  const row = tree(page).locator("[data-id]");
  await expect(row).toHaveCount(1);
  await row.getByRole("switch").click();
  await expect(row).toContainText("Disabled");
  await page.getByRole("button", { name: "Undo" }).click();
  await expect(row).not.toContainText("Disabled");
  await row.getByRole("button", { name: /More actions/ }).click();
  await page.getByRole("menuitem", { name: "Delete" }).click();
  await page.getByRole("alertdialog").getByRole("button", { name: "Delete" }).click();
  await expect(page.getByText("Nothing matches")).toBeVisible();

  await page.getByRole("searchbox", { name: "Search" }).fill(`User ${world.id}`);
  await expect(row).toContainText(world.userEmail);
  await row.getByRole("button", { name: /More actions/ }).click();
  await expect(page.getByRole("menuitem", { name: "Edit", exact: true })).toBeVisible();
  await expect(page.getByRole("menuitem", { name: "Delete" })).toHaveCount(0);
});

test("when two users are switched off before the first answer arrives, both are reported", async ({ adminPage: page, api, world }) => {
  const other = `User ${world.id} too`;
  await api.users.create.mutate({ email: `too-${world.id}@example.com`, name: other, password: `password-${world.id}` });
  await page.goto(`/users?q=${encodeURIComponent(`User ${world.id}`)}&sort=name`);
  await expect(tree(page).locator("[data-id]")).toHaveCount(2);
  const release = await holdBack(page, /users\.update/);
  for (const row of await tree(page).locator("[data-id]").all()) await row.getByRole("switch").click();
  release();
  for (const name of [`User ${world.id}`, other]) await expect(page.getByText(`${name} is disabled`)).toBeVisible();
  await expect(page.getByRole("button", { name: "Undo" })).toHaveCount(2);
});

test("messages cover nothing that can be focused, and disappear when what they report is undone", async ({ adminPage: page, world }) => {
  await page.goto(`/users?q=${encodeURIComponent(`User ${world.id}`)}`);
  const toggle = tree(page).locator("[data-id]").getByRole("switch");
  await toggle.click();
  const done = page.getByRole("dialog").filter({ has: page.getByRole("button", { name: "Undo" }) });
  await expect(done.getByRole("button", { name: "Close" })).toBeVisible();
  await page.getByRole("button", { name: "Undo" }).click();
  await expect(toggle).toBeChecked();
  // The pointer is over it, which pauses its timer: only the undo can have closed it.
  await expect(done).toBeHidden();

  await page.route(/\/trpc\//, (route) => (route.request().method() === "POST" ? route.abort() : route.fallback()));
  await toggle.click();
  await expect(page.getByRole("alertdialog").getByRole("button", { name: "Close" })).toBeVisible();
});

test("an administrator makes a key for a user from their row", async ({ adminPage: page, place, world }) => {
  await page.goto(`/users?q=${encodeURIComponent(world.userEmail)}`);
  const rows = tree(page).locator("[data-id]");
  await rows
    .first()
    .getByRole("button", { name: /More actions/ })
    .click();
  await page.getByRole("menuitem", { name: "Create a key for them" }).click();
  const form = page.getByRole("dialog");
  await form.getByLabel("Name").fill("made for them");
  await form.getByLabel("Group").fill(world.group);
  await form.getByRole("button", { name: /Create/ }).click();
  const secret = await page.getByLabel("New key").inputValue();
  await page.getByRole("button", { name: "I have copied it" }).click();
  expect((await callMessages(place, secret)).status).toBe(200);
  await rows
    .first()
    .getByRole("button", { name: /^Keys:/ })
    .click();
  await expect(rows.filter({ hasText: "made for them" })).toHaveCount(1);
});

test("users change their own password, and only with the present one", async ({ page, place, world, browser }) => {
  const old = { email: world.userEmail, password: `password-${world.id}` };
  await signIn(page, place, old);
  const elsewhere = await (await browser.newContext({ baseURL: place.consoleUrl })).newPage();
  await signIn(elsewhere, place, old);
  await page.goto("/keys");
  await page.getByRole("button", { name: new RegExp(`User ${world.id}`) }).click();
  await page.getByRole("menuitem", { name: "Change password" }).click();
  const dialog = page.getByRole("dialog", { name: "Change password" });
  await dialog.getByLabel("Current password").fill("not my password");
  await dialog.getByLabel("New password").fill(`renewed-${world.id}`);
  await dialog.getByRole("button", { name: "Save" }).click();
  await expect(dialog).toContainText("That is not your current password.");
  await dialog.getByLabel("Current password").fill(old.password);
  await dialog.getByRole("button", { name: "Save" }).click();
  await expect(dialog).toBeHidden();
  await page.reload();
  await expect(page.getByRole("heading", { name: "Keys", exact: true })).toBeVisible();
  await elsewhere.goto("/keys");
  await expect(elsewhere.getByRole("button", { name: "Sign in", exact: true })).toBeVisible();
  await elsewhere.getByLabel("E-mail").fill(old.email);
  await elsewhere.getByLabel("Password").fill(`renewed-${world.id}`);
  await elsewhere.getByRole("button", { name: "Sign in", exact: true }).click();
  await expect(elsewhere.getByRole("button", { name: "Sign in", exact: true })).toBeHidden();
  await elsewhere.context().close();
});
