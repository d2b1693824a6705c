import { expect, models, test } from "./fixtures.ts";
import { flaws } from "./flaws.ts";
import { cellMenu, makeRequests, openLogs, rows } from "./log-page.ts";

for (const colorScheme of ["light", "dark"] as const) {
  test(`what opens on the log passes axe: ${colorScheme}`, async ({ adminPage: page, place, world }) => {
    test.setTimeout(450_000);
    await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
    await makeRequests(place, world, [models.plain, models.failing]);
    await openLogs(page, world, `&notState=aborted&from=now-24h`);
    await expect(rows(page)).toHaveCount(2);
    const problems: string[] = [];
    const look = async (what: string, part?: string): Promise<void> => {
      problems.push(...(await flaws(page, what, part)));
    };

    await page.getByRole("combobox", { name: "Find requests" }).fill("state:");
    await expect(page.getByRole("option", { name: "Refused" })).toBeVisible();
    await look("query");
    await page.keyboard.press("Escape");
    await page.getByRole("button", { name: "Show as table" }).click();
    await look("timeline-table");
    await page.getByRole("button", { name: "Show as chart" }).click();
    await page.getByRole("button", { name: "Columns" }).click();
    for (const name of ["Group", "Session", "Client", "Dialect", "Tries"]) await page.getByRole("checkbox", { name }).check();
    await look("columns");
    await page.keyboard.press("Escape");
    await cellMenu(page, models.plain, "model");
    await expect(page.getByRole("menuitem").first()).toBeVisible();
    await look("cell-menu");
    await page.keyboard.press("Escape");
    await page.getByRole("button", { name: "Time range: Last 24 h" }).click();
    await expect(page.getByLabel("From", { exact: true })).toBeVisible();
    // Only the dialog is checked, because it covers half of a chip behind it.
    await look("time-range", '[role="dialog"]');
    await page.keyboard.press("Escape");
    await page.getByRole("button", { name: "Export" }).click();
    await expect(page.getByRole("dialog", { name: "Export requests" })).toBeVisible();
    await look("export");
    await page.keyboard.press("Escape");
    await page.setViewportSize({ width: 390, height: 844 });
    await rows(page).first().click();
    await expect(page.getByRole("complementary", { name: "Request" })).toBeVisible();
    await look("drawer-390");
    expect(problems).toEqual([]);
  });
}
