import type { Page } from "@playwright/test";
import { expect, signIn, test } from "./fixtures.ts";

/**
 * Procedures that a page calls; one HTTP request may carry several. The current login and the stream belong to the document, not to a page.
 */
function countCalls(page: Page): { calls: string[] } {
  const counted = { calls: [] as string[] };
  page.on("request", (request) => {
    const { pathname } = new URL(request.url());
    if (!pathname.startsWith("/trpc/") || request.method() !== "GET") return;
    const names = pathname.slice("/trpc/".length).split(",");
    counted.calls.push(...names.filter((name) => name !== "live.events" && name !== "logins.current"));
  });
  return counted;
}

const navigation = (page: Page) => page.getByRole("navigation", { name: "Main" });

/** The targets of the navigation. */
async function placesOf(page: Page): Promise<string[]> {
  return navigation(page)
    .getByRole("link")
    .evaluateAll((links) => links.map((link) => link.getAttribute("href") ?? ""));
}

/** Waits until everything that the page requests when it is mounted has been answered. */
async function settled(page: Page, path: string): Promise<void> {
  await expect(navigation(page).locator(`a[href="${path}"]`)).toHaveAttribute("aria-current", "page");
  await expect(page.getByRole("heading", { level: 1 })).toBeVisible();
  await expect(page.getByText("Loading", { exact: true })).toHaveCount(0);
}

const ROUNDS = 10;

test("W30 ten rounds through the pages ask for a fifth at most of what pages that keep nothing ask for", async ({ page, place, world }) => {
  test.slow();
  // A separate user, so that changes by neighbouring specs are not pushed to it.
  await signIn(page, place, { email: world.userEmail, password: `password-${world.id}` });
  const fresh = countCalls(page);
  await page.goto("/logs");
  await expect(navigation(page)).toBeVisible();
  const places = await placesOf(page);
  expect(places.length).toBeGreaterThan(1);
  fresh.calls.length = 0;
  for (const path of places) {
    await page.goto(path);
    // The pages of the manual have no live data.
    if (path !== "/errors" && path !== "/api") await expect(page.getByRole("status", { name: "Live state" })).toHaveText("Live");
    await settled(page, path);
  }
  const without = fresh.calls.length * ROUNDS;

  await page.goto("/");
  await expect(page.getByRole("status", { name: "Live state" })).toHaveText("Live");
  fresh.calls.length = 0;
  for (let round = 0; round < ROUNDS; round++) {
    for (const path of places) {
      await navigation(page).locator(`a[href="${path}"]`).click();
      await settled(page, path);
    }
  }
  expect(without).toBeGreaterThan(0);
  expect(fresh.calls.length, fresh.calls.join(" ")).toBeLessThanOrEqual(without * 0.2);
});

test("W29 what was read is kept, a change is read again once, a failure is not kept, signing out forgets all", async ({
  page,
  place,
  world,
}) => {
  await signIn(page, place, { email: world.userEmail, password: `password-${world.id}` });
  const counted = countCalls(page);
  const lists = (): number => counted.calls.filter((name) => name === "keys.list").length;
  await page.goto("/logs");
  await expect(page.getByRole("status", { name: "Live state" })).toHaveText("Live");

  // A failure first: it is shown, and the next visit tries again.
  await page.route(/\/trpc\/[^?]*keys\.list/, (route) => route.abort());
  await navigation(page).getByRole("link", { name: "Keys" }).click();
  await expect(page.getByRole("alert").first()).toBeVisible();
  await page.unroute(/\/trpc\/[^?]*keys\.list/);
  await navigation(page).getByRole("link", { name: "Logs" }).click();
  const failed = lists();
  await navigation(page).getByRole("link", { name: "Keys" }).click();
  const table = page.getByRole("table", { name: "Keys" });
  await expect(table).toContainText(world.keyName);
  expect(lists()).toBe(failed + 1);

  await navigation(page).getByRole("link", { name: "Logs" }).click();
  await settled(page, "/logs");
  await navigation(page).getByRole("link", { name: "Keys" }).click();
  await expect(table).toContainText(world.keyName);
  expect(lists()).toBe(failed + 1);

  const sessions = counted.calls.filter((name) => name.startsWith("sessions.")).length;
  await page.getByRole("button", { name: "Create key" }).first().click();
  const form = page.getByRole("dialog");
  await form.getByLabel("Name").fill(`another ${world.id}`);
  await form.getByRole("button", { name: /Create/ }).click();
  await page.getByRole("button", { name: "I have copied it" }).click();
  await expect(table).toContainText(`another ${world.id}`);
  expect(lists()).toBeGreaterThan(failed + 1);
  expect(counted.calls.filter((name) => name.startsWith("sessions.")).length).toBe(sessions);

  await page.getByRole("button", { name: "Account" }).click();
  await page.getByRole("menuitem", { name: "Sign out" }).click();
  await expect(page).toHaveURL(/\/login/);
  await page.goBack();
  await expect(page).toHaveURL(/\/login/);
  await expect(page.getByText(world.keyName)).toHaveCount(0);
});

test("a change made elsewhere is read again once by whoever looks, and only that noun", async ({ page, place, api, world }) => {
  await signIn(page, place, { email: world.userEmail, password: `password-${world.id}` });
  await page.goto("/keys");
  const table = page.getByRole("table", { name: "Keys" });
  await expect(table).toContainText(world.keyName);
  await expect(page.getByRole("status", { name: "Live state" })).toHaveText("Live");
  const counted = countCalls(page);
  await api.keys.update.mutate({ id: world.keyId, name: `renamed ${world.id}` });
  await expect(table).toContainText(`renamed ${world.id}`);
  expect(counted.calls.filter((name) => name === "keys.list")).toHaveLength(1);
  expect(counted.calls.filter((name) => name !== "keys.list" && name !== "names.list")).toEqual([]);
});
