import type { Page } from "@playwright/test";
import { callMessages, expect, makeWorld, test } from "./fixtures.ts";
import { act, card } from "./providers-page.ts";

const rows = (page: Page) => page.getByRole("table", { name: "Requests" }).locator("[data-id]");

test("from a row of the log Tab leads into the open request, and closing it leads back", async ({ adminPage: page, place, world }) => {
  // More than a page of them: reaching the end of the list loads the next.
  for (let sent = 0; sent < 120; sent += 20)
    await Promise.all(Array.from({ length: 20 }, () => callMessages(place, world.secret).then((answer) => answer.text())));
  await page.goto(`/logs?provider=${world.providerId}`);
  await expect(rows(page).first()).toBeVisible();
  await page.keyboard.press("j");
  await expect(rows(page).first()).toBeFocused();
  await page.keyboard.press("Enter");
  const request = page.getByRole("complementary", { name: "Request" });
  await expect(request.getByRole("button", { name: "Older request" })).toBeEnabled();
  await page.keyboard.press("Tab");
  await expect(request.getByRole("button", { name: "Older request" })).toBeFocused();
  await page.keyboard.press("Tab");
  await expect(request.getByRole("button", { name: "Close" })).toBeFocused();
  await page.keyboard.press("Enter");
  await expect(request).toBeHidden();
  await expect(rows(page).first()).toBeFocused();
});

test("what took its own button away leaves the focus with a neighbour", async ({ adminPage: page, api, world }) => {
  const second = await makeWorld(api);
  await page.goto("/providers");
  await act(page, second.providerName, "Delete");
  await page.getByRole("alertdialog").getByRole("button", { name: "Delete" }).press("Enter");
  await expect(card(page, second.providerName)).toHaveCount(0);
  await expect(page.getByRole("region", { name: "Providers" }).getByRole("article").locator(":focus")).toHaveCount(1);

  await page.goto(`/keys?user=${world.userId}`);
  const key = page.getByRole("row").filter({ hasText: world.keyName });
  await key.getByRole("button", { name: /More actions/ }).press("Enter");
  await page.getByRole("menuitem", { name: "Revoke" }).press("Enter");
  await page.getByRole("alertdialog").getByRole("button", { name: "Revoke" }).press("Enter");
  await expect(key).toHaveCount(0);
  await expect(page.getByRole("main").locator(":focus").or(page.locator("main:focus"))).toHaveCount(1);

  await page.goto("/settings");
  await page.getByRole("spinbutton").or(page.getByRole("textbox")).first().fill("17");
  await page.getByRole("button", { name: "Discard" }).press("Enter");
  await expect(page.getByRole("button", { name: "Discard" })).toBeHidden();
  await expect(page.getByRole("main").locator(":focus")).toHaveCount(1);
});

test("a page that was reached by a menu or the palette has the focus, and a form begins with its first field", async ({
  adminPage: page,
  world,
}) => {
  await page.goto("/providers");
  await act(page, world.providerName, "Show its requests");
  await expect(page).toHaveURL(/\/logs/);
  await expect(page.getByRole("main")).toBeFocused();
  await page.getByRole("button", { name: "Pause" }).focus();
  await page.keyboard.press("Control+k");
  await page.getByPlaceholder(/Page, provider/).fill("Keys");
  await page.keyboard.press("Enter");
  await expect(page).toHaveURL(/\/keys/);
  await expect(page.getByRole("main")).toBeFocused();
  await page.getByRole("button", { name: "Create key" }).press("Enter");
  await expect(page.getByRole("dialog").getByRole("combobox").or(page.getByRole("dialog").getByRole("textbox")).first()).toBeFocused();
  await page.keyboard.press("Escape");
  await expect(page.getByRole("button", { name: "Create key" })).toBeFocused();
});
