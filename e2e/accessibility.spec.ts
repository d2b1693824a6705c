import AxeBuilder from "@axe-core/playwright";
import { callMessages, expect, test } from "./fixtures.ts";

const pages = ["/logs", "/sessions", "/providers", "/keys", "/users", "/prices", "/settings"];
const looks = [
  { theme: "light", language: "en", width: 1440 },
  { theme: "dark", language: "zh-CN", width: 1440 },
  { theme: "light", language: "zh-CN", width: 390 },
  { theme: "dark", language: "en", width: 390 },
] as const;

for (const { theme, language, width } of looks) {
  test(`every page passes axe: ${theme}, ${language}, ${width} px`, async ({ browser, place, world, adminPage: signedIn }) => {
    test.slow();
    await (await callMessages(place, world.secret)).text();
    const context = await browser.newContext({
      baseURL: place.consoleUrl,
      colorScheme: theme,
      locale: language,
      viewport: { width, height: 900 },
      storageState: await signedIn.context().storageState(),
    });
    const page = await context.newPage();
    const problems: string[] = [];
    page.on("console", (message) => {
      if (message.type() === "error") problems.push(message.text());
    });
    for (const path of pages) {
      await page.goto(path);
      await expect(page.locator("html")).toHaveAttribute("lang", language);
      await expect(page.getByRole("heading", { level: 1 })).toBeVisible();
      await expect(page.getByRole("table").first()).toBeVisible({ visible: path !== "/settings" && path !== "/sessions" });
      const { violations } = await new AxeBuilder({ page })
        .withTags(["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"])
        .analyze();
      expect(violations.map(({ id, nodes }) => `${path}: ${id}: ${nodes[0]?.html}`)).toEqual([]);
      const overflow = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
      expect(overflow, `${path} scrolls sideways`).toBeLessThanOrEqual(0);
    }
    expect(problems).toEqual([]);
    await context.close();
  });
}

test("the sign-in page passes axe in both themes", async ({ page }) => {
  for (const colorScheme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme });
    await page.goto("/login");
    await expect(page.getByRole("button", { name: "Sign in" })).toBeVisible();
    const { violations } = await new AxeBuilder({ page }).analyze();
    expect(violations.map(({ id, nodes }) => `${id}: ${nodes[0]?.html}`)).toEqual([]);
  }
});
