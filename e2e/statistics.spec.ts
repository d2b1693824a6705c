import type { Page } from "@playwright/test";
import { withTables } from "@sluice/core/packed-tables";
import type { Comparison } from "@sluice/core/statistics";
import superjson from "superjson";
import { callMessages, expect, models, signIn, test, type World } from "./fixtures.ts";
import type { Place } from "./places.ts";

const transformer = withTables(superjson).output;

/** Signs in as the world's user, who sees only their own figures. */
async function openAsUser(page: Page, place: Place, world: World, path: string): Promise<void> {
  await signIn(page, place, { email: world.userEmail, password: `password-${world.id}` });
  await page.goto(path);
  await expect(page.getByRole("status", { name: "Live state" })).toHaveText("Live");
}

/** A card of the totals; it contains one link. */
function total(page: Page, name: string) {
  return page.getByRole("list", { name: "Totals" }).getByRole("listitem").filter({ hasText: name }).getByRole("link");
}

test("figures of the statistics move by what ends; the chart is a table, a file and a way to the log", async ({ page, place, world }) => {
  await (await callMessages(place, world.secret)).text();
  await openAsUser(page, place, world, "/statistics?step=hour");
  await expect(total(page, "Requests")).toContainText("1");
  await (await callMessages(place, world.secret)).text();
  await (await callMessages(place, world.secret, { model: models.failing })).text();
  await expect(total(page, "Requests")).toContainText("3");
  await expect(total(page, "Error rate")).toContainText("33.3%");
  await expect(page.getByRole("img", { name: new RegExp(`^Requests by model, .*${models.plain}: 2`) })).toBeVisible();

  await page.getByRole("button", { name: "Requests by model as a table" }).click();
  const rows = page.getByRole("region", { name: "Requests by model" }).getByRole("row");
  await expect(rows.nth(1)).toContainText("2");
  const download = page.waitForEvent("download");
  await page.getByRole("button", { name: "Requests by model: download as CSV" }).click();
  const file = await (await download).createReadStream();
  const text = (await file.toArray()).join("");
  expect(text.split("\r\n")[0]).toBe(`\uFEFFfrom,${models.plain},${models.failing}`);
  expect(text).toMatch(/Z,2,1\r\n$/);

  await page.getByLabel("Model", { exact: true }).selectOption(models.failing);
  await expect(total(page, "Requests")).toContainText("1");
  await page
    .getByRole("link", { name: /open the requests in the log/ })
    .first()
    .click();
  await expect(page).toHaveURL(/\/logs\?(?=.*from=now-24h)(?=.*model=claude-opus-4-5)/);
  await expect(page.getByRole("table", { name: "Requests" }).locator("[data-id]")).toHaveCount(1);
});

test("values in an address that no page can read are ignored", async ({ adminPage: page }) => {
  const unreadable = [
    ...["/statistics?step=fortnight&top=many&to=", "/users?sort=height", "/audit?outcome=perhaps&since=ever"],
    // A range that ends before it begins, either as given or because the page begins a day ago.
    ...["/statistics?from=2000&to=1000", "/availability?to=1000", "/leaderboard?from=2000&to=1000", "/logs?from=2000&to=1000"],
    // Values that cannot be an id or a time zone.
    ...["/logs?log=nope", "/logs?request=nope", "/keys?user=nope", "/credits?user=nope&refund=nope", "/statistics?zone=Nope"],
    // Longer than the server accepts.
    ...[`/logs?model=${"m".repeat(201)}`, `/statistics?user=${"u".repeat(65)}`, `/audit?actor=${"u".repeat(65)}`],
  ];
  for (const path of unreadable) {
    await page.goto(path);
    await expect(page).toHaveURL(path.replace(/\?.*/, ""));
    await expect(page.getByRole("status", { name: "Live state" })).toHaveText("Live");
    await expect(page.getByText("Loading", { exact: true })).toHaveCount(0);
    await expect(page.getByRole("alert")).toHaveCount(0);
  }
});

test("a range that ends before it begins is refused at its field, and the page stays", async ({ adminPage: page }) => {
  await page.goto("/statistics");
  await page.getByRole("button", { name: "Time range: Last 24 h" }).click();
  const range = page.getByRole("dialog", { name: "Time range" });
  await range.getByLabel("To").fill("2026-01-01T10:00");
  await range.getByRole("button", { name: "Apply" }).click();
  await expect(range.getByLabel("From")).toHaveAccessibleDescription("Required");
  await range.getByLabel("From").fill("2026-01-02T10:00");
  await range.getByRole("button", { name: "Apply" }).click();
  await expect(range.getByLabel("To")).toHaveAccessibleDescription("The end must be after the start");
  await expect(page).toHaveURL("/statistics");
  await range.getByLabel("To").fill("2026-01-03T10:00");
  await range.getByRole("button", { name: "Apply" }).click();
  await expect(page).toHaveURL(/from=\d+&to=\d+/);
  await expect(range).toBeHidden();
});

test("the leaderboard ranks, and a comparison sets side by side", async ({ page, place, world }) => {
  await (await callMessages(place, world.secret)).text();
  await (await callMessages(place, world.secret)).text();
  await (await callMessages(place, world.secret, { model: models.failing })).text();
  await openAsUser(page, place, world, "/leaderboard?period=today&sort=requests");
  const ranks = page.getByRole("table", { name: "Leaderboard: Models" }).getByRole("row");
  await expect(ranks.nth(1)).toContainText(models.plain);
  await expect(ranks.nth(2)).toContainText(models.failing);
  await page.getByRole("button", { name: "Keys", exact: true }).click();
  await expect(page.getByRole("table", { name: "Leaderboard: Keys" }).getByRole("row").nth(1)).toContainText(world.keyName);

  await page.goto("/compare?by=model");
  await page.getByLabel("Add one…").selectOption(models.plain);
  await page.getByLabel("Add one…").selectOption(models.failing);
  const figures = page.getByRole("table", { name: "Models side by side" });
  await expect(
    figures
      .getByRole("row", { name: /^Requests/ })
      .getByRole("cell")
      .first(),
  ).toContainText("2");
  await expect(
    figures
      .getByRole("row", { name: /^Error rate/ })
      .getByRole("cell")
      .last(),
  ).toContainText("100%");
  await expect(page).toHaveURL(new RegExp(`ids=${models.plain}`));

  // One of them cannot be read: it is marked as such, and the other one is correct.
  await page.route(/statistics\.compare/, async (route) => {
    const response = await route.fetch();
    const answers = await response.json();
    const calls = new URL(route.request().url()).pathname.split("/").at(-1)?.split(",") ?? [];
    const { result } = answers[calls.indexOf("statistics.compare")];
    const comparison = transformer.deserialize(result.data) as Comparison;
    comparison.entries[1] = { id: models.failing, failed: true, code: "unavailable", message: "" };
    result.data = transformer.serialize(comparison);
    await route.fulfill({ response, json: answers });
  });
  await page.reload();
  await expect(page.getByRole("alert")).toContainText(`${models.failing} could not be loaded`);
  await expect(
    figures
      .getByRole("row", { name: /^Requests/ })
      .getByRole("cell")
      .first(),
  ).toContainText("2");
  await expect(figures.getByText("Not loaded")).toBeVisible();
});

test("availability tells how each provider and model was", async ({ adminPage: page, place, world }) => {
  await (await callMessages(place, world.secret)).text();
  await (await callMessages(place, world.secret, { model: models.failing })).text();
  await page.goto(`/availability?provider=${world.providerId}&from=now-1h`);
  const table = page.getByRole("table", { name: "Providers and their models" });
  await expect(table.getByRole("row", { name: new RegExp(`^${world.providerName}`) })).toContainText("50.0%");
  await expect(table.getByRole("row", { name: new RegExp(`^${models.plain}`) })).toContainText("100%");
  await expect(table.getByRole("img", { name: new RegExp(`^${world.providerName}: 0 intervals without trouble`) })).toBeVisible();
});
