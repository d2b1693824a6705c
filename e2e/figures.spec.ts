import { asksForRows, expect, test } from "./fixtures.ts";

test("figures of processes, stores and browsers are live while the page is open @stack", async ({ adminPage: page, api }) => {
  await page.goto("/overview");
  await expect(page.getByRole("heading", { level: 1 })).toBeVisible();
  await page.locator('aside nav a[href="/system"]').click();
  await page.getByRole("link", { name: "Figures" }).click();
  await expect(page.getByRole("region", { name: "PostgreSQL" })).toContainText(/Sessions waiting for locks\d+/);
  await expect(page.getByRole("region", { name: "Redis" })).toContainText(/Responding|one process/);

  const procedures = page.getByRole("table", { name: "Requests and procedures" });
  const row = procedures.getByRole("row").filter({ hasText: "GET /trpc/keys.list" });
  // In a different process than the gateway, where there are several.
  const console = page.getByRole("group", { name: "Process" }).getByRole("button", { name: /api|worker/ });
  if ((await console.count()) > 0) await console.first().click();
  const count = async () => Number((await row.locator('td[data-label="Count"]').allTextContents())[0]?.replaceAll(",", "") ?? 0);
  const asked: string[] = [];
  page.on("request", (request) => asked.push(request.url()));
  const before = await count();
  for (let n = 0; n < 3; n++) await api.keys.list.query({});
  await expect.poll(count, { timeout: 30_000 }).toBeGreaterThanOrEqual(before + 3);
  // Rates appear once the stores have been read twice.
  await expect(page.getByRole("region", { name: "PostgreSQL" })).toContainText(/Transactions[\d.,]+\/s/, { timeout: 30_000 });
  expect(asked.filter(asksForRows)).toEqual([]);

  // The page reports its own measurements when it is hidden; then they are shown.
  const reported = page.waitForResponse((response) => response.url().endsWith("/trpc/system.reportVitals"));
  await page.evaluate(() => {
    Object.defineProperty(document, "visibilityState", { configurable: true, get: () => "hidden" });
    document.dispatchEvent(new Event("visibilitychange"));
    Object.defineProperty(document, "visibilityState", { configurable: true, get: () => "visible" });
    document.dispatchEvent(new Event("visibilitychange"));
  });
  expect((await reported).status()).toBe(200);
  const browser = page.getByRole("table", { name: "In the browser" });
  for (const name of ["ttfb overview", "paint overview", "render system"])
    await expect(browser.getByRole("row").filter({ hasText: name })).toBeVisible({ timeout: 30_000 });
});
