import { asksForRows, callMessages, expect, models, test } from "./fixtures.ts";
import { cellMenu, liveState, makeRequests, openLogs, rows } from "./log-page.ts";

test("a filter chosen in a cell is a chip and part of the address, for live rows, too", async ({ adminPage: page, place, world }) => {
  await makeRequests(place, world, [models.plain, models.failing]);
  await openLogs(page, world);
  await expect(rows(page)).toHaveCount(2);
  await cellMenu(page, models.plain, "model");
  await page.getByRole("menuitem", { name: `Filter for ${models.plain}` }).click();
  await expect(rows(page)).toHaveCount(1);
  await expect(page).toHaveURL(/model=claude-sonnet-4-5/);
  await makeRequests(place, world, [models.failing, models.plain]);
  await expect(rows(page)).toHaveCount(2);
  await page.getByRole("button", { name: "Remove filter Model" }).click();
  await expect(rows(page)).toHaveCount(4);
});

test("what is filtered out by a cell stays out, also when it is pushed", async ({ adminPage: page, place, world }) => {
  await makeRequests(place, world, [models.plain, models.failing]);
  await openLogs(page, world);
  await cellMenu(page, models.failing, "model");
  await page.getByRole("menuitem", { name: `Filter out ${models.failing}` }).click();
  await expect(rows(page)).toHaveCount(1);
  await expect(page).toHaveURL(/notModel=claude-opus-4-5/);
  await makeRequests(place, world, [models.failing, models.plain]);
  await expect(rows(page)).toHaveCount(2);
  await page.reload();
  await expect(rows(page)).toHaveCount(2);
  await page.getByRole("button", { name: `Remove exclusion Model ${models.failing}` }).click();
  await expect(rows(page)).toHaveCount(4);
});

test("a cell is reached and filtered by with the keyboard alone", async ({ adminPage: page, place, world }) => {
  await makeRequests(place, world, [models.plain, models.failing]);
  await openLogs(page, world);
  await expect(rows(page)).toHaveCount(2);
  await page.keyboard.press("j");
  await expect(rows(page).first()).toBeFocused();
  await page.keyboard.press("ArrowRight");
  await page.keyboard.press("ArrowRight");
  await page.keyboard.press("f");
  await expect(page.getByRole("menuitem", { name: `Filter for ${models.failing}` })).toBeVisible();
  await expect(liveState(page)).toHaveText("Holding");
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("Enter");
  await expect(rows(page)).toHaveCount(1);
  await expect(page).toHaveURL(/model=claude-opus-4-5/);
});

test("the query field takes several conditions, offers what there is, and says what it does not know", async ({
  adminPage: page,
  place,
  world,
}) => {
  await makeRequests(place, world, [models.plain, models.failing, models.plain]);
  await openLogs(page, world);
  await page.keyboard.press("/");
  const field = page.getByRole("combobox", { name: "Find requests" });
  await expect(field).toBeFocused();
  await field.fill(`user:"${`User ${world.id}`}" -state:done`);
  await field.press("Enter");
  await expect(rows(page)).toHaveCount(1);
  await expect(page).toHaveURL(new RegExp(`user=${world.userId}`));
  await page.getByRole("button", { name: "Clear filters" }).click();
  await field.fill("nonsense:1");
  await field.press("Enter");
  await expect(page.getByRole("alert")).toContainText("nonsense:1");
  await field.fill("stat");
  await page.getByRole("option", { name: /^Status/ }).click();
  await page.getByRole("option", { name: "5xx" }).click();
  await expect(page).toHaveURL(/status=5xx/);
});

test("time ranges stay relative in the address; [ and ] step through them", async ({ adminPage: page, place, world }) => {
  await makeRequests(place, world, [models.plain]);
  await openLogs(page, world);
  await page.getByRole("button", { name: "Time range: All time" }).click();
  await page.getByRole("button", { name: "Last 24 h" }).click();
  await expect(page).toHaveURL(/from=now-24h/);
  await expect(rows(page)).toHaveCount(1);
  await expect(liveState(page)).toHaveText("Live");
  await rows(page).first().hover();
  await page.keyboard.press("[");
  await expect(page).toHaveURL(/from=now-6h/);
  // The second key arrives before the page has processed the first.
  await page.evaluate(() => {
    for (const key of ["]", "]"]) window.dispatchEvent(new KeyboardEvent("keydown", { key }));
  });
  await expect(page).toHaveURL(/from=now-7d/);
});

test("a key pressed while a closing menu disappears already belongs to the page", async ({ adminPage: page, place, world }) => {
  await makeRequests(place, world, [models.plain]);
  await openLogs(page, world);
  await page.getByRole("button", { name: "Time range: All time" }).click();
  const day = page.getByRole("dialog", { name: "Time range" }).getByRole("button", { name: "Last 24 h" });
  const focused = page.evaluate(
    () =>
      new Promise((resolve) => {
        const closing = new MutationObserver(() => {
          if (!document.querySelector("[data-closed] :focus")) return;
          closing.disconnect();
          resolve(document.activeElement?.textContent);
          document.activeElement?.dispatchEvent(new KeyboardEvent("keydown", { key: "/", bubbles: true }));
        });
        closing.observe(document, { attributes: true, subtree: true });
      }),
  );
  await day.click();
  expect(await focused).toBe("Last 24 h");
  await expect(page.getByRole("dialog", { name: "Time range" })).toHaveCount(0);
  await expect(page.getByRole("combobox", { name: "Find requests" })).toBeFocused();
});

test("columns come and go, and are remembered", async ({ adminPage: page, place, world }) => {
  await makeRequests(place, world, [models.plain]);
  await openLogs(page, world);
  const head = page.getByRole("columnheader");
  await expect(head.filter({ hasText: "Cost" })).toBeVisible();
  await page.getByRole("button", { name: "Columns" }).click();
  await page.getByRole("checkbox", { name: "Group" }).check();
  await page.getByRole("checkbox", { name: "Cost" }).uncheck();
  await page.keyboard.press("Escape");
  await expect(rows(page).first()).toContainText(world.group);
  await expect(head.filter({ hasText: "Cost" })).toHaveCount(0);
  await page.reload();
  await expect(head.filter({ hasText: "Group" })).toBeVisible();
  await expect(head.filter({ hasText: "Cost" })).toHaveCount(0);
  await page.getByRole("button", { name: "Columns" }).click();
  await page.getByRole("button", { name: "Default columns" }).click();
  await expect(head.filter({ hasText: "Cost" })).toBeVisible();
});

test.describe("H04 filter options", () => {
  test("ten opens cost one query, and a new model is offered the moment it is pushed", async ({ adminPage: page, place, world }) => {
    await openLogs(page, world);
    const asked: string[] = [];
    page.on("request", (request) => asked.push(request.url()));
    const field = page.getByRole("combobox", { name: "Find requests" });
    for (let i = 0; i < 10; i++) {
      await field.fill("model:");
      await field.press("Escape");
      await field.blur();
    }
    expect(asked.filter((url) => url.includes("logs.models")).length).toBe(1);
    expect(asked.filter((url) => asksForRows(url) && !url.includes("logs.models"))).toEqual([]);
    const model = `model-of-${world.id}`;
    await (await callMessages(place, world.secret, { model })).text();
    await field.fill(`model:${model.slice(0, -1)}`);
    await expect(page.getByRole("option", { name: model })).toBeVisible();
    expect(asked.filter((url) => url.includes("logs.models")).length).toBe(1);
  });
});
