import type { Locator, Page } from "@playwright/test";
import { asksForRows, callMessages, expect, models, signIn, test, type World } from "./fixtures.ts";
import { flaws } from "./flaws.ts";
import type { Place } from "./places.ts";

/** Signs in as the world's user, who sees only their own figures. */
async function openAsUser(page: Page, place: Place, world: World, path = "/overview"): Promise<void> {
  await signIn(page, place, { email: world.userEmail, password: `password-${world.id}` });
  await page.goto(path);
  await expect(page.getByRole("status", { name: "Live state" })).toHaveText("Live");
}

/** The card with that label; it contains one link. */
function card(page: Page, label: string): Locator {
  return page.getByRole("listitem").filter({ has: page.getByText(label, { exact: true }) });
}

test("the first request, an error and a stream in flight move the figures without a question @live", async ({ page, place, world }) => {
  await openAsUser(page, place, world);
  await expect(page.getByRole("heading", { name: "No requests yet" })).toBeVisible();
  const asked: string[] = [];
  page.on("request", (request) => asked.push(request.url()));

  await (await callMessages(place, world.secret)).text();
  await expect(card(page, "Requests").getByRole("link")).toHaveText("1");
  await expect(card(page, "Cost").getByRole("link")).toContainText("$0.0");
  await expect(card(page, "Tokens").getByRole("link")).not.toHaveText("0");
  await expect(card(page, "Error rate").getByRole("link")).toHaveText("0%");
  await (await callMessages(place, world.secret, { model: models.failing })).text();
  await expect(card(page, "Error rate").getByRole("link")).toHaveText("50.0%");

  const session = `user_x_account__session_${crypto.randomUUID()}`;
  const slow = callMessages(place, world.secret, { session, model: models.slow, stream: true });
  await expect(card(page, "In flight").getByRole("link")).toHaveText("1");
  await expect(card(page, "Active sessions").getByRole("link")).toHaveText("1");
  await expect(card(page, "Active sessions")).toContainText("Not measured yesterday");
  await (await slow).text();
  await expect(card(page, "In flight").getByRole("link")).toHaveText("0");
  await expect(card(page, "Requests").getByRole("link")).toHaveText("3");
  const models24h = page.getByRole("region", { name: "Models" });
  await expect(models24h.getByRole("link")).toHaveCount(3);
  await expect(page.getByRole("img", { name: /^Requests by model, .*claude-opus-4-5: 1/ })).toBeVisible();
  expect(asked.filter(asksForRows)).toEqual([]);
});

test("every figure leads to the requests that it counts", async ({ page, place, world }) => {
  await (await callMessages(place, world.secret)).text();
  await (await callMessages(place, world.secret, { model: models.failing })).text();
  await openAsUser(page, place, world);
  const rows = page.getByRole("table", { name: "Requests" }).locator("[data-id]");

  await card(page, "Error rate").getByRole("link").click();
  await expect(page).toHaveURL(/\/logs\?.*state=error/);
  await expect(rows).toHaveCount(1);
  await expect(rows).toContainText(models.failing);

  await page.goBack();
  await page.getByRole("region", { name: "Models" }).getByRole("link", { name: models.plain }).click();
  await expect(page).toHaveURL(/\/logs\?(?=.*from=now-24h)(?=.*model=claude-sonnet-4-5)/);
  await expect(rows).toHaveCount(1);
  await expect(rows).toContainText(models.plain);

  await page.goBack();
  await card(page, "Requests").getByRole("link").click();
  await expect(page).toHaveURL(/\/logs\?from=\d+$/);
  await expect(rows).toHaveCount(2);
});

test("the overview is where one arrives; range and split are in its address; charts are tables, too", async ({ page, place, world }) => {
  await (await callMessages(place, world.secret)).text();
  await openAsUser(page, place, world, "/");
  await expect(page).toHaveURL(/\/overview$/);
  await page.getByRole("button", { name: "7 days" }).click();
  await page.getByRole("button", { name: "by key" }).click();
  await expect(page).toHaveURL(/\/overview\?(?=.*range=7d)(?=.*by=key)/);
  await expect(page.getByRole("button", { name: "by user" })).toHaveCount(0);
  await page.reload();
  await expect(page.getByRole("img", { name: new RegExp(`^Requests by key, .*${world.keyName}: 1`) })).toBeVisible();
  await page.getByRole("button", { name: "Requests by key as a table" }).click();
  const figures = page.getByRole("region", { name: "Requests by key" }).getByRole("row");
  await expect(figures).toHaveCount(169);
  await expect(figures.nth(1).getByRole("cell")).toHaveText("1");
});

test("a range dragged over in a chart leads to its requests", async ({ page, place, world }) => {
  await (await callMessages(place, world.secret)).text();
  await openAsUser(page, place, world);
  const chart = page.getByRole("img", { name: /^Requests by model/ }).locator(".u-over");
  await chart.scrollIntoViewIfNeeded();
  const box = await chart.boundingBox();
  if (!box) throw new Error("The chart has no size.");
  await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
  await page.mouse.down();
  await page.mouse.move(box.x + box.width - 2, box.y + box.height / 2, { steps: 4 });
  await page.mouse.up();
  await expect(page).toHaveURL(/\/logs\?from=\d+&to=\d+/);
});

for (const { theme, language } of [
  { theme: "light", language: "en" },
  { theme: "dark", language: "zh-CN" },
  { theme: "dark", language: "en" },
  { theme: "light", language: "zh-CN" },
] as const) {
  test(`passes axe at 390 px: ${theme}, ${language}`, async ({ browser, place, world, adminPage }) => {
    test.slow();
    await (await callMessages(place, world.secret)).text();
    const context = await browser.newContext({
      baseURL: place.consoleUrl,
      colorScheme: theme,
      locale: language,
      viewport: { width: 390, height: 900 },
      storageState: await adminPage.context().storageState(),
    });
    const page = await context.newPage();
    await page.goto("/overview?by=provider");
    await expect(page.locator("html")).toHaveAttribute("lang", language);
    const table = page.getByRole("button", { name: /as a table|以表格显示/ });
    await expect(table).toHaveCount(4);
    await table.first().click();
    await expect(page.locator("canvas")).toHaveCount(3);
    expect(await flaws(page, `overview-${theme}-${language}`)).toEqual([]);
    await context.close();
  });
}
