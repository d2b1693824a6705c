import { callMessages, expect, test } from "./fixtures.ts";

test("the palette leads to pages, to the requests of a name, and to a request", async ({ adminPage: page, place, world }) => {
  const answer = await callMessages(place, world.secret);
  const requestId = answer.headers.get("request-id") ?? "";
  await answer.text();
  const violations: string[] = [];
  page.on("console", (message) => message.type() === "error" && violations.push(message.text()));
  const loaded: string[] = [];
  page.on("request", (request) => loaded.push(request.url()));
  await page.goto("/logs");
  await expect(page.getByRole("heading", { level: 1 })).toBeVisible();
  expect(loaded.filter((url) => /palette/.test(url))).toEqual([]);

  const field = page.getByRole("dialog", { name: "Go to or find" }).getByRole("combobox");
  const find = async (text: string): Promise<void> => {
    await page.keyboard.press("Control+k");
    await field.fill(text);
  };
  await find("Provid");
  await expect(page.getByRole("option").first()).toHaveText("Providers");
  await field.press("Enter");
  await expect(page).toHaveURL(/\/providers$/);

  await find(world.providerName);
  await page.getByRole("option", { name: world.providerName }).click();
  await expect(page).toHaveURL(new RegExp(`/logs\\?provider=${world.providerId}`));
  await expect(page.locator("[data-id]")).toHaveCount(1);

  await find(requestId);
  await field.press("Enter");
  await expect(page).toHaveURL(new RegExp(`log=${requestId}`));

  await find("no such thing at all");
  await expect(page.getByText("Nothing matches")).toBeVisible();
  await page.keyboard.press("Escape");
  await expect(field).toBeHidden();
  expect(violations).toEqual([]);
});

test("single keys can be switched off, and never act while an input method or a field has them", async ({ adminPage: page }) => {
  await page.goto("/logs");
  await expect(page.getByRole("status", { name: "Live state" })).toHaveText("Live");
  const help = page.getByRole("dialog", { name: "Keyboard shortcuts" });
  await page.evaluate(() => {
    for (const init of [{ isComposing: true }, { keyCode: 229 }])
      window.dispatchEvent(new KeyboardEvent("keydown", { key: "?", bubbles: true, ...init }));
  });
  await expect(help).toBeHidden();
  await page.keyboard.press("?");
  await expect(help).toBeVisible();
  await help.getByRole("switch").click();
  await page.keyboard.press("Escape");
  await expect(help).toBeHidden();
  await page.keyboard.press("?");
  await page.keyboard.press(" ");
  await expect(help).toBeHidden();
  await expect(page.getByRole("status", { name: "Live state" })).toHaveText("Live");
  // A combination is not a single-key shortcut, so it still works; it is used to switch them on again.
  await page.keyboard.press("Control+k");
  const field = page.getByRole("dialog", { name: "Go to or find" }).getByRole("combobox");
  await field.fill("shortcuts");
  await field.press("Enter");
  await help.getByRole("switch").click();
  await page.keyboard.press("Escape");
  await page.keyboard.press("?");
  await expect(help).toBeVisible();
});

test("a page hears keys from the moment it is drawn", async ({ adminPage: page }) => {
  // Before anything else can run: as soon as the heading is in the document.
  await page.addInitScript(() => {
    const drawn = new MutationObserver(() => {
      if (!document.querySelector("h1")) return;
      drawn.disconnect();
      window.dispatchEvent(new KeyboardEvent("keydown", { key: "k", ctrlKey: true }));
    });
    drawn.observe(document, { childList: true, subtree: true });
  });
  await page.goto("/keys");
  await expect(page.getByRole("dialog", { name: "Go to or find" })).toBeVisible();
});

test("a page whose code another version has replaced says so when it is opened, and a reload loads it", async ({ adminPage: page }) => {
  // Before the page loads, so that nothing is answered from a cache.
  await page.route(/assets\/palette-/, (route) => route.fulfill({ status: 404 }));
  await page.goto("/logs");
  await expect(page.getByRole("heading", { level: 1 })).toBeVisible();
  await page.keyboard.press("Control+k");
  await expect(page.getByRole("heading", { level: 1, name: "Part of the console did not load" })).toBeVisible();
  await page.unroute(/assets\/palette-/);
  await page.getByRole("button", { name: "Reload" }).click();
  await expect(page.getByRole("heading", { level: 1, name: "Logs" })).toBeVisible();
  await page.keyboard.press("Control+k");
  await expect(page.getByRole("dialog", { name: "Go to or find" })).toBeVisible();
});
