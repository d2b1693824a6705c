import type { Page } from "@playwright/test";
import { expect, test } from "./fixtures.ts";

/** Brightness (0…255) of the middle of a screenshot, decoded by the browser itself. */
async function brightness(page: Page, png: Buffer): Promise<number> {
  const blank = await page.context().newPage();
  const value = await blank.evaluate(async (data) => {
    const image = new Image();
    image.src = `data:image/png;base64,${data}`;
    await image.decode();
    const canvas = new OffscreenCanvas(image.width, image.height);
    const drawing = canvas.getContext("2d");
    drawing?.drawImage(image, 0, 0);
    const [r = 0, g = 0, b = 0] = drawing?.getImageData(image.width / 2, image.height / 2, 1, 1).data ?? [];
    return (r + g + b) / 3;
  }, png.toString("base64"));
  await blank.close();
  return value;
}

for (const { stored, system, dark } of [
  { stored: "dark", system: "light", dark: true },
  { stored: "light", system: "dark", dark: false },
  { stored: null, system: "dark", dark: true },
] as const) {
  test(`the first frame has the theme: chosen ${stored ?? "nothing"}, system ${system}`, async ({ page }) => {
    await page.emulateMedia({ colorScheme: system });
    await page.addInitScript((theme) => theme && localStorage.setItem("sluice.theme", theme), stored);
    // The application never loads: what is visible was there before it.
    await page.route(/\/assets\/.*\.js$/, () => undefined);
    await page.goto("/login", { waitUntil: "commit" });
    await expect(page.locator("html")).toHaveAttribute("data-theme", dark ? "dark" : "light");
    await page.waitForFunction(() => document.styleSheets.length > 0);
    const seen = await brightness(page, await page.screenshot());
    if (dark) expect(seen).toBeLessThan(60);
    else expect(seen).toBeGreaterThan(200);
  });
}

test("theme and language are switched without a reload, from the palette too, and are kept", async ({ adminPage: page }) => {
  await page.goto("/logs");
  await expect(page.getByRole("status", { name: "Live state" })).toHaveText("Live");
  await page.evaluate(() => Object.assign(window, { sameDocument: true }));
  await page.keyboard.press("Control+k");
  const field = page.getByRole("dialog", { name: "Go to or find" }).getByRole("combobox");
  await field.fill("theme dark");
  await field.press("Enter");
  await expect(page.locator("html")).toHaveAttribute("data-theme", "dark");
  await page.keyboard.press("Control+k");
  await field.fill("简体");
  await field.press("Enter");
  await expect(page.locator("html")).toHaveAttribute("lang", "zh-CN");
  await expect(page.getByRole("heading", { level: 1 })).toHaveText(/[一-龥]/);
  expect(await page.evaluate(() => "sameDocument" in window)).toBe(true);
  await page.reload();
  await expect(page.locator("html")).toHaveAttribute("lang", "zh-CN");
  await expect(page.locator("html")).toHaveAttribute("data-theme", "dark");
});
