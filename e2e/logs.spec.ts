import { asksForRows, callMessages, expect, models, test } from "./fixtures.ts";
import { openLogs, rows, timeline } from "./log-page.ts";

test.describe("the live log @live", () => {
  test("shows a request begin, stream and end without asking for anything", async ({ adminPage: page, place, world }) => {
    await openLogs(page, world);
    const asked: string[] = [];
    page.on("request", (request) => asked.push(request.url()));

    const answer = callMessages(place, world.secret, { model: models.slow, stream: true });
    const row = rows(page).first();
    await expect(row).toContainText("In flight");
    await expect(row).toContainText(models.slow);
    await expect(row).toContainText("Streaming");
    await (await answer).text();
    await expect(row).toContainText("Done");
    await expect(row).toContainText("200");
    await expect(row).toContainText("$");
    await expect(row.getByText(/^\d+$/).first()).toBeVisible();
    await expect(rows(page)).toHaveCount(1);
    expect(asked.filter(asksForRows)).toEqual([]);
  });

  test("comes back as it is by now, rows and timeline, and asks for nothing", async ({ adminPage: page, place, world }) => {
    await openLogs(page, world);
    const chart = timeline(page).getByRole("img");
    await (await callMessages(place, world.secret)).text();
    await expect(rows(page)).toHaveCount(1);
    await page.getByRole("navigation").getByRole("link", { name: "Prices" }).first().click();
    await expect(chart).toBeHidden();
    // The prices page has loaded everything it needs.
    await expect(page.getByRole("table", { name: "Prices" }).getByRole("row").nth(1)).toBeVisible();
    await (await callMessages(place, world.secret)).text();
    const asked: string[] = [];
    page.on("request", (request) => asked.push(request.url()));
    await page.goBack();
    await expect(rows(page)).toHaveCount(2);
    await expect(chart).toBeVisible();
    expect(asked.filter(asksForRows)).toEqual([]);
  });

  test("takes in only what matches, and lets go of what no longer does", async ({ adminPage: page, place, world }) => {
    await openLogs(page, world, "&state=in_flight");
    await (await callMessages(place, world.secret)).text();
    const slow = callMessages(place, world.secret, { model: models.slow, stream: true });
    await expect(rows(page)).toHaveCount(1);
    await expect(rows(page).first()).toContainText(models.slow);
    await (await slow).text();
    await expect(rows(page)).toHaveCount(0);
  });

  test("keeps the row being read in place and counts what waits", async ({ adminPage: page, place, world }) => {
    for (let batch = 0; batch < 6; batch++) {
      await Promise.all(Array.from({ length: 10 }, async () => (await callMessages(place, world.secret)).text()));
    }
    await openLogs(page, world);
    const table = page.getByRole("table", { name: "Requests" });
    await expect(rows(page).first()).toBeVisible();
    await table.hover();
    await page.mouse.wheel(0, 500);
    await expect(page.getByRole("status", { name: "Live state" })).toHaveText("Holding");
    const box = await table.boundingBox();
    const middle = (box?.y ?? 0) + (box?.height ?? 0) / 2;
    const read = await page.evaluate(
      ([x, y]) =>
        document
          .elementFromPoint(x ?? 0, y ?? 0)
          ?.closest("[data-id]")
          ?.getAttribute("data-id"),
      [(box?.x ?? 0) + 200, middle],
    );
    expect(read).toBeTruthy();
    const before = await page.locator(`[data-id="${read}"]`).boundingBox();

    for (let i = 0; i < 5; i++) await (await callMessages(place, world.secret)).text();
    await (await callMessages(place, world.secret, { model: models.failing })).text();
    const pill = page.getByRole("button", { name: /6 new/ });
    await expect(pill).toContainText("1 error");
    expect((await page.locator(`[data-id="${read}"]`).boundingBox())?.y).toBe(before?.y);

    await pill.click();
    await expect(page.getByRole("status", { name: "Live state" })).toHaveText("Live");
    await expect(rows(page).first()).toContainText(models.failing);
  });
});

test("a hidden tab counts errors in its title", async ({ adminPage: page, place, world }) => {
  await openLogs(page, world);
  const hide = (hidden: boolean) =>
    page.evaluate((hidden) => {
      Object.defineProperty(document, "hidden", { value: hidden, configurable: true });
      document.dispatchEvent(new Event("visibilitychange"));
    }, hidden);
  await hide(true);
  await (await callMessages(place, world.secret, { model: models.failing })).text();
  await (await callMessages(place, world.secret, { model: models.failing })).text();
  await expect(page).toHaveTitle("(2 errors) Logs · Sluice");
  await hide(false);
  await expect(page).toHaveTitle("Logs · Sluice");
});
