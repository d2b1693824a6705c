import type { Browser, BrowserContext, Locator, Page } from "@playwright/test";
import { en } from "../apps/console/src/text/en.ts";
import { zhCN } from "../apps/console/src/text/zh-CN.ts";
import { callMessages, expect, test } from "./fixtures.ts";
import { flaws } from "./flaws.ts";

const texts = { en, "zh-CN": zhCN };
const looks = (["light", "dark"] as const).flatMap((theme) =>
  (["en", "zh-CN"] as const).flatMap((language) => ([1440, 390] as const).map((width) => ({ theme, language, width }))),
);
type Look = (typeof looks)[number];

/** A signed-in page with this look; errors on its console are added to `said`. */
async function openAs(browser: Browser, signedIn: BrowserContext, baseURL: string, { theme, language, width }: Look, said: string[]) {
  const context = await browser.newContext({
    baseURL,
    colorScheme: theme,
    locale: language,
    // In the middle of a transition there is not enough contrast.
    reducedMotion: "reduce",
    viewport: { width, height: 900 },
    storageState: await signedIn.storageState(),
  });
  const page = await context.newPage();
  page.on("console", (message) => {
    if (message.type() === "error") said.push(message.text());
  });
  page.on("pageerror", (error) => said.push(String(error)));
  return { context, page };
}

/** Pages that only other pages link to, and the folded part of the API page. */
const beyondNavigation = ["/system/figures", "/api?op=createKey"];

const navigationOf = (page: Page, language: Look["language"]): Locator =>
  page.getByRole("navigation", { name: texts[language].nav.label, exact: true });
/** On a narrow screen, the button for the places that do not fit at the bottom. */
const moreOf = (page: Page, language: Look["language"]): Locator => navigationOf(page, language).getByRole("button");

/** Every place of the navigation. */
async function placesOf(page: Page, language: Look["language"]): Promise<string[]> {
  await expect(page.getByRole("heading", { level: 1 })).toBeVisible();
  const linksIn = (where: Locator) => where.locator("a").evaluateAll((links) => links.map((link) => link.getAttribute("href") ?? ""));
  const atOnce = await linksIn(navigationOf(page, language));
  if ((await moreOf(page, language).count()) === 0) return atOnce;
  await moreOf(page, language).click();
  const sheet = page.getByRole("dialog");
  await expect(sheet).toBeVisible();
  const further = await linksIn(sheet);
  await page.keyboard.press("Escape");
  await expect(sheet).toHaveCount(0);
  return [...atOnce, ...further];
}

/** Goes to a page by the navigation. */
async function visit(page: Page, path: string, language: Look["language"]): Promise<void> {
  const link = navigationOf(page, language).locator(`a[href="${path}"]`);
  const heading = page.getByRole("heading", { level: 1 });
  const atOnce = (await link.count()) > 0;
  if (!atOnce || (await link.getAttribute("aria-current")) !== "page") {
    const before = (await heading.textContent()) ?? "";
    if (!atOnce) await moreOf(page, language).click();
    await (atOnce ? link : page.getByRole("dialog").locator(`a[href="${path}"]`)).click();
    // The old page stays until the code of the new one is loaded.
    await expect(heading).not.toHaveText(before);
  }
  await expect(heading).toBeVisible();
  await expect(page.getByText(texts[language].common.loading, { exact: true })).toHaveCount(0);
}

for (const one of looks) {
  const { theme, language, width } = one;
  test(`every page passes axe: ${theme}, ${language}, ${width} px`, async ({ browser, place, world, adminPage }) => {
    test.setTimeout(600_000);
    await (await callMessages(place, world.secret, { session: `session-${world.id}` })).text();
    const said: string[] = [];
    const { context, page } = await openAs(browser, adminPage.context(), place.consoleUrl, one, said);
    await page.goto("/logs");
    await expect(page.locator("html")).toHaveAttribute("lang", language);
    await expect(page.locator("html")).toHaveAttribute("data-theme", theme);
    const places = await placesOf(page, language);
    expect(places.length).toBeGreaterThan(6);
    const problems: string[] = [];
    for (const path of places) {
      await visit(page, path, language);
      problems.push(...(await flaws(page, path)));
    }
    for (const path of beyondNavigation) {
      await page.goto(path);
      await expect(page.getByRole("heading", { level: 2 }).first()).toBeVisible();
      problems.push(...(await flaws(page, path)));
    }
    expect(problems).toEqual([]);
    expect(said).toEqual([]);
    await context.close();
  });
}

for (const one of looks.filter(({ theme, language }) => (theme === "light") === (language === "en"))) {
  const { theme, language, width } = one;
  test(`what opens passes axe: ${theme}, ${language}, ${width} px`, async ({ browser, place, world, adminPage }) => {
    test.setTimeout(600_000);
    const answer = await callMessages(place, world.secret);
    await answer.text();
    const said: string[] = [];
    const { context, page } = await openAs(browser, adminPage.context(), place.consoleUrl, one, said);
    const t = texts[language];
    await page.goto(`/logs?log=${answer.headers.get("request-id")}`);
    await expect(page.getByText(String(answer.headers.get("request-id"))).first()).toBeVisible();
    const problems = await flaws(page, "drawer");

    await page.goto("/keys");
    await expect(page.getByRole("heading", { level: 1 })).toBeVisible();
    const opened: [string, () => Promise<void>, string][] = [
      ["palette", () => page.keyboard.press("Control+k"), `[role="dialog"][aria-label="${t.palette.title}"]`],
      ["shortcuts", () => page.keyboard.press("?"), '[role="dialog"]'],
      [
        "account-menu",
        () =>
          page
            .getByRole("button", { name: new RegExp(t.account.menu) })
            .filter({ visible: true })
            .click(),
        '[role="menu"]',
      ],
      ["new-key", () => page.getByRole("button", { name: t.keys.new }).first().click(), '[role="dialog"]'],
      ["row-menu", () => page.getByRole("button", { name: t.common.more.replace("{{name}}", world.keyName) }).click(), '[role="menu"]'],
    ];
    for (const [what, open, selector] of opened) {
      await open();
      await expect(page.locator(selector)).toBeVisible();
      problems.push(...(await flaws(page, what)));
      await page.keyboard.press("Escape");
      await expect(page.locator(selector)).toBeHidden();
    }

    await page.goto(`/credits?user=${world.userId}`);
    for (const [what, name] of [
      ["terms", t.credits.terms],
      ["credit-entry", t.credits.newEntry],
    ] as const) {
      await page.getByRole("button", { name }).click();
      await expect(page.getByRole("dialog")).toBeVisible();
      problems.push(...(await flaws(page, what)));
      await page.keyboard.press("Escape");
      await expect(page.getByRole("dialog")).toBeHidden();
    }
    expect(problems).toEqual([]);
    expect(said).toEqual([]);
    await context.close();
  });
}

test("the sign-in page passes axe in both themes", async ({ page }) => {
  for (const colorScheme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
    await page.goto("/login");
    await expect(page.getByRole("button", { name: "Sign in", exact: true })).toBeVisible();
    expect(await flaws(page, `login-${colorScheme}`)).toEqual([]);
    await page.getByRole("button", { name: "Sign in with an API key" }).click();
    expect(await flaws(page, `key-login-${colorScheme}`)).toEqual([]);
  }
});

test("forced colours keep words, borders and the place one is at", async ({ adminPage: page }) => {
  await page.emulateMedia({ forcedColors: "active", reducedMotion: "reduce" });
  await page.goto("/logs");
  await expect(page.getByRole("status", { name: "Live state" })).toHaveText("Live");
  expect(await flaws(page, "forced-colors")).toEqual([]);
  const current = page.locator('aside nav a[aria-current="page"]');
  const other = page.locator("aside nav a:not([aria-current])").first();
  const borderOf = (link: typeof current) =>
    link.evaluate((one) => getComputedStyle(one).outlineStyle + getComputedStyle(one).backgroundColor);
  expect(await borderOf(current)).not.toBe(await borderOf(other));
});
